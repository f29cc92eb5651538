from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL, format_amount, format_datetime, html2plaintext

from ..tools.dates import on_clock, on_day
from ..tools.inside import INSIDE
from ..tools.links import links_in
from ..tools.replay import REACTIONS, Shown, excerpt, without_own_links
from ..tools.triggers import TRIGGERS
from ..tools.zones import recipient_zone

#: How often a step may be deferred before it is done: for the cap, and the cap again.
MAX_DEFERRALS = 20
#: Fields of a lead that follow from others which are shown, and types that say nothing in a line.
SILENT_FIELDS = {"active", "probability"}
SILENT_TYPES = {"binary", "json", "many2one_reference", "one2many", "properties", "reference"}
#: Shown though nobody writes them directly.
TELLING_FIELDS = {"is_blacklisted", "won_status"}


class Replay:
    """One lead's journey through a sequence, played by the engine in a sandbox.

    Its clock is the real one plus ``offset``. To let time pass, what is written down about the
    lead's journey moves into the past: for the engine that is the same.
    """

    def __init__(self, env, sequence_id, lead_id, start, viewer, labels):
        """
        :param env: environment of a sandbox
        :param start: when the test began (naive, UTC)
        :param viewer: context with language and time zone of whoever looks at it
        :param labels: ``{name: label}`` of the lead's fields that may be shown
        """
        self.env = env
        self.words = env(context=viewer)
        self.sequence = env["nurture.sequence"].browse(sequence_id)
        self.lead = env["crm.lead"].with_context(active_test=False).browse(lead_id)
        self.offset = start - fields.Datetime.now()
        self.labels = labels
        self.schedule = self.sequence._get_sending_hours()
        self.zone = recipient_zone(*self.sequence._get_recipients([lead_id], 0)[0][1:4])
        #: what is shown of each step: ``{step id: Shown}``
        self.shown = {}
        #: mails composed so far, as what is needed to send a copy: ``{step id: {...}}``
        self.mails = {}
        self._entered = self.now
        self._own_messages = set()
        self._plays = 0
        self._problems = {}
        self._enter()

    @property
    def now(self):
        return fields.Datetime.now() + self.offset

    # ------------------------------------------------------------
    # PLAY
    # ------------------------------------------------------------

    def _enter(self):
        """Let the lead enter, whatever excludes it."""
        sequence, lead = self.sequence, self.lead
        self._problems = {step.id: step._get_problems() for step in sequence.step_ids}
        if sequence._takes_lost() and lead.won_status != "lost":
            lead.with_context(mail_notrack=True, nurture_skip_check=INSIDE).action_set_lost()
        participants = self.env["nurture.participant"]
        participants.search(
            [
                ("sequence_id", "=", sequence.id),
                "|",
                ("lead_id", "=", lead.id),
                ("dedup_key", "in", [lead.email_normalized, f"lead {lead.id}"]),
            ]
        ).unlink()
        self.env.flush_all()
        # the hours of the engine would be those of today, whatever day it is in the test
        self.env.cr.execute(
            SQL(
                "UPDATE nurture_sequence SET state = 'running', calendar_id = NULL, entry_per = %s"
                " WHERE id = %s",
                sequence.entry_per if lead.email_normalized else "lead",
                sequence.id,
            )
        )
        self.env.invalidate_all()
        participants._enrol(sequence, SQL("SELECT %s", lead.id), draws=False)
        self.participant = participants.search(
            [("sequence_id", "=", sequence.id), ("lead_id", "=", lead.id)], limit=1
        )

    def play(self, event):
        """Play one event of the log: a step is done, somebody reacts to one, or time passes. What
        is not possible any more, because the workflow was changed, is left out."""
        self._plays += 1
        step_id = event.get("step")
        trace = self.participant.trace_ids.filtered(lambda one: one.step_id.id == step_id)
        what = event["do"]
        if what == "run" and trace.state == "scheduled":
            self._run(trace)
        elif what == "wait":
            self._pass(self._get_end_of_waiting())
        elif what in REACTIONS and trace.state == "processed":
            self._react(trace, what, event.get("link"))
        self._keep_months()
        self._note_endings()

    def _run(self, trace):
        """Do a step as the engine does, once its time has come."""
        shown = self._get_shown(trace)
        step = trace.step_id
        for _time in range(MAX_DEFERRALS):
            self._wait_for(trace, shown)
            before = self._look()
            if self._problems.get(step.id):
                trace._fail(UserError("\n".join(self._problems[step.id])))
            else:
                trace._claim_again()._run_batch()
            self.env.invalidate_all()
            if trace.state != "scheduled" or trace.reason != "cap":
                break
            due = self._date(trace.schedule_date)
            shown.texts.append(
                self.words._("It has got enough marketing lately and would wait until %s.", due)
            )
        if trace.state == "scheduled" and trace.reason == "run_now":
            raise UserError(
                self.words._("Somebody is working on this lead right now. Try again in a moment.")
            )
        if trace.state == "processed":
            shown.reachable = True
            self._send(trace)
        self._add_changes(shown.texts, before)

    def _wait_for(self, trace, shown):
        """Let time pass until a step is due and, if it sends something, until the recipient's next
        sending hours."""
        self._pass(trace.schedule_date)
        if self.schedule and trace.step_id._is_message():
            opening = self.schedule.place(self.now, self.zone, 0)
            if opening and opening > self.now:
                due = self._date(fields.Datetime.now())
                shown.texts.append(
                    self.words._(
                        "Due on %(due)s, it would wait for the sending hours: %(date)s.",
                        due=due,
                        date=self._date(opening - self.offset),
                    )
                )
                self._pass(opening - self.offset)
        trace._update(
            SQL("id = %s", trace.id), schedule_date=fields.Datetime.now(), reason="run_now"
        )
        # a step that fails is rolled back until here
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _send(self, trace):
        """The queue would send the message now: keep a copy of what the recipient would get."""
        mailing_traces = trace.mailing_trace_ids.filtered(
            lambda one: one.trace_status == "outgoing"
        )
        mail = mailing_traces.mail_mail_id[:1]
        if mail:
            # what core logs about the mail is the mail
            self._own_messages |= set(mailing_traces.mail_mail_id.mail_message_id.ids)
            body = without_own_links(mail.body_html)
            self._get_shown(trace).links = links_in(body)
            self.mails[trace.step_id.id] = {
                "email_from": mail.email_from,
                "reply_to": mail.reply_to,
                "subject": mail.subject,
                "body": body,
                "attachments": [
                    (attachment.name, attachment.raw or b"", attachment.mimetype)
                    for attachment in mail.attachment_ids
                ],
                "mail_server_id": mail.mail_server_id.id,
            }
        for text, links in mailing_traces.with_env(self.words)._nurture_get_texts():
            self._get_shown(trace).texts.append(text)
            self._get_shown(trace).links += links
        mailing_traces._nurture_pretend_sent()
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self.env.invalidate_all()

    def _react(self, trace, event, link):
        shown = self._get_shown(trace)
        before = self._look()
        reaction = {"do": event, "date": self.format(self.now), "link": link or False, "texts": []}
        shown.reactions.append(reaction)
        self.env.cr.commit()  # pylint: disable=invalid-commit
        try:
            self._do_react(trace, event, link)
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except Exception as error:
            self.env.cr.rollback()
            shown.failed = f"{type(error).__name__}: {error}"
        self.env.invalidate_all()
        self._add_changes(reaction["texts"], before)

    def _do_react(self, trace, event, link):
        """Core registers it, and notifies the engine."""
        mailing_traces = trace.mailing_trace_ids
        for setter in REACTIONS[event] if mailing_traces else ():
            getattr(mailing_traces, setter)()
        activities = self.env["mail.activity"].search([("nurture_trace_id", "=", trace.id)])
        requests = self.env["nurture.consent"].search([("trace_id", "=", trace.id)])
        if event == "done" and activities:
            activities._action_done()
        elif event == "confirmed" and requests:
            # what follows looks whether there is a proof
            requests._confirm(False, False)
        elif link or not mailing_traces or any(mailing_traces.mapped("nurture_pending")):
            # an error that is kept for later in life is shown here
            trace._handle(event, link)

    # ------------------------------------------------------------
    # TIME
    # ------------------------------------------------------------

    def _pass(self, moment):
        """Let time pass until ``moment``, by the engine's clock."""
        delta = moment and moment - fields.Datetime.now()
        if not delta or delta < timedelta(0):
            return
        days = (fields.Date.to_date(self.now + delta) - fields.Date.to_date(self.now)).days
        self.env.flush_all()
        traces = self.participant.trace_ids
        for model, condition in (
            ("nurture.trace", SQL("participant_id = %s", self.participant.id)),
            ("nurture.participant", SQL("id = %s", self.participant.id)),
            ("crm.lead", SQL("id = %s", self.lead.id)),
            # all that counts for the frequency cap
            (
                "mailing.trace",
                SQL(
                    "email = %s OR nurture_trace_id IN %s",
                    self.lead.email_normalized or None,
                    tuple(traces.ids) or (0,),
                ),
            ),
            ("mail.activity", SQL("nurture_trace_id IN %s", tuple(traces.ids) or (0,))),
        ):
            self._shift(self.env[model], condition, delta, days)
        self.env.invalidate_all(flush=False)
        self.offset += delta
        self.env["nurture.trace"]._expire()
        self.env.invalidate_all()

    def _shift(self, records, condition, delta, days):
        moves = [
            SQL(
                "%s = %s - %s",
                SQL.identifier(field.name),
                SQL.identifier(field.name),
                delta if field.type == "datetime" else days,
            )
            for field in records._fields.values()
            if field.store
            and field.type in ("date", "datetime")
            # what happens around the lead counts from when it entered: that is when the test began
            and field.name != "entered_date"
        ]
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE %s",
                SQL.identifier(records._table),
                SQL(", ").join(moves),
                condition,
            )
        )

    def _keep_months(self):
        """A month is as long as it is on the calendar of the test."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE nurture_trace SET schedule_date = base_date + %(offset)s + %(delay)s"
                " - %(offset)s FROM nurture_step step WHERE step.id = nurture_trace.step_id"
                " AND participant_id = %(participant)s AND nurture_trace.state = 'scheduled'"
                " AND reason IS NULL AND base_date IS NOT NULL"
                " AND (delay_unit = 'months' OR ab_split IS NOT NULL)",
                offset=self.offset,
                delay=self.env["nurture.trace"]._sql_version_delay(SQL("nurture_trace.variant")),
                participant=self.participant.id,
            )
        )
        self.env.invalidate_all()

    def _get_end_of_waiting(self):
        dates = self.participant.trace_ids.filtered(lambda one: one.state == "waiting")
        return min(filter(None, dates.mapped("expire_date")), default=None)

    # ------------------------------------------------------------
    # NOTIFY
    # ------------------------------------------------------------

    def _get_shown(self, trace):
        return self.shown.setdefault(trace.step_id.id, Shown())

    def _note_endings(self):
        for trace in self.participant.trace_ids:
            is_over = trace.state not in ("waiting", "scheduled")
            self._get_shown(trace).note_end(is_over, self.now, self._plays)

    def _look(self):
        """What can be seen of the lead, to compare."""
        lead = self.lead.with_env(self.words).with_context(active_test=False)
        values = {}
        for name, label in self.labels.items():
            field = lead._fields[name]
            if name not in TELLING_FIELDS and (
                not field.store
                or (field.readonly and not field.inverse)
                or name in SILENT_FIELDS
                or field.type in SILENT_TYPES
            ):
                continue
            values[name] = (label, self._show(lead, field))
        newest = {}
        for model, domain in self._get_notes().items():
            newest[model] = set(self.words[model].search(domain).ids)
        return values, newest, len(self.env.cr.suppressed)

    def _get_notes(self):
        return {
            "mail.message": [
                ("model", "=", "crm.lead"),
                ("res_id", "=", self.lead.id),
                # these are not in the chatter
                ("message_type", "!=", "user_notification"),
            ],
            "mail.activity": [("res_model", "=", "crm.lead"), ("res_id", "=", self.lead.id)],
        }

    def _show(self, lead, field):
        value = lead[field.name]
        if field.type == "boolean":
            return self.words._("Yes") if value else self.words._("No")
        if not value and field.type not in ("integer", "float", "monetary"):
            return ""
        if field.type == "datetime":
            return self._date(value)
        if field.type == "date":
            return on_day(self.words, value)
        if field.type == "monetary":
            return format_amount(self.words, value, lead[field.get_currency_field(lead)])
        if field.type == "html":
            value = html2plaintext(value)
        else:
            value = field.convert_to_export(value, lead)
        return excerpt(str(value))

    def _add_changes(self, texts, before):
        """Add what became of the lead since ``before``."""
        self.env.flush_all()
        values, newest, suppressed = before
        values_now, newest_now, _number = self._look()
        for name, (label, value) in values_now.items():
            old = values[name][1]
            if value != old:
                texts.append(
                    self.words._(
                        "%(field)s: %(old)s → %(new)s",
                        field=label,
                        old=old or self.words._("none"),
                        new=value or self.words._("none"),
                    )
                )
        made = {
            model: self.words[model].browse(
                sorted(newest_now[model] - newest[model] - self._own_messages)
            )
            for model in newest
        }
        for activity in made["mail.activity"]:
            texts.append(
                self.words._(
                    "Activity planned: %(what)s, for %(who)s, until %(date)s",
                    what=activity.summary or activity.activity_type_id.name,
                    who=activity.user_id.name,
                    date=on_day(self.words, activity.date_deadline + self._days()),
                )
            )
        for message in made["mail.message"]:
            if text := excerpt(html2plaintext(message.body or "")):
                texts.append(self.words._("Posted on the lead: %s", text))
        for kind, whom in self.env.cr.suppressed[suppressed:]:
            texts.append(
                self.words._("Not done in a test: a mail to %s", whom)
                if kind == "mail"
                else self.words._("Not done in a test: a call of %s", whom)
            )

    def _days(self):
        """How far the calendar of the test is ahead."""
        return fields.Date.to_date(self.now) - fields.Date.to_date(fields.Datetime.now())

    def _date(self, moment):
        """A moment of the engine's clock, on the clock of the test."""
        return self.format(moment + self.offset)

    def format(self, moment):
        """A moment of the test's clock, in words."""
        zone = self.words.tz.zone
        day = format_datetime(self.words, moment, tz=zone, dt_format="EEE")
        return f"{day} {on_clock(self.words, moment, zone)}"

    def get_timeline(self):
        """All that has happened and is to come, in the order of time."""
        traces = self.participant.trace_ids.with_env(self.words)
        scheduled = traces.filtered(lambda one: one.state == "scheduled").sorted(
            lambda one: (one.schedule_date, one.id)
        )
        following = scheduled[:1]
        lines = [self._get_line(trace, trace == following) for trace in traces]
        lines.sort(key=lambda line: (line["order"], line["id"]))
        for line in lines:
            del line["order"]
        participant = self.participant.with_env(self.words)
        end = None
        if participant.state not in ("running", "holdout"):
            end = dict(participant._fields["exit_reason"]._description_selection(self.words)).get(
                participant.exit_reason
            )
        waiting = self._get_end_of_waiting()
        return {
            "entered": self.format(self._entered),
            "now": self.format(self.now),
            "lines": lines,
            "next": following.step_id.id,
            "wait": self._date(waiting) if waiting and not following else False,
            "end": end or False,
        }

    def _get_line(self, trace, is_next):
        step = trace.step_id
        shown = self._get_shown(trace)
        reasons = dict(trace._fields["reason"]._description_selection(self.words))
        states = dict(trace._fields["state"]._description_selection(self.words))
        reason = trace.reason if trace.reason not in ("done", "run_now", "cap") else False
        if trace.state == "scheduled":
            moment = trace.schedule_date + self.offset
        else:
            moment = shown.ended and shown.ended[0]
        return {
            "id": trace.id,
            "order": shown.get_order(trace.state, moment),
            "step": step.id,
            "name": step.name,
            "type": step.step_type,
            "icon": TRIGGERS[step.trigger].icon,
            "when": step.when,
            "state": trace.state,
            "state_label": states[trace.state],
            "date": self.format(moment) if moment else False,
            "reason": reasons.get(reason, False),
            "detail": trace._say_detail(trace.reason, trace.detail) or False,
            "failed": shown.failed,
            "texts": shown.texts,
            "links": shown.links,
            "reactions": shown.reactions,
            "offers": self._get_offers(trace, shown),
            "next": is_next,
        }

    def _get_offers(self, trace, shown):
        if trace.state != "processed" or self.participant.state not in ("running", "completed"):
            return []
        return shown.get_offers(trace.step_id.step_type)
