from odoo import fields, models
from odoo.tools import SQL

from ..models.mail.mailing_trace_statistics import RATE_DEFINITIONS, RATES
from .cube import Cube
from .nurture_report_mixin import AMOUNTS, DIMENSIONS, MEASURES

#: Each rate of the analysis: what it is of what. Those of messages are defined for all screens.
RATES_OF = {
    **{f"{name}_rate": parts for name, parts in RATES.items()},
    "won_back_rate": ("won_back_entered", "written_to"),
}


class NurtureReport(models.Model):
    """What came of the sequences, to be grouped as one likes. A record is one of four things that
    happened to a participant: it entered, a message was sent to it, it was won back, something came
    of it that is credited by last touch. A rate is the quotient of two sums, so that it is right in
    every group.

    Made of the participants that the user may see.
    """

    _name = "nurture.report"
    _inherit = ["nurture.report.mixin"]
    _description = "Nurture Analysis"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "participant_id"

    participant_id = fields.Many2one("nurture.participant", readonly=True)
    opened_rate = fields.Float(
        "Opened (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["opened"]
    )
    clicked_rate = fields.Float(
        "Clicked (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["clicked"]
    )
    click_to_open_rate = fields.Float(
        "Click-to-Open (%)",
        readonly=True,
        aggregator="avg",
        help=RATE_DEFINITIONS["click_to_open"],
    )
    replied_rate = fields.Float(
        "Replied (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["replied"]
    )
    ignored_rate = fields.Float(
        "Ignored (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["ignored"]
    )
    no_reaction_rate = fields.Float(
        "No Reaction Yet (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["no_reaction"]
    )
    bounced_rate = fields.Float(
        "Bounced (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["bounced"]
    )
    unsubscribed_rate = fields.Float(
        "Unsubscribed (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["unsubscribed"]
    )
    complained_rate = fields.Float(
        "Complained (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["complained"]
    )
    won_back_rate = fields.Float(
        "Won Back (%)",
        readonly=True,
        aggregator="avg",
        help="Of the participants, less those who are held out. It is known of participants, not "
        "of steps.",
    )

    _depends = {
        "mailing.trace": [
            *("email", "is_test_trace", "links_click_datetime", "nurture_client"),
            *("nurture_complaint_date", "nurture_device", "nurture_provider"),
            *("nurture_trace_id",),
            *("nurture_unsubscribe_date", "open_datetime", "reply_datetime", "sent_datetime"),
            *("trace_status", "trace_type"),
        ],
        "nurture.credit": [
            *("company_amount", "company_id", "date", "kind", "margin", "model"),
            *("participant_id", "step_id"),
        ],
        "nurture.trace": ["participant_id", "step_id", "variant"],
        "nurture.participant": [
            *("company_id", "country_id", "credited_step_id", "date_lost", "email"),
            *("entered_date", "lead_id", "lost_reason_id", "return_date", "sequence_id"),
            *("provider", "state", "team_id", "user_id", "won_back_date"),
        ],
    }

    @property
    def _table_query(self):
        if isinstance(cube := self.env.context.get("nurture_cube"), Cube):
            return self._select(self._sql_kept(cube))
        participants = self.env["nurture.participant"]._search([])
        table = SQL.identifier(participants.table)
        return self._select(self._sql_facts(participants.select(SQL("%s.*", table))))

    def _select(self, facts):
        """SELECT of all columns from ``facts``, SQL that selects what is grouped by and added up:
        rates beside it, and amounts in the currency of the user's company."""
        rate = self.env["res.company"]._nurture_sql_rate(SQL("company_id"))
        columns = [
            *map(SQL.identifier, ("id", "participant_id", *DIMENSIONS)),
            *(SQL.identifier(name) for name in MEASURES if name not in AMOUNTS),
            *(
                SQL("%s * %s AS %s", SQL.identifier(name), rate, SQL.identifier(name))
                for name in AMOUNTS
            ),
            SQL("%s AS currency_id", self.env.company.currency_id.id),
            *(
                SQL("%s AS %s", self._sql_rate(*map(SQL.identifier, parts)), SQL.identifier(name))
                for name, parts in RATES_OF.items()
            ),
        ]
        return SQL("SELECT %s FROM (%s) fact", SQL(", ").join(columns), facts)

    def _sql_rate(self, part, whole):
        """A rate in percent, nothing where there is nothing that it could be of."""
        return SQL("100.0 * %s / NULLIF(%s, 0)", part, whole)

    def _read_group_select(self, aggregate_spec, query):
        """Rates are quotients of sums, and records are counted, as one row may stand for many."""
        name, _colon, function = aggregate_spec.partition(":")
        if aggregate_spec == "__count":
            return SQL("COALESCE(%s, 0)", self._sql_sum("record_count", query))
        if name in RATES_OF and function == "avg":
            return self._sql_rate(*(self._sql_sum(part, query) for part in RATES_OF[name]))
        return super()._read_group_select(aggregate_spec, query)

    def _sql_sum(self, name, query):
        return SQL("SUM(%s)", self._field_to_sql(self._table, name, query))

    def action_open(self):
        """Open the journey of the participant."""
        self.ensure_one()
        return self.participant_id.get_formview_action()
