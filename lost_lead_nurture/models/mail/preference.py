from collections import Counter
from datetime import datetime, time, timedelta
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize

from ...tools.addresses import canonical
from ...tools.inside import Inside, get_inside

#: What a recipient can want.
KINDS = [
    ("sequence", "No mails of one sequence"),
    ("topic", "No mails on a topic"),
    ("fewer", "Fewer mails"),
    ("pause", "A pause"),
    ("everything", "No mails at all"),
    ("complaint", "Complaint"),
    ("return", "Mails again"),
]
#: How it was said.
SOURCES = [
    ("one_click", "Button of the mail program"),
    ("page", "Page behind the link"),
    ("reply", "Reply"),
    ("complaint", "Complaint at the mail provider"),
    ("person", "Person in Odoo"),
    ("automatic", "Automatically"),
]
#: Whoever says this objects to all mails.
OBJECTING = ("everything", "complaint")
#: Of "at most so many mails a month": the days of a month, and how many there may be.
MONTH, MOST = timedelta(days=30), 30
#: How far away the end of a pause may be.
LONGEST_PAUSE = timedelta(days=731)
#: At this hour (UTC) a day has begun everywhere.
BEGUN = time(12)
#: How much of what somebody writes is kept.
MAX_TEXT = 2000
#: Where code on the server says in the context how a blacklist entry came about.
SOURCE_KEY = "nurture_unsubscribed"


class Wish(NamedTuple):
    """How many mails an address wants, and when."""

    #: no mails before; None for no pause
    until: datetime | None
    #: at most so many in :data:`MONTH`; None for any number
    number: int | None
    #: when mails went to the address in the last month, the latest first
    dates: list

    def get_date(self, more=0):
        """When the next mail may go: None for at once.

        :param more: how many go beside those of ``dates``
        """
        free = None
        if self.number and len(self.dates) + more >= self.number:
            now = fields.Datetime.now()
            dates = [now] * more + self.dates
            free = dates[self.number - 1] + MONTH
        dates = [date for date in (self.until, free) if date and date > fields.Datetime.now()]
        return max(dates, default=None)


class NurturePreference(models.Model):
    """What the recipient of mails wants: a line of a log for each time that somebody said so, by
    whatever means, with the words that were shown. The lines that nothing has ended are obeyed, for
    the address, whatever lead it is of: before a mail is queued, and once more before it leaves."""

    _name = "nurture.preference"
    _description = "Mail Preference"
    _order = "date desc, id desc"
    _rec_name = "wording"

    email = fields.Char(readonly=True, help="The address that it is about, in its one spelling.")
    kind = fields.Selection(KINDS, readonly=True, required=True)
    sequence_id = fields.Many2one(
        "nurture.sequence", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    topic_id = fields.Many2one(
        "nurture.topic", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    number = fields.Integer(
        string="Mails a Month", readonly=True, help="The recipient wants no more in thirty days."
    )
    until_date = fields.Date(string="Pause Until", readonly=True)
    wording = fields.Char(
        readonly=True, help="What was shown to whoever chose it, in the language of that page."
    )
    date = fields.Datetime(readonly=True, required=True)
    source = fields.Selection(SOURCES, readonly=True, required=True, help="How it was said.")
    opt_out_reason_id = fields.Many2one(
        "mailing.subscription.optout", string="Reason", readonly=True, ondelete="set null"
    )
    feedback = fields.Text(readonly=True, help="What the recipient wrote about it.")
    mailing_id = fields.Many2one(
        "mailing.mailing",
        string="Mail",
        readonly=True,
        ondelete="set null",
        help="The mail in which it was said.",
    )
    user_id = fields.Many2one(
        "res.users", string="Noted By", readonly=True, ondelete="set null", help="Who noted it."
    )
    company_id = fields.Many2one("res.company", readonly=True)
    ended_date = fields.Datetime(
        string="Ended On",
        readonly=True,
        help="Since then it is not obeyed any more: something else was said.",
    )

    # one of each for an address: to say it twice is to say it once
    _current_unique = models.UniqueIndex(
        "(email, kind, COALESCE(sequence_id, 0), COALESCE(topic_id, 0)) WHERE ended_date IS NULL",
        "It is noted already.",
    )
    _email_index = models.Index("(email)")

    # ------------------------------------------------------------
    # WRITE: a log
    # ------------------------------------------------------------

    @api.model
    def _choose(self, address, kind, source, **values):
        """Note what the recipient at ``address`` wants, and obey it at once. What was noted before
        is noted no second time.

        :param values: further fields, see :meth:`_note`
        """
        email = self._read_address(address)
        if not email:
            raise ValidationError(self.env._("“%s” is no email address.", address or ""))
        self._check_wish(kind, values)
        if kind in ("fewer", "pause"):
            self._check_gets_mails(email)
        self._note([email], kind, source, **values)
        self._obey(email, kind, source, **values)

    @api.model
    def _read_address(self, address):
        """``address`` in its one spelling, "" when it is none."""
        return canonical(email_normalize(address or "", strict=False) or "")

    @api.model
    def _check_wish(self, kind, values):
        """Check the number of mails and the end of a pause.

        :raise ValidationError: in the words of the recipient
        """
        if kind == "fewer" and not 1 <= (values.get("number") or 0) <= MOST:
            raise ValidationError(self.env._("How many mails a month? From 1 to %s.", MOST))
        today = self._get_today()
        until = values.get("until_date")
        if kind == "pause" and not (until and today < until <= today + LONGEST_PAUSE):
            raise ValidationError(
                self.env._("A pause ends on a day to come, in two years at the latest.")
            )

    @api.model
    def _check_gets_mails(self, email):
        """
        :raise ValidationError: where nothing can be less, as no mails are sent to the address
        """
        if self._is_blacklisted(email):
            raise ValidationError(
                self.env._(
                    "No mails at all are sent to %s: only who takes that back can choose how many.",
                    email,
                )
            )

    @api.model
    def _is_blacklisted(self, email):
        blacklist = self.env["mail.blacklist"].sudo()
        return bool(blacklist.search_count([("email", "=", email)], limit=1))

    @api.model
    def _get_today(self):
        return fields.Date.context_today(self, fields.Datetime.now())

    @api.model
    def _note(self, emails, kind, source, ending=None, is_said=True, **values):
        """Write the lines of the log, one for each address, unless that line is there and nothing
        has ended it. What contradicts it ends. To object to all mails ends the lawful basis, and
        who takes that back has it again.

        :param emails: addresses in their one spelling
        :param ending: kinds that it ends, if not all that it contradicts
        :param is_said: whether the recipient has said it
        :param values: ``sequence_id``, ``topic_id``, ``number``, ``until_date``, ``wording``,
            ``opt_out_reason_id``, ``feedback``, ``mailing_id``, ``company_id``
        """
        emails = set(filter(None, emails))
        is_return = kind == "return" and not (values.get("topic_id") or values.get("sequence_id"))
        consents = self.env["nurture.consent"].sudo()
        # what a person in Odoo notes is no consent of the recipient's
        given_again = consents._get_given_again(emails) if is_return and source == "page" else {}
        if is_return:
            emails -= self._find_returned(emails) - {row.email for row in given_again}
        if not emails:
            return
        emails = sorted(emails)
        now = fields.Datetime.now()
        row = {
            **dict.fromkeys(("sequence_id", "topic_id", "number", "until_date", "wording")),
            **dict.fromkeys(("opt_out_reason_id", "feedback", "mailing_id", "company_id")),
            **{name: value or None for name, value in values.items()},
            **{"kind": kind, "source": source, "date": now},
            "user_id": self.env.uid if source == "person" else None,
            # to want mails again ends others, and is nothing that could be ended
            "ended_date": now if kind == "return" else None,
        }
        if contradicted := self._sql_contradicted(kind, row, ending):
            self._end(emails, contradicted)
        row |= {"create_uid": self.env.uid, "create_date": now}
        row |= {"write_uid": self.env.uid, "write_date": now}
        self.env.execute_query(
            SQL(
                "INSERT INTO nurture_preference (email, %s) SELECT address, %s"
                " FROM unnest(%s::text[]) address ON CONFLICT DO NOTHING RETURNING id",
                SQL(", ").join(SQL.identifier(name) for name in row),
                SQL(", ").join(SQL("%s", value) for value in row.values()),
                emails,
            )
        )
        self.invalidate_model(flush=False)
        if kind == "complaint":
            self.env["nurture.sequence"]._note_behaviour("complaint")
        if is_said and kind in OBJECTING:
            consents._object(emails, source, values.get("wording"))
        consents._note_said("returned", given_again, source, values.get("wording"))

    @api.model
    def _find_returned(self, emails):
        """Those of these addresses that have said nothing since they wanted all mails again."""
        if not emails:
            return set()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT email FROM (SELECT DISTINCT ON (email) email, kind, topic_id, sequence_id"
                " FROM nurture_preference WHERE email = ANY(%(emails)s)"
                " ORDER BY email, date DESC, id DESC) newest"
                " WHERE kind = 'return' AND topic_id IS NULL AND sequence_id IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM nurture_preference preference"
                " WHERE preference.email = newest.email AND preference.ended_date IS NULL)",
                emails=list(emails),
            )
        )
        return {email for (email,) in rows}

    @api.model
    def _sql_contradicted(self, kind, row, ending=None):
        """Which lines a new one contradicts: another number, another pause, and whatever there is
        when somebody wants mails again; of a topic or a sequence, when it is only about that."""
        if ending:
            return SQL("kind IN %s", tuple(ending))
        if kind == "return":
            for name in ("topic_id", "sequence_id"):
                if row[name]:
                    return SQL("%s = %s", SQL.identifier(name), row[name])
            return SQL("true")
        if kind in ("fewer", "pause"):
            return SQL(
                "kind = %s AND (number IS DISTINCT FROM %s OR until_date IS DISTINCT FROM %s)",
                kind,
                row["number"],
                row["until_date"],
            )
        return None

    @api.model
    def _end(self, emails, condition):
        """End those current lines of these addresses that meet the SQL ``condition``."""
        self.flush_model()
        self.env.execute_query(
            SQL(
                "UPDATE nurture_preference SET ended_date = %s"
                " WHERE email = ANY(%s) AND ended_date IS NULL AND %s RETURNING id",
                fields.Datetime.now(),
                list(emails),
                condition,
            )
        )

    @api.model
    def _note_blacklisted(self, emails):
        """Note that these addresses were put on the blacklist, by whomever. A complaint says it
        already."""
        complained = self.search(
            [("email", "in", list(emails)), ("kind", "=", "complaint"), ("ended_date", "=", False)]
        )
        rest = set(emails) - set(complained.mapped("email"))
        wording, source = self.env._("Put on the blacklist"), self._get_source()
        # why somebody else does that, nobody knows
        is_said = source not in ("person", "automatic")
        self._note(rest, "everything", source, is_said=is_said, wording=wording)

    @api.model
    def _note_returned(self, emails):
        """Note that these addresses were taken off the blacklist."""
        wording = self.env._("Taken off the blacklist")
        self._note(emails, "return", self._get_source(), OBJECTING, wording=wording)

    @api.model
    def _get_source(self):
        """How it came about what is done just now with the blacklist: a page says so."""
        is_person = self.env.uid != SUPERUSER_ID and self.env.user.has_group("base.group_user")
        return get_inside(self.env, SOURCE_KEY) or ("person" if is_person else "automatic")

    @api.model
    def _forget(self, emails):
        """Erase whose preferences these are, and what they wrote."""
        self.env.execute_query(
            SQL(
                "UPDATE nurture_preference SET email = NULL, feedback = NULL WHERE email = ANY(%s)"
                " RETURNING id",
                [email for email in emails if email],
            )
        )
        self.invalidate_model(flush=False)

    # ------------------------------------------------------------
    # OBEY
    # ------------------------------------------------------------

    @api.model
    def _obey(self, email, kind, source, sequence_id=None, topic_id=None, **values):
        """Have what was just noted hold for journeys that have begun and mails in the queue."""
        if kind in ("sequence", "topic"):
            running = self.env["nurture.participant"].sudo()._find_running([email])
            running.filtered(
                lambda one: (
                    one.sequence_id.id == sequence_id
                    if kind == "sequence"
                    else one.sequence_id.topic_id.id == topic_id
                )
            )._leave("unsubscribed")
        elif kind in ("fewer", "pause"):
            self._obey_wish(email)
        elif kind in OBJECTING:
            if kind == "complaint":
                self.env["nurture.participant"].sudo()._find_running([email])._leave("complained")
            entry = self._get_blacklist(source)._add(email, message=values.get("wording"))
            if values.get("opt_out_reason_id"):
                entry.opt_out_reason_id = values["opt_out_reason_id"]
        elif kind == "return" and not (sequence_id or topic_id):
            if self._is_blacklisted(email):
                self._get_blacklist(source)._remove(email, message=values.get("wording"))
            self._obey_wish(email)

    @api.model
    def _get_blacklist(self, source):
        """Core's blacklist, which notes ``source`` with what is done to it."""
        return self.env["mail.blacklist"].sudo().with_context(**{SOURCE_KEY: Inside(source)})

    @api.model
    def _obey_wish(self, email):
        """Another number, or another pause: look anew at what waits for the address, and at what is
        about to leave."""
        queued = self.env["mailing.trace"].sudo().search(self._queued_domain([email]))
        waiting = queued.filtered(lambda one: one.nurture_trace_id.reason == "preference")
        waiting.mail_mail_id.scheduled_date = False
        self._obey_queued(queued)
        if free := waiting.filtered(lambda one: not one.mail_mail_id.scheduled_date):
            free.nurture_trace_id._set_state("processed", "done")
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        self.env["nurture.trace"].sudo()._look_again([email])

    @api.model
    def _queued_domain(self, emails):
        """The mailing traces of marketing mails to these addresses that are still in the queue."""
        return [
            ("email", "in", list(emails)),
            ("trace_type", "=", "mail"),
            ("mail_mail_id.state", "=", "outgoing"),
        ]

    @api.model
    def _obey_queued(self, mailing_traces):
        """Have the mails of these mailing traces, which are in the queue, leave when their
        recipient wants it. A mail of a sequence waits in the queue; a plain mailing is about its
        day and is cancelled.

        :return: the mailing traces of mails that do not leave now
        """
        wishes = self._get_wishes({one.email for one in mailing_traces if one.email})
        leaving = Counter()
        stopped = mailing_traces.browse()
        for mailing_trace in mailing_traces.sorted("id"):
            email = mailing_trace.email
            wish = wishes.get(email)
            date = wish and wish.get_date(leaving[email])
            if not date:
                leaving[email] += 1
                continue
            stopped |= mailing_trace
            if mailing_trace.nurture_trace_id:
                mailing_trace._nurture_wait_until(date)
        stopped.filtered(lambda one: not one.nurture_trace_id)._nurture_cancel_plain("mail_optout")
        return stopped

    @api.model
    def _is_any(self):
        """Whether anybody wants a pause, or fewer mails."""
        wanted = [("kind", "in", ("fewer", "pause")), ("ended_date", "=", False)]
        return bool(self.search_count(wanted, limit=1))

    @api.model
    def _get_wishes(self, emails, queued=False):
        """What these addresses want who do not want each mail at once.

        :param queued: whether mails that are still in the queue count, too
        :return: ``{address: Wish}``
        """
        if not emails:
            return {}
        self.env["mailing.trace"].flush_model(["email", "sent_datetime"])
        now = fields.Datetime.now()
        in_queue = SQL(
            " OR trace.sent_datetime IS NULL AND EXISTS (SELECT 1 FROM mail_mail mail"
            " WHERE mail.id = trace.mail_mail_id AND mail.state = 'outgoing')"
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT wanted.email, wanted.until_date, wanted.number,
                       CASE WHEN wanted.number IS NOT NULL THEN (
                            SELECT array_agg(COALESCE(trace.sent_datetime, %(now)s)
                                       ORDER BY COALESCE(trace.sent_datetime, %(now)s) DESC)
                              FROM mailing_trace trace
                             WHERE trace.email = wanted.email AND trace.trace_type = 'mail'
                               AND trace.is_test_trace IS NOT TRUE
                               AND (trace.sent_datetime > %(since)s %(queued)s)) END
                  FROM (SELECT email, max(until_date) FILTER (WHERE kind = 'pause') AS until_date,
                               min(number) FILTER (WHERE kind = 'fewer') AS number
                          FROM nurture_preference
                         WHERE email = ANY(%(emails)s) AND ended_date IS NULL
                           AND kind IN ('fewer', 'pause')
                      GROUP BY email) wanted
                """,
                emails=list(emails),
                now=now,
                since=now - MONTH,
                queued=in_queue if queued else SQL(),
            )
        )
        return {
            email: Wish(until and datetime.combine(until, BEGUN), number, dates or [])
            for email, until, number, dates in rows
        }

    @api.model
    def _is_opted_out(self, mailing_trace):
        """Whether the recipient of a message does not want those of its sequence."""
        sequence = mailing_trace.nurture_trace_id.sequence_id
        return bool(
            self.search_count(
                Domain("email", "=", mailing_trace.email)
                & Domain("ended_date", "=", False)
                & (
                    Domain("sequence_id", "=", sequence.id) & Domain("kind", "=", "sequence")
                    | Domain("topic_id", "=", sequence.topic_id.id) & Domain("kind", "=", "topic")
                ),
                limit=1,
            )
        )

    # ------------------------------------------------------------
    # SQL
    # ------------------------------------------------------------

    @api.model
    def _sql_opted_out(self, email, sequence_id, topic_id):
        """Whether the recipient does not want the mails of a sequence: it is a bare EXISTS.

        :param email: SQL of the address, as are those of the sequence and of its topic
        """
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_preference preference"
            " WHERE preference.email = %(email)s AND preference.ended_date IS NULL"
            " AND (preference.kind = 'sequence' AND preference.sequence_id = %(sequence)s"
            " OR preference.kind = 'topic' AND preference.topic_id = %(topic)s))",
            email=email,
            sequence=sequence_id,
            topic=topic_id,
        )

    @api.model
    def _sql_complained(self, email):
        """Whether somebody at the address has called a mail spam: a bare EXISTS."""
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_preference preference"
            " WHERE preference.email = %s AND preference.ended_date IS NULL"
            " AND preference.kind = 'complaint')",
            email,
        )

    @api.model
    def _sql_waits(self, email):
        """Whether a mail that is about to leave for ``email`` (SQL) has to wait."""
        now = fields.Datetime.now()
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_preference preference"
            " WHERE preference.email = %(email)s AND preference.ended_date IS NULL"
            " AND (preference.kind = 'pause' AND preference.until_date + %(begun)s > %(now)s"
            " OR preference.kind = 'fewer' AND preference.number <= (SELECT count(*)"
            " FROM mailing_trace sent WHERE sent.email = preference.email"
            " AND sent.trace_type = 'mail' AND sent.is_test_trace IS NOT TRUE"
            " AND sent.sent_datetime > %(since)s)))",
            email=email,
            begun=BEGUN,
            now=now,
            since=now - MONTH,
        )

    @api.model
    def _check_not_in_log(self, records, field):
        """
        :param field: which field of the log names such records
        :raise UserError: when the log says something of one of these records
        """
        # whoever may delete them need not see the log
        kept = self.sudo().search([(field, "in", records.ids)])[field]
        if kept:
            raise UserError(
                self.env._(
                    "The log of mail preferences keeps what recipients have said of %s. Archive it "
                    "instead.",
                    ", ".join(f"“{name}”" for name in kept.mapped("display_name")),
                )
            )


class NurtureTopic(models.Model):
    """What sequences are about, for recipients who want to get mails on one topic and not on
    another."""

    _name = "nurture.topic"
    _description = "Topic of Sequences"
    _order = "position, name, id"

    name = fields.Char(
        required=True, translate=True, help="Recipients read it on the page to unsubscribe."
    )
    active = fields.Boolean(default=True)
    position = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    sequence_ids = fields.One2many("nurture.sequence", "topic_id", string="Sequences")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_log(self):
        self.env["nurture.preference"]._check_not_in_log(self, "topic_id")
