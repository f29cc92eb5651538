import time
from datetime import timedelta

from dateutil.relativedelta import relativedelta
from psycopg2.errors import ReadOnlySqlTransaction

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date, split_every

from ..models.core.results_mixin import REVENUE_GROUPS
from ..models.replay.play import playing
from ..models.replay.sequence import MAX_MONTHS
from ..tools.arguments import check_records
from ..tools.dates import on_day

#: For how many seconds it is played while somebody waits for an answer.
PART_SECONDS = 15
#: How many rows are written at a time.
ROWS = 10_000
ASSUMPTIONS = [
    ("rates", "As with your mails so far"),
    ("nobody", "Nobody reacts"),
    ("everybody", "Everybody opens"),
]
COLLISIONS = [
    ("excluded", "Excluded by another sequence"),
    ("inside_other", "In another sequence, too"),
    ("cap", "Too many messages: had to wait, or got none"),
    ("same_day", "Another mail on the same day"),
]


class NurtureReplayChoose(models.TransientModel):
    """What is replayed: how far back, and what is assumed of mails that were never sent."""

    _name = "nurture.replay.choose"
    _inherit = ["nurture.choice.mixin"]
    _description = "Nurture: Choose What to Replay"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    start_date = fields.Datetime(related="sequence_id.start_date", related_sudo=False)
    months = fields.Integer(
        string="Last Months",
        required=True,
        default=MAX_MONTHS,
        help="It is played as if it had been started so many months ago.",
    )
    since_start = fields.Boolean(
        string="Since It Was Started",
        help="As if it had been started when it really was, to compare; the months do not matter.",
    )
    assumption = fields.Selection(
        ASSUMPTIONS,
        string="Who Reacts",
        required=True,
        default="rates",
        help="Of mails that were never sent nobody knows who would have opened, clicked or "
        "answered them. Where the sequence really sent the mail, what really happened counts.\n"
        "As with your mails so far: as many as open, click and answer your mails, chosen by a "
        "draw that is always the same.",
    )

    @api.constrains("months")
    def _check_months(self):
        for choice in self:
            if not 1 <= choice.months <= MAX_MONTHS:
                raise ValidationError(
                    self.env._("A replay is about the last 1 to %s months.", MAX_MONTHS)
                )

    def action_replay(self):
        """Replay the sequence, and show what comes of it."""
        check_records(self, one=True)
        sequence = self.sequence_id
        replay = sequence._replay(self.months, self.assumption, self.since_start)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Replay of “%s”", sequence.name),
            "res_model": "nurture.replay",
            "res_id": replay.id,
            "view_mode": "form",
            "context": {"create": False, "edit": False},
        }


class NurtureReplay(models.TransientModel):
    """A sequence, played over the last months of real leads: who would have entered when, what they
    would have been sent, and what it would have collided with. Nothing is sent, and nothing lasts
    but this."""

    _name = "nurture.replay"
    _description = "Nurture Replay"
    # somebody may compare two of them for an afternoon; what belongs to one goes with it
    _transient_max_hours = 10.0

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    currency_id = fields.Many2one("res.currency", required=True)
    since_date = fields.Datetime(string="From", required=True, readonly=True)
    until_date = fields.Datetime(string="To", required=True, readonly=True)
    span = fields.Char(compute="_compute_span", help="From when to when, in words.")
    assumption = fields.Selection(ASSUMPTIONS, string="Who Reacts", required=True, readonly=True)
    assumed = fields.Json(readonly=True, help="Events, share of mails and seconds until then.")
    notes = fields.Text(compute="_compute_notes", string="What a replay cannot know")

    # how far it is
    state = fields.Selection(
        [("playing", "Playing"), ("done", "Done")], required=True, default="playing", readonly=True
    )
    moment = fields.Datetime(readonly=True, help="How far it is played.")
    kept = fields.Json(readonly=True, help="What the engine has to know to go on.")
    set_up = fields.Char(
        readonly=True, help="How the sequence was set up when it began, as a checksum."
    )
    progress = fields.Integer(compute="_compute_progress", help="How far it is, in percent.")

    # what came of it
    entry_ids = fields.One2many("nurture.replay.entry", "replay_id", readonly=True)
    message_ids = fields.One2many("nurture.replay.message", "replay_id", readonly=True)
    collision_ids = fields.One2many("nurture.replay.collision", "replay_id", readonly=True)
    period_ids = fields.One2many("nurture.replay.period", "replay_id", readonly=True)
    month_ids = fields.One2many(
        "nurture.replay.period", "replay_id", domain=[("kind", "=", "month")], readonly=True
    )
    week_ids = fields.One2many(
        "nurture.replay.period", "replay_id", domain=[("kind", "=", "week")], readonly=True
    )
    entered_count = fields.Integer(
        string="Would Have Entered",
        readonly=True,
        help="A lead that would have entered twice counts twice.",
    )
    backlog_count = fields.Integer(
        string="Lost Before",
        readonly=True,
        help="Those that would have entered at once, as they were lost before it began.",
    )
    held_out_count = fields.Integer(string="Held Out", readonly=True)
    mail_count = fields.Integer(string="Mails", readonly=True)
    sms_count = fields.Integer(string="SMS", readonly=True)
    unsent_count = fields.Integer(
        string="Not Sent", readonly=True, help="Messages that were due and not sent, and why."
    )
    collision_count = fields.Integer(string="Collisions", readonly=True)
    busiest_date = fields.Date(string="Busiest Day", readonly=True)
    busiest_count = fields.Integer(string="Messages on the Busiest Day", readonly=True)
    lost_count = fields.Integer(
        string="Still Lost Today", readonly=True, help="Leads that would have entered."
    )
    back_count = fields.Integer(
        string="Returned Anyway",
        readonly=True,
        help="Leads that would have entered, were in no sequence in reality, and are not lost "
        "today: they returned without us.",
    )
    back_value = fields.Monetary(
        string="Worth",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Expected revenue of those who returned anyway and were won, at today's rate.",
    )
    won_count = fields.Integer(
        string="Won Anyway", readonly=True, help="Those of them who were won."
    )

    @api.depends("sequence_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for replay in self:
            replay.display_name = self.env._("Replay of “%s”", replay.sequence_id.name)

    @api.depends("since_date", "until_date")
    @api.depends_context("lang")
    def _compute_span(self):
        for replay in self:
            days = map(replay.sequence_id._get_local_day, (replay.since_date, replay.until_date))
            since, until = (on_day(self.env, day) for day in days)
            replay.span = self.env._("%(since)s to %(until)s", since=since, until=until)

    @api.depends("moment", "state")
    def _compute_progress(self):
        for replay in self:
            whole = replay.until_date - replay.since_date
            done = (replay.moment or replay.since_date) - replay.since_date
            is_done = replay.state == "done" or not whole
            replay.progress = 100 if is_done else int(100 * (done / whole))

    # ------------------------------------------------------------
    # PLAY
    # ------------------------------------------------------------

    def action_go_on(self):
        """Play on for some seconds. With few leads it is done when it is made; else whoever shows
        it calls this until the state is ``done``."""
        check_records(self, one=True)
        self.check_access("read")
        self.sequence_id.sudo(False).check_access("write")
        # whose it is may read it only: it is written with all rights
        replay = self.sudo()
        # two windows play one part after the other, and none of them twice
        self.env.cr.execute(SQL("SELECT FROM nurture_replay WHERE id = %s FOR UPDATE", replay.id))
        if replay.state == "playing":
            replay._check_unchanged()
            replay._go_on()
        return True

    def _check_unchanged(self):
        """Check that what was played before fits what would be played now.

        :raise UserError: when the sequence was edited since
        """
        sequence = self.sequence_id
        if self.set_up != sequence._get_set_up_checksum():
            raise UserError(
                self.env._(
                    "“%s” was changed while it was played, so what was played before does not fit "
                    "any more. Replay it anew.",
                    sequence.name,
                )
            )

    def _go_on(self):
        self.env.flush_all()
        now = self.moment or self.since_date
        assumed = [
            (event, share, timedelta(seconds=seconds))
            for event, share, seconds in self.assumed or []
        ]
        try:
            with playing(
                *(self.env, self.sequence_id.id, assumed, self.since_date, self.until_date, now),
                self.kept or {},
            ) as play:
                is_done = play.run(time.monotonic() + PART_SECONDS)
                found = play.collect()
                kept = False if is_done else play.past._keep(play.sequence)
                moment = play.moment
        except ReadOnlySqlTransaction as error:
            raise UserError(
                self.env._(
                    "“%(sequence)s” cannot be replayed: something in it writes records, which a "
                    "replay does not let it do. %(error)s",
                    sequence=self.sequence_id.name,
                    error=error,
                )
            ) from error
        for table, (columns, rows) in found.items():
            self._store(table, columns, rows)
        self._hide_foreign_sequences()
        self.write({"moment": moment, "kept": kept})
        if is_done:
            self._finish()

    def _store(self, table, columns, rows):
        """Keep what happened; what goes on from part to part is written again."""
        changing = [name for name in ("state", "exit_date", "exit_reason") if name in columns]
        columns = ("replay_id", *columns)
        if "number" not in columns:
            conflict = SQL()
        elif changing:
            conflict = SQL(
                "ON CONFLICT (replay_id, number) DO UPDATE SET %s",
                SQL(", ").join(
                    SQL("%s = excluded.%s", SQL.identifier(name), SQL.identifier(name))
                    for name in changing
                ),
            )
        else:
            conflict = SQL("ON CONFLICT (replay_id, number) DO NOTHING")
        for part in split_every(ROWS, rows):
            values = SQL(", ").join(SQL("%s", (self.id, *row)) for row in part)
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %s (%s) VALUES %s %s",
                    SQL.identifier(table),
                    SQL(", ").join(map(SQL.identifier, columns)),
                    values,
                    conflict,
                )
            )
        self.env.invalidate_all()

    def _hide_foreign_sequences(self):
        """That an address is in a sequence of another company counts as it does for the engine;
        what that sequence is called is not shown to who does not work for the company."""
        self.env.cr.execute(
            SQL(
                "UPDATE nurture_replay_collision collision SET with_sequence_id = NULL"
                " FROM nurture_sequence other WHERE other.id = collision.with_sequence_id"
                " AND collision.replay_id = %s AND other.company_id NOT IN %s",
                self.id,
                tuple(self.create_uid.company_ids.ids),
            )
        )

    def _get_assumed(self, assumption, companies):
        """What is assumed of mails that were never sent: (event, share, seconds until then).

        :param companies: whose mails it goes by, beside those that are no company's
        """
        if assumption == "everybody":
            return [("open", 1.0, 3600)]
        if assumption == "nobody":
            return []
        dates = {
            "open": "open_datetime",
            "click": "links_click_datetime",
            "reply": "reply_datetime",
        }
        columns = SQL(", ").join(
            SQL(
                "count(%(date)s), EXTRACT(epoch FROM percentile_cont(0.5)"
                " WITHIN GROUP (ORDER BY %(date)s - sent.sent_datetime))",
                date=SQL.identifier("sent", column),
            )
            for column in dates.values()
        )
        ((sent, *counted),) = self.env.execute_query(
            SQL(
                "SELECT count(*), %s FROM mailing_trace sent %s WHERE sent.trace_type = 'mail'"
                " AND sent.is_test_trace IS NOT TRUE AND sent.sent_datetime > %s"
                " AND sent.trace_status NOT IN ('error', 'cancel', 'bounce') AND %s",
                columns,
                self._sql_recipients(),
                fields.Datetime.now() - relativedelta(months=MAX_MONTHS),
                self._sql_sent_by(companies),
            )
        )
        return [
            (event, counted[2 * place] / sent, float(max(counted[2 * place + 1], 0)))
            for place, event in enumerate(dates)
            if counted[2 * place]
        ]

    def _sql_recipients(self):
        """Joins to who got the message ``sent``: what is known of whose company that is."""
        return SQL(
            "LEFT JOIN nurture_trace own ON own.id = sent.nurture_trace_id"
            " LEFT JOIN crm_lead lead ON sent.model = 'crm.lead' AND lead.id = sent.res_id"
            " LEFT JOIN res_partner contact"
            " ON sent.model = 'res.partner' AND contact.id = sent.res_id"
        )

    def _sql_sent_by(self, companies):
        """Whether the message ``sent`` was one of ``companies``, or of none: how people react to
        those of others is nothing to tell. Of a lead that was deleted nobody knows."""
        return SQL(
            "COALESCE(own.company_id, lead.company_id, contact.company_id, %(any)s) IN %(ids)s"
            " AND (sent.model != 'crm.lead' OR COALESCE(own.id, lead.id) IS NOT NULL)",
            any=companies[:1].id or 0,
            ids=tuple(companies.ids) or (0,),
        )

    # ------------------------------------------------------------
    # WHAT CAME OF IT
    # ------------------------------------------------------------

    def _get_lists(self):
        """What is behind each number, by its name: the model, what the list is called, and a
        domain of it."""
        self.ensure_one()
        entry, message = "nurture.replay.entry", "nurture.replay.message"
        entered = [("state", "!=", "holdout")]
        last = [("is_last", "=", True)]
        back = [*last, ("is_back", "=", True)]
        lists = {
            "entered": (entry, self.env._("Would Have Entered"), entered),
            "backlog": (
                entry,
                self.env._("Lost Before"),
                [*entered, ("date", "=", fields.Datetime.to_string(self.since_date))],
            ),
            "held_out": (entry, self.env._("Held Out"), [("state", "=", "holdout")]),
            "mail": (message, self.env._("Mails"), [("kind", "=", "mail")]),
            "sms": (message, self.env._("SMS"), [("kind", "=", "sms")]),
            "unsent": (message, self.env._("Not Sent"), [("kind", "=", "unsent")]),
            "busiest": (
                message,
                self.env._("Busiest Day"),
                [
                    ("day", "=", fields.Date.to_string(self.busiest_date)),
                    ("kind", "!=", "unsent"),
                ],
            ),
            "collision": ("nurture.replay.collision", self.env._("Collisions"), []),
            "lost": (entry, self.env._("Still Lost Today"), [*last, ("is_lost", "=", True)]),
            "back": (entry, self.env._("Returned Anyway"), back),
            "won": (entry, self.env._("Won Anyway"), [*back, ("is_won", "=", True)]),
        }
        mine = ("replay_id", "=", self.id)
        return {name: (model, title, [mine, *own]) for name, (model, title, own) in lists.items()}

    def _finish(self):
        """Look what became of the leads in reality, and count."""
        self._look_at_leads()
        self._make_periods()
        messages = self.env["nurture.replay.message"]
        sent = [("replay_id", "=", self.id), ("kind", "!=", "unsent")]
        days = messages._read_group(
            sent, ["day:day"], ["__count"], order="__count desc, day:day", limit=1
        )
        self.busiest_date = days[0][0] if days else False
        lists = self._get_lists()
        model, _title, won = lists["won"]
        ((value,),) = self.env[model]._read_group(won, [], ["value:sum"])
        counts = {
            f"{name}_count": self.env[model].search_count(domain)
            for name, (model, _title, domain) in lists.items()
        }
        self.write({**counts, "state": "done", "kept": False, "back_value": value})

    def _look_at_leads(self):
        """What the leads are today, and whether it was a sequence that brought them back."""
        companies = self.env["res.company"].search([("active", "in", [True, False])])
        today = fields.Date.context_today(self)
        rates = [
            SQL(
                "(%s, %s::float)",
                company.id,
                company.currency_id._convert(1.0, self.currency_id, company, today, round=False),
            )
            for company in companies
        ]
        self.env.cr.execute(
            SQL(
                """
                UPDATE nurture_replay_entry entry
                   SET day = (entry.date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date,
                       is_lost = lead.won_status = 'lost', is_won = lead.won_status = 'won',
                       is_back = lead.won_status != 'lost' AND NOT EXISTS (
                           SELECT 1 FROM nurture_participant journey
                            WHERE journey.lead_id = lead.id AND journey.state != 'holdout'),
                       value = lead.expected_revenue * rate.rate,
                       is_last = NOT EXISTS (
                           SELECT 1 FROM nurture_replay_entry later
                            WHERE later.replay_id = entry.replay_id
                              AND later.lead_id = entry.lead_id AND later.number > entry.number)
                  FROM crm_lead lead
                  JOIN (VALUES %(rates)s) rate (company_id, rate)
                    ON rate.company_id = COALESCE(lead.company_id, %(home)s)
                 WHERE lead.id = entry.lead_id AND entry.replay_id = %(replay)s;
                UPDATE nurture_replay_message
                   SET day = (date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date
                 WHERE replay_id = %(replay)s;
                UPDATE nurture_replay_collision
                   SET day = (date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date
                 WHERE replay_id = %(replay)s
                """,
                zone=self.sequence_id._get_company_zone() or "UTC",
                rates=SQL(", ").join(rates),
                home=self.sequence_id._get_home().id,
                replay=self.id,
            )
        )
        self.env.invalidate_all()

    def _make_periods(self):
        """Months and weeks, those in which nothing happens among them."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO nurture_replay_period (replay_id, kind, date, end_date, entered_count,
                            mail_count, sms_count, unsent_count, collision_count)
                SELECT %(replay)s, period.kind, period.date, period.date + period.length,
                       COALESCE(entered.number, 0), COALESCE(message.mails, 0),
                       COALESCE(message.sms, 0), COALESCE(message.unsent, 0),
                       COALESCE(collision.number, 0)
                  FROM (SELECT kind, ('1 ' || kind)::interval AS length,
                               generate_series(date_trunc(kind, %(since)s::timestamp),
                                               %(until)s::timestamp,
                                               ('1 ' || kind)::interval)::date AS date
                          FROM unnest(ARRAY['month', 'week']) kind) period
             LEFT JOIN (SELECT kind, date_trunc(kind, day)::date AS date, count(*) AS number
                          FROM nurture_replay_entry, unnest(ARRAY['month', 'week']) kind
                         WHERE replay_id = %(replay)s AND state != 'holdout'
                      GROUP BY 1, 2) entered USING (kind, date)
             LEFT JOIN (SELECT period.kind, date_trunc(period.kind, day)::date AS date,
                               count(*) FILTER (WHERE message.kind = 'mail') AS mails,
                               count(*) FILTER (WHERE message.kind = 'sms') AS sms,
                               count(*) FILTER (WHERE message.kind = 'unsent') AS unsent
                          FROM nurture_replay_message message,
                               unnest(ARRAY['month', 'week']) period (kind)
                         WHERE replay_id = %(replay)s
                      GROUP BY 1, 2) message USING (kind, date)
             LEFT JOIN (SELECT period.kind, date_trunc(period.kind, day)::date AS date,
                               count(*) AS number
                          FROM nurture_replay_collision,
                               unnest(ARRAY['month', 'week']) period (kind)
                         WHERE replay_id = %(replay)s
                      GROUP BY 1, 2) collision USING (kind, date)
                """,
                replay=self.id,
                since=self.sequence_id._get_local_day(self.since_date),
                until=self.sequence_id._get_local_day(self.until_date),
            )
        )
        self.env.invalidate_all()

    @api.depends("assumption", "assumed", "sequence_id")
    @api.depends_context("lang")
    def _compute_notes(self):
        for replay in self:
            replay.notes = "\n\n".join(replay._get_notes())

    def _get_notes(self):
        """What a replay cannot know, or does not do, in words."""
        self.ensure_one()
        sequence = self.sequence_id
        notes = [
            self._describe_assumption(),
            self.env._(
                "When leads were lost, restored and won is what they themselves, their history of "
                "lost reasons and their chatter tell. What else stands on a lead, and on its "
                "contact, is as it is today, but for stage, salesperson, team and expected "
                "revenue, whose changes the chatter has. Leads that were deleted are missing."
            ),
            self.env._(
                "Orders, meetings, blacklisted addresses, consents and preferences count from the "
                "day on which they were made. An order that was cancelled since is a cancelled one "
                "all the time, and an archived contact an archived one."
            ),
            self.env._(
                "Of prices nobody keeps what they were: pricelists and costs are those of today."
            ),
        ]
        if sequence.entry == "manual":
            notes.append(
                self.env._(
                    "Leads enter it by hand only: it is played as if all that match had been added."
                )
            )
        if sequence._get_customer_presets():
            notes.append(self.env._("Silent customers are not made leads in a replay."))
        if {"action", "activity"} & set(sequence.step_ids.mapped("step_type")):
            notes.append(
                self.env._(
                    "Steps that are no messages count as done, and change nothing. Nobody does an "
                    "activity."
                )
            )
        if "opt_in" in sequence.step_ids.mapped("step_type"):
            notes.append(self.env._("Nobody confirms who is asked for consent."))
        return notes

    def _describe_assumption(self):
        really = self.env._("Where the sequence really sent the mail, what really happened counts.")
        if self.assumption == "everybody":
            return self.env._("Assumed: everybody opens each mail within an hour, and no more.") + (
                f" {really}"
            )
        if self.assumption == "nobody" or not self.assumed:
            text = self.env._("Assumed: nobody opens, clicks or answers.")
            if self.assumption == "rates":
                text = self.env._(
                    "No mail of yours has been opened yet: assumed is that nobody reacts."
                )
            return f"{text} {really}"
        shares = {event: round(100 * share, 1) for event, share, _seconds in self.assumed}
        return (
            self.env._(
                "Assumed, as with your mails so far: %(open)s%% open, %(click)s%% click and "
                "%(reply)s%% answer; who it is, is drawn.",
                open=shares.get("open", 0),
                click=shares.get("click", 0),
                reply=shares.get("reply", 0),
            )
            + f" {really}"
        )

    def _get_result(self):
        """The replay in plain values, see :meth:`nurture.sequence.replay`."""
        self.ensure_one()
        names = (
            *("entered_count", "backlog_count", "held_out_count", "mail_count", "sms_count"),
            *("unsent_count", "collision_count", "busiest_count", "lost_count", "back_count"),
            "won_count",
        )
        return {
            "id": self.id,
            "state": self.state,
            "progress": self.progress,
            "since_date": fields.Datetime.to_string(self.since_date),
            "until_date": fields.Datetime.to_string(self.until_date),
            **{name: self[name] for name in names},
            "busiest_date": fields.Date.to_string(self.busiest_date),
            "notes": self._get_notes(),
            "periods": [period._get_result() for period in self.period_ids],
        }

    def get_result(self):
        """What came of it so far, see :meth:`nurture.sequence.replay`."""
        check_records(self, one=True)
        self.check_access("read")
        return self._get_result()

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def _open(self, number):
        """Open what is behind a number, see :meth:`_get_lists`."""
        self.ensure_one()
        self.check_access("read")
        model, title, domain = self._get_lists()[number]
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "view_mode": "list,kanban,pivot,graph",
            "domain": domain,
            "context": {"create": False, "edit": False, "delete": False},
        }

    def action_view_entered(self):
        """Open who would have entered."""
        return self._open("entered")

    def action_view_backlog(self):
        """Open those who would have entered at once."""
        return self._open("backlog")

    def action_view_held_out(self):
        """Open who would have been held out for comparison."""
        return self._open("held_out")

    def action_view_mails(self):
        """Open the mails that would have been sent."""
        return self._open("mail")

    def action_view_sms(self):
        """Open the SMS that would have been sent."""
        return self._open("sms")

    def action_view_unsent(self):
        """Open the messages that would not have been sent, and why."""
        return self._open("unsent")

    def action_view_collisions(self):
        """Open the collisions with other marketing."""
        return self._open("collision")

    def action_view_busiest(self):
        """Open the messages of the busiest day."""
        return self._open("busiest")

    def action_view_lost(self):
        """Open the leads that are still lost today."""
        return self._open("lost")

    def action_view_back(self):
        """Open the leads that returned without us."""
        return self._open("back")

    def action_view_won(self):
        """Open those of them who were won."""
        return self._open("won")


class NurtureReplayLeadMixin(models.AbstractModel):
    """Something that would have happened to a lead."""

    _name = "nurture.replay.lead.mixin"
    _description = "Nurture Replay: What Happens to a Lead"
    _rec_name = "lead_id"

    replay_id = fields.Many2one(
        "nurture.replay", required=True, readonly=True, index=True, ondelete="cascade"
    )
    lead_id = fields.Many2one(
        "crm.lead",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        context={"active_test": False},
    )
    day = fields.Date(readonly=True, help="By the clock of the company.")

    def action_view_lead(self):
        """Open the lead."""
        check_records(self, one=True)
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "view_mode": "form",
        }


class NurtureReplayEntry(models.TransientModel):
    """A lead that would have entered."""

    _name = "nurture.replay.entry"
    _inherit = ["nurture.replay.lead.mixin"]
    _description = "Nurture Replay: Lead That Would Have Entered"
    _order = "date, id"
    _rec_name = "lead_id"

    number = fields.Integer(required=True, readonly=True)
    date = fields.Datetime(string="Entered On", required=True, readonly=True)
    state = fields.Selection(
        [
            ("running", "In it today"),
            ("completed", "Completed"),
            ("exited", "Left"),
            ("removed", "Removed"),
            ("holdout", "Held out"),
        ],
        readonly=True,
    )
    exit_date = fields.Datetime(string="Ended On", readonly=True)
    exit_reason = fields.Selection(selection="_get_exit_reasons", readonly=True)
    is_last = fields.Boolean(readonly=True, help="Whether the lead entered no more after it.")
    is_lost = fields.Boolean(string="Lost Today", readonly=True)
    is_won = fields.Boolean(string="Won Today", readonly=True)
    is_back = fields.Boolean(
        string="Returned without Us",
        readonly=True,
        help="It is not lost today, and was in no sequence in reality.",
    )
    value = fields.Float(
        string="Expected Revenue", readonly=True, groups=REVENUE_GROUPS, help="At today's rate."
    )

    _number_unique = models.UniqueIndex("(replay_id, number)", "Each journey counts once.")

    @api.model
    def _get_exit_reasons(self):
        """Those of add-ons, too."""
        return (
            self.env["nurture.participant"]._fields["exit_reason"]._description_selection(self.env)
        )


class NurtureReplayMessage(models.TransientModel):
    """A message that would have been sent, or was due and would not."""

    _name = "nurture.replay.message"
    _inherit = ["nurture.replay.lead.mixin"]
    _description = "Nurture Replay: Message"
    _order = "date, id"
    _rec_name = "step_id"

    number = fields.Integer(required=True, readonly=True)
    step_id = fields.Many2one(
        "nurture.step",
        required=True,
        readonly=True,
        ondelete="cascade",
        context={"active_test": False},
    )
    kind = fields.Selection(
        [("mail", "Mail"), ("sms", "SMS"), ("unsent", "Not sent")], required=True, readonly=True
    )
    date = fields.Datetime(string="When", required=True, readonly=True)
    reason = fields.Selection(selection="_get_reasons", string="Why Not", readonly=True)

    _number_unique = models.UniqueIndex("(replay_id, number)", "Each message counts once.")
    _day = models.Index("(replay_id, day)")
    _step = models.Index("(step_id)")

    @api.model
    def _get_reasons(self):
        """Those of add-ons, too."""
        return self.env["nurture.trace"]._fields["reason"]._description_selection(self.env)


class NurtureReplayCollision(models.TransientModel):
    """Where the sequence would have been in the way of other marketing, or that in its."""

    _name = "nurture.replay.collision"
    _inherit = ["nurture.replay.lead.mixin"]
    _description = "Nurture Replay: Collision"
    _order = "date, id"
    _rec_name = "lead_id"

    date = fields.Datetime(string="When", required=True, readonly=True)
    kind = fields.Selection(COLLISIONS, string="What", required=True, readonly=True)
    with_sequence_id = fields.Many2one(
        "nurture.sequence",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    with_mailing_id = fields.Many2one(
        "mailing.mailing",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )


class NurtureReplayPeriod(models.TransientModel):
    """A month or a week of a replay."""

    _name = "nurture.replay.period"
    _description = "Nurture Replay: Period"
    _order = "kind, date"

    replay_id = fields.Many2one(
        "nurture.replay", required=True, readonly=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection([("month", "Month"), ("week", "Week")], required=True, readonly=True)
    date = fields.Date(string="From", required=True, readonly=True)
    end_date = fields.Date(required=True, readonly=True)
    entered_count = fields.Integer(string="Entered", readonly=True)
    mail_count = fields.Integer(string="Mails", readonly=True)
    sms_count = fields.Integer(string="SMS", readonly=True)
    unsent_count = fields.Integer(string="Not Sent", readonly=True)
    collision_count = fields.Integer(string="Collisions", readonly=True)

    @api.depends("kind", "date")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for period in self:
            if period.kind == "month":
                period.display_name = format_date(self.env, period.date, date_format="MMMM yyyy")
            else:
                period.display_name = on_day(self.env, period.date)

    def _get_result(self):
        names = ("entered_count", "mail_count", "sms_count", "unsent_count", "collision_count")
        return {
            "kind": self.kind,
            "date": fields.Date.to_string(self.date),
            **{name: self[name] for name in names},
        }

    def _open(self, method):
        check_records(self, one=True)
        self.check_access("read")
        action = getattr(self.replay_id, method)()
        action["name"] = f"{action['name']}: {self.display_name}"
        action["domain"] += [
            ("day", ">=", fields.Date.to_string(self.date)),
            ("day", "<", fields.Date.to_string(self.end_date)),
        ]
        return action

    def action_view_entered(self):
        """Open who would have entered then."""
        return self._open("action_view_entered")

    def action_view_mails(self):
        """Open the mails of then."""
        return self._open("action_view_mails")

    def action_view_sms(self):
        """Open the SMS of then."""
        return self._open("action_view_sms")

    def action_view_unsent(self):
        """Open what would not have been sent then."""
        return self._open("action_view_unsent")

    def action_view_collisions(self):
        """Open the collisions of then."""
        return self._open("action_view_collisions")
