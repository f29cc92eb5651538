from odoo import fields, models
from odoo.tools import SQL

from ..models.mail.mailing_trace_statistics import DEFINITIONS, RATE_DEFINITIONS, RATES, STATISTICS


class NurtureReport(models.Model):
    """What came of the sequences, to be grouped as one likes. A record is one of three things that
    happened to a participant: it entered, a mail was sent to it, it was won back. Rates are
    averages of 0 and 100 over the records they are about, so that they are right in every group.

    Made of the participants that the user may see.
    """

    _name = "nurture.report"
    _description = "Nurture Analysis"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "participant_id"

    date = fields.Datetime(
        readonly=True, help="When the lead entered, the mail was sent, or the lead was won back."
    )
    participant_id = fields.Many2one("nurture.participant", readonly=True)
    sequence_id = fields.Many2one("nurture.sequence", readonly=True)
    step_id = fields.Many2one(
        "nurture.step", readonly=True, help="The step that sent the mail, or won the lead back."
    )
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)

    entered = fields.Integer("Participants", readonly=True)
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
    won_back = fields.Integer(readonly=True)
    held_out = fields.Integer(readonly=True, help="Participants who get nothing, to compare with.")
    holdout_returned = fields.Integer(
        "Returned without Mails",
        readonly=True,
        help="Participants held out who returned on their own.",
    )
    opened_rate = fields.Float(
        "Opened (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["opened"]
    )
    clicked_rate = fields.Float(
        "Clicked (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["clicked"]
    )
    click_to_open_rate = fields.Float(
        "Click-to-Open (%)", readonly=True, aggregator="avg", help=RATE_DEFINITIONS["click_to_open"]
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
            "is_test_trace",
            "links_click_datetime",
            "nurture_complaint_date",
            "nurture_trace_id",
            "nurture_unsubscribe_date",
            "open_datetime",
            "reply_datetime",
            "sent_datetime",
            "trace_status",
        ],
        "nurture.trace": ["participant_id", "step_id"],
        "nurture.participant": [
            "return_date",
            "company_id",
            "credited_step_id",
            "entered_date",
            "lost_reason_id",
            "sequence_id",
            "state",
            "team_id",
            "user_id",
            "won_back_date",
        ],
    }

    @property
    def _table_query(self):
        participants = self.env["nurture.participant"]._search([])
        columns = (
            *("id", "sequence_id", "lost_reason_id", "user_id", "team_id", "company_id", "state"),
            *("entered_date", "won_back_date", "credited_step_id", "return_date"),
        )
        seen = participants.select(*(SQL.identifier(participants.table, name) for name in columns))
        return SQL(
            "WITH participant AS NOT MATERIALIZED (%s) %s UNION ALL %s UNION ALL %s",
            seen,
            self._select_entered(),
            self._select_mails(),
            self._select_won_back(),
        )

    @property
    def _of_participant(self):
        return SQL(
            "participant.id AS participant_id, participant.sequence_id,"
            " participant.lost_reason_id, participant.user_id, participant.team_id,"
            " participant.company_id"
        )

    @property
    def _nothing(self):
        """The statistics of mails of what is none."""
        return SQL(
            "%s, %s",
            SQL(", ").join(SQL("0 AS %s", SQL.identifier(name)) for name in STATISTICS),
            SQL(", ").join(
                SQL("NULL::numeric AS %s", SQL.identifier(f"{name}_rate")) for name in RATES
            ),
        )

    # ids of the three kinds are kept apart by what is left when they are divided by three

    def _select_entered(self):
        return SQL(
            """
            SELECT participant.id * 3::bigint AS id, participant.entered_date AS date, %s,
                   NULL::integer AS step_id, 1 AS entered, 0 AS won_back,
                   (participant.state = 'holdout')::integer AS held_out,
                   (participant.return_date IS NOT NULL)::integer AS holdout_returned,
                   CASE WHEN participant.state = 'holdout' THEN NULL
                        WHEN participant.won_back_date IS NULL THEN 0.0
                        ELSE 100.0 END AS won_back_rate,
                   %s
              FROM participant
            """,
            self._of_participant,
            self._nothing,
        )

    def _select_mails(self):
        """Mails with what became of them, as all screens count it."""
        statistics = self.env["mailing.trace"]._nurture_sql_statistics()
        return SQL(
            """
            SELECT mailing_trace.id * 3::bigint + 1, mailing_trace.sent_datetime, %(of)s,
                   trace.step_id, 0, 0, 0, 0, NULL, %(numbers)s, %(rates)s
              FROM mailing_trace
              JOIN nurture_trace trace ON trace.id = mailing_trace.nurture_trace_id
              JOIN participant ON participant.id = trace.participant_id
             WHERE %(sent)s
            """,
            of=self._of_participant,
            numbers=SQL(", ").join(
                # a missing status is none of those asked for
                SQL("COALESCE((%s)::integer, 0)", statistics[name])
                for name in STATISTICS
            ),
            rates=SQL(", ").join(
                SQL(
                    "CASE WHEN %s THEN CASE WHEN %s THEN 100.0 ELSE 0.0 END END",
                    statistics[whole],
                    statistics[name],
                )
                for name, whole in RATES.values()
            ),
            sent=statistics["sent"],
        )

    def _select_won_back(self):
        return SQL(
            """
            SELECT participant.id * 3::bigint + 2, participant.won_back_date, %s,
                   participant.credited_step_id, 0, 1, 0, 0, NULL, %s
              FROM participant
             WHERE participant.won_back_date IS NOT NULL
            """,
            self._of_participant,
            self._nothing,
        )

    def action_open(self):
        """Open the journey of the participant."""
        self.ensure_one()
        return self.participant_id.get_formview_action()
