import time
from bisect import bisect_left
from contextlib import contextmanager
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ...tools.clock import clock_at
from ...tools.sandbox import PastCursor, sandbox

#: How core keeps what became of a message: the column of its date, and its state.
REACTIONS = {
    "open": ("open_datetime", "open"),
    "click": ("links_click_datetime", "open"),
    "reply": ("reply_datetime", "reply"),
    "bounce": (None, "bounce"),
}
#: From so many leads on the clock does not stop at each moment, but once in so many minutes.
TICKS = ((100_000, 240), (5_000, 60), (200, 15), (0, 1))
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
#: How many traces of a step are executed at a time.
BATCH = 5000


@contextmanager
def playing(env, sequence_id, assumed, since, until, moment, kept=None):
    """A :class:`Play` of a sequence, from ``moment`` on.

    :param assumed: list of (event, share of messages, how long after), see :class:`Play`
    :param since: when the replay begins
    :param until: when it ends
    :param moment: where this part of it begins
    :param kept: what the part before kept
    """
    with sandbox(env, PastCursor) as past, clock_at(fields.Datetime, moment) as clock:
        past.cr.clock = clock
        past = past(context={"tracking_disable": True, "active_test": True})
        play = Play(past, sequence_id, clock, since, until)
        play.open(assumed, kept)
        yield play


class Play:
    """A sequence that runs in the past: what happened then happens again, moment by moment, and the
    engine decides, by what was known at each."""

    def __init__(self, env, sequence_id, clock, since, until):
        self.env = env
        self.past = env["nurture.past"]
        self.sequence = env["nurture.sequence"].browse(sequence_id)
        self.clock = clock
        #: until when what happened has been noticed
        self.moment = clock.now
        self.since = since
        self.until = until
        self.begun = clock.now
        self.tick = timedelta(minutes=1)
        #: those who may enter at some time of the day, and when they are looked at
        self.candidates = []
        self.scan_date = None
        self.day_end = clock.now
        #: how many rows there were when PostgreSQL last looked
        self.analyzed = {}

    def open(self, assumed, kept):
        cr = self.env.cr
        cr.execute(
            "CREATE TEMP TABLE nurture_past_assumed (event varchar, share float, after interval)"
        )
        for row in assumed:
            cr.execute(SQL("INSERT INTO nurture_past_assumed VALUES %s", tuple(row)))
        self.past._open(self.sequence, self.clock.now, self.since, self.until, kept)
        leads = self.env["crm.lead"].with_context(active_test=False).search_count([])
        self.tick = timedelta(minutes=next(minutes for least, minutes in TICKS if leads >= least))

    # ------------------------------------------------------------
    # TIME
    # ------------------------------------------------------------

    def run(self, end):
        """Play until the replay ends, or until ``end`` (``time.monotonic()``), and on by one moment
        at least: else a part in which it takes that long until all are in would be done again and
        again.

        :return: whether it has ended
        """
        if self.moment == self.since:
            # all who were lost before
            self._happen(self.since, everybody=True)
        while self.moment < self.until:
            if self.moment >= self.day_end:
                self._look_ahead()
            self._happen(self._get_next())
            if time.monotonic() >= end:
                break
        return self.moment >= self.until

    def _get_next(self):
        """The next moment at which something may have to be done."""
        now = self.moment
        moments = [self.day_end, self.until, self.past._get_next_moment(now)]
        moments += [self.scan_date, *self._get_due()]
        first = min(filter(None, moments))
        if first.microsecond:
            first = first.replace(microsecond=0) + timedelta(seconds=1)
        return min(max(first, now + self.tick), self.until)

    def _get_due(self):
        ((due, expiring),) = self.env.execute_query(
            SQL(
                "SELECT (SELECT min(schedule_date) FROM nurture_trace WHERE state = 'scheduled'),"
                " (SELECT min(expire_date) FROM nurture_trace WHERE state IN ('waiting', 'error'))"
            )
        )
        return [due, expiring]

    def _look_ahead(self):
        """A day begins: who may enter in the course of it. All leads are scanned for that once; as
        time goes on only these are, in the hour in which the engine would find them."""
        before = self.moment
        self.day_end = min(before + DAY, self.until)
        self._keep_statistics()
        with self._at(self.day_end):
            self.candidates = self.sequence._find_free()
            excluded = self._find_excluded()
        self._plan_scan()
        if excluded:
            # once for each journey there
            self.env.cr.execute(
                SQL(
                    "INSERT INTO nurture_past_excluded SELECT lead.id, %s, other.id"
                    " FROM crm_lead lead JOIN nurture_participant other"
                    " ON other.email = lead.email_normalized AND other.state = 'running'"
                    " AND other.sequence_id != %s WHERE lead.id = ANY(%s) ON CONFLICT DO NOTHING",
                    before,
                    self.sequence.id,
                    list(excluded),
                )
            )

    def _keep_statistics(self):
        """Tell PostgreSQL how much there is by now: nobody else looks into temporary tables."""
        tables = ("nurture_participant", "nurture_trace", "nurture_past_sent")
        counts = SQL(", ").join(
            SQL("(SELECT count(*) FROM %s)", SQL.identifier("pg_temp", table)) for table in tables
        )
        ((*rows,),) = self.env.execute_query(SQL("SELECT %s", counts))
        for table, number in zip(tables, rows, strict=True):
            if number > 1.2 * self.analyzed.get(table, 0):
                self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier("pg_temp", table)))
                self.analyzed[table] = number

    @contextmanager
    def _at(self, moment):
        """Let it be ``moment`` for a while, without anything happening until then."""
        with self.env.cr.savepoint() as savepoint:
            self.past._move(self.moment, moment)
            self.past._move_leads(self.moment, moment)
            now, self.clock.now = self.clock.now, moment
            yield
            savepoint.rollback()
        self.clock.now = now
        # the sequence may have been another one, too
        self.env.invalidate_all(flush=False)

    def _plan_scan(self):
        """Find the hour in which the first of those who may enter today can. Who is lost today
        enters then."""
        self.scan_date = None
        waiting = self._get_lost(self.candidates)
        if not waiting or self.sequence._waits_in_past():
            return

        def can_enter(moment):
            with self._at(moment):
                return bool(self.sequence._find_free(among=waiting))

        first = self.moment.replace(minute=0, second=0)
        hours = int((self.day_end - first) / HOUR)
        scans = [first + HOUR * hour for hour in range(1, hours + 1)]
        place = bisect_left(scans, True, key=can_enter)
        # at the end of the day one of them can
        self.scan_date = [*scans, self.day_end][place]

    def _get_lost(self, lead_ids):
        """Those of the leads that are lost already."""
        rows = self.env.execute_query(
            SQL("SELECT id FROM crm_lead WHERE id = ANY(%s) AND won_status = 'lost'", lead_ids)
        )
        return [id_ for (id_,) in rows]

    def _find_excluded(self):
        """Ids of the leads that would enter but for another sequence. What this changes is to be
        rolled back."""
        others = self.env["nurture.participant"]
        running = [("sequence_id", "!=", self.sequence.id), ("state", "=", "running")]
        if not self.sequence.exclude_other_sequences or not others.search_count(running, limit=1):
            return set()
        self.env.cr.execute(
            SQL(
                "UPDATE nurture_sequence SET exclude_other_sequences = false WHERE id = %s",
                self.sequence.id,
            )
        )
        self.env.invalidate_all(flush=False)
        return set(self.sequence._find_free()) - set(self.candidates)

    def _happen(self, moment, everybody=False):
        """Let it be ``moment``: what happened until then is noticed, then who may enter does, and
        what is due is done, in the order of the scheduled action."""
        before = self.moment
        self.past._move(before, moment)
        self.moment = self.clock.now = moment
        self._react()
        self._check_around(before)
        self._check_back(self.past._move_leads(before, moment))
        self._enter(before, everybody)
        self.env["nurture.trace"]._expire()
        self._do_due()
        self.env.flush_all()
        self.past._forget()

    # ------------------------------------------------------------
    # WHAT HAPPENS
    # ------------------------------------------------------------

    def _react(self):
        """What became of messages until now."""
        rows = self.env.execute_query(
            SQL(
                "DELETE FROM nurture_past_reaction WHERE date <= %s"
                " RETURNING event, trace_id, date",
                self.clock.now,
            )
        )
        for event, (column, status) in REACTIONS.items():
            happened = {trace_id: date for one, trace_id, date in rows if one == event}
            if not happened:
                continue
            dates = SQL(", ").join(SQL("(%s, %s::timestamp)", *item) for item in happened.items())
            date = SQL("%s = happened.date,", SQL.identifier(column)) if column else SQL()
            self.env.cr.execute(
                SQL(
                    "UPDATE nurture_past_sent SET %s trace_status = %s"
                    " FROM (VALUES %s) happened (id, date) WHERE nurture_trace_id = happened.id",
                    date,
                    status,
                    dates,
                )
            )
            self.env.flush_all()
            self.past._forget()
            self.env["nurture.trace"].browse(happened)._handle(event)

    def _check_back(self, changed):
        """Who has to leave as it was restored or won."""
        participants = self.env["nurture.participant"]
        mine = [("sequence_id", "=", self.sequence.id), ("lead_id", "in", changed)]
        if changed and participants.search_count(mine, limit=1):
            leads = self.env["crm.lead"].browse(changed)
            participants._check_goals(leads.filtered(lambda lead: lead.won_status != "lost"))

    def _check_around(self, before):
        """Who has to leave for what happened around leads."""
        participants = self.env["nurture.participant"]
        if not self.past._is_eventful(before, self.clock.now):
            return
        participants._check_goals(self._get_buyers(before))
        leaving = participants.browse(self._find_leaving())
        for reason, left in leaving._get_exit_conditions().items():
            left._reach(reason)

    def _get_buyers(self, before):
        """The leads whom orders and quotations since ``before`` may be about."""
        orders = self.env["sale.order"].search(
            [
                *("|", ("date_order", ">", before), ("create_date", ">", before)),
                *("|", ("date_order", "<=", self.clock.now), ("create_date", "<=", self.clock.now)),
                ("state", "!=", "cancel"),
            ]
        )
        if not orders:
            return self.env["crm.lead"]
        partners = orders.partner_id
        return orders.opportunity_id | self.env["crm.lead"]._nurture_leads_of(partners)

    def _find_leaving(self):
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT participant.id FROM nurture_participant participant"
                " JOIN nurture_sequence sequence ON sequence.id = participant.sequence_id"
                " LEFT JOIN crm_lead lead ON lead.id = participant.lead_id"
                " WHERE participant.sequence_id = %s AND participant.state = 'running'"
                " AND %s IS NOT NULL",
                self.sequence.id,
                self.env["nurture.participant"]._sql_exit_condition(),
            )
        )
        return [id_ for (id_,) in rows]

    def _enter(self, before, everybody):
        if everybody:
            self.sequence._enrol()
            return
        entered = set()
        is_due = self.scan_date and self.scan_date <= self.clock.now
        if is_due or self.sequence._has_past_changed(before):
            entered.update(self.sequence._enrol(among=self.candidates))
        if self.past._is_any_lost(before, self.clock.now):
            entered.update(self.sequence._enrol(lost_since=before))
        self.candidates = [one for one in self.candidates if one not in entered]
        if is_due:
            self._plan_scan()

    def _do_due(self):
        """Execute what is due, as :meth:`nurture.trace._process_due` does."""
        traces = self.env["nurture.trace"]
        while steps := traces._due_steps(self.sequence):
            for step in steps:
                due = traces.search(
                    [
                        ("step_id", "=", step.id),
                        ("state", "=", "scheduled"),
                        ("schedule_date", "<=", self.clock.now),
                    ],
                    limit=BATCH,
                    order="schedule_date, id",
                )
                # nothing is done in no time: what is due as long after it comes later
                self.clock.now += SECOND
                due._execute()
                self.env.flush_all()
                self.past._forget()

    # ------------------------------------------------------------
    # WHAT CAME OF IT
    # ------------------------------------------------------------

    def collect(self):
        """What happened since this part of the replay began, as rows of the tables of results:
        ``{table: (columns, rows)}``."""
        self.env.flush_all()
        return {
            "nurture_replay_entry": (
                ("number", "lead_id", "date", "state", "exit_date", "exit_reason"),
                self._query(
                    "SELECT id, lead_id, entered_date, state, exit_date, exit_reason"
                    " FROM nurture_participant"
                    " WHERE sequence_id = %(sequence)s AND lead_id IS NOT NULL"
                    " AND (entered_date >= %(begun)s OR exit_date >= %(begun)s)"
                ),
            ),
            "nurture_replay_message": (
                ("number", "lead_id", "step_id", "kind", "date", "reason"),
                self._query(
                    "SELECT trace.id, participant.lead_id, step.id,"
                    " CASE WHEN trace.state = 'rejected' THEN 'unsent'"
                    " WHEN step.step_type = 'sms' THEN 'sms' ELSE 'mail' END, trace.write_date,"
                    " CASE WHEN trace.state = 'rejected' THEN trace.reason END"
                    " FROM nurture_trace trace JOIN nurture_step step ON step.id = trace.step_id"
                    " JOIN nurture_participant participant ON participant.id = trace.participant_id"
                    " WHERE step.step_type IN %(messages)s"
                    " AND (trace.state = 'processed' AND trace.processed_date >= %(begun)s"
                    " OR trace.state = 'rejected' AND trace.write_date >= %(begun)s)"
                    " AND participant.lead_id IS NOT NULL",
                ),
            ),
            "nurture_replay_collision": (
                ("lead_id", "date", "kind", "with_sequence_id", "with_mailing_id"),
                [row for query in self._get_collisions() for row in self._query(query)],
            ),
        }

    def _query(self, query):
        return self.env.execute_query(
            SQL(
                query,
                sequence=self.sequence.id,
                begun=self.begun,
                messages=self.env["nurture.step"]._get_message_types(),
                participants=self.past._sql_real("nurture_participant"),
                traces=self.past._sql_real("nurture_trace"),
            )
        )

    def _get_collisions(self):
        """Where the sequence is in the way of other marketing, or that in its: queries of lead,
        date, kind, sequence and mailing."""
        with_mailing = (
            "LEFT JOIN %(traces)s theirs ON theirs.id = other.nurture_trace_id"
            " LEFT JOIN mailing_mailing mailing ON mailing.id = other.mass_mailing_id"
        )
        return [
            "SELECT kept.lead_id, kept.date, 'excluded', other.sequence_id, NULL::int"
            " FROM nurture_past_excluded kept"
            " JOIN %(participants)s other ON other.id = kept.participant_id"
            " WHERE kept.date >= %(begun)s",
            "SELECT own.lead_id, own.entered_date, 'inside_other', other.sequence_id, NULL::int"
            " FROM nurture_participant own JOIN %(participants)s other ON other.email = own.email"
            " AND other.sequence_id != %(sequence)s AND other.state != 'holdout'"
            " AND other.entered_date <= own.entered_date"
            " AND (other.exit_date IS NULL OR other.exit_date > own.entered_date)"
            " WHERE own.sequence_id = %(sequence)s AND own.lead_id IS NOT NULL"
            " AND own.entered_date >= %(begun)s",
            # what the address had got last when it had got enough
            "SELECT participant.lead_id, (said.entry ->> 'date')::timestamp, 'cap',"
            " CASE WHEN other.nurture_trace_id IS NULL THEN NULL"
            " ELSE COALESCE(theirs.sequence_id, %(sequence)s) END,"
            " CASE WHEN other.nurture_trace_id IS NULL THEN mailing.id END"
            " FROM nurture_trace trace"
            " JOIN nurture_participant participant ON participant.id = trace.participant_id"
            " CROSS JOIN LATERAL jsonb_array_elements(trace.decision_log) said (entry)"
            " LEFT JOIN LATERAL (SELECT sent.mass_mailing_id, sent.nurture_trace_id"
            " FROM mailing_trace sent WHERE sent.email = participant.email"
            " AND sent.sent_datetime <= (said.entry ->> 'date')::timestamp"
            " AND sent.is_test_trace IS NOT TRUE"
            " ORDER BY sent.sent_datetime DESC, sent.id DESC LIMIT 1) other ON true "
            + with_mailing
            + " WHERE said.entry ->> 'reason' = 'cap' AND participant.lead_id IS NOT NULL"
            " AND (said.entry ->> 'date')::timestamp >= %(begun)s",
            "SELECT own.res_id, own.sent_datetime, 'same_day', theirs.sequence_id,"
            " CASE WHEN theirs.id IS NULL THEN mailing.id END"
            " FROM nurture_past_sent own JOIN mailing_trace other ON other.email = own.email"
            " AND other.sent_datetime >= date_trunc('day', own.sent_datetime)"
            " AND other.sent_datetime < date_trunc('day', own.sent_datetime) + interval '1 day'"
            " AND other.is_test_trace IS NOT TRUE"
            " AND NOT EXISTS (SELECT 1 FROM nurture_past_sent mine WHERE mine.id = other.id) "
            + with_mailing
            + " WHERE own.sent_datetime >= %(begun)s",
        ]
