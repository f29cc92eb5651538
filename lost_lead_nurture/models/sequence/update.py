from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import triggers
from ...tools.arguments import check_records, read_choice, read_number
from ...tools.pace import STAGES
from ...tools.reasons import WON_BACK
from ...tools.sending_hours import share_of
from ..step.step import MAX_DELAY

#: Reasons for which a trace is later than its step's delay says; Update leaves those alone unless
#: the new date is later still.
DEFERRED = ("sending_hours", "cap", "last_chance", "resumed", "retried", "run_now", *STAGES)


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
        """The traces whose date has passed: in a stopped sequence, what fell due meanwhile."""
        return Domain(
            [
                ("sequence_id", "=", self.id),
                ("state", "=", "scheduled"),
                ("schedule_date", "<=", fields.Datetime.now()),
            ]
        )

    def _mark_edited(self):
        """Remember that leads inside are not where the workflow would have them now."""
        edited = self.filtered(lambda sequence: not sequence.is_edited)
        inside = dict(
            self.env["nurture.participant"]
            .sudo()
            ._read_group(
                [("sequence_id", "in", edited.ids), ("state", "in", ("running", "completed"))],
                ["sequence_id"],
                ["__count"],
            )
        )
        edited.filtered(lambda sequence: sequence in inside).sudo().is_edited = True

    # ------------------------------------------------------------
    # STOP AND GO ON
    # ------------------------------------------------------------

    def button_start(self):
        """Ask before it is started: whom it would write to, and how many.

        :raise UserError: when something keeps it from running
        """
        check_records(self, one=True)
        self.check_access("write")
        self._raise_problems()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Start “%s”?", self.name),
            "res_model": "nurture.start",
            "view_mode": "form",
            "target": "new",
            "context": {"default_sequence_id": self.id},
        }

    def action_resume(self):
        """Start a stopped sequence again; ask what to do with what fell due meanwhile."""
        check_records(self, one=True)
        if not self.overdue_count:
            # nothing to ask: all dates stay
            self.action_start("spread")
            return self._notify(self.env._("“%s” is running again.", self.name), reload=True)
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
        :param days: over how many days ``spread`` spreads it
        :raise UserError: when something keeps it from running
        """
        check_records(self)
        choices = self.env["nurture.resume"]._fields["overdue"]._description_selection(self.env)
        read_choice(self.env, overdue, dict(choices))
        read_number(self.env, days, 1, MAX_DELAY["days"])
        self.check_access("write")
        for sequence in self.filtered(lambda one: one.state == "stopped" and one.stop_date):
            sequence._raise_problems()
            getattr(sequence.sudo(), f"_resume_by_{overdue}")(days)
        self.filtered("stop_date").sudo().resume_date = fields.Datetime.now()
        for sequence in self:
            sequence._raise_problems()
        # by nobody's own hand, see ENGINE_FIELDS; whoever gets here may write the sequence
        started = self.sudo()
        started.write({"state": "running", "last_error": False, "guard_warned": False})
        started.filtered(lambda one: not one.start_date).start_date = fields.Datetime.now()
        started._begin_turns()
        self._wake_cron()
        return True

    def _resume_by_shift(self, _days):
        """Move all dates by the time it was stopped."""
        now = fields.Datetime.now()
        # what was scheduled by an event while it was stopped has waited since then only
        pause = SQL("(%s - GREATEST(%s, base_date))", now, self.stop_date)
        traces = self.env["nurture.trace"]
        traces._update(
            SQL("sequence_id = %s AND nurture_trace.state = 'scheduled'", self.id),
            state="scheduled",
            reason="resumed",
            schedule_date=SQL("schedule_date + %s", pause),
            base_date=SQL("base_date + %s", pause),
        )
        traces._update(
            SQL(
                "sequence_id = %s AND nurture_trace.state = 'waiting' AND expire_date IS NOT NULL",
                self.id,
            ),
            reason="resumed",
            expire_date=SQL("expire_date + (%s - %s::timestamp)", now, self.stop_date),
        )
        if self.profiles_since:
            self.profiles_since += now - self.stop_date

    def _resume_by_spread(self, days):
        """Spread what fell due over the next ``days``."""
        traces = self.env["nurture.trace"]
        traces.flush_model()
        now = fields.Datetime.now()
        # what is too late by its own rule is not done later still
        rows = self.env.execute_query(
            SQL(
                "SELECT trace.id FROM nurture_trace trace"
                " JOIN nurture_step step ON step.id = trace.step_id"
                " WHERE trace.sequence_id = %s AND trace.state = 'scheduled'"
                " AND trace.schedule_date <= %s AND NOT (%s)",
                self.id,
                now,
                traces._sql_expired(SQL("trace.schedule_date")),
            )
        )
        seconds = days * 86400
        traces._defer(
            {
                id_: (fields.Datetime.add(now, seconds=int(share_of(id_) * seconds)), "resumed")
                for (id_,) in rows
            }
        )

    def _resume_by_skip(self, _days):
        """Do not do what fell due, nor what follows it."""
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
            "name": self.env._("Update the Leads Inside"),
            "res_model": "nurture.update",
            "view_mode": "form",
            "target": "new",
            "context": {"default_sequence_id": self.id},
        }

    def _get_changes(self, completed=False, remove_unmatched=False):
        """What :meth:`_apply_changes` would change.

        :param completed: whether leads that have completed the sequence count, too
        :param remove_unmatched: whether leads that it does not choose any more leave
        :return: ``{"new": {step: (leads, of these due at once)}, "moved": the same,
            "touched": participants who get one of these, "unmatched": participants who do not
            match any more, "completed": how many who had completed it would go on}``
        """
        self.ensure_one()
        self.env.flush_all()
        unmatched = self._get_unmatched()
        leaving = self._get_leaving(unmatched, remove_unmatched).ids
        moved_to = self.env["nurture.trace"]._sql_due(SQL("nurture_trace.base_date"))
        new = self._sql_new(completed, leaving)
        moved = SQL(
            "SELECT participant_id, step_id, %s AS schedule_date FROM nurture_trace WHERE %s",
            moved_to,
            self._sql_moved(leaving),
        )
        ((going_on,),) = self.env.execute_query(
            SQL(
                "SELECT count(DISTINCT new.participant_id) FROM (%s) new"
                " JOIN nurture_participant one ON one.id = new.participant_id"
                " WHERE one.state = 'completed'",
                self._sql_new(True, leaving),
            )
        )
        touched = self.env.execute_query(
            SQL(
                "SELECT participant_id FROM (%s) new UNION SELECT participant_id FROM (%s) moved",
                new,
                moved,
            )
        )
        return {
            "new": self._count_by_step(new),
            "moved": self._count_by_step(moved),
            "touched": self.env["nurture.participant"].browse(id_ for (id_,) in touched),
            "unmatched": unmatched.filtered(lambda one: one.state == "running"),
            "completed": going_on,
        }

    def _count_by_step(self, query):
        """Count the rows (step_id, schedule_date) that ``query`` selects.

        :return: ``{step: (rows, of these due by now)}``, in the order of the steps
        """
        steps = self.env["nurture.step"]
        rows = self.env.execute_query(
            SQL(
                "SELECT touched.step_id, count(*),"
                " count(*) FILTER (WHERE touched.schedule_date <= %s)"
                " FROM (%s) touched JOIN nurture_step step ON step.id = touched.step_id"
                " GROUP BY touched.step_id, step.position ORDER BY step.position, touched.step_id",
                fields.Datetime.now(),
                query,
            )
        )
        return {steps.browse(step_id): (number, at_once) for step_id, number, at_once in rows}

    def _apply_changes(self, completed=False, remove_unmatched=False):
        """Bring leads inside to where the edited workflow would have them: new steps are planned
        for those who have passed the step before, dates move with changed delays.

        :param completed: whether leads that have completed the sequence go on with new steps
        :param remove_unmatched: whether leads that the sequence does not choose any more leave;
            those who have completed it do not go on in any case
        """
        self.ensure_one()
        traces = self.env["nurture.trace"].sudo()
        self.env.flush_all()
        leaving = self._get_leaving(self._get_unmatched(), remove_unmatched)
        leaving._leave("unmatched")
        traces._update(
            self._sql_moved(leaving.ids),
            state="scheduled",
            reason="updated",
            schedule_date=traces._sql_due(SQL("nurture_trace.base_date")),
        )
        traces._insert(self._sql_new(completed, leaving.ids), "added")
        if completed:
            self._reopen()
        self.sudo().is_edited = False
        self._wake_cron()

    def _get_unmatched(self):
        """Participants in it, or through with it, that the sequence does not choose any more."""
        participants = (
            self.env["nurture.participant"]
            .sudo()
            .search([("sequence_id", "=", self.id), ("state", "in", ("running", "completed"))])
        )
        matching = set(self.sudo()._get_matching(participants.lead_id).ids)
        return participants.filtered(lambda one: one.lead_id.id not in matching)

    @api.model
    def _get_leaving(self, unmatched, remove_unmatched):
        """Those of the ``unmatched`` participants who get no new step."""
        if remove_unmatched:
            return unmatched
        return unmatched.filtered(lambda one: one.state == "completed")

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

    def _sql_moved(self, leaving=()):
        """Condition on scheduled traces whose step has got another delay.

        :param leaving: ids of the participants left out
        """
        due = self.env["nurture.trace"]._sql_due(SQL("nurture_trace.base_date"))
        return SQL(
            "nurture_trace.sequence_id = %(sequence)s AND nurture_trace.state = 'scheduled'"
            " AND nurture_trace.participant_id NOT IN %(leaving)s"
            " AND date_trunc('second', nurture_trace.schedule_date)"
            " != date_trunc('second', %(due)s)"
            " AND (nurture_trace.reason IS NULL OR nurture_trace.reason NOT IN %(deferred)s"
            " OR nurture_trace.schedule_date < %(due)s)",
            sequence=self.id,
            leaving=tuple(leaving) or (0,),
            due=due,
            deferred=DEFERRED,
        )

    def _sql_new(self, completed, leaving=()):
        """Rows for :meth:`nurture.trace._insert`: steps that leads would be at, had these been
        there from the start. What the recipient did with the message before counts from when it was
        done; what is too late by then, or is waited for no more, is not planned.

        :param completed: whether those who have completed the sequence go on
        :param leaving: ids of the participants left out
        """
        steps, traces = self.env["nurture.step"], self.env["nurture.trace"]
        delay = traces._sql_version_delay(traces._sql_variant(SQL("place.participant_id")))
        return SQL(
            """
            SELECT place.participant_id, place.step_id, place.parent_id, place.sequence_id,
                   place.company_id,
                   CASE WHEN place.base IS NULL THEN 'waiting' ELSE 'scheduled' END AS state,
                   place.base, place.base + %(delay)s AS schedule_date,
                   CASE WHEN place.base IS NULL THEN patience.until END AS expire_date
              FROM (%(begun)s UNION ALL %(followed)s) place
              JOIN nurture_step step ON step.id = place.step_id
              JOIN nurture_sequence sequence ON sequence.id = place.sequence_id
              JOIN nurture_participant participant ON participant.id = place.participant_id
        CROSS JOIN LATERAL (SELECT place.passed + %(patience)s AS until) patience
             WHERE %(inside)s
               AND participant.id NOT IN %(leaving)s
               AND NOT EXISTS (SELECT 1 FROM nurture_trace there
                                WHERE there.participant_id = place.participant_id
                                  AND there.step_id = place.step_id)
               AND (patience.until IS NULL OR COALESCE(place.base, %(now)s) < patience.until)
               AND NOT COALESCE(%(expired)s, false)
               AND %(free)s
            """,
            delay=delay,
            patience=steps._sql_patience(),
            begun=self._sql_begun(),
            followed=self._sql_followed(),
            inside=self._sql_going_on() if completed else SQL("participant.state = 'running'"),
            leaving=tuple(leaving) or (0,),
            now=fields.Datetime.now(),
            expired=traces._sql_expired(SQL("place.base + %s", delay)),
            free=self._sql_not_in_last_branch(),
        )

    @api.model
    def _sql_going_on(self):
        """Participants who are in it, and those who have completed it and neither was won back nor
        entered again since."""
        return SQL(
            "(participant.state = 'running' OR participant.state = 'completed'"
            " AND participant.won_back_date IS NULL AND participant.exit_reason NOT IN %s"
            " AND NOT EXISTS (SELECT 1 FROM nurture_participant later"
            " WHERE later.sequence_id = participant.sequence_id AND later.id > participant.id"
            " AND (later.dedup_key = participant.dedup_key"
            " OR later.lead_id = participant.lead_id)))",
            WON_BACK,
        )

    def _sql_not_in_last_branch(self):
        """Whether the place ``place`` is for a participant for whom not only the branch for
        replies, or that for bounces, goes on. In that branch it is for all."""
        words = triggers.LAST_WORDS
        events = [event for event, reason in words.items() if self[f"exit_on_{reason}"]]
        values = [value for event in events for value in triggers.wanting(event)]
        steps = self.with_context(active_test=False).step_ids
        last = steps.filtered(lambda step: step.trigger in values)
        branch = steps.search([("id", "child_of", last.ids)])
        return SQL(
            "(place.step_id IN %s OR NOT EXISTS (SELECT 1 FROM nurture_trace word"
            " WHERE word.participant_id = place.participant_id AND word.step_id IN %s"
            " AND word.state IN ('scheduled', 'processed', 'error')))",
            tuple(branch.ids) or (0,),
            tuple(last.ids) or (0,),
        )

    def _sql_begun(self):
        """Places at the steps that begin the sequence, for :meth:`_sql_new`: participant, step,
        previous trace, sequence, company, from when its delay counts (null: it waits for an event),
        and when the step before was done."""
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
        """Places at the steps after those that were done; columns as :meth:`_sql_begun`."""
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
         LEFT JOIN LATERAL (SELECT * FROM mailing_trace
                             WHERE mailing_trace.nurture_trace_id = parent.id
                          ORDER BY mailing_trace.id DESC LIMIT 1) mailing_trace ON true
        CROSS JOIN LATERAL (SELECT CASE WHEN before.step_type IN %(messages)s
                                        THEN mailing_trace.sent_datetime
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
        """When what the trigger of ``step`` is about happened to ``mailing_trace``, or to the
        activity of ``parent``; null when it did not. Which link ``link_url`` names is decided as by
        :func:`~.tools.links.is_about`, in SQL."""
        happened = {
            "open": SQL("mailing_trace.open_datetime"),
            "reply": SQL("mailing_trace.reply_datetime"),
            "bounce": SQL(
                "CASE WHEN mailing_trace.trace_status = 'bounce' THEN mailing_trace.write_date END"
            ),
            "done": SQL(
                "(SELECT min(activity.write_date) FROM mail_activity activity"
                " WHERE activity.nurture_trace_id = parent.id AND NOT activity.active)"
            ),
            "click": SQL(
                "CASE WHEN COALESCE(step.link_url, '') = '' OR step.trigger NOT IN %s"
                " THEN mailing_trace.links_click_datetime"
                " WHEN mailing_trace.links_click_datetime IS NOT NULL THEN"
                " (SELECT min(click.create_date) FROM link_tracker_click click"
                " JOIN link_tracker link ON link.id = click.link_id"
                " WHERE click.mailing_trace_id = mailing_trace.id AND link.url LIKE"
                " replace(regexp_replace(trim(step.link_url), '([\\\\%%_])', '\\\\\\1', 'g'),"
                " '*', '%%')) END",
                tuple(t.value for t in triggers.TRIGGERS.values() if t.about_links),
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
