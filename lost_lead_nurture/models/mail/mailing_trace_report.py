from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.report_words import HARD, SOFT

#: So many mails in a row that an address does not take for now are as good as a bounce.
SOFT_BOUNCES = 3


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
        """The mail of a sequence that a report is about: of several that it names the first one.

        :param report: :class:`~tools.reports.Report`
        """
        by_id = self.search(
            Domain("message_id", "in", report.message_ids)
            & Domain("nurture_trace_id", "!=", False)
            & Domain("is_test_trace", "=", False)
            & (
                Domain("sent_datetime", "!=", False)
                | Domain("nurture_trace_id.reason", "=", "mail_in_doubt")
            )
        ).grouped("message_id")
        named = (by_id[message_id] for message_id in report.message_ids if message_id in by_id)
        return next(named, self.browse())[:1]

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
            self._nurture_end_doubt()
            self.write(
                {
                    "nurture_soft_bounce_date": fields.Datetime.now(),
                    "nurture_soft_bounce_reason": report.words,
                }
            )
            return self._nurture_is_last_soft_bounce()
        return report.kind == HARD

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
