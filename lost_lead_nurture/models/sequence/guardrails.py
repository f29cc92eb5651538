from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...tools.guardrails import GUARDRAILS, OK, STOP
from ...tools.sandbox import is_past

#: What counts, of the alias ``mail``.
_EVENTS = {
    "bounce": SQL("mail.trace_status = 'bounce'"),
    "complaint": SQL("mail.nurture_complaint_date IS NOT NULL"),
    "unsubscribe": SQL("mail.nurture_unsubscribe_date IS NOT NULL"),
    "failure": SQL("mail.trace_status = 'error'"),
}


class NurtureSequence(models.Model):
    """Guardrails: mail providers punish who goes on while mails bounce and recipients complain. The
    responsible is warned first, then the sequence stops and says what to do."""

    _inherit = "nurture.sequence"

    bounce_limit = fields.Float(
        string="Bounces at Most (%)",
        default=10.0,
        help="When more of the last hundred mails bounced, once fifty have left, the sequence "
        "stops automatically and its responsible is notified: mail providers punish who goes on. "
        "0: never.",
    )
    complaint_limit = fields.Float(
        string="Complaints at Most (%)",
        default=0.3,
        help="When more of the last thousand mails were called spam, as far as mail providers "
        "report it, the sequence stops automatically, once 200 have left. Google asks for less "
        "than 0.3. 0: never.",
    )
    unsubscribe_limit = fields.Float(
        string="Unsubscribed at Most (%)",
        help="When in more of the last 300 mails somebody unsubscribed, once a hundred have left, "
        "the sequence stops automatically. 0: never.",
    )
    failure_limit = fields.Float(
        string="Failures at Most (%)",
        help="When more of the last hundred mails could not be handed over, of fifty or more, the "
        "sequence stops automatically. 0: never.",
    )
    guard_warned = fields.Char(
        readonly=True,
        copy=False,
        help="Of what the responsible was warned since the sequence was started.",
    )

    @api.constrains("bounce_limit", "complaint_limit", "unsubscribe_limit", "failure_limit")
    def _check_guardrail_limits(self):
        for sequence in self:
            if not 0 <= sequence.bounce_limit <= 100:
                raise ValidationError(
                    self.env._("“%s”: bounces are a percentage from 0 to 100.", sequence.name)
                )
            if not all(0 <= sequence[f"{kind}_limit"] <= 100 for kind in GUARDRAILS):
                raise ValidationError(
                    self.env._(
                        "“%s”: complaints, unsubscribed, failures: percentages from 0 to 100.",
                        sequence.name,
                    )
                )

    def _check_guardrail(self, kind):
        """Warn the responsible, or stop, when too many of the last mails went wrong.

        :param kind: one of :data:`GUARDRAILS`
        """
        if is_past(self.env):
            # nobody reacted to mails that were never sent
            return
        guardrail = GUARDRAILS[kind]
        for sequence in self.filtered(lambda one: one.state == "running" and one[f"{kind}_limit"]):
            mails, events = sequence._count_last(kind)
            verdict = guardrail.judge(sequence[f"{kind}_limit"], mails, events)
            if verdict != OK:
                sequence._answer_guardrail(kind, verdict, mails, events)

    def _answer_guardrail(self, kind, verdict, mails, events):
        what, title, advice = self._get_guardrail_words(kind, mails, events)
        if verdict == STOP:
            self.action_stop()
            self.last_error = self.env._("Stopped automatically: %s", f"{what} {advice}")
            self._warn(title, self.last_error)
            return
        warned = set(filter(None, (self.guard_warned or "").split(",")))
        if kind in warned:
            return
        self.guard_warned = ",".join(sorted({*warned, kind}))
        limit = self[f"{kind}_limit"]
        note = self.env._(
            "%(what)s At more than %(limit)s %% it stops automatically. %(advice)s",
            what=what,
            limit=f"{limit:g}",
            advice=advice,
        )
        self._warn(title, note)

    @api.model
    def _get_guardrail_words(self, kind, mails, events):
        """What happened, what that is called, and what to do about it."""
        number = {"events": events, "mails": mails}
        return {
            "bounce": (
                self.env._("%(events)s of the last %(mails)s mails bounced.", **number),
                self.env._("Too many mails bounced"),
                self.env._(
                    "Check the addresses before you start it again: leave out old ones and those "
                    "that nobody confirmed."
                ),
            ),
            "complaint": (
                self.env._("%(events)s of the last %(mails)s mails were called spam.", **number),
                self.env._("Too many complaints"),
                self.env._(
                    "Before you start it again, write to fewer people, those who read your mails "
                    "first, less often, and make it easy to see who writes and how to unsubscribe."
                ),
            ),
            "unsubscribe": (
                self.env._(
                    "In %(events)s of the last %(mails)s mails somebody unsubscribed.", **number
                ),
                self.env._("Too many unsubscribe"),
                self.env._(
                    "Before you start it again, look whom it is for, whether the mails are about "
                    "what these leads asked for, and how often they come."
                ),
            ),
            "failure": (
                self.env._(
                    "%(events)s of the last %(mails)s mails could not be handed over.", **number
                ),
                self.env._("Too many mails failed"),
                self.env._(
                    "Look at what failed, it says why; have the mail server or the sender's domain "
                    "mended, start the sequence again, and press Retry All."
                ),
            ),
        }[kind]

    def _count_last(self, kind):
        """Of the last mails: how many there are, and with how many it happened. Those before the
        last start do not count again."""
        self.ensure_one()
        self.env["mailing.trace"].flush_model()
        # a test run was never started: there is nothing to count
        since = self.resume_date or self.start_date or fields.Datetime.now()
        # a mail that failed has not left
        column = "create_date" if kind == "failure" else "sent_datetime"
        date = SQL.identifier("mail", column)
        known = _EVENTS[kind] if kind == "failure" else SQL("false")
        ((mails, events),) = self.env.execute_query(
            SQL(
                """
                SELECT count(*), count(*) FILTER (WHERE happened)
                  FROM (SELECT %(event)s AS happened
                          FROM mailing_trace mail
                          JOIN nurture_trace trace ON trace.id = mail.nurture_trace_id
                         WHERE trace.sequence_id = %(id)s
                           AND mail.trace_type = 'mail'
                           AND mail.is_test_trace IS NOT TRUE
                           AND %(date)s >= %(since)s
                           AND (mail.sent_datetime IS NOT NULL OR %(known)s)
                      ORDER BY %(date)s DESC, mail.id DESC
                         LIMIT %(sample)s) last
                """,
                event=_EVENTS[kind],
                id=self.id,
                date=date,
                since=since,
                known=known,
                sample=GUARDRAILS[kind].sample,
            )
        )
        return mails, events
