"""The second story: five customers wait for a chair of which there is none. The warehouse gets four
of them; whoever can be served is written to, and nobody else. One of them asks for the quotation
that was refused, on the page behind the link in the mail, and signs it in the portal."""

from dataclasses import dataclass
from decimal import Decimal

from . import cast
from .books import Shelf
from .checks import equal

REASON = "Waits for the next delivery"
SEQUENCE = "Back from the joiner"
CHAIR, PRICE, COST = "Reading chair (story)", Decimal(250), Decimal(140)
DELIVERED = 4
#: How much of the mail is true for everybody; the link is the customer's own.
SUBJECT = "We have it again: your quotation is ready"
BODY = """<div><p>Hello <t t-out="object.contact_name">there</t>,</p>
<p>when you asked us, we had none. Now we have as many as you wanted:</p>
<p><a href="/nurture_quotation">your quotation, at the prices of today</a>.</p>
<p><a href="/unsubscribe_from_list">Unsubscribe</a></p></div>"""


@dataclass
class Customer(cast.Person):
    """Somebody who waits.

    :param pieces: how many the customer wants
    :param worth: what the salesperson expects to earn by it
    """

    pieces: int = 1
    worth: int = 0
    lead: int = 0
    order: int = 0

    def subject(self, mail):
        """Return the subject this person sees."""
        return SUBJECT


def customers():
    """Return who waits: ``{address: Customer}``. Jan wants more than is left when it is his
    turn."""
    people = [
        Customer(f"{name.lower()}@leseecke.example.com", name, pieces=pieces, worth=worth)
        for name, pieces, worth in (
            ("Max", 1, 220),
            ("Kim", 1, 260),
            ("Ida", 3, 750),
            ("Lea", 1, 240),
            ("Jan", 2, 500),
        )
    ]
    return {person.address: person for person in people}


class Delivery:
    """The customers, the chair and what happens; played when the first story has ended."""

    def __init__(self, story):
        self.story = story
        self.admin = story.admin
        self.marketer = story.marketer
        self.people = customers()
        self.shelf = Shelf()
        self.chair = self.reason = self.sequence = None

    def play(self):
        """Play it, and return what came of it."""
        self.set_up()
        self.story.post_nothing("while there is no chair")
        self.receive(DELIVERED)
        self.story.pass_time(hours=2)
        wave = self.shelf.deliver(DELIVERED)
        self.story.post({(address, SEQUENCE) for address in wave}, "after the delivery")
        self.check_wave(wave)
        signer = self.people[wave[0]]
        self.ask_and_sign(signer)
        self.check_end(wave, signer)
        return {
            "waiting": len(self.people),
            "delivered": DELIVERED,
            "invited": len(wave),
            "asked": 1,
            "signed": 1,
            "ordered": float(signer.pieces * PRICE),
            "still_waiting": len(self.people) - len(wave),
        }

    # What was before

    def set_up(self):
        """Make the chair, lose the leads, and start the sequence that waits for it. Quotations are
        signed, and paid later."""
        admin = self.admin
        signed = {"portal_confirmation_sign": True, "portal_confirmation_pay": False}
        admin.call("res.company", "write", [admin.ref("base.main_company")], vals=signed)
        values = {
            "name": CHAIR,
            "type": "consu",
            "is_storable": True,
            "list_price": float(PRICE),
            "standard_price": float(COST),
            "taxes_id": [(5, 0, 0)],
        }
        self.chair = admin.create("product.product", values)
        values = {"name": REASON, "nurture_cure": "stock"}
        self.reason = admin.create("crm.lost.reason", values)
        for person in self.people.values():
            self.lose(person)
            self.shelf.wait(person.address, person.pieces, person.worth)
        self.start()

    def lose(self, person):
        """The salesperson quotes, there is none, and the lead is lost."""
        seller = self.marketer
        partner = seller.create("res.partner", {"name": person.name, "email": person.address})
        person.lead = seller.create(
            "crm.lead",
            {
                "name": f"Chairs for {person.name}",
                "contact_name": person.name,
                "email_from": person.address,
                "partner_id": partner,
                "type": "opportunity",
                "expected_revenue": person.worth,
            },
        )
        line = {"product_id": self.chair, "product_uom_qty": person.pieces}
        values = {
            "partner_id": partner,
            "opportunity_id": person.lead,
            "order_line": [(0, 0, line)],
        }
        person.order = seller.create("sale.order", values)
        seller.call("sale.order", "action_quotation_sent", [person.order])
        seller.call("crm.lead", "action_set_lost", [person.lead], lost_reason_id=self.reason)

    def start(self):
        """The marketer writes to whoever waits for stock, as soon as there is enough."""
        marketer = self.marketer
        values = {"name": REASON, "lost_reason_ids": [(6, 0, [self.reason])]}
        preset = marketer.create("nurture.preset", values)
        values = {
            "name": SEQUENCE,
            "preset_id": preset,
            "wait_for_stock": "free",
            "reentry": "stock",
        }
        self.sequence = marketer.create("nurture.sequence", values)
        values = {
            "subject": SUBJECT,
            "mailing_type": "mail",
            "mailing_model_id": self.admin.ref("crm.model_crm_lead"),
            "body_arch": BODY,
            "body_html": BODY,
            "email_from": "shop@yourcompany.example.com",
        }
        mailing = marketer.create("mailing.mailing", values)
        values = {"sequence_id": self.sequence, "mailing_id": mailing, "trigger": "begin"}
        marketer.create("nurture.step", values)
        marketer.call("nurture.sequence", "action_start", [self.sequence])

    # What happens

    def receive(self, pieces):
        """The warehouse validates a receipt."""
        admin = self.admin
        (warehouse,) = admin.find(
            "stock.warehouse",
            [("company_id", "=", admin.ref("base.main_company"))],
            ["in_type_id", "lot_stock_id"],
            order="sequence, id",
            limit=1,
        )
        places = {
            "location_id": admin.ref("stock.stock_location_suppliers"),
            "location_dest_id": warehouse["lot_stock_id"][0],
        }
        move = {"product_id": self.chair, "product_uom_qty": pieces, **places}
        values = {
            "picking_type_id": warehouse["in_type_id"][0],
            "move_ids": [(0, 0, move)],
            **places,
        }
        picking = admin.create("stock.picking", values)
        admin.call("stock.picking", "action_confirm", [picking])
        moves = admin.find("stock.move", [("picking_id", "=", picking)], ["id"])
        values = {"quantity": pieces, "picked": True}
        admin.call("stock.move", "write", [row["id"] for row in moves], vals=values)
        admin.call("stock.picking", "button_validate", [picking])
        (row,) = admin.find("stock.picking", [("id", "=", picking)], ["state"])
        assert row["state"] == "done", f"The receipt is {row['state']}"

    def ask_and_sign(self, person):
        """Somebody looks at the page behind the link, asks for the quotation there, and signs it in
        the portal. To look makes none."""
        mail = self.story.mails[person.address, SEQUENCE]
        page = mail.read_quotation()
        amount = f"{person.pieces * PRICE:,.2f}"
        assert amount in page.text, f"The page for {person.name} lacks {amount}"
        assert not self._find_fresh(person), "Somebody looked, and a quotation was made"
        portal = mail.ask_for_quotation(page)
        (fresh,) = self._find_fresh(person)
        equal(
            {name: fresh[name] for name in ("amount_untaxed", "state")},
            {"amount_untaxed": float(person.pieces * PRICE), "state": "sent"},
            "The quotation that was asked for",
        )
        mail.sign(portal, person.name)

    # What came of it

    def check_wave(self, wave):
        """Exactly those who can be served are in the sequence; the others wait for more."""
        participants = self.marketer.find(
            "nurture.participant", [("sequence_id", "=", self.sequence)], ["lead_id"]
        )
        equal(
            {row["lead_id"][0] for row in participants},
            {self.people[address].lead for address in wave},
            "Leads in the sequence",
        )
        audience = self.marketer.call("nurture.sequence", "get_audience", [self.sequence])
        waiting = len(self.people) - len(wave)
        equal(
            {row["reason"]: row["count"] for row in audience["excluded"]},
            {"inside": len(wave), "stock_taken": waiting},
            "Excluded from the sequence",
        )

    def check_end(self, wave, signer):
        """The order is the customer's, at the price of today, and the sequence is credited with
        it. Only the customer hears of it."""
        (order,) = self._find_fresh(signer)
        equal(
            {name: order[name] for name in ("amount_untaxed", "state", "signed_by")},
            {
                "amount_untaxed": float(signer.pieces * PRICE),
                "state": "sale",
                "signed_by": signer.name,
            },
            "The order",
        )
        arrived = self.story.post_freely()
        users = self.admin.find("res.users", [("share", "=", False)], ["email"])
        staff = {row["email"].lower() for row in users if row["email"]}
        equal(
            {mail.address for mail in arrived} - staff,
            {signer.address},
            "Who gets a mail about the order",
        )
        fields = ["participant_count", "sent_count", "lead_count", "quotation_count"]
        (row,) = self.marketer.find("nurture.sequence", [("id", "=", self.sequence)], fields)
        equal(
            {name: row[name] for name in fields},
            {
                "participant_count": len(wave),
                "sent_count": len(wave),
                "lead_count": 1,
                "quotation_count": 1,
            },
            f"Results of “{SEQUENCE}”",
        )
        # what was ordered is reserved, the rest is another one's
        (chair,) = self.admin.find("product.product", [("id", "=", self.chair)], ["free_qty"])
        equal(
            {"free": chair["free_qty"]},
            {"free": self.shelf.pieces - signer.pieces},
            "Chairs that nobody has ordered",
        )

    def _find_fresh(self, person):
        """The quotations that were asked for in place of the refused one."""
        return self.admin.find(
            "sale.order",
            [("nurture_refused_id", "=", person.order)],
            ["amount_untaxed", "state", "signed_by"],
        )
