from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import consteq, email_normalize, hmac

from ...tools.report_words import HARD, SOFT
from ...tools.return_path import SIGNATURE, mark

#: So many mails in a row that an address does not take for now are as good as a bounce.
SOFT_BOUNCES = 3
#: How long mail servers try (RFC 5321, 4.5.4.1): what they report is of a mail that is no older.
REPORTED_WITHIN = timedelta(days=5)


class MailingTrace(models.Model):
    """Reports of mail servers that had taken a mail of a sequence: whether it bounces, or is only
    not taken for now."""

    _inherit = "mailing.trace"

    nurture_soft_bounce_date = fields.Datetime(
        string="Bounced for Now On",
        readonly=True,
        copy=False,
        help="When a mail server reported that it does not take this mail, which says nothing "
        "against the address: the mailbox is full, for instance.",
    )
    nurture_soft_bounce_reason = fields.Char(
        string="Why It Bounced for Now",
        readonly=True,
        copy=False,
        help="What the mail server said.",
    )

    @api.model
    def _nurture_find_reported(self, report):
        """The mail of a sequence that a report is about. Where it names mails, by a mark of ours or
        a Message-ID, it is about one of these or none; of several the first one.

        :param report: :class:`~tools.reports.Report`
        """
        if marked := self._nurture_find_marked(report.marks):
            return marked
        if not report.message_ids and report.is_by_server:
            return self._nurture_find_last_sent(report.recipients)
        by_id = self.search(
            Domain("message_id", "in", report.message_ids) & self._nurture_reportable()
        ).grouped("message_id")
        named = (by_id[message_id] for message_id in report.message_ids if message_id in by_id)
        return next(named, self.browse())[:1]

    @api.model
    def _nurture_reportable(self):
        """The domain of what can be reported of: mails of sequences that have left, or may have."""
        return (
            Domain("nurture_trace_id", "!=", False)
            & Domain("is_test_trace", "=", False)
            & (
                Domain("sent_datetime", "!=", False)
                | Domain("nurture_trace_id.reason", "=", "mail_in_doubt")
            )
        )

    @api.model
    def _nurture_find_marked(self, marks):
        """The mail whose envelope sender has one of these marks.

        :param marks: (number, signature) of each, see :mod:`~tools.return_path`
        """
        ids = [
            number
            for number, signature in marks
            if consteq(self.browse(number)._nurture_sign_return_path(), signature)
        ]
        return self.search(Domain("id", "in", ids) & self._nurture_reportable(), limit=1)

    def _nurture_mark_return_path(self, address):
        """The envelope sender ``address`` with the mark of this mail."""
        self.ensure_one()
        return mark(address, self.id, self._nurture_sign_return_path())

    def _nurture_sign_return_path(self):
        self.ensure_one()
        return hmac(self.env(su=True), "lost_lead_nurture-return-path", self.id)[:SIGNATURE]

    @api.model
    def _nurture_find_last_sent(self, addresses):
        """The mail of a sequence that was the last thing to be sent to ``addresses``, if nothing
        says that it has arrived: a report that names no mail is about that.

        Anybody can write such a report. It is believed all the same, as servers that report like
        that would never be; what it can do is end journeys, of addresses that its writer knows.
        """
        addresses = list(filter(None, map(email_normalize, addresses)))
        since = fields.Datetime.now() - REPORTED_WITHIN
        last = self.search(
            Domain("email", "in", addresses)
            & Domain("trace_type", "=", "mail")
            & Domain("sent_datetime", ">=", since),
            order="sent_datetime desc, id desc",
            limit=1,
        )
        has_arrived = last.open_datetime or last.links_click_datetime or last.reply_datetime
        if has_arrived or self._nurture_has_mail_since(addresses, last.sent_datetime):
            return self.browse()
        return last.filtered_domain(self._nurture_reportable())

    @api.model
    def _nurture_has_mail_since(self, addresses, date):
        """Whether somebody wrote to one of ``addresses`` after ``date``, from any document."""
        domain = (
            Domain("notification_type", "=", "email")
            & Domain("mail_message_id.date", ">", date)
            & (
                Domain("res_partner_id.email_normalized", "in", addresses)
                | Domain("mail_email_address", "in", addresses)
            )
        )
        # whom the report names reads nothing of it
        notifications = self.env["mail.notification"].sudo()
        return bool(date and notifications.search_count(domain, limit=1))

    def _nurture_is_bounced_by(self, report):
        """Whether the mail bounces by what is reported, once: at an address at which nobody gets
        mail, or as one of several in a row that are not taken for now. That is noted.

        :param report: :class:`~tools.reports.Report`
        """
        self.ensure_one()
        if self.trace_status == "bounce" or self.reply_datetime:
            # who answered has got it, whatever became of a copy
            return False
        if report.kind == SOFT and not self.nurture_soft_bounce_date:
            return self._nurture_note_soft_bounce(report.words)
        return report.kind == HARD

    def _nurture_note_soft_bounce(self, words):
        """Note that this mail, which has left, is not taken for now.

        :param words: what the mail server said
        :return: whether that is a bounce, as it is the last of several
        """
        self._nurture_end_doubt()
        self.write(
            {
                "nurture_soft_bounce_date": fields.Datetime.now(),
                "nurture_soft_bounce_reason": words,
            }
        )
        return self._nurture_is_last_soft_bounce()

    def _nurture_is_last_soft_bounce(self):
        """Whether this is one of so many mails in a row that the address did not take: nothing
        arrived between them."""
        self.ensure_one()
        if not self.email:
            return False
        last = self.search(
            Domain("email", "=", self.email)
            & Domain("nurture_trace_id", "!=", False)
            & Domain("is_test_trace", "=", False)
            & Domain("trace_type", "=", "mail")
            & Domain("sent_datetime", "<=", self.sent_datetime),
            order="sent_datetime desc, id desc",
            limit=SOFT_BOUNCES,
        )
        return len(last) == SOFT_BOUNCES and all(
            mail.nurture_soft_bounce_date
            and not (mail.open_datetime or mail.links_click_datetime or mail.reply_datetime)
            for mail in last
        )
