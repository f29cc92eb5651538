"""What happens beside the campaign: a plain mailing, a second sequence that writes to people whom
the mailing or the campaign had reached, and a second company with a currency, a sequence and people
of its own. In the end they order, in two currencies at the rates of several days, and two get money
back."""

import datetime
from decimal import Decimal

from .. import settings
from . import cast
from .deals import Deal, Product
from .rpc import User

OURS, ZURICH = "YourCompany", "YourCompany Zurich"
REASON = "Delivery takes too long"
SECOND_SEQUENCE, ZURICH_SEQUENCE = "Once more: within a week", "Zurich: within a week"
PASSWORD = "in-the-story"

#: Who gets the plain mailing, and the people of the second company: their addresses.
ANNA, BEN, CLEO, DORA, EMIL = (
    f"{name}@woodshop.example.com" for name in ("anna", "ben", "cleo", "dora", "emil")
)
FRITZ, GRETA, HEIDI = (f"{name}@alpenholz.example.com" for name in ("fritz", "greta", "heidi"))
#: Francs for a dollar, from so many days ago on.
RATES = {3: Decimal("0.9127"), 2: Decimal("0.8733"), 0: Decimal("0.8911")}
#: What the sequences cost: (once, for each mail).
COSTS = {
    SECOND_SEQUENCE: (Decimal(120), Decimal("0.35")),
    ZURICH_SEQUENCE: (Decimal(80), Decimal("0.07")),
}

BODY = """<div><p>Hello <t t-out="object.contact_name">there</t>,</p>
<p>you asked us about “<t t-out="object.name">a desk</t>”: we deliver within a week now.</p>
<p><a href="https://shop.example.com/desks">See the desks</a></p>
<p><a href="/unsubscribe_from_list">Unsubscribe</a></p></div>"""
#: Who looks after the second company, and who does the books of both.
SELLER_GROUPS = (
    "lost_lead_nurture.group_user",
    "sales_team.group_sale_manager",
    "product.group_product_manager",
    "account.group_account_invoice",
)


class Sequel:
    """Its people, and what happens to them; asked by the plot in its time."""

    def __init__(self, story):
        self.story = story
        self.admin = story.admin
        self.marketer = story.marketer
        self.books = story.books
        names = (ANNA, BEN, CLEO, DORA, EMIL, FRITZ, GRETA, HEIDI)
        self.people = {
            address: cast.Person(address, address.partition("@")[0].capitalize())
            for address in names
        }
        # who has finished the campaign without an answer is written to once more
        self.finishers = [
            cast.Person(recipient.address, recipient.name)
            for recipient in story.recipients.values()
            if recipient.weeks == cast.KINDS[8]
        ][:2]
        self.leads = {}  # {address: id}
        self.records = {}  # {mail or sequence: id}
        self.steps = {}  # {mail: id}
        self.deals = []
        self.seller = self.accountant = None
        self.companies = {}  # {name: id}

    # Before it begins

    def set_up(self):
        """Found the second company, hire its people, and write the mails."""
        admin = self.admin
        self.franc = admin.ref("base.CHF")
        self.day = datetime.datetime.now(datetime.timezone.utc).date()
        self.companies[OURS] = admin.ref("base.main_company")
        self._found_the_company()
        self.reason = admin.create("crm.lost.reason", {"name": REASON})
        for address, person in self.people.items():
            company = ZURICH if address in (FRITZ, GRETA, HEIDI) else OURS
            self.leads[address] = self._lose_lead(person, company)
            self.books.lost(address, REASON, company)
        for person in self.finishers:
            recipient = self.story.recipients[person.address]
            self.leads[person.address] = admin.ref(recipient.lead)
        self._write_mailing()
        self._make_sequence(self.marketer, SECOND_SEQUENCE, cast.SECOND_CHANCE, entry="manual")
        preset = self.seller.create(
            "nurture.preset",
            {
                "name": "Delivery in Zurich",
                "lost_reason_ids": [(6, 0, [self.reason])],
                "company_id": self.companies[ZURICH],
            },
        )
        self.records["preset"] = preset
        self._make_sequence(self.seller, ZURICH_SEQUENCE, cast.ZURICH, preset_id=preset)

    def _found_the_company(self):
        admin = self.admin
        # the demo data of some modules of Odoo calls it otherwise
        ours = self.companies[OURS]
        admin.call("res.company", "write", [ours], vals={"name": OURS})
        admin.call("res.currency", "write", [self.franc], vals={"active": True})
        zurich = admin.create("res.company", {"name": ZURICH, "currency_id": self.franc})
        self.companies[ZURICH] = zurich
        for company in self.companies.values():
            for days, rate in RATES.items():
                values = {
                    "currency_id": self.franc,
                    "name": str(self.day_before(days)),
                    "rate": float(rate),
                    "company_id": company,
                }
                admin.create("res.currency.rate", values)
        admin.call(
            "account.chart.template", "try_loading", template_code="generic_coa", company=zurich
        )
        # with the accounts comes the currency of their country
        admin.call("res.company", "write", [zurich], vals={"currency_id": self.franc})
        groups = [(4, admin.ref(group)) for group in SELLER_GROUPS]
        for login, companies in (
            ("zoe", [zurich]),
            ("accountant", [self.companies[OURS], zurich]),
        ):
            values = {
                "name": login.capitalize(),
                "login": login,
                "email": f"{login}@yourcompany.example.com",
                "password": PASSWORD,
                "group_ids": groups,
                "company_id": companies[0],
                "company_ids": [(6, 0, companies)],
            }
            admin.create("res.users", values, no_reset_password=True)
        self.seller = User(self.story.server, "zoe", PASSWORD)
        self.accountant = User(self.story.server, "accountant", PASSWORD)
        # what is ordered there is delivered from there
        warehouse = {"name": "Zurich", "code": "ZH", "company_id": zurich}
        admin.create("stock.warehouse", warehouse, allowed_company_ids=[zurich])
        # who founds a company is in it, and would see both from here on
        us = self.companies[OURS]
        (row,) = admin.find("res.users", [("login", "=", settings.LOGIN)], ["id"])
        admin.call("res.users", "write", [row["id"]], vals={"company_ids": [(6, 0, [us])]})

    def _lose_lead(self, person, company):
        user = self.seller if company == ZURICH else self.admin
        values = {
            "name": f"Desks for {person.name}",
            "contact_name": person.name,
            "email_from": person.address,
            "type": "opportunity",
            "company_id": self.companies[company],
            "expected_revenue": 2000,
        }
        lead = user.create("crm.lead", values)
        user.call("crm.lead", "action_set_lost", [lead], lost_reason_id=self.reason)
        return lead

    def _write_mailing(self):
        lost = [
            ("lost_reason_id", "=", self.reason),
            ("company_id", "=", self.companies[OURS]),
            ("active", "in", [True, False]),
        ]
        values = self._prepare_mail(cast.SPRING_OFFER)
        values["mailing_domain"] = repr(lost)
        self.records[cast.SPRING_OFFER] = self.marketer.create("mailing.mailing", values)

    def _make_sequence(self, user, name, mail, **values):
        fixed, each = COSTS[name]
        sequence = user.create(
            "nurture.sequence",
            {"name": name, "fixed_cost": float(fixed), "mail_cost": float(each), **values},
        )
        mailing = user.create("mailing.mailing", self._prepare_mail(mail))
        self.steps[mail] = user.create(
            "nurture.step", {"sequence_id": sequence, "mailing_id": mailing, "trigger": "begin"}
        )
        self.records |= {name: sequence, mail: mailing}

    def _prepare_mail(self, mail):
        return {
            "subject": cast.SUBJECTS[mail],
            "mailing_type": "mail",
            "mailing_model_id": self.admin.ref("crm.model_crm_lead"),
            "body_arch": BODY,
            "body_html": BODY,
            "email_from": "shop@yourcompany.example.com",
        }

    def day_before(self, days):
        """Return the day so many days before the end of the story."""
        return self.day - datetime.timedelta(days=days)

    # The mails

    def mail_in_the_first_week(self):
        """The plain mailing leaves, and the second company starts its sequence."""
        mailing = self.records[cast.SPRING_OFFER]
        self.marketer.call("mailing.mailing", "action_put_in_queue", [mailing])
        self.admin.run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self.seller.call("nurture.sequence", "action_start", [self.records[ZURICH_SEQUENCE]])
        self._post(
            {cast.SPRING_OFFER: (ANNA, BEN, CLEO, DORA, EMIL), cast.ZURICH: (FRITZ, GRETA, HEIDI)},
            "of the sequel, in the first week",
        )

    def react_in_the_first_week(self):
        """Some answer, click or only open."""
        self._do(ANNA, cast.ANSWERS, cast.SPRING_OFFER)
        self._do(BEN, cast.CLICKS, cast.SPRING_OFFER)
        self._do(CLEO, cast.OPENS, cast.SPRING_OFFER)
        self._do(EMIL, cast.CLICKS, cast.SPRING_OFFER)
        self._do(FRITZ, cast.CLICKS, cast.ZURICH)
        self._do(GRETA, cast.ANSWERS, cast.ZURICH)
        # an answer to a sequence brings the lead back
        self.books.note("restored", GRETA)

    def quote_in_the_second_week(self):
        """Emil, who has clicked, gets his quotation while nobody restores the lead."""
        self._deal(self.admin, EMIL, self._desk(), 1, Decimal("999.99")).quote()

    def mail_in_the_third_week(self):
        """The second sequence writes to some whom the mailing, and to some whom the campaign had
        reached."""
        addresses = [DORA, EMIL, *(person.address for person in self.finishers)]
        sequence = self.records[SECOND_SEQUENCE]
        self.marketer.call("nurture.sequence", "action_start", [sequence])
        result = self.marketer.call(
            "nurture.sequence",
            "enrol",
            [sequence],
            lead_ids=[self.leads[address] for address in addresses],
        )
        assert len(result["entered"]) == len(addresses), result
        self._post({cast.SECOND_CHANCE: addresses}, "of the second sequence")

    def react_in_the_third_week(self):
        """Dora clicks in the newer mail, and then in the older one."""
        clicks, opens = self.finishers
        self._do(DORA, cast.CLICKS, cast.SECOND_CHANCE)
        self._do(EMIL, cast.ANSWERS, cast.SECOND_CHANCE)
        self.books.note("restored", EMIL)
        self._do(clicks.address, cast.CLICKS, cast.SECOND_CHANCE)
        self._do(opens.address, cast.OPENS, cast.SECOND_CHANCE)
        self.story.pass_time(minutes=2)
        self.story.post_nothing("after Dora's first click")
        self._do(DORA, cast.CLICKS, cast.SPRING_OFFER)

    def _post(self, mails, when):
        """Let what is due leave: exactly these people get these mails.

        :param mails: ``{mail: addresses}``
        """
        of = {cast.SECOND_CHANCE: SECOND_SEQUENCE, cast.ZURICH: ZURICH_SEQUENCE}
        for mail, addresses in mails.items():
            self.books.mailed(mail, of.get(mail))
            for address in addresses:
                self.of_mail(address, mail).got[mail] = set()
        self.story.post({(who, mail) for mail, people in mails.items() for who in people}, when)

    def of_mail(self, address, mail):
        """Return the person who gets a mail of the sequel."""
        finishers = {person.address: person for person in self.finishers}
        return finishers[address] if address in finishers else self.people[address]

    def _do(self, address, action, mail):
        self.of_mail(address, mail).got[mail].add(action)
        self.story.react(address, action, mail)

    # The deals

    def close_the_deals(self):
        """Those who were written to order, and some want money back."""
        self._sell_ours()
        self._sell_in_zurich()

    def _sell_ours(self):
        admin = self.admin
        desk = self._desk()
        for address in (ANNA, BEN, CLEO):
            self._restore(admin, address)
        billed, paid, today = (self.day_before(days) for days in (2, 1, 0))

        # a plain mailing was answered: three desks, one of which is returned
        deal = self._deal(admin, ANNA, desk, 3, Decimal("333.33"))
        deal.quote(self.day_before(3))
        deal.confirm()
        invoice = deal.invoice(billed)
        deal.pay(invoice, paid, billed)
        deal.refund(invoice, 1, today)

        # in francs, and all of it is returned, at another rate than it was sold at
        deal = self._deal(admin, BEN, desk, 2, Decimal("301.15"), self._francs(admin))
        deal.quote(self.day_before(3))
        deal.confirm()
        invoice = deal.invoice(billed)
        deal.pay(invoice, paid, billed)
        deal.refund(invoice, 2, today)

        # who only opens the mail buys, too: that is nobody's merit
        deal = self._deal(admin, CLEO, desk, 1, Decimal("410.00"))
        deal.quote()
        deal.confirm()
        deal.pay(deal.invoice())

        # only two fifths are paid
        self._restore_by_quotation(DORA)
        deal = self._deal(admin, DORA, desk, 3, Decimal("377.77"))
        deal.quote()
        deal.confirm()
        deal.pay(deal.invoice(), part=Decimal("0.4"))

        # quoted before the second sequence wrote, ordered after Emil had answered it
        deal = next(deal for deal in self.deals if deal.lead == EMIL)
        deal.confirm()
        deal.pay(deal.invoice())

        # the campaign's mails were clicked first, and for one of them last
        for person, price in zip(self.finishers, ("250.00", "123.45"), strict=True):
            self._restore_by_quotation(person.address)
            deal = self._deal(admin, person.address, desk, 4, Decimal(price))
            deal.quote()
            deal.confirm()
            deal.pay(deal.invoice())

    def _sell_in_zurich(self):
        seller = self.seller
        desk = self._desk(ZURICH)
        billed, paid, today = (self.day_before(days) for days in (2, 1, 0))

        # in dollars, below the list price
        self._restore_by_quotation(FRITZ)
        deal = self._deal(seller, FRITZ, desk, 3, Decimal("399.90"), self._dollars())
        deal.quote(self.day_before(3))
        deal.confirm()
        deal.pay(deal.invoice(billed), paid, billed)

        # in francs, and one of them is returned
        deal = self._deal(seller, GRETA, desk, 5, Decimal("388.88"))
        deal.quote()
        deal.confirm()
        invoice = deal.invoice()
        deal.pay(invoice)
        deal.refund(invoice, 1, today)

        # who did not react has nothing but a quotation, in dollars of the day
        self._restore_by_quotation(HEIDI)
        deal = self._deal(seller, HEIDI, desk, 1, Decimal("430.00"), self._dollars())
        deal.quote(self.day_before(2))

    def _restore(self, user, address):
        """A salesperson brings the lead back by hand."""
        user.call("crm.lead", "action_restore", [self.leads[address]])
        self.books.note("restored", address)

    def _restore_by_quotation(self, address):
        """The sequence in which the lead is, or was, brings it back with its quotation."""
        self.books.note("restored", address)

    def _deal(self, seller, address, product, pieces, price, terms=(None, {})):
        pricelist, rates = terms
        deal = Deal(
            *(seller, self.books, address, self.leads[address]),
            *(product, pieces, price, pricelist, rates),
        )
        self.deals.append(deal)
        return deal

    def _desk(self, company=OURS):
        """A product that is known to cost something."""
        if ("desk", company) not in self.records:
            price, cost = {OURS: ("350.00", "211.11"), ZURICH: ("410.00", "222.22")}[company]
            user = self.admin if company == OURS else self.seller
            values = {
                "name": f"Oak desk ({company})",
                "list_price": float(price),
                "standard_price": float(cost),
                "invoice_policy": "order",
                "company_id": self.companies[company],
            }
            product = user.create("product.product", values)
            self.records["desk", company] = Product(product, Decimal(price), Decimal(cost))
        return self.records["desk", company]

    def _francs(self, user):
        """A pricelist in francs, and how many of them are a dollar."""
        return self._make_pricelist(user, self.franc), self.rates()

    def _dollars(self):
        """A pricelist in dollars, and how many of them are a franc."""
        pricelist = self._make_pricelist(self.seller, self.admin.ref("base.USD"))
        return pricelist, {day: 1 / rate for day, rate in self.rates().items()}

    def _make_pricelist(self, user, currency):
        key = ("pricelist", currency)
        if key not in self.records:
            values = {"name": "In another currency", "currency_id": currency}
            self.records[key] = user.create("product.pricelist", values)
        return self.records[key]

    def rates(self):
        """Return ``{day: francs for a dollar}``, from each of these days on."""
        return {self.day_before(days): rate for days, rate in RATES.items()}
