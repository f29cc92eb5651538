"""What the screens say came of it, held against the books: to the cent and to the person."""

from collections import Counter
from decimal import Decimal

from . import books, cast, sequel
from .books import cents
from .checks import MAILINGS, STEPS, equal


class Results:
    """Compares the ledger, the credits and each number with the books."""

    def __init__(self, story):
        self.story = story
        self.books = story.books
        self.sequel = story.sequel
        admin = story.admin
        # an accountant of both companies, who sees all of it in the currency of ours
        self.accountant = story.sequel.accountant
        self.leads = story.sequel.leads | {
            recipient.address: admin.ref(recipient.lead) for recipient in story.recipients.values()
        }
        self.address_of = {id_: address for address, id_ in self.leads.items()}
        self.sequences = {
            cast.CAMPAIGN: story.campaign,
            sequel.SECOND_SEQUENCE: story.sequel.records[sequel.SECOND_SEQUENCE],
            sequel.ZURICH_SEQUENCE: story.sequel.records[sequel.ZURICH_SEQUENCE],
        }
        mine = {mail: self._ref(name) for mail, name in MAILINGS.items()}
        others = (cast.SPRING_OFFER, cast.SECOND_CHANCE, cast.ZURICH)
        self.mailings = mine | {mail: story.sequel.records[mail] for mail in others}
        self.mail_of = {id_: mail for mail, id_ in self.mailings.items()}

    def check(self):
        """Check all of them."""
        self._ledger()
        self._credits()
        for name in self.sequences:
            self._sequence(name)
        self._plain_mailing()
        self._records()

    # The ledger

    def _ledger(self):
        """Each row, and who sees it: whose company it is of."""
        names = ["lead_id", "kind", "order_id", "lost_reason_id", "company_id"]
        names += ["amount", "company_amount", "margin", "is_margin_known", "discount"]
        for user, companies in (
            (self.accountant, {sequel.OURS, sequel.ZURICH}),
            (self.story.marketer, {sequel.OURS}),
            (self.sequel.seller, {sequel.ZURICH}),
        ):
            equal(
                Counter(
                    (
                        self.address_of[row["lead_id"][0]],
                        row["kind"],
                        row["order_id"][0] if row["order_id"] else None,
                        row["lost_reason_id"][1],
                        row["company_id"][1],
                        *(_number(row[name]) for name in ("amount", "company_amount", "discount")),
                        _number(row["margin"]) if row["is_margin_known"] else None,
                    )
                    for row in user.find("nurture.outcome", [], names)
                ),
                Counter(
                    (
                        entry.lead,
                        entry.kind,
                        entry.deal.order if entry.deal else None,
                        entry.reason,
                        entry.company,
                        *(entry.amount, entry.company_amount, entry.discount),
                        entry.margin,
                    )
                    for entry in self.books.entries
                    if entry.company in companies
                ),
                f"The ledger of {', '.join(sorted(companies))}",
            )

    def _credits(self):
        """What each mail is credited with, by each model of attribution."""
        names = ["model", "lead_id", "kind", "order_id", "mailing_id", "company_amount", "margin"]
        found = Counter(
            (
                row["model"],
                self.address_of[row["lead_id"][0]],
                row["kind"],
                row["order_id"][0] if row["order_id"] else None,
                self.mail_of[row["mailing_id"][0]],
                *(_number(row[name]) for name in ("company_amount", "margin")),
            )
            for row in self.accountant.find("nurture.credit", [], names)
        )
        expected = Counter(
            (
                model,
                entry.lead,
                entry.kind,
                entry.deal.order if entry.deal else None,
                mail,
                *amounts,
            )
            for entry in self.books.entries
            for model in books.MODELS
            for mail, amounts in self.books.credit(entry, model).items()
        )
        equal(found, expected, "Credits (model, lead, kind, order, mail, amount, margin)")

    # Sequences

    def _sequence(self, name):
        """The numbers on the sequence's form and on its page Money, in its company's currency, and
        the lists behind them."""
        user = self.sequel.seller if name == sequel.ZURICH_SEQUENCE else self.accountant
        entries = self.books.of_mails(self.books.mails_of(name))
        expected = self._participants(name) | self._money(name, entries)
        (row,) = user.find("nurture.sequence", [("id", "=", self.sequences[name])], list(expected))
        equal({key: _number(row[key]) for key in expected}, expected, f"The sequence “{name}”")

        for method, wanted in (
            ("action_view_leads", self._lead_ids(self.books.won_back(name))),
            ("action_view_quotations", _orders(books.deals(entries, *books.QUOTED))),
            ("action_view_deals", _orders(books.deals(entries, "order"))),
            ("action_view_invoices", _invoices(books.deals(entries, *books.EARNED))),
        ):
            found = self._open(user, "nurture.sequence", self.sequences[name], method)
            equal(found, wanted, f"{method} of “{name}”")
        for statistic, field in (("revenue", "company_amount"), ("margin", "margin")):
            self._amount(user, name, statistic, field, expected[statistic])

    def _participants(self, name):
        """Who took part, what became of the mails, and who was won back."""
        people = self._people_of(name)
        return {
            **{
                f"{statistic}_count": number
                for statistic, number in cast.statistics(people).items()
            },
            "participant_count": len(people),
            "lead_count": len(self.books.won_back(name)),
        }

    def _money(self, name, entries):
        """What a sequence cost, and what it earned."""
        fixed, each = sequel.COSTS.get(name, (Decimal(0), Decimal(0)))
        cost = fixed + cents(each * cast.statistics(self._people_of(name))["sent"])
        deals = books.deals(entries, "order")
        revenue, margin = books.total(entries), books.total(entries, "margin")
        without_margin = books.total(entry for entry in entries if entry.margin is None)
        gain = margin + without_margin - cost
        return {
            "quotation_count": len(books.deals(entries, *books.QUOTED)),
            "deal_count": len(deals),
            "invoiced_amount": revenue,
            "revenue": revenue,
            "margin": margin,
            "revenue_without_margin": without_margin,
            "discount_granted": books.total(entries, "discount", ("order",)),
            "total_cost": cost,
            "cost_per_deal": cents(cost / len(deals)),
            "roi": cents(100 * gain / cost) if cost else Decimal(0),
        }

    def _amount(self, user, name, statistic, field, amount):
        """The list behind an amount adds up to it."""
        action = user.call(
            "nurture.sequence",
            "action_view_amount",
            [self.sequences[name]],
            context={"nurture_statistic": statistic},
        )
        rows = user.find(action["res_model"], action["domain"], [field])
        listed = cents(sum(Decimal(repr(row[field])) for row in rows))
        assert listed == amount, f"{statistic} of “{name}”: {listed}, expected {amount}"

    def _plain_mailing(self):
        """What became of the mails of the plain mailing."""
        expected = cast.statistics(self._people_who_got(cast.SPRING_OFFER))
        domain = [("id", "=", self.mailings[cast.SPRING_OFFER])]
        (row,) = self.accountant.find("mailing.mailing", domain, list(expected))
        equal({name: row[name] for name in expected}, expected, "The plain mailing")

    def _people_of(self, name):
        """Who got mails of a sequence."""
        if name == cast.CAMPAIGN:
            return list(self.story.recipients.values())
        return self._people_who_got(*self.books.mails_of(name))

    def _people_who_got(self, *mails):
        """Who got some of these mails of the sequel, with what they did with these."""
        people = [*self.sequel.people.values(), *self.sequel.finishers]
        return [
            cast.Person(person.address, person.name, of_it)
            for person in people
            if (of_it := {mail: did for mail, did in person.got.items() if mail in mails})
        ]

    # What came of a record

    def _records(self):
        """Steps, mailings, presets, lost reasons, leads and contacts: three numbers each, and the
        list behind each."""
        find = self.books.of_mails
        credited = self.books.credited()
        steps = {mail: self._ref(xml_id) for mail, xml_id in STEPS.items()} | self.sequel.steps
        stock = self._ref("nurture_preset_stock")
        records = [
            *(("nurture.step", id_, find({mail})) for mail, id_ in steps.items()),
            *(("mailing.mailing", id_, find({mail})) for mail, id_ in self.mailings.items()),
            ("nurture.preset", stock, find(self.books.mails_of(cast.CAMPAIGN))),
            (
                "nurture.preset",
                self.sequel.records["preset"],
                find(self.books.mails_of(sequel.ZURICH_SEQUENCE)),
            ),
            *(
                ("crm.lost.reason", id_, [entry for entry in credited if entry.reason == reason])
                for reason, id_ in (
                    (cast.REASON, self.story.admin.ref("crm.lost_reason_3")),
                    (sequel.REASON, self.sequel.reason),
                )
            ),
            *(
                ("crm.lead", id_, [entry for entry in credited if entry.lead == address])
                for address, id_ in self.leads.items()
                if address in {entry.lead for entry in self.books.entries}
            ),
            *(
                ("res.partner", deal.customer, [entry for entry in credited if entry.deal is deal])
                for deal in self.story.deals
            ),
        ]
        for model, id_, entries in records:
            self._record(model, id_, entries)

    def _record(self, model, id_, entries):
        names = ["nurture_lead_count", "nurture_quotation_count", "nurture_invoiced"]
        (row,) = self.accountant.find(model, [("id", "=", id_)], names)
        equal(
            {name: _number(row[name]) for name in names},
            {
                "nurture_lead_count": len(books.leads(entries, *books.WON)),
                "nurture_quotation_count": len(books.deals(entries, *books.QUOTED)),
                "nurture_invoiced": self._in_our_currency(entries),
            },
            f"What came of {model} {id_}",
        )
        wanted = {
            "leads": self._lead_ids(books.leads(entries, *books.WON)),
            "quotations": _orders(books.deals(entries, *books.QUOTED)),
            "invoices": _invoices(books.deals(entries, *books.EARNED)),
        }
        for statistic, ids in wanted.items():
            found = self._open(
                *(self.accountant, model, id_, "action_view_nurture_results"),
                nurture_statistic=statistic,
            )
            equal(found, ids, f"{statistic} of {model} {id_}")

    def _in_our_currency(self, entries):
        """What was earned: what was earned in Zurich at today's rate."""
        ours, zurich = (
            books.total(entry for entry in entries if entry.company == company)
            for company in (sequel.OURS, sequel.ZURICH)
        )
        return ours + cents(zurich / sequel.RATES[0])

    def _ref(self, name):
        return self.story.admin.ref(f"lost_lead_nurture.{name}")

    def _lead_ids(self, addresses):
        return {self.leads[address] for address in addresses}

    def _open(self, user, model, id_, method, **context):
        """Return the ids of what a button opens."""
        action = user.call(model, method, [id_], context=context)
        rows = user.call(
            action["res_model"],
            "search_read",
            domain=action["domain"],
            fields=["id"],
            context=action["context"],
        )
        return {row["id"] for row in rows}


def _orders(deals):
    return {deal.order for deal in deals}


def _invoices(deals):
    return {invoice for deal in deals for invoice in deal.invoices}


def _number(number):
    """Return a number to the cent."""
    return cents(Decimal(repr(number)))
