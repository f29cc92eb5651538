import json

from odoo import fields, models
from odoo.tools import SQL

from ..models.core.results_mixin import REVENUE_GROUPS
from ..models.mail.mailing_trace_statistics import DEFINITIONS, STATISTICS
from ..tools.providers import PROVIDERS
from ..tools.user_agents import CLIENTS, DEVICES
from ..tools.versions import LETTERS

#: What a record is about.
KINDS = [
    ("entered", "Participant"),
    ("mail", "Message"),
    ("won_back", "Won Back"),
    ("outcome", "Outcome"),
]
#: As PostgreSQL numbers and sorts them.
WEEKDAYS = [
    ("1", "Monday"),
    ("2", "Tuesday"),
    ("3", "Wednesday"),
    ("4", "Thursday"),
    ("5", "Friday"),
    ("6", "Saturday"),
    ("7", "Sunday"),
]
HOURS = [(f"{hour:02}", f"{hour:02}:00") for hour in range(24)]

#: What records are grouped by.
DIMENSIONS = (
    *("kind", "company_id", "sequence_id", "date", "step_id", "variant", "lost_reason_id"),
    *("user_id", "team_id", "country_id", "lost_month", "provider", "device", "client"),
    *("sent_weekday", "sent_hour", "read_weekday", "read_hour", "profile_id"),
)
#: What participants are counted by, besides: a message of theirs was so, or something came of it.
JOURNEY_MAILS = ("sent", "delivered", "opened", "clicked", "replied")
JOURNEY_OUTCOMES = {"quotation": ("quotation",), "order": ("order",), "paid": ("paid",)}
#: What is added up of money, in the company's currency.
AMOUNTS = ("invoiced_amount", "paid_amount", "margin")
#: What is added up of each kind.
MEASURES_OF = {
    "entered": (
        *("entered", "written_to", "won_back_entered", "held_out", "holdout_returned"),
        *(f"journeys_{name}" for name in (*JOURNEY_MAILS, *JOURNEY_OUTCOMES)),
    ),
    "mail": STATISTICS,
    "won_back": ("won_back",),
    "outcome": ("quotations", "orders", *AMOUNTS),
}
MEASURES = ("record_count", *(name for names in MEASURES_OF.values() for name in names))


def look_up(table, key):
    """SQL of what a small table says of a key.

    :param table: dict by texts
    :param key: SQL of a text
    """
    return SQL("(%s::jsonb ->> %s)", json.dumps(table), key)


class NurtureReportMixin(models.AbstractModel):
    """What the analysis groups by and adds up: of what happened, and of what was counted of it."""

    _name = "nurture.report.mixin"
    _description = "Nurture: Dimensions and Measures"

    kind = fields.Selection(KINDS, readonly=True, help="What the record is about.")
    date = fields.Date(
        readonly=True,
        help="The day on which the lead entered, the message was sent, the lead was won back, or "
        "something came of it, by the clock of the company.",
    )
    sequence_id = fields.Many2one("nurture.sequence", readonly=True, ondelete="cascade")
    step_id = fields.Many2one(
        "nurture.step",
        readonly=True,
        ondelete="cascade",
        help="The step that sent the message, won the lead back, or is credited by last touch.",
    )
    variant = fields.Selection(
        [(letter, letter) for letter in LETTERS],
        string="Version",
        readonly=True,
        help="Of a step with an A/B test: the version of its message that the participant was "
        "drawn for. Whoever gets the winner once it is decided is in it, too.",
    )
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True, ondelete="cascade")
    profile_id = fields.Many2one(
        "nurture.preset",
        readonly=True,
        ondelete="cascade",
        help="The preset by which the lead entered, of sequences for several.",
    )
    user_id = fields.Many2one(
        "res.users", string="Salesperson", readonly=True, ondelete="cascade", help="At entry."
    )
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", readonly=True, ondelete="cascade", help="At entry."
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade")
    country_id = fields.Many2one(
        "res.country", readonly=True, ondelete="cascade", help="Country of the lead at entry."
    )
    lost_month = fields.Date(
        "Month Lost", readonly=True, help="First day of the month in which the lead was lost."
    )
    provider = fields.Selection(
        PROVIDERS,
        string="Mail Provider",
        readonly=True,
        help="Who keeps the recipient's mailbox, by the domain of the address. Companies with a "
        "domain of their own are Other.",
    )
    device = fields.Selection(
        DEVICES,
        readonly=True,
        help="Of messages that were opened: on what, as far as a person's request shows that.",
    )
    client = fields.Selection(
        CLIENTS,
        string="Mail Program",
        readonly=True,
        help="Of messages that were opened: with what, as far as a person's request shows that.",
    )
    sent_weekday = fields.Selection(
        WEEKDAYS, readonly=True, help="Of messages: when they were sent, on the recipient's clock."
    )
    sent_hour = fields.Selection(
        HOURS, readonly=True, help="Of messages: when they were sent, on the recipient's clock."
    )
    read_weekday = fields.Selection(
        WEEKDAYS,
        readonly=True,
        help="Of messages: when they were opened or clicked first, on the recipient's clock.",
    )
    read_hour = fields.Selection(
        HOURS,
        readonly=True,
        help="Of messages: when they were opened or clicked first, on the recipient's clock.",
    )

    record_count = fields.Integer("Records", readonly=True)
    entered = fields.Integer("Participants", readonly=True)
    written_to = fields.Integer(
        "Participants Written To",
        readonly=True,
        help="Participants, less those who are held out.",
    )
    won_back_entered = fields.Integer(
        "Participants Won Back",
        readonly=True,
        help="Participants who were won back, counted on the day they entered: Won Back (%) is of "
        "these.",
    )
    held_out = fields.Integer(readonly=True, help="Participants who get nothing, to compare with.")
    holdout_returned = fields.Integer(
        "Returned without Mails",
        readonly=True,
        help="Participants held out who returned on their own.",
    )
    sent = fields.Integer(readonly=True, help=DEFINITIONS["sent"])
    delivered = fields.Integer(readonly=True, help=DEFINITIONS["delivered"])
    opened = fields.Integer(readonly=True, help=DEFINITIONS["opened"])
    clicked = fields.Integer(readonly=True, help=DEFINITIONS["clicked"])
    replied = fields.Integer(readonly=True, help=DEFINITIONS["replied"])
    ignored = fields.Integer(readonly=True, help=DEFINITIONS["ignored"])
    no_reaction = fields.Integer("No Reaction Yet", readonly=True, help=DEFINITIONS["no_reaction"])
    bounced = fields.Integer(readonly=True, help=DEFINITIONS["bounced"])
    unsubscribed = fields.Integer(readonly=True, help=DEFINITIONS["unsubscribed"])
    complained = fields.Integer(readonly=True, help=DEFINITIONS["complained"])
    won_back = fields.Integer(
        readonly=True, help="Leads that were won back, on the day on which they were."
    )
    quotations = fields.Integer(
        readonly=True, help="Quotations and orders that are credited, by last touch."
    )
    orders = fields.Integer(readonly=True, help="Orders that are credited, by last touch.")
    journeys_sent = fields.Integer(
        "Participants: Sent", readonly=True, help="Participants to whom a message was sent."
    )
    journeys_delivered = fields.Integer(
        "Participants: Delivered", readonly=True, help="Participants whom a message reached."
    )
    journeys_opened = fields.Integer(
        "Participants: Opened", readonly=True, help="Participants who opened a message."
    )
    journeys_clicked = fields.Integer(
        "Participants: Clicked", readonly=True, help="Participants who clicked in a message."
    )
    journeys_replied = fields.Integer(
        "Participants: Replied", readonly=True, help="Participants who replied to a message."
    )
    journeys_quotation = fields.Integer(
        "Participants: Quotation",
        readonly=True,
        help="Participants with a quotation or order that is credited, by last touch.",
    )
    journeys_order = fields.Integer(
        "Participants: Order",
        readonly=True,
        help="Participants with an order that is credited, by last touch.",
    )
    journeys_paid = fields.Integer(
        "Participants: Paid",
        readonly=True,
        help="Participants with an invoice that is credited, by last touch, and paid in part or "
        "whole.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True, ondelete="set null")
    invoiced_amount = fields.Monetary(
        "Invoiced",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Untaxed total of the invoices of the orders that are credited, by last touch.",
    )
    paid_amount = fields.Monetary(
        "Invoiced (Paid)",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Untaxed total of what was paid of these invoices, less refunds.",
    )
    margin = fields.Monetary(
        readonly=True,
        groups=REVENUE_GROUPS,
        help="What was paid, less refunds and what the products cost, where that is known.",
    )
