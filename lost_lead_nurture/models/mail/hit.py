import logging
from collections import Counter, defaultdict
from datetime import timedelta

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools import bots, user_agents
from ...tools.transaction import attempt

_logger = logging.getLogger(__name__)

#: How many hits one transaction judges.
BATCH = 200
#: How long a judged hit is kept: what comes near it is judged by it, too.
KEPT = timedelta(hours=1)
#: How many hits on the same link of a mail are kept at a time, and on what is no link of it
#: altogether: more of them show nothing new, and anybody can make thousands.
MAX_SAME = 100


class NurtureHit(models.Model):
    """A picture of a sequence's mail that was loaded, or a link of it that was followed.

    The first click of a bot looks like a person's; what follows within seconds gives it away. So a
    hit changes nothing at once. It is noted here, and after a minute the scheduled action judges it
    by its company: a bot's is noted on the mailing trace. Of a person's, core writes down what came
    of it, with the date at which it happened, and then the sequence is notified. Soon after, hits
    are deleted. Each of these stages only calls the next one.

    Of the user agent is kept what it shows of device and mail program, and with a person's hit that
    goes to the mailing trace.
    """

    _name = "nurture.hit"
    _description = "Nurture Hit"
    _order = "date, id"
    _log_access = False

    mailing_trace_id = fields.Many2one(
        "mailing.trace", required=True, readonly=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [("open", "Opened"), ("click", "Clicked"), ("honeypot", "Honeypot")],
        required=True,
        readonly=True,
    )
    date = fields.Datetime(required=True, readonly=True)
    code = fields.Char(readonly=True, help="Code of the link.")
    click_values = fields.Json(readonly=True, help="What core wants to know of a click.")
    reason = fields.Selection(
        bots.REASONS, readonly=True, help="Why it is not taken for a person's."
    )
    judged = fields.Boolean(readonly=True)
    device = fields.Selection(user_agents.DEVICES, readonly=True)
    client = fields.Selection(user_agents.CLIENTS, string="Mail Program", readonly=True)

    # what _claim looks for
    _waiting = models.Index("(date, id) WHERE judged IS NOT TRUE")

    # ------------------------------------------------------------
    # NOTE: as little as can be done while somebody waits for a page
    # ------------------------------------------------------------

    @api.model
    def _note(self, mailing_traces, kind, request, code=False, click_values=None):
        """Note a hit on sent mails, unless there are :data:`MAX_SAME` like it.

        :param mailing_traces: those of sequences, and those in which a click lets leads into one
        :param request: a ``bots.Request``
        """
        now = fields.Datetime.now()
        hits, is_undecided = self.browse(), False
        for mailing_trace in mailing_traces:
            reason = self._judge_alone(mailing_trace, kind, request, code, now)
            origin = user_agents.get_origin(request.user_agent, kind)
            values = {
                "kind": kind,
                "date": now,
                "code": code or None,
                "click_values": click_values and Json(click_values),
                "reason": reason,
                "device": origin.device,
                "client": origin.client,
            }
            kept = self._keep(mailing_trace, values)
            is_undecided = is_undecided or bool(kept and not reason)
            hits += kept
        if is_undecided:
            self._wake_cron(now)
        return hits

    @api.model
    def _keep(self, mailing_trace, values):
        """Make a hit, unless there are enough like it: in one query, for somebody waits. Forged
        ones, which anybody can make, are counted apart: they must not push out a person's.

        :param values: of the hit, as PostgreSQL takes them
        """
        if values["reason"] == "forged":
            like_it = SQL("reason = 'forged'")
        else:
            like_it = SQL(
                "kind = %s AND code IS NOT DISTINCT FROM %s AND reason IS DISTINCT FROM 'forged'",
                values["kind"],
                values["code"],
            )
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO nurture_hit (mailing_trace_id, %(names)s)
                SELECT %(mailing_trace)s, %(values)s
                 WHERE (SELECT count(*) FROM (SELECT FROM nurture_hit
                                               WHERE mailing_trace_id = %(mailing_trace)s
                                                 AND %(like_it)s
                                               LIMIT %(enough)s) same) < %(enough)s
                RETURNING id
                """,
                names=SQL(", ").join(map(SQL.identifier, values)),
                values=SQL(", ").join(SQL("%s", value) for value in values.values()),
                mailing_trace=mailing_trace.id,
                like_it=like_it,
                enough=MAX_SAME,
            )
        )
        return self.browse(id_ for (id_,) in rows)

    @api.model
    def _judge_alone(self, mailing_trace, kind, request, code, now):
        """What a hit shows on its own.

        :return: why it is not a person's (see :data:`bots.REASONS`), or None
        """
        if kind == "honeypot":
            return "honeypot"
        since_sent = now - mailing_trace.sent_datetime if mailing_trace.sent_datetime else None
        if kind == "open":
            return bots.judge_open(request, since_sent)
        # the links of plain mailings are core's
        is_plain = not mailing_trace.nurture_trace_id
        signed = is_plain or mailing_trace._nurture_is_signed(code, request.token)
        return bots.judge_click(request, since_sent, signed)

    @api.model
    def _wake_cron(self, now):
        """Have hits of ``now`` judged as soon as they can be."""
        cron = self.env.ref("lost_lead_nurture.ir_cron_nurture").sudo()
        cron._nurture_trigger_once(now + bots.HOLD)

    # ------------------------------------------------------------
    # JUDGE: the scheduled action
    # ------------------------------------------------------------

    @api.model
    def _judge_held(self):
        """Judge the hits that were held long enough, batch by batch. Commits."""
        commit = self.env["ir.cron"]._commit_progress
        try:
            while hits := self._claim():
                hits._judge()
                if not commit(len(hits)):
                    break
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else was at one of the mailing traces: the next run judges the batch
            self.env.cr.rollback()
        self._forget()

    @api.model
    def _forget(self):
        """Delete hits by which nothing that is still to come will be judged."""
        self.env.execute_query(
            SQL(
                "DELETE FROM nurture_hit WHERE judged AND date < %s RETURNING id",
                fields.Datetime.now() - KEPT,
            )
        )
        self.invalidate_model()

    @api.model
    def _claim(self):
        """Lock hits that were held long enough and that no other worker holds."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM nurture_hit WHERE judged IS NOT TRUE AND date <= %s"
                " ORDER BY date, id LIMIT %s FOR UPDATE SKIP LOCKED",
                fields.Datetime.now() - bots.HOLD,
                BATCH,
            )
        )
        return self.browse(id_ for (id_,) in rows)

    def _judge(self):
        """Apply people's hits, and note those of bots on the mailing trace."""
        reasons = self._judge_together()
        self.judged = True
        people = self.browse()
        for hit in self:
            if reason := hit.reason or reasons.get(hit):
                hit.mailing_trace_id._nurture_note_bot(hit.kind, reason, hit.date, hit.code)
            else:
                people += hit
        people._apply()

    def _judge_together(self):
        """Judge each hit by all that happened on its mail.

        :return: {hit: reason}
        """
        reasons = {}
        facts = self._get_facts()
        for mailing_trace, hits in self.grouped("mailing_trace_id").items():
            found = bots.judge_together(facts[mailing_trace.id])
            for hit in hits:
                if reason := found.get(hit._get_fact()):
                    reasons[hit] = reason
        return reasons

    def _get_facts(self):
        """What happened on the mails of these hits around them, as the rules see it: thousands of
        hits in a second are one fact.

        :return: {id of the mailing trace: list of facts}
        """
        dates = self.mapped("date")
        around = 2 * bots.NEAR
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT mailing_trace_id, date,"
                " CASE WHEN reason = 'forged' THEN '' ELSE COALESCE(code, '') END,"
                " kind = 'honeypot'"
                " FROM nurture_hit WHERE mailing_trace_id IN %s AND date BETWEEN %s AND %s",
                tuple(self.mailing_trace_id.ids),
                min(dates) - around,
                max(dates) + around,
            )
        )
        facts = defaultdict(list)
        for mailing_trace_id, date, link, honeypot in rows:
            facts[mailing_trace_id].append(bots.Hit(date, link, honeypot))
        return facts

    def _get_fact(self):
        """This hit, as the rules see it."""
        # anybody can forge a burst, to make a recipient's clicks count for nothing
        link = "" if self.reason == "forged" else self.code
        return bots.Hit(self.date, link or "", self.kind == "honeypot")

    # ------------------------------------------------------------
    # APPLY, AND NOTIFY THE SEQUENCES
    # ------------------------------------------------------------

    def _apply(self):
        """Let core write down what came of these hits, and notify the sequences. What happened on
        one mail is applied one after the other, what happened on different ones together."""
        batches = defaultdict(list)
        count = Counter()
        for hit in self:
            batches[count[hit.mailing_trace_id]].append(hit.id)
            count[hit.mailing_trace_id] += 1
        for ids in batches.values():
            self.browse(ids)._apply_together()

    def _apply_together(self):
        """Apply hits on different mails. One that cannot be applied does not stand in the way of
        the others."""

        def on_error(error):
            if len(self) > 1:
                for hit in self:
                    hit._apply_together()
            else:
                _logger.warning("%s on %s is lost", self, self.mailing_trace_id, exc_info=True)
                self.mailing_trace_id._nurture_warn_lost(error)

        with attempt(self.env, on_error):
            self._note_origins()
            self._notify(self._have_counted())

    def _have_counted(self):
        """Have core count what people did, with the date at which they did it.

        :return: those that it counted: the link of a click may be gone
        """
        dates = {hit.mailing_trace_id.id: hit.date for hit in self}
        judged = self.with_context(nurture_judged=bots.Judged(dates))
        opens = judged.filtered(lambda hit: hit.kind == "open")
        if opens:
            opens.mailing_trace_id.set_opened()
        return (opens + (judged - opens)._add_clicks()).with_env(self.env)

    def _note_origins(self):
        """Keep on the mailing traces of these hits, which are on different ones, the device and the
        mail program that they show. The first one of each stays."""
        self.flush_model()
        mailing_traces = self.mailing_trace_id
        mailing_traces.flush_model(["nurture_device", "nurture_client"])
        self.env.execute_query(
            SQL(
                """
                UPDATE mailing_trace
                   SET nurture_device = COALESCE(nurture_device, hit.device),
                       nurture_client = COALESCE(nurture_client, hit.client)
                  FROM nurture_hit hit
                 WHERE hit.id IN %s AND mailing_trace.id = hit.mailing_trace_id
                   AND (nurture_device IS NULL AND hit.device IS NOT NULL
                        OR nurture_client IS NULL AND hit.client IS NOT NULL)
             RETURNING mailing_trace.id
                """,
                tuple(self.ids),
            )
        )
        mailing_traces.invalidate_recordset(["nurture_device", "nurture_client"], flush=False)

    @api.model
    def _notify(self, counted):
        """Notify the sequences, once of each event. Who clicks has opened the mail."""
        counted.mailing_trace_id._nurture_end_bounces()
        counted.mailing_trace_id._nurture_handle("open")
        clicks = counted.filtered(lambda hit: hit.kind == "click")
        self.env["nurture.credit"]._note_touched(clicks.mailing_trace_id)
        for code, hits in clicks.grouped("code").items():
            hits.mailing_trace_id._nurture_handle("click", code)
        if clicks:
            self.env["nurture.sequence"]._note_behaviour("click")

    def _add_clicks(self):
        """Let core count clicks. They were made when they hit, not when they were judged: what
        looks at one link only counts from there, see :meth:`nurture.sequence._sql_event`.

        :return: the hits that core counted
        """
        clicks = self.env["link.tracker.click"]
        dates, counted = {}, self.browse()
        # read at once what core would read of one after the other
        self.mailing_trace_id.mapped("trace_status")
        for hit in self:
            click = clicks.add_click(
                hit.code, mailing_trace_id=hit.mailing_trace_id.id, **(hit.click_values or {})
            )
            if click:
                dates[click.id] = hit.date
                counted += hit
        if dates:
            clicks.flush_model()
            rows = SQL(", ").join(SQL("(%s, %s::timestamp)", *row) for row in dates.items())
            self.env.cr.execute(
                SQL(
                    "UPDATE link_tracker_click SET create_date = hit.date"
                    " FROM (VALUES %s) hit (id, date) WHERE hit.id = link_tracker_click.id",
                    rows,
                )
            )
            clicks.browse(dates).invalidate_recordset(["create_date"], flush=False)
        return counted
