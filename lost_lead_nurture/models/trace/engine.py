import logging
import time
from collections import defaultdict
from dataclasses import dataclass, field

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, split_every

from ...tools import triggers
from ...tools.domains import LostRights
from ...tools.offers import NothingOffered
from ...tools.reasons import ONLY_BY_HAND
from ...tools.subjects import storable

_logger = logging.getLogger(__name__)

#: How often a batch is tried again at once after a conflict with another transaction.
CONFLICT_RETRIES = 3
#: What stands against a batch as a whole: it would against each half of it.
FOR_ALL = (LostRights, NothingOffered)
#: How long the explanation of a failure may be.
MAX_DETAIL = 3000


@dataclass
class Verdicts:
    """What was decided about a batch: ids of traces."""

    #: those that go ahead
    accept: list = field(default_factory=list)
    #: ``{reason: those that are not done}``
    reject: dict = field(default_factory=dict)
    #: ``{exit reason: those whose participant leaves}``
    leave: dict = field(default_factory=dict)
    #: ``{id: (new date, reason, what exactly it waits for, limits under which it has its place
    #: then)}``; the last ones may be missing, and who has no place any more has "" for limits
    defer: dict = field(default_factory=dict)
    #: ``{why it may not be done, in words: those for which it may not}``
    refuse: dict = field(default_factory=dict)
    #: ids of participants who are sent the last-chance mail first
    last_chance: list = field(default_factory=list)

    def put(self, group, reason, trace_id):
        """Add a trace to ``reject`` or ``leave``."""
        getattr(self, group).setdefault(reason, []).append(trace_id)


class NurtureTrace(models.Model):
    """The engine: what is due is claimed, decided, done and planned, batch by batch."""

    _inherit = "nurture.trace"

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
                          AND %(not_quarantined)s
                     ORDER BY schedule_date
                        LIMIT 1
                       ) due
                 WHERE sequence.id IN %(sequences)s
                   AND sequence.state = 'running'
              ORDER BY due.schedule_date, step.id
                """,
                now=fields.Datetime.now(),
                not_quarantined=self.env["nurture.batch"]._sql_not_quarantined(
                    SQL("nurture_trace.id")
                ),
                sequences=tuple(sequences.ids) or (0,),
            )
        )
        return self.env["nurture.step"].browse(id_ for (id_,) in rows)

    @api.model
    def _count_due(self, step, limit):
        """How many traces of ``step`` are due; ``limit`` when there are more."""
        return self.search_count(
            [
                ("step_id", "=", step.id),
                ("state", "=", "scheduled"),
                ("schedule_date", "<=", fields.Datetime.now()),
            ],
            limit=limit,
        )

    @api.model
    def _claim(self, step, limit):
        """Lock up to ``limit`` due traces of ``step`` that no other worker holds."""
        return self._lock(
            SQL(
                "step_id = %s AND schedule_date <= %s AND %s",
                step.id,
                fields.Datetime.now(),
                self.env["nurture.batch"]._sql_not_quarantined(SQL("nurture_trace.id")),
            ),
            limit,
        )

    @api.model
    def _claim_due(self, ids):
        """Lock those of these traces that are due and that no other worker holds."""
        due = SQL("id IN %s AND schedule_date <= %s", tuple(ids), fields.Datetime.now())
        return self._lock(due, len(ids))

    def _claim_again(self):
        """Lock those of ``self`` that are still scheduled and free, after a rollback."""
        return self._lock(SQL("id IN %s", tuple(self.ids)), len(self))

    @api.model
    def _lock(self, condition, limit):
        query = SQL(
            # stopped since the last batch: stop means stop
            "SELECT id FROM nurture_trace WHERE state = 'scheduled' AND %s"
            " AND sequence_id IN (SELECT id FROM nurture_sequence WHERE state = 'running')"
            " ORDER BY schedule_date, id LIMIT %s FOR UPDATE SKIP LOCKED",
            condition,
            limit,
        )
        self.flush_model()
        self.env["nurture.sequence"].flush_model(["state"])
        for tries_left in reversed(range(CONFLICT_RETRIES)):
            try:
                # what is expected among workers is no error for the log
                self.env.cr.execute(query, log_exceptions=False)
                return self.browse(id_ for (id_,) in self.env.cr.fetchall())
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # another worker finished a batch after our snapshot was taken: take a new one
                self.env.cr.rollback()
                if not tries_left:
                    raise

    @api.model
    def _process_due(self, steps, end=float("inf")):
        """Process what is due, step by step and batch by batch, each batch in a transaction of its
        own. Any number of workers may do so at once.

        :param end: no batch is begun after this ``time.monotonic()``; a scheduled action has its
            own end
        :return: whether nothing is left to this worker; if not, come again
        """
        try:
            for step in steps:
                while batch := self._claim(step, step._get_batch_size()):
                    if not batch._run_batch() or time.monotonic() >= end:
                        return False
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # others were quicker, time and again: something may be left
            self.env.cr.rollback()
            return False
        return True

    def _bring_forward(self):
        """Make those of these traces due that are scheduled, whatever their date.

        :return: these
        """
        return self._update(
            SQL("id IN %s AND nurture_trace.state = 'scheduled'", tuple(self.ids)),
            state="scheduled",
            schedule_date=fields.Datetime.now(),
            reason="run_now",
        )

    def _run_now(self):
        """Process those of these traces that are scheduled, whatever their date. Commits."""
        coming = self._bring_forward()
        self.env["ir.cron"]._commit_progress()
        for step, traces in coming.grouped("step_id").items():
            for ids in split_every(step._get_batch_size(), traces.ids):
                self.browse(ids)._claim_again()._run_batch()

    def _run_batch(self, tries=CONFLICT_RETRIES, crashes=0):
        """Execute locked traces of one step and commit. When that fails, do it again in halves
        until the culprit stands alone and can be marked.

        What is begun is noted first (see ``nurture.batch``), for the case that the process does not
        return from it.

        :param crashes: how many processes have ended while they did these
        :return: seconds left to the scheduled action
        """
        commit = self.env["ir.cron"]._commit_progress
        if not self:
            return commit()
        batch = self.env["nurture.batch"]._begin(self, crashes)
        commit()
        try:
            claimed = self._claim_again()
            batch._end()
            claimed._execute()
            return commit(len(claimed))
        except Exception as caught:
            error = caught
        # not in the handler: what fails in here would drag all the errors before it along
        self.env.cr.rollback()
        batch._end()
        return self._run_again(error, tries, crashes)

    def _run_again(self, error, tries, crashes):
        """What to do with traces that could not be executed because of ``error``."""
        commit = self.env["ir.cron"]._commit_progress
        if isinstance(error, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            if tries:
                return self._claim_again()._run_batch(tries - 1, crashes)
            # nothing failed and nobody is notified: the next run does it, nothing has been written
            _logger.info("%s conflict with other transactions, left for later", self)
            commit()
            return 0
        if len(self) > 1 and not isinstance(error, FOR_ALL):
            half = len(self) // 2
            self[:half]._claim_again()._run_batch(tries, crashes)
            return self[half:]._claim_again()._run_batch(tries, crashes)
        # the log has the traceback; the responsible is notified of what the trace keeps of it
        _logger.info("%s failed", self, exc_info=error)
        self._claim_again()._fail(error)
        if isinstance(error, LostRights):
            summary = self.env._("The filter of “%s” cannot be used", self.step_id.name)
            self.sequence_id._warn_once(summary, str(error))
        return commit(len(self))

    # ------------------------------------------------------------
    # DECIDE, DO, PLAN: the only way a trace is executed
    # ------------------------------------------------------------

    def _execute(self):
        """Decide, plan and do a batch of locked, scheduled traces of one step.

        Whatever runs a step (scheduled action, button, RPC, test) ends up here. All that the engine
        writes about the batch is written before the step acts: sending commits, and one commit
        has to carry both.
        """
        if not self:
            return
        step = self.step_id
        if step.ab_split:
            # a test may have been decided since they were planned, or since they failed; the
            # version that won may come later
            now = fields.Datetime.now()
            drawn = self._draw_again("ab_decided")
            self -= drawn.filtered(lambda trace: trace.schedule_date > now)
            if not self:
                return
        verdicts = self._decide()
        for reason, ids in verdicts.leave.items():
            self.browse(ids).participant_id._reach(reason)
        for reason, ids in verdicts.reject.items():
            self.browse(ids)._reject(reason)
        for words, ids in verdicts.refuse.items():
            self.browse(ids)._set_state("error", "not_allowed", words)
        step._notify_refused(verdicts.refuse)
        self._defer(verdicts.defer)
        self._begin_last_chance(verdicts.last_chance)
        accepted = self.browse(verdicts.accept)
        accepted._set_state("processed", "done")
        accepted._plan()
        (self - accepted).participant_id._complete()
        if accepted:
            step._do(accepted)
            if not step._is_message():
                accepted.participant_id._complete()

    def _decide(self):
        """Judge the batch: first who leaves or cannot have the step, then who does not match, last
        whose message has to wait. The cheapest come first, and each is one query.

        :return: :class:`Verdicts`
        """
        verdicts = Verdicts()
        self._judge(verdicts)
        self._judge_days(verdicts)
        self._judge_matching(verdicts)
        self._judge_rights(verdicts)
        self._judge_quotation(verdicts)
        if self.step_id._is_message():
            self._judge_preferences(verdicts)
            self._judge_timing(verdicts)
        mailing = self.step_id.mailing_id
        if self.step_id.ab_split or self.step_id.translation_ids:
            # One commit carries what is written and sent, and each mail is sent on its own: those
            # who get another version, or it in another language, stay due.
            mailing, traces = self.step_id._get_batches(self.browse(verdicts.accept))[0]
            verdicts.accept = traces.ids
        if self.step_id.step_type == "email":
            # last: who is accepted here has taken a place
            self._judge_pace(verdicts, mailing)
        return verdicts

    def _judge(self, verdicts):
        """Exit conditions and exclusions, for the whole batch in one query."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT trace.id,
                       CASE WHEN participant.state != 'running' THEN 'left' END,
                       %(exit_condition)s,
                       CASE %(exclusions)s END
                  FROM nurture_trace trace
                  JOIN nurture_step step ON step.id = trace.step_id
                  JOIN nurture_participant participant ON participant.id = trace.participant_id
                  JOIN nurture_sequence sequence ON sequence.id = trace.sequence_id
             LEFT JOIN crm_lead lead ON lead.id = participant.lead_id
                 WHERE trace.id IN %(ids)s
              ORDER BY trace.schedule_date, trace.id
                """,
                ids=tuple(self.ids),
                exit_condition=self.env["nurture.participant"]._sql_exit_condition(),
                exclusions=SQL(" ").join(
                    SQL("WHEN %s THEN %s", condition, reason)
                    for reason, condition in self._sql_exclusions()
                ),
            )
        )
        for trace_id, left, exit_reason, reason in rows:
            if left:
                # its participant left between two moments: close it, it must not stay due
                verdicts.put("reject", left, trace_id)
            elif exit_reason:
                verdicts.put("leave", exit_reason, trace_id)
            elif reason:
                verdicts.put("reject", reason, trace_id)
            else:
                verdicts.accept.append(trace_id)

    @api.model
    def _sql_exclusions(self):
        """Why a due trace is not done.

        :return: list of (reason, SQL condition); the SQL may use the aliases ``trace``, ``step``,
            ``participant``, ``sequence`` and ``lead``
        """
        # to ask for consent is a mail, too
        is_email = SQL("step.step_type IN ('email', 'opt_in')")
        return [
            (
                "expired",
                self._sql_expired(SQL("trace.schedule_date")),
            ),
            ("no_address", SQL("%s AND lead.email_normalized IS NULL", is_email)),
            (
                "blacklisted",
                SQL("%s AND %s", is_email, self.env["crm.lead"]._nurture_sql_blacklisted()),
            ),
            *self._sql_consent_exclusions(),
            (
                "opt_out",
                SQL(
                    "%s AND %s",
                    is_email,
                    self.env["nurture.preference"]._sql_opted_out(
                        SQL("lead.email_normalized"), SQL("sequence.id"), SQL("sequence.topic_id")
                    ),
                ),
            ),
            (
                "bounced",
                SQL(
                    "%s AND sequence.exclude_bounced AND (%s)",
                    is_email,
                    SQL(" OR ").join(self.env["crm.lead"]._nurture_sql_bounced()),
                ),
            ),
            (
                "duplicate",
                SQL(
                    "%s AND sequence.entry_per = 'address'"
                    " AND lead.email_normalized != participant.email"
                    " AND EXISTS (SELECT 1 FROM nurture_participant other"
                    " WHERE other.sequence_id = participant.sequence_id"
                    " AND other.dedup_key IN %s)",
                    is_email,
                    self.env["nurture.participant"]._sql_known_keys(SQL("lead.email_normalized")),
                ),
            ),
        ]

    @api.model
    def _sql_expired(self, due):
        """Whether it is too late by now for the step ``step`` that was due at ``due``."""
        return SQL(
            "step.expiry > 0 AND %s + %s < %s",
            due,
            self.env["nurture.step"]._sql_delay("step", "expiry"),
            fields.Datetime.now(),
        )

    def _judge_days(self, verdicts):
        """A step is done on its days only."""
        if not self.step_id._is_on_its_days():
            for trace_id in verdicts.accept:
                verdicts.put("reject", "not_today", trace_id)
            verdicts.accept = []

    def _judge_matching(self, verdicts):
        """Take those out of the accepted who do not match the step's filter, and those who match
        the sequence no more where that ends their journey."""
        accepted = self.browse(verdicts.accept)
        leads = accepted.participant_id.lead_id
        if not leads:
            return
        staying = leads
        if accepted.sequence_id.exit_on_unmatched:
            staying = accepted.sequence_id._get_matching(leads)
        matching = accepted.step_id._get_matching(staying)
        if matching == leads:
            return
        verdicts.accept = []
        for trace in accepted:
            lead = trace.participant_id.lead_id
            if lead in matching:
                verdicts.accept.append(trace.id)
            elif lead in staying:
                verdicts.put("reject", "filtered", trace.id)
            else:
                verdicts.put("leave", "unmatched", trace.id)

    def _reject(self, reason):
        """End traces that are not done for ``reason``. Of a filter it is kept which part of it did
        not hold, as a domain: it is put into words for whoever reads it."""
        if reason != "filtered":
            return self._set_state("rejected", reason)
        step = self.step_id
        failing = self.participant_id.lead_id._nurture_find_failing(
            step.filter_domain, [step.filter_author_id], step.sequence_id._get_companies()
        )
        by_parts = defaultdict(self.browse)
        for trace in self:
            lead = trace.participant_id.lead_id
            parts = [part for part, leads in failing if lead in leads]
            by_parts[repr(Domain.AND(parts)) if parts else None] |= trace
        for parts, traces in by_parts.items():
            traces._set_state("rejected", reason, parts)
        return None

    def _judge_rights(self, verdicts):
        """Take those out of the accepted for whose lead the step may not be done, or not any
        more."""
        accepted = self.browse(verdicts.accept)
        if not accepted:
            return
        refused = accepted.step_id._get_refused(accepted.participant_id.lead_id)
        for words, leads in refused.items():
            traces = accepted.filtered(lambda one, leads=leads: one.participant_id.lead_id in leads)
            verdicts.refuse[words] = traces.ids
            accepted -= traces
        verdicts.accept = accepted.ids

    @api.model
    def _begin(self, participant_ids, trigger="begin"):
        """Plan the steps with ``trigger``, which follow no other step, for those of these
        participants who are in their sequence; who is held out gets none.

        :param participant_ids: list of ids
        """
        if not participant_ids:
            return
        now = fields.Datetime.now()
        self._insert(
            SQL(
                """
                SELECT participant.id, step.id, NULL::int, step.sequence_id,
                       participant.company_id, 'scheduled', %(now)s, %(now)s + %(delay)s,
                       NULL::timestamp
                  FROM unnest(%(ids)s::int[]) entered
                  JOIN nurture_participant participant ON participant.id = entered
                  JOIN nurture_step step ON step.sequence_id = participant.sequence_id
                 WHERE participant.state = 'running'
                   AND step.trigger = %(trigger)s AND step.active
                """,
                now=now,
                delay=self.env["nurture.step"]._sql_delay("step"),
                # as text: an array of a hundred thousand expressions takes its time to be parsed
                ids="{%s}" % ",".join(map(str, participant_ids)),
                trigger=trigger,
            ),
            # they enter just now, and a last-chance mail may have been planned before
            are_new=trigger == "begin",
        )

    def _plan(self):
        """Write the children's traces of processed traces: due after their delay where the clock
        runs, waiting where an event or the sending of the message has to come first."""
        if not self:
            return
        self._insert(
            self._sql_planned(SQL("trace.id IN %s", tuple(self.ids)), fields.Datetime.now())
        )

    @api.model
    def _sql_planned(self, condition, base_date):
        """What follows processed traces, as rows for :meth:`_insert`.

        :param condition: SQL on the processed ``trace``
        :param base_date: SQL or date from which delays count
        """
        steps = self.env["nurture.step"]
        by_clock = SQL(
            "parent.step_type NOT IN %s AND step.trigger IN %s",
            steps._get_message_types(),
            triggers.timed(),
        )
        return SQL(
            """
            SELECT trace.participant_id, step.id, trace.id, trace.sequence_id, trace.company_id,
                   CASE WHEN %(by_clock)s THEN 'scheduled' ELSE 'waiting' END,
                   CASE WHEN %(by_clock)s THEN %(base)s END,
                   CASE WHEN %(by_clock)s THEN %(base)s + %(delay)s END,
                   CASE WHEN parent.step_type NOT IN %(messages)s AND NOT (%(by_clock)s)
                        THEN %(base)s + %(patience)s END
              FROM nurture_trace trace
              JOIN nurture_sequence sequence ON sequence.id = trace.sequence_id
              JOIN nurture_step parent ON parent.id = trace.step_id
              JOIN nurture_step step ON step.parent_id = parent.id AND step.active
             WHERE %(condition)s
            """,
            by_clock=by_clock,
            base=base_date,
            delay=steps._sql_delay("step"),
            patience=steps._sql_patience(),
            messages=steps._get_message_types(),
            condition=condition,
        )

    @api.model
    def _insert(self, query, reason=None, are_new=False):
        """Insert the traces that ``query`` selects (participant, step, parent, sequence, company,
        state, base date, schedule date, expire date), each with the version of the message that it
        is drawn for, and due after the delay of that version; what is there already stays as it is.
        Messages leave in the order in which leads entered.

        :param reason: why they are planned now, if not because the step before was done
        :param are_new: whether none of them can be there, so that nobody has to look
        :return: how many
        """
        self._flush_versions()
        variant = self._sql_variant(SQL("planned.participant_id"))
        due = SQL(
            "CASE WHEN step.ab_split IS NULL THEN planned.schedule_date"
            " ELSE planned.base_date + %s END",
            self._sql_version_delay(variant),
        )
        # how many is what PostgreSQL says of it: to return them would keep them all for a while
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO nurture_trace (participant_id, step_id, parent_id, sequence_id,
                            company_id, state, base_date, schedule_date, expire_date, variant,
                            reason, decision_log, create_uid, create_date, write_uid, write_date)
                SELECT planned.participant_id, planned.step_id, planned.parent_id,
                       planned.sequence_id, planned.company_id, planned.state,
                       planned.base_date, %(due)s, planned.expire_date, %(variant)s,
                       %(reason)s, jsonb_build_array(%(decision)s),
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM (%(query)s) planned (participant_id, step_id, parent_id, sequence_id,
                       company_id, state, base_date, schedule_date, expire_date)
                  JOIN nurture_step step ON step.id = planned.step_id
              ORDER BY planned.participant_id, planned.step_id
                    %(on_conflict)s
                """,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                query=query,
                on_conflict=SQL()
                if are_new
                else SQL("ON CONFLICT (participant_id, step_id) DO NOTHING"),
                due=due,
                variant=variant,
                reason=reason,
                decision=self._sql_decision(SQL("planned.state"), reason, due=due),
            )
        )
        number = self.env.cr.rowcount
        self.env["nurture.participant"].invalidate_model(["trace_ids"], flush=False)
        return number

    def _defer(self, dates):
        """Defer traces.

        :param dates: ``{trace id: (new date, reason, detail, limits)}``, the last of which may be
            missing, see :class:`Verdicts`
        """
        if not dates:
            return
        rows = SQL(", ").join(
            SQL("(%s, %s::timestamp, %s, %s::text, %s::text)", id_, *[*values, None, None][:4])
            for id_, values in dates.items()
        )
        self.env["nurture.sequence"]._wake_cron(min(date for date, *_why in dates.values()))
        deferred = SQL("FROM (VALUES %s) deferred (id, date, reason, detail, limits)", rows)
        self._update(
            SQL("nurture_trace.id = deferred.id"),
            source=deferred,
            state="scheduled",
            schedule_date=SQL("deferred.date"),
            reason=SQL("deferred.reason"),
            detail=SQL("deferred.detail"),
            limits=SQL(
                "CASE WHEN deferred.limits IS NULL THEN nurture_trace.limits"
                " ELSE NULLIF(deferred.limits, '') END"
            ),
            place_date=SQL(
                "CASE WHEN deferred.limits IS NULL THEN nurture_trace.place_date"
                " WHEN deferred.limits <> '' THEN deferred.date END"
            ),
        )

    # ------------------------------------------------------------
    # WRITE: each decision is kept
    # ------------------------------------------------------------

    def _set_state(self, state, reason, detail=None):
        """End traces in ``state``, saying why."""
        if not self:
            return
        now = fields.Datetime.now()
        values = {"state": state, "reason": reason, "detail": detail, "retry_date": None}
        if state == "processed":
            values["processed_date"] = now
        elif state == "error":
            # who is not retried does not stay in the sequence for ever
            values["expire_date"] = self._sql_window(now)
            # the responsible is notified
            cron = self.env.ref("lost_lead_nurture.ir_cron_nurture").sudo()
            cron._nurture_trigger_once(now)
            if reason not in ONLY_BY_HAND:
                values["retry_date"] = self._sql_retry(now)
        self._update(SQL("id IN %s", tuple(self.ids)), **values)

    @api.model
    def _update(self, condition, source=None, logged=None, **values):
        """Set ``values`` (plain values or SQL) on all traces that meet ``condition``, and keep the
        decision in their log. Who has a place and is not waiting for it any more gives it back, if
        its message is not in the queue: others leave in its place.

        :param source: SQL of a FROM clause that values and condition may use
        :param logged: the reason of a decision that changes neither their state nor its reason
        :return: the traces
        """
        now = fields.Datetime.now()
        values["decision_log"] = SQL(
            "COALESCE(nurture_trace.decision_log, '[]'::jsonb) || %s",
            self._sql_decision(
                values.get("state", SQL("nurture_trace.state")),
                logged or values.get("reason"),
                values.get("detail"),
                values.get("schedule_date", SQL("nurture_trace.schedule_date") if logged else None),
            ),
        )
        values |= {"write_uid": self.env.uid, "write_date": now}
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "UPDATE nurture_trace SET %s %s WHERE %s RETURNING nurture_trace.id, %s",
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()
                ),
                source or SQL(),
                condition,
                self._sql_lost_place(),
            )
        )
        traces = self.browse(id_ for id_, _lost in rows)
        traces.invalidate_recordset(values, flush=False)
        if lost := tuple(id_ for id_, is_lost in rows if is_lost):
            # the engine's own table
            self.env["nurture.pace"].sudo()._give_back(SQL("id IN %s", lost))
        return traces

    @api.model
    def _sql_decision(self, state, reason=None, detail=None, due=None):
        """A decision as it is kept in the log; what it consists of may be values or SQL."""
        return SQL(
            "jsonb_build_object('date', %s::text, 'state', (%s)::text, 'reason', (%s)::text,"
            " 'detail', (%s)::text, 'due', date_trunc('second', (%s)::timestamp)::text)",
            fields.Datetime.to_string(fields.Datetime.now()),
            state,
            reason,
            detail,
            due,
        )

    def _fail(self, error):
        """Keep what went wrong on the trace; it can be retried."""
        detail = storable(f"{type(error).__name__}: {error}")
        if len(detail) > MAX_DETAIL:
            # core puts the whole template and where in its code it failed into some messages
            half = MAX_DETAIL // 2
            detail = f"{detail[:half]}\n…\n{detail[-half:]}"
        self._set_state("error", "failed", detail)

    @api.model
    def _retry_failed(self):
        """Try failed steps again whose own policy says so and whose time has come.

        :return: how many
        """
        failed = self.search(
            [
                ("state", "=", "error"),
                ("retry_date", "<=", fields.Datetime.now()),
                ("sequence_id.state", "=", "running"),
            ],
            limit=1000,
        ).try_lock_for_update()
        for tries, traces in failed.grouped("tries").items():
            traces.write({"tries": tries + 1})
        if failed:
            failed._retry()
        return len(failed)

    @api.model
    def _expire(self):
        """End waiting traces whose time has passed without the event, and failed ones that nobody
        has retried in that time. While a sequence is stopped its time stands still.

        :return: how many
        """
        expired = self._update(
            SQL(
                "nurture_trace.id IN (SELECT trace.id FROM nurture_trace trace"
                " JOIN nurture_sequence sequence ON sequence.id = trace.sequence_id"
                " WHERE trace.state IN ('waiting', 'error') AND sequence.state = 'running'"
                " AND trace.expire_date <= %s LIMIT 10000 FOR UPDATE OF trace SKIP LOCKED)",
                fields.Datetime.now(),
            ),
            state="cancelled",
            reason=SQL(
                "CASE WHEN nurture_trace.state = 'waiting' THEN 'no_reaction'"
                " ELSE nurture_trace.reason END"
            ),
        )
        expired.participant_id._complete()
        return len(expired)

    # ------------------------------------------------------------
    # SQL
    # ------------------------------------------------------------

    def _sql_due(self, start):
        """``start`` plus the delay of the trace's step, or of its version."""
        self._flush_versions()
        return SQL(
            "(SELECT %s + %s FROM nurture_step step WHERE step.id = nurture_trace.step_id)",
            start,
            self._sql_version_delay(SQL("nurture_trace.variant")),
        )

    def _sql_retry(self, start):
        """When a failed trace is tried again: null where its step has had all its tries."""
        return SQL(
            "(SELECT CASE WHEN COALESCE(nurture_trace.tries, 0) < step.retry_count THEN %s + %s END"
            " FROM nurture_step step WHERE step.id = nurture_trace.step_id)",
            start,
            self.env["nurture.step"]._sql_delay("step", "retry"),
        )

    def _sql_window(self, start):
        """``start`` plus the attribution window of the trace's sequence."""
        return SQL(
            "(SELECT %s + sequence.window_days * interval '1 day'"
            " FROM nurture_sequence sequence WHERE sequence.id = nurture_trace.sequence_id)",
            start,
        )
