from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import triggers
from ..tools.windows import share_of

#: Reasons for which a trace is later than its step's delay says; Update leaves those alone unless
#: the new date is later still.
PUT_OFF = ("window", "cap", "farewell", "resumed", "retried", "run_now")


class NurtureSequence(models.Model):
    """Living with a running sequence: stop it and go on, edit it while leads are inside."""

    _inherit = "nurture.sequence"

    stop_date = fields.Datetime(string="Stopped On", readonly=True, copy=False)
    resume_date = fields.Datetime(string="Started Again On", readonly=True, copy=False)
    is_edited = fields.Boolean(
        string="Edited",
        readonly=True,
        copy=False,
        help="The workflow or the choice of leads was changed since leads have entered.",
    )
    overdue_count = fields.Integer(
        compute="_compute_overdue_count", help="What fell due while it was stopped."
    )

    def _compute_overdue_count(self):
        for sequence in self:
            sequence.overdue_count = (
                self.env["nurture.trace"].sudo().search_count(sequence._get_overdue_domain())
            )

    def _get_overdue_domain(self):
        return Domain(
            [
                ("sequence_id", "=", self.id),
                ("state", "=", "scheduled"),
                ("schedule_date", "<=", fields.Datetime.now()),
            ]
        )

    def write(self, vals):
        if vals.get("state") == "stopped":
            vals = vals | {"stop_date": fields.Datetime.now()}
        result = super().write(vals)
        if "domain" in vals or "preset_id" in vals:
            self._mark_edited()
        return result

    def _mark_edited(self):
        """Remember that leads inside are not where the workflow would have them now."""
        edited = self.filtered(lambda sequence: not sequence.is_edited)
        inside = dict(
            self.env["nurture.participant"]
            .sudo()
            ._read_group([("sequence_id", "in", edited.ids)], ["sequence_id"], ["__count"])
        )
        edited.filtered(lambda sequence: sequence in inside).sudo().is_edited = True

    # ------------------------------------------------------------
    # STOP AND GO ON
    # ------------------------------------------------------------

    def action_resume(self):
        """Start a stopped sequence again; ask what to do with what fell due meanwhile."""
        self.ensure_one()
        if not self.overdue_count:
            return self.action_start()
        self._raise_problems()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Start Again"),
            "res_model": "nurture.resume",
            "view_mode": "form",
            "target": "new",
            "context": {"default_sequence_id": self.id},
        }

    def action_start(self, overdue="shift", days=1):
        """Start, or start again. Leads enter and steps fall due from now on.

        :param overdue: what becomes of what is scheduled in a sequence that was stopped:
            ``shift`` moves all dates by the time it was stopped, ``spread`` does what fell due
            meanwhile in the next ``days``, ``skip`` does not do it at all
        :raise UserError: when something keeps it from running
        """
        if overdue not in ("shift", "spread", "skip"):
            raise UserError(self.env._("“%s” is none of shift, spread, skip.", overdue))
        for sequence in self.filtered("stop_date"):
            sequence.check_access("write")
            if sequence.state == "stopped":
                getattr(sequence.sudo(), f"_resume_by_{overdue}")(days)
        result = super().action_start()
        self.filtered("stop_date").resume_date = fields.Datetime.now()
        self.stop_date = False
        return result

    def _resume_by_shift(self, _days):
        now = fields.Datetime.now()
        # what was scheduled by an event while it was stopped has waited since then only
        pause = SQL("(%s - GREATEST(%s, base_date))", now, self.stop_date)
        traces = self.env["nurture.trace"]
        traces._update(
            SQL("sequence_id = %s AND state = 'scheduled'", self.id),
            state="scheduled",
            reason="resumed",
            schedule_date=SQL("schedule_date + %s", pause),
            base_date=SQL("base_date + %s", pause),
        )
        traces._update(
            SQL("sequence_id = %s AND state = 'waiting' AND expire_date IS NOT NULL", self.id),
            expire_date=SQL("expire_date + (%s - %s::timestamp)", now, self.stop_date),
        )

    def _resume_by_spread(self, days):
        if days < 1:
            raise UserError(self.env._("What fell due is spread over one day at least."))
        now = fields.Datetime.now()
        overdue = self.env["nurture.trace"].search(self._get_overdue_domain())
        overdue._defer(
            {
                id_: (
                    fields.Datetime.add(now, seconds=int(share_of(id_) * days * 86400)),
                    "resumed",
                )
                for id_ in overdue.ids
            }
        )

    def _resume_by_skip(self, _days):
        overdue = self.env["nurture.trace"].search(self._get_overdue_domain())
        overdue._set_state("rejected", "stopped")
        overdue.participant_id._complete()

    # ------------------------------------------------------------
    # EDIT WHILE LEADS ARE INSIDE
    # ------------------------------------------------------------

    def action_update(self):
        """Show what the edits since leads have entered would change for them."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Update Leads Inside"),
            "res_model": "nurture.update",
            "view_mode": "form",
            "target": "new",
            "context": {"default_sequence_id": self.id},
        }

    def _get_changes(self, completed=False):
        """What :meth:`_apply_changes` would change.

        :param completed: whether leads that have completed the sequence count, too
        :return: ``{"new": {step: count}, "moved": {step: count}, "unmatched": count}``
        """
        self.ensure_one()
        self.env.flush_all()
        steps = self.env["nurture.step"]

        def count(query):
            rows = self.env.execute_query(
                SQL("SELECT step_id, count(*) FROM (%s) touched GROUP BY step_id", query)
            )
            return {steps.browse(step_id): number for step_id, number in rows}

        return {
            "new": count(SQL("SELECT step_id FROM (%s) new", self._sql_new(completed))),
            "moved": count(SQL("SELECT step_id FROM nurture_trace WHERE %s", self._sql_moved())),
            "unmatched": len(self._get_unmatched()),
        }

    def _apply_changes(self, completed=False, remove_unmatched=False):
        """Bring leads inside to where the edited workflow would have them: new steps are planned
        for those who have passed the step before, dates move with changed delays.

        :param completed: whether leads that have completed the sequence go on with new steps
        :param remove_unmatched: whether leads that the sequence does not choose any more leave
        """
        self.ensure_one()
        traces = self.env["nurture.trace"].sudo()
        self.env.flush_all()
        if remove_unmatched:
            self._get_unmatched()._leave("unmatched")
        traces._update(
            self._sql_moved(),
            state="scheduled",
            reason="updated",
            schedule_date=traces._sql_due(SQL("nurture_trace.base_date")),
        )
        traces._insert(SQL("SELECT * FROM (%s) new", self._sql_new(completed)))
        if completed:
            self._reopen()
        self.sudo().is_edited = False
        self._wake_cron()

    def _get_unmatched(self):
        """Participants in it that the sequence does not choose any more."""
        running = (
            self.env["nurture.participant"]
            .sudo()
            .search([("sequence_id", "=", self.id), ("state", "=", "running")])
        )
        matching = self.sudo()._get_matching(running.lead_id)
        return running.filtered(lambda participant: participant.lead_id not in matching)

    def _reopen(self):
        """Let those go on who had completed it and have something to come now."""
        participants = self.env["nurture.participant"].sudo()
        coming = participants.search(
            [
                ("sequence_id", "=", self.id),
                ("state", "=", "completed"),
                ("trace_ids.state", "in", ("waiting", "scheduled")),
            ]
        )
        coming.write({"state": "running", "exit_reason": False, "exit_date": False})

    @api.model
    def _sql_moved(self):
        """Condition on scheduled traces whose step has got another delay."""
        due = self.env["nurture.trace"]._sql_due(SQL("nurture_trace.base_date"))
        return SQL(
            "nurture_trace.sequence_id = %(sequence)s AND nurture_trace.state = 'scheduled'"
            " AND date_trunc('second', nurture_trace.schedule_date) != date_trunc('second', %(due)s)"
            " AND (nurture_trace.reason IS NULL OR nurture_trace.reason NOT IN %(put_off)s"
            " OR nurture_trace.schedule_date < %(due)s)",
            sequence=self.id,
            due=due,
            put_off=PUT_OFF,
        )

    def _sql_new(self, completed):
        """Rows for :meth:`nurture.trace._insert`: steps that leads would be at, had these been
        there from the start. What the reader did with the message before counts as if it had been
        heard now."""
        steps = self.env["nurture.step"]
        return SQL(
            """
            SELECT place.participant_id, place.step_id, place.parent_id, place.sequence_id,
                   place.company_id,
                   CASE WHEN place.base IS NULL THEN 'waiting' ELSE 'scheduled' END AS state,
                   place.base, place.base + %(delay)s AS schedule_date,
                   CASE WHEN place.base IS NULL THEN place.passed + CASE WHEN step.expiry > 0
                        THEN %(expiry)s ELSE sequence.window_days * interval '1 day' END
                        END AS expire_date
              FROM (%(begun)s UNION ALL %(followed)s) place
              JOIN nurture_step step ON step.id = place.step_id
              JOIN nurture_sequence sequence ON sequence.id = place.sequence_id
              JOIN nurture_participant participant ON participant.id = place.participant_id
             WHERE participant.state IN %(states)s
               AND NOT EXISTS (SELECT 1 FROM nurture_trace there
                                WHERE there.participant_id = place.participant_id
                                  AND there.step_id = place.step_id)
            """,
            delay=steps._sql_delay("step"),
            expiry=steps._sql_delay("step", "expiry"),
            begun=self._sql_begun(),
            followed=self._sql_followed(),
            states=("running", "completed") if completed else ("running",),
        )

    def _sql_begun(self):
        return SQL(
            """
            SELECT participant.id AS participant_id, step.id AS step_id, NULL::int AS parent_id,
                   step.sequence_id, participant.company_id, participant.entered_date AS base,
                   participant.entered_date AS passed
              FROM nurture_participant participant
              JOIN nurture_step step ON step.sequence_id = participant.sequence_id
               AND step.trigger = 'begin' AND step.active
             WHERE participant.sequence_id = %s
            """,
            self.id,
        )

    def _sql_followed(self):
        absences = tuple(t.value for t in triggers.TRIGGERS.values() if t.absence)
        return SQL(
            """
            SELECT parent.participant_id, step.id, parent.id, parent.sequence_id,
                   parent.company_id,
                   CASE WHEN step.trigger IN %(timed)s THEN passed.date ELSE event.date END,
                   passed.date
              FROM nurture_trace parent
              JOIN nurture_step before ON before.id = parent.step_id
              JOIN nurture_step step ON step.parent_id = before.id AND step.active
         LEFT JOIN LATERAL (SELECT * FROM mailing_trace mail
                             WHERE mail.nurture_trace_id = parent.id
                          ORDER BY mail.id DESC LIMIT 1) mail ON true
        CROSS JOIN LATERAL (SELECT CASE WHEN before.step_type IN %(messages)s
                                        THEN mail.sent_datetime
                                        ELSE parent.processed_date END AS date) passed
        CROSS JOIN LATERAL (SELECT %(event)s AS date) event
             WHERE parent.sequence_id = %(sequence)s AND parent.state = 'processed'
               AND NOT (step.trigger IN %(absences)s AND event.date IS NOT NULL)
            """,
            sequence=self.id,
            timed=triggers.timed(),
            absences=absences,
            messages=self.env["nurture.step"]._get_message_types(),
            event=self._sql_event(),
        )

    @api.model
    def _sql_event(self):
        """When what the trigger of ``step`` is about happened to ``mail``, or to the activity of
        ``parent``; null when it did not."""
        happened = {
            "open": SQL("mail.open_datetime"),
            "reply": SQL("mail.reply_datetime"),
            "bounce": SQL("CASE WHEN mail.trace_status = 'bounce' THEN mail.write_date END"),
            "done": SQL(
                "(SELECT max(activity.write_date) FROM mail_activity activity"
                " WHERE activity.nurture_trace_id = parent.id AND NOT activity.active)"
            ),
            "click": SQL(
                "CASE WHEN step.link_url IS NULL THEN mail.links_click_datetime"
                " WHEN mail.links_click_datetime IS NOT NULL THEN"
                " (SELECT min(click.create_date) FROM link_tracker_click click"
                " JOIN link_tracker link ON link.id = click.link_id"
                " WHERE click.mailing_trace_id = mail.id AND link.url LIKE"
                " replace(regexp_replace(step.link_url, '([\\\\%%_])', '\\\\\\1', 'g'), '*', '%%'))"
                " END"
            ),
        }
        return SQL(
            "CASE %s END",
            SQL(" ").join(
                SQL(
                    "WHEN step.trigger = %s THEN LEAST(%s)",
                    trigger.value,
                    SQL(", ").join(happened[event] for event in sorted(trigger.events)),
                )
                for trigger in triggers.TRIGGERS.values()
                if trigger.events <= happened.keys() and trigger.events
            ),
        )
