import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..tools import triggers
from ..tools.reasons import REASON_OF_FAILURE, TRACE_REASONS

_logger = logging.getLogger(__name__)

#: How often a batch is tried again at once after a conflict with another transaction.
CONFLICT_RETRIES = 3


class NurtureTrace(models.Model):
    """One participant at one step.

    It waits for an event, is scheduled at a date, then is processed, rejected or cancelled with a
    reason. There is a way back only where a mail did not leave: the queue failed and is tried
    again, or the sequence was stopped. What the engine writes it writes by SQL, for a whole batch.
    """

    _name = "nurture.trace"
    _description = "Nurture Trace"
    _order = "schedule_date, id"
    _rec_name = "step_id"

    participant_id = fields.Many2one(
        "nurture.participant", required=True, readonly=True, ondelete="cascade"
    )
    step_id = fields.Many2one(
        "nurture.step", required=True, readonly=True, index=True, ondelete="restrict"
    )
    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    parent_id = fields.Many2one(
        "nurture.trace",
        string="Previous Trace",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="The same participant at the step before.",
    )
    lead_id = fields.Many2one(related="participant_id.lead_id", string="Lead")
    email = fields.Char(related="participant_id.email")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("scheduled", "Scheduled"),
            ("processed", "Processed"),
            ("rejected", "Rejected"),
            ("cancelled", "Cancelled"),
            ("error", "Error"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        help="Waiting: for the event of its trigger, or for the mail before it to leave.\n"
        "Scheduled: due at its date.\n"
        "Processed: done; a mail is in the queue or has left.\n"
        "Rejected: was due, but this lead could not have it.\n"
        "Cancelled: will not become due any more.\n"
        "Error: failed, can be retried.",
    )
    reason = fields.Selection(TRACE_REASONS, readonly=True, help="Why it ended in its state.")
    detail = fields.Text(readonly=True, help="What exactly went wrong, in the words of the system.")
    schedule_date = fields.Datetime(
        string="Scheduled On", readonly=True, help="When the step is due. In UTC."
    )
    expire_date = fields.Datetime(
        string="Waits Until",
        readonly=True,
        help="When a waiting trace, or a failed one that nobody retries, is given up: after the "
        "expiry of the step, else the window of the sequence.",
    )
    processed_date = fields.Datetime(string="Processed On", readonly=True)
    mailing_trace_ids = fields.One2many("mailing.trace", "nurture_trace_id", string="Mails")
    mail_status = fields.Char(
        compute="_compute_mail_status",
        compute_sudo=True,
        help="What became of the mail: in the queue, sent, opened, clicked, replied, bounced.",
    )

    _participant_step_unique = models.Constraint(
        "UNIQUE (participant_id, step_id)",
        "A participant goes through a step only once.",
    )
    # the batches of _claim
    _due = models.Index("(step_id, schedule_date, id) WHERE state = 'scheduled'")
    # the traces that _give_up ends
    _expiring = models.Index("(expire_date) WHERE state IN ('waiting', 'error')")

    @api.depends("step_id.name", "participant_id.display_name")
    def _compute_display_name(self):
        for trace in self:
            trace.display_name = f"{trace.participant_id.display_name}, {trace.step_id.name}"

    @api.depends("mailing_trace_ids.trace_status", "mailing_trace_ids.links_click_datetime")
    @api.depends_context("lang")
    def _compute_mail_status(self):
        statuses = dict(
            self.env["mailing.trace"]._fields["trace_status"]._description_selection(self.env)
        )
        for trace in self:
            mail = trace.mailing_trace_ids.sorted("id")[-1:]
            if mail.links_click_datetime and mail.trace_status == "open":
                trace.mail_status = self.env._("Clicked")
            else:
                trace.mail_status = statuses.get(mail.trace_status)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_retry(self):
        """Give failed traces another try: a failed mail goes back to the queue, a failed step is
        due at once."""
        self.participant_id.sequence_id.check_access("write")
        failed = self.sudo().filtered(
            lambda trace: (
                trace.state == "error"
                and trace.participant_id.state == "running"
                and trace.sequence_id.state == "running"
            )
        )
        if not failed:
            raise UserError(
                self.env._(
                    "There is nothing to retry: only failed steps of leads that are still in a "
                    "running sequence can be."
                )
            )
        mails = failed.mailing_trace_ids.mail_mail_id.filtered(
            lambda mail: mail.state == "exception"
        )
        requeued = mails.mailing_trace_ids.nurture_trace_id
        mails.mark_outgoing()
        mails.mailing_trace_ids.write({"trace_status": "outgoing", "failure_type": False})
        requeued._set_state("processed", "done")
        (failed - requeued).write(
            {
                "state": "scheduled",
                "schedule_date": fields.Datetime.now(),
                "reason": False,
                "detail": False,
            }
        )
        if mails:
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        self.sequence_id._wake_cron()
        return True

    def action_cancel(self):
        """Cancel traces that are still to come."""
        self.participant_id.sequence_id.check_access("write")
        coming = self.sudo().filtered(lambda trace: trace.state in ("waiting", "scheduled"))
        coming._set_state("cancelled", "by_hand")
        coming.participant_id._complete()
        return True

    # ------------------------------------------------------------
    # DUE: claim what has fallen due
    # ------------------------------------------------------------

    @api.model
    def _due_steps(self, sequences):
        """Steps of the running ``sequences`` that have due traces, the most overdue first."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT step.id
                  FROM nurture_step step
                  JOIN nurture_sequence sequence
                    ON sequence.id = step.sequence_id AND step.active
    CROSS JOIN LATERAL (
                       SELECT schedule_date
                         FROM nurture_trace
                        WHERE step_id = step.id
                          AND state = 'scheduled'
                          AND schedule_date <= %(now)s
                     ORDER BY schedule_date
                        LIMIT 1
                       ) due
                 WHERE sequence.id IN %(sequences)s
                   AND sequence.state = 'running'
              ORDER BY due.schedule_date, step.id
                """,
                now=fields.Datetime.now(),
                sequences=tuple(sequences.ids) or (0,),
            )
        )
        return self.env["nurture.step"].browse(id_ for (id_,) in rows)

    @api.model
    def _claim(self, step, limit):
        """Lock up to ``limit`` due traces of ``step`` that no other worker holds."""
        return self._lock(
            SQL("step_id = %s AND schedule_date <= %s", step.id, fields.Datetime.now()), limit
        )

    def _claim_again(self):
        """Lock those of ``self`` that are still scheduled and free, after a rollback."""
        return self._lock(SQL("id IN %s", tuple(self.ids)), len(self))

    @api.model
    def _lock(self, condition, limit):
        query = SQL(
            "SELECT id FROM nurture_trace WHERE state = 'scheduled' AND %s"
            " ORDER BY schedule_date, id LIMIT %s FOR UPDATE SKIP LOCKED",
            condition,
            limit,
        )
        self.flush_model()
        for _try in range(CONFLICT_RETRIES):
            try:
                return self.browse(id_ for (id_,) in self.env.execute_query(query))
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # another worker finished a batch after our snapshot was taken: take a new one
                self.env.cr.rollback()
        return self.browse()

    @api.model
    def _advance(self, step):
        """Process what is due at ``step``, batch by batch, each in a transaction of its own.

        :return: whether there was time to process it all
        """
        while batch := self._claim(step, step._get_batch_size()):
            if not batch._run():
                return False
        return True

    def _run(self, tries=CONFLICT_RETRIES):
        """Execute locked traces of one step and commit. When that fails, do it again in halves
        until the culprit stands alone and can be marked.

        :return: seconds left to the scheduled action
        """
        commit = self.env["ir.cron"]._commit_progress
        try:
            self._execute()
            return commit(len(self))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()
            if tries:
                return self._claim_again()._run(tries - 1)
            _logger.info("%s conflict with other transactions, left for later", self)
            return 0
        except Exception as error:
            self.env.cr.rollback()
            if len(self) > 1:
                half = len(self) // 2
                self[:half]._claim_again()._run(tries)
                return self[half:]._claim_again()._run(tries)
            _logger.info("%s failed", self, exc_info=True)
            self._claim_again()._fail(error)
            return commit(len(self))

    # ------------------------------------------------------------
    # DECIDE, DO, PLAN: the only way a trace is executed
    # ------------------------------------------------------------

    def _execute(self):
        """Decide, plan and do a batch of locked, scheduled traces of one step.

        Whatever runs a step (scheduled action, button, RPC) ends up here. All that the engine
        writes about the batch is written before the step acts: sending commits, and one commit
        has to carry both.
        """
        if not self:
            return
        step = self.step_id
        verdicts = self._decide()
        for reason, traces in verdicts["leave"].items():
            traces.participant_id._leave(reason)
        for reason, traces in verdicts["reject"].items():
            traces._set_state("rejected", reason)
        accepted = verdicts["accept"]
        accepted._set_state("processed", "done")
        accepted._plan()
        (self - accepted).participant_id._complete()
        if accepted:
            step._do(accepted)
            if step.step_type not in step._get_message_types():
                accepted.participant_id._complete()

    def _decide(self):
        """Judge the batch in one query.

        :return: ``{"accept": traces, "reject": {reason: traces}, "leave": {reason: traces}}``
        """
        self.env.flush_all()
        leave = self.env["crm.lead"]._nurture_ways_out()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT trace.id,
                       CASE WHEN participant.state != 'running' THEN 'left' %(ways_out)s END,
                       CASE WHEN step.expiry > 0
                             AND trace.schedule_date + %(expiry)s < %(now)s THEN 'expired'
                            %(obstacles)s END
                  FROM nurture_trace trace
                  JOIN nurture_step step ON step.id = trace.step_id
                  JOIN nurture_participant participant ON participant.id = trace.participant_id
             LEFT JOIN crm_lead lead ON lead.id = participant.lead_id
                 WHERE trace.id IN %(ids)s
              ORDER BY trace.schedule_date, trace.id
                """,
                ids=tuple(self.ids),
                now=fields.Datetime.now(),
                expiry=self.env["nurture.step"]._sql_delay("step", "expiry"),
                ways_out=SQL(" ").join(
                    SQL("WHEN %s THEN %s", condition, reason) for reason, condition in leave
                ),
                obstacles=SQL(" ").join(
                    SQL("WHEN %s THEN %s", condition, reason)
                    for reason, condition in self._sql_obstacles()
                ),
            )
        )
        verdicts = {"accept": self.browse(), "reject": {}, "leave": {}}
        accepted = []
        for trace_id, exit_reason, reason in rows:
            if exit_reason == "left":
                # its participant left between two moments: close it, it must not stay due
                _add(verdicts["reject"], "left", self.browse(trace_id))
            elif exit_reason:
                _add(verdicts["leave"], exit_reason, self.browse(trace_id))
            elif reason:
                _add(verdicts["reject"], reason, self.browse(trace_id))
            else:
                accepted.append(trace_id)
        return verdicts | self._filter(self.browse(accepted), verdicts["reject"])

    @api.model
    def _sql_obstacles(self):
        """What keeps a due trace from being done, cheapest first: list of (reason, SQL condition);
        the SQL may use the aliases ``lead``, ``participant``, ``step`` and ``trace``."""
        return [
            ("no_address", SQL("step.step_type = 'email' AND lead.email_normalized IS NULL")),
            (
                "duplicate",
                SQL(
                    """
                    step.step_type = 'email'
                    AND lead.email_normalized != participant.email
                    AND EXISTS (
                        SELECT 1 FROM nurture_participant other
                         WHERE other.sequence_id = participant.sequence_id
                           AND other.email = lead.email_normalized)
                    """
                ),
            ),
        ]

    def _filter(self, traces, rejected):
        """Split ``traces`` by the filter of their step; who does not match is ``rejected``."""
        leads = traces.participant_id.lead_id
        matching = traces.step_id._get_matching(leads) if traces else leads
        if matching == leads:
            return {"accept": traces}
        accepted = traces.filtered(lambda trace: trace.participant_id.lead_id in matching)
        return {"accept": accepted, "reject": rejected | {"filtered": traces - accepted}}

    def _plan(self):
        """Write the children's traces of processed traces: due after their delay where the clock
        runs, waiting where an event or the sending of the mail has to come first."""
        if not self:
            return
        now = fields.Datetime.now()
        self._insert(
            SQL(
                """
                SELECT trace.participant_id, step.id, trace.id, trace.sequence_id,
                       trace.company_id,
                       CASE WHEN parent.step_type IN %(messages)s OR step.trigger NOT IN %(timed)s
                            THEN 'waiting' ELSE 'scheduled' END,
                       CASE WHEN parent.step_type IN %(messages)s OR step.trigger NOT IN %(timed)s
                            THEN NULL ELSE %(now)s + %(delay)s END
                  FROM nurture_trace trace
                  JOIN nurture_step parent ON parent.id = trace.step_id
                  JOIN nurture_step step ON step.parent_id = parent.id AND step.active
                 WHERE trace.id IN %(ids)s
                """,
                timed=triggers.timed(),
                messages=self.env["nurture.step"]._get_message_types(),
                now=now,
                delay=self.env["nurture.step"]._sql_delay("step"),
                ids=tuple(self.ids),
            )
        )

    @api.model
    def _insert(self, query):
        """Insert the traces that ``query`` selects (participant, step, parent, sequence, company,
        state, schedule date); what is there already stays as it is."""
        self.env.execute_query(
            SQL(
                """
                INSERT INTO nurture_trace (participant_id, step_id, parent_id, sequence_id,
                            company_id, state, schedule_date, create_uid, create_date,
                            write_uid, write_date)
                SELECT planned.*, %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM (%(query)s) planned
                    ON CONFLICT (participant_id, step_id) DO NOTHING
             RETURNING id
                """,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                query=query,
            )
        )
        self.env["nurture.participant"].invalidate_model(["trace_ids"], flush=False)

    def _set_state(self, state, reason, detail=None):
        """End traces in ``state``, saying why."""
        if not self:
            return
        now = fields.Datetime.now()
        values = {"state": state, "reason": reason, "detail": detail}
        if state == "processed":
            values["processed_date"] = now
        elif state == "error":
            # who is not retried does not stay in the sequence for ever
            values["expire_date"] = self._sql_window(now)
        self._update(SQL("id IN %s", tuple(self.ids)), **values)

    @api.model
    def _update(self, condition, **values):
        """Set ``values`` (plain values or SQL) on all traces that meet ``condition``.

        :return: the traces
        """
        values |= {"write_uid": self.env.uid, "write_date": fields.Datetime.now()}
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "UPDATE nurture_trace SET %s WHERE %s RETURNING id",
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()
                ),
                condition,
            )
        )
        traces = self.browse(id_ for (id_,) in rows)
        traces.invalidate_recordset(values, flush=False)
        return traces

    def _fail(self, error):
        """Keep what went wrong on the trace; it can be retried."""
        # PostgreSQL knows no NUL in a text
        detail = f"{type(error).__name__}: {error}".replace("\x00", "")
        self._set_state("error", "failed", detail)

    # ------------------------------------------------------------
    # HEAR: what happened to the mail
    # ------------------------------------------------------------

    def _hear(self, event):
        """Tell processed traces what happened to their mail.

        :param event: ``sent``, ``failed``, ``cancelled``, or what the reader did: ``open``,
            ``click``, ``reply``, ``bounce``
        """
        if event == "sent":
            self._hear_sent()
        elif event == "failed":
            self._hear_not_sent("error", lambda mail: "mail_failed")
        elif event == "cancelled":
            self._hear_not_sent(
                "rejected",
                lambda mail: self._get_reasons_of_failure().get(
                    mail.failure_type, "mail_cancelled"
                ),
            )
        else:
            self._hear_reaction(event)

    @api.model
    def _get_reasons_of_failure(self):
        """Reason of a trace by the ``failure_type`` of a message that core did not send."""
        return dict(REASON_OF_FAILURE)

    def _hear_sent(self):
        """The mail left: now the clock of what follows runs. A retry revives what a failure of
        the mail had stopped."""
        now = fields.Datetime.now()
        self.filtered(lambda trace: trace.state == "error")._set_state("processed", "done")
        stopped = SQL(
            "parent_id IN %s AND (nurture_trace.state = 'waiting'"
            " OR nurture_trace.state = 'cancelled' AND reason = 'parent_failed')",
            tuple(self.ids),
        )
        timed = SQL(
            "step_id IN (SELECT id FROM nurture_step WHERE trigger IN %s)", triggers.timed()
        )
        self._update(
            SQL("%s AND %s", stopped, timed),
            state="scheduled",
            reason=None,
            schedule_date=self._sql_due(now),
        )
        self._update(
            SQL("%s AND NOT %s", stopped, timed),
            state="waiting",
            reason=None,
            expire_date=SQL(
                "(SELECT CASE WHEN step.expiry > 0 THEN %s + %s ELSE %s END"
                " FROM nurture_step step WHERE step.id = nurture_trace.step_id)",
                now,
                self.env["nurture.step"]._sql_delay("step", "expiry"),
                self._sql_window(now),
            ),
        )
        self.participant_id._complete()

    def _hear_not_sent(self, state, get_reason):
        """The mail was cancelled or failed: say so, and stop the branch."""
        causes = {}
        for trace in self.filtered(lambda trace: trace.state == "processed"):
            mail = trace.mailing_trace_ids.sorted("id")[-1:]
            detail = mail.mail_mail_id.failure_reason or mail.failure_type or None
            _add(causes, (get_reason(mail), detail), trace)
        for (reason, detail), traces in causes.items():
            traces._set_state(state, reason, detail)
        self._update(
            SQL("parent_id IN %s AND state IN ('waiting', 'scheduled')", tuple(self.ids)),
            state="cancelled",
            reason="parent_failed",
        )
        self.participant_id._complete()

    def _hear_reaction(self, event):
        """The reader did something (or the mail bounced): what waited for it becomes due after
        its delay, what it rules out is cancelled, and who is done leaves."""
        scheduled = self._update(
            self._sql_children(triggers.wanting(event), "waiting"),
            state="scheduled",
            schedule_date=self._sql_due(fields.Datetime.now()),
            expire_date=None,
        )
        self._update(
            self._sql_children(triggers.refuted_by(event), "waiting", "scheduled"),
            state="cancelled",
            reason="opposite",
        )
        if event in ("reply", "bounce"):
            self._hear_last_word(event, scheduled)
        else:
            self.participant_id._complete()

    def _hear_last_word(self, event, scheduled):
        """A reply or a bounce ends a participant's way, unless the workflow has a branch for it:
        then only that branch goes on."""
        # those who are in the branch already, from an earlier answer, stay there too
        in_branch = self.search(
            [
                ("parent_id", "in", self.ids),
                ("step_id.trigger", "in", triggers.wanting(event)),
                ("state", "in", ("scheduled", "processed")),
            ]
        ).parent_id
        if scheduled:
            self._update(
                SQL(
                    "participant_id IN %s AND id NOT IN %s AND state IN ('waiting', 'scheduled')",
                    tuple(scheduled.participant_id.ids),
                    tuple(scheduled.ids),
                ),
                state="cancelled",
                reason="other_branch",
            )
        leaving = self - in_branch
        if event == "reply":
            for trace in self:
                trace.participant_id._win_back(trace.step_id)
            leaving.participant_id._leave("replied")
        else:
            leaving.participant_id._leave("bounced")

    def _sql_children(self, trigger_values, *states):
        """Condition on the children of ``self`` with one of these triggers in one of ``states``.
        Those of a participant who left are closed already, so they are never among them."""
        return SQL(
            "parent_id IN %s AND state IN %s"
            " AND step_id IN (SELECT id FROM nurture_step WHERE trigger IN %s)",
            tuple(self.ids),
            states,
            tuple(trigger_values) or ("",),
        )

    def _sql_due(self, start):
        """``start`` plus the delay of the trace's step."""
        return SQL(
            "(SELECT %s + %s FROM nurture_step step WHERE step.id = nurture_trace.step_id)",
            start,
            self.env["nurture.step"]._sql_delay("step"),
        )

    def _sql_window(self, start):
        """``start`` plus the window of the trace's sequence."""
        return SQL(
            "(SELECT %s + sequence.window_days * interval '1 day'"
            " FROM nurture_sequence sequence WHERE sequence.id = nurture_trace.sequence_id)",
            start,
        )

    @api.model
    def _give_up(self):
        """End waiting traces whose window has passed without the event, and failed ones that
        nobody has retried in that time.

        :return: how many
        """
        expired = self._update(
            SQL(
                "id IN (SELECT id FROM nurture_trace WHERE state IN ('waiting', 'error')"
                " AND expire_date <= %s LIMIT 10000 FOR UPDATE SKIP LOCKED)",
                fields.Datetime.now(),
            ),
            state="cancelled",
            reason=SQL("CASE WHEN state = 'waiting' THEN 'no_reaction' ELSE reason END"),
        )
        expired.participant_id._complete()
        return len(expired)


def _add(groups, key, records):
    groups[key] = groups.get(key, records.browse()) | records
