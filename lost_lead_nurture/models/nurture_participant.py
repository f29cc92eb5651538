from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.reasons import EXIT_REASONS, WON_BACK


class NurtureParticipant(models.Model):
    """One lead's way through one sequence, with what the lead was when it entered."""

    _name = "nurture.participant"
    _description = "Nurture Participant"
    _order = "id desc"
    _rec_name = "lead_name"

    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    lead_id = fields.Many2one(
        "crm.lead",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        context={"active_test": False},
    )
    round = fields.Integer(
        default=1, readonly=True, help="How many times this address has entered the sequence."
    )
    state = fields.Selection(
        [
            ("running", "Running"),
            ("completed", "Completed"),
            ("exited", "Exited"),
            ("removed", "Removed"),
            ("holdout", "Held Out"),
        ],
        required=True,
        readonly=True,
        default="running",
        index=True,
    )
    exit_reason = fields.Selection(
        EXIT_REASONS, string="Reason", readonly=True, help="Why the lead is not in it any more."
    )
    entered_date = fields.Datetime(string="Entered On", readonly=True, required=True)
    exit_date = fields.Datetime(string="Ended On", readonly=True)
    trace_ids = fields.One2many("nurture.trace", "participant_id", string="Traces")

    # snapshot: restoring a lead erases the first of these on it
    lead_name = fields.Char(readonly=True)
    lost_reason_id = fields.Many2one(
        "crm.lost.reason", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    date_lost = fields.Datetime(string="Lost On", readonly=True)
    email = fields.Char(readonly=True, required=True, help="Normalized address at entry.")
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    expected_revenue = fields.Float(
        readonly=True, help="Expected revenue of the lead at entry, in the company's currency."
    )

    # results
    won_back_date = fields.Datetime(
        readonly=True, help="When the lead came back after a mail of this sequence."
    )
    credited_step_id = fields.Many2one(
        "nurture.step",
        string="Won Back By",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The step that woke the lead: the one replied to, else the last one clicked, else "
        "the last one opened, else the last one sent.",
    )
    order_ids = fields.One2many("sale.order", "nurture_participant_id", string="Quotations")

    _sequence_email_round_unique = models.Constraint(
        "UNIQUE (sequence_id, email, round)",
        "An address enters a sequence only once per round.",
    )
    _one_way_at_a_time = models.UniqueIndex(
        "(sequence_id, lead_id) WHERE state = 'running'",
        "A lead goes through a sequence only once at a time.",
    )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_remove(self):
        """Take leads out of their sequence by hand."""
        self.sequence_id.check_access("write")
        self.sudo()._leave("removed")
        return True

    def action_view_lead(self):
        """Open the lead."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "view_mode": "form",
        }

    # ------------------------------------------------------------
    # ENROL
    # ------------------------------------------------------------

    @api.model
    def _enrol(self, sequence, leads_query):
        """Let the leads of ``leads_query`` enter: participants and their first traces, in one
        statement. An address enters once; of several leads the one lost last is taken. Who is
        held out is decided by a hash, the same at every try.

        :param leads_query: SQL that selects ids of ``crm_lead``
        :return: number of new participants, held-out ones included
        """
        self.env.flush_all()
        now = fields.Datetime.now()
        step_model = self.env["nurture.step"]
        rows = self.env.execute_query(
            SQL(
                """
                WITH entering AS (
                    INSERT INTO nurture_participant (
                           sequence_id, company_id, lead_id, round, state, exit_reason,
                           entered_date, exit_date, lead_name, lost_reason_id, date_lost, email,
                           user_id, team_id, expected_revenue,
                           create_uid, create_date, write_uid, write_date)
                    SELECT DISTINCT ON (lead.email_normalized)
                           %(sequence)s, COALESCE(%(company)s, lead.company_id), lead.id, 1,
                           CASE WHEN held_out THEN 'holdout' ELSE 'running' END,
                           CASE WHEN held_out THEN 'holdout' END,
                           %(now)s, CASE WHEN held_out THEN %(now)s END,
                           lead.name, lead.lost_reason_id, lead.date_closed, lead.email_normalized,
                           lead.user_id, lead.team_id, lead.expected_revenue,
                           %(uid)s, %(now)s, %(uid)s, %(now)s
                      FROM crm_lead lead
             CROSS JOIN LATERAL (
                           SELECT %(holdout)s AS held_out
                           ) draw
                     WHERE lead.id IN (%(leads)s)
                       AND lead.email_normalized IS NOT NULL
                       AND NOT EXISTS (
                           SELECT 1
                             FROM nurture_participant inside
                            WHERE inside.sequence_id = %(sequence)s
                              AND (inside.email = lead.email_normalized
                                   OR inside.lead_id = lead.id)
                           )
                  ORDER BY lead.email_normalized, lead.date_closed DESC NULLS LAST, lead.id DESC
               ON CONFLICT DO NOTHING
                 RETURNING id, state, company_id
                ), begun AS (
                    INSERT INTO nurture_trace (
                           participant_id, step_id, sequence_id, company_id, state, schedule_date,
                           create_uid, create_date, write_uid, write_date)
                    SELECT entering.id, step.id, %(sequence)s, entering.company_id, 'scheduled',
                           %(now)s + %(delay)s, %(uid)s, %(now)s, %(uid)s, %(now)s
                      FROM entering
                      JOIN nurture_step step ON step.sequence_id = %(sequence)s
                     WHERE entering.state = 'running' AND step.parent_id IS NULL AND step.active
                )
                SELECT count(*) FROM entering
                """,
                sequence=sequence.id,
                company=sequence.company_id.id or None,
                now=now,
                uid=self.env.uid,
                leads=leads_query,
                holdout=self._sql_held_out(sequence),
                delay=step_model._sql_delay("step"),
            )
        )
        self.env["nurture.sequence"].invalidate_model(["participant_ids"], flush=False)
        self._invalidate_leads()
        return rows[0][0]

    @api.model
    def _sql_held_out(self, sequence):
        """Whether the address falls into the sequence's holdout: the first four bytes of an MD5,
        which spread evenly, against the share of 2^32."""
        return SQL(
            "('x' || substr(md5(%s || ':' || lead.email_normalized), 1, 8))::bit(32)::bigint < %s",
            str(sequence.id),
            round(sequence.holdout_percent / 100 * 2**32),
        )

    # ------------------------------------------------------------
    # LEAVE
    # ------------------------------------------------------------

    def _leave(self, reason):
        """End the way of these participants, whatever the reason: nothing more of the sequence
        reaches them. What is open is cancelled and mails still in the queue are pulled back.

        Somebody who had completed the sequence may still come back (reply, restore, win).
        """
        if not self:
            return
        states = ("running", "completed") if reason in WON_BACK else ("running",)
        leaving = self._end(
            SQL("id IN %s AND state IN %s", tuple(self.ids), states),
            "removed" if reason == "removed" else "exited",
            SQL("%s", reason),
        )
        if not leaving:
            return
        traces = self.env["nurture.trace"]
        traces._update(
            SQL(
                "participant_id IN %s AND state IN ('waiting', 'scheduled', 'error')",
                tuple(leaving.ids),
            ),
            state="cancelled",
            reason="left",
        )
        leaving._pull_back_mails()

    def _pull_back_mails(self):
        """Cancel the mails to these participants that are still in the queue."""
        queued = self.env["mailing.trace"]._nurture_queued([("participant_id", "in", self.ids)])
        if queued:
            queued.nurture_trace_id._set_state("cancelled", "pulled_back")
            queued._nurture_cancel_queued()

    def _complete(self):
        """Complete those of ``self`` for whom nothing is open, failed or in the mail queue."""
        if not self:
            return
        self.env.flush_all()
        self._end(
            SQL(
                """
                id IN %s AND state = 'running'
                AND NOT EXISTS (
                    SELECT 1 FROM nurture_trace trace
                     WHERE trace.participant_id = nurture_participant.id
                       AND trace.state IN ('waiting', 'scheduled', 'error'))
                AND NOT EXISTS (
                    SELECT 1 FROM nurture_trace trace
                      JOIN mailing_trace stat ON stat.nurture_trace_id = trace.id
                     WHERE trace.participant_id = nurture_participant.id
                       AND %s)
                """,
                tuple(self.ids),
                self._sql_is_queued(),
            ),
            "completed",
            # after a reply branch has run its course the reason is the reply
            SQL(
                """
                CASE WHEN won_back_date IS NOT NULL THEN 'replied'
                     WHEN EXISTS (SELECT 1 FROM nurture_trace trace
                                   WHERE trace.participant_id = nurture_participant.id
                                     AND trace.state = 'processed') THEN 'finished'
                     ELSE 'unreachable' END
                """
            ),
        )

    @api.model
    def _sql_is_queued(self):
        """Whether the message of the ``mailing_trace`` alias ``stat`` is still in a queue."""
        return SQL(
            "EXISTS (SELECT 1 FROM mail_mail mail"
            " WHERE mail.id = stat.mail_mail_id AND mail.state = 'outgoing')"
        )

    @api.model
    def _end(self, condition, state, reason):
        """End participants that meet the SQL ``condition``.

        :return: the participants
        """
        self.flush_model()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                "UPDATE nurture_participant SET state = %s, exit_reason = %s, exit_date = %s,"
                " write_uid = %s, write_date = %s WHERE %s RETURNING id",
                state,
                reason,
                now,
                self.env.uid,
                now,
                condition,
            )
        )
        participants = self.browse(id_ for (id_,) in rows)
        participants.invalidate_recordset(flush=False)
        self._invalidate_leads()
        return participants

    @api.model
    def _invalidate_leads(self):
        """What leads show of their participants is stale after SQL."""
        self.env["crm.lead"].invalidate_model(
            ["nurture_participant_ids", "nurture_count", "nurture_status"], flush=False
        )

    # ------------------------------------------------------------
    # WIN BACK
    # ------------------------------------------------------------

    def _is_in_window(self):
        """Whether a lead that comes back now still counts for the sequence."""
        self.ensure_one()
        now = fields.Datetime.now()
        window = timedelta(days=self.sequence_id.window_days)
        return now <= (self.exit_date or now) + window

    def _credit(self, step=None):
        """Note that the leads came back, and thanks to which step: ``step``, or the one whose
        mail was replied to, clicked, opened or sent last. Without any mail sent nobody earned it.
        """
        fresh = self.filtered(lambda participant: not participant.won_back_date)
        now = fields.Datetime.now()
        if step:
            fresh.write({"won_back_date": now, "credited_step_id": step.id})
            return
        for participant, last_step in fresh._get_last_touch().items():
            participant.write({"won_back_date": now, "credited_step_id": last_step.id})

    def _get_last_touch(self):
        """The step that touched each participant last, by the strongest sign of life.

        :return: ``{participant: step}`` for those who got a mail
        """
        if not self:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (trace.participant_id) trace.participant_id, trace.step_id
                  FROM nurture_trace trace
                  JOIN mailing_trace mail ON mail.nurture_trace_id = trace.id
                 WHERE trace.participant_id IN %s AND mail.sent_datetime IS NOT NULL
              ORDER BY trace.participant_id, mail.reply_datetime DESC NULLS LAST,
                       mail.links_click_datetime DESC NULLS LAST,
                       mail.open_datetime DESC NULLS LAST, mail.sent_datetime DESC, trace.id DESC
                """,
                tuple(self.ids),
            )
        )
        steps = self.env["nurture.step"]
        return {self.browse(id_): steps.browse(step_id) for id_, step_id in rows}

    def _get_salesperson(self):
        """Who takes the lead over: whose it is today, its old salesperson, or whoever leads the
        team now."""
        self.ensure_one()
        lead = self.lead_id
        company = lead.company_id or self.company_id
        candidates = lead.user_id | self.user_id | lead.team_id.user_id | self.team_id.user_id
        return candidates.filtered(
            lambda user: user.active and (not company or company in user.company_ids)
        )[:1]

    def _win_back(self, step):
        """Bring the leads back into the pipeline because somebody answered the mail of ``step``.
        Only the first answer does: who was lost again since is not restored by an old mail."""
        for participant in self:
            if participant.won_back_date or participant.exit_reason in WON_BACK:
                continue
            if participant._is_in_window():
                participant._credit(step)
            participant.lead_id._nurture_win_back(participant, step)
