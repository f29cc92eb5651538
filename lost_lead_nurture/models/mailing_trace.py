import logging

from odoo import api, fields, models
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

#: What a reader, or the reader's mail server, can only do with a mail that was sent.
REACTIONS = {"open", "click", "reply", "bounce"}


class MailingTrace(models.Model):
    """Core's statistics of a mail are where opens, clicks, replies and bounces arrive: what they
    hear is passed on to the participant's trace."""

    _inherit = "mailing.trace"

    nurture_trace_id = fields.Many2one("nurture.trace", index="btree_not_null", ondelete="set null")
    nurture_unheard = fields.Char(
        index="btree_not_null",
        help="Events that the sequence could not be told at once, separated by commas. The "
        "scheduled action tells them.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        mails = super().create(vals_list)
        # mails that core's composer does not even queue
        stillborn = mails.filtered(lambda mail: mail.trace_status in ("cancel", "error"))
        stillborn._nurture_hear("cancelled")
        return mails

    def set_sent(self, domain=None):
        mails = super().set_sent(domain)
        mails._nurture_hear("sent")
        return mails

    def set_opened(self, domain=None):
        mails = super().set_opened(self._nurture_counting(domain))
        mails._nurture_hear("open")
        return mails

    def set_clicked(self, domain=None):
        mails = super().set_clicked(domain)
        mails._nurture_hear("click")
        return mails

    def set_replied(self, domain=None):
        mails = super().set_replied(self._nurture_counting(domain))
        mails._nurture_hear("reply")
        return mails

    def set_bounced(self, domain=None, bounce_message=False):
        mails = super().set_bounced(domain, bounce_message)
        mails._nurture_hear("bounce")
        return mails

    def set_failed(self, domain=None, failure_type=False):
        mails = super().set_failed(domain, failure_type)
        mails._nurture_hear("failed")
        return mails

    def set_canceled(self, domain=None):
        mails = super().set_canceled(domain)
        mails._nurture_hear("cancelled")
        return mails

    def _nurture_counting(self, domain):
        """Leave the mails of sequences out of ``domain`` when a machine answered them: neither
        the sequence nor its figures take that for a reaction."""
        if domain and self.env.context.get("nurture_ignore_reaction"):
            return Domain(domain) & Domain("nurture_trace_id", "=", False)
        return domain

    def _nurture_hear(self, event):
        """Tell the sequence. Nothing that goes wrong there may reach core: an exception would lose
        the reply that is coming in, or make core send a mail again that has just left. Such an
        event is kept and told later."""
        if event in REACTIONS and self.env.context.get("nurture_ignore_reaction"):
            return
        mails = self.filtered(
            lambda mail: (
                mail.nurture_trace_id
                and not mail.is_test_trace
                # forged, or a click on a mail that was pulled back
                and (mail.sent_datetime or event not in REACTIONS)
            )
        )
        if not mails:
            return
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                mails.nurture_trace_id.sudo()._hear(event)
        except Exception:
            # the next run of the scheduled action tells it; waking it now might go on for ever
            _logger.info("%s: %s is heard later", mails, event, exc_info=True)
            for mail in mails.sudo():
                mail.nurture_unheard = ",".join(filter(None, [mail.nurture_unheard, event]))

    @api.model
    def _nurture_queued(self, domain):
        """The mails that are still in the queue of the traces in ``domain``.

        It is the mail that is asked, not its status here: a forged click changes that.
        """
        return self.search(
            [("nurture_trace_id", "any", domain), ("mail_mail_id.state", "=", "outgoing")]
        )

    def _nurture_cancel_queued(self):
        """Cancel the messages of ``self`` that are still in a queue."""
        self.mail_mail_id.cancel()

    def _nurture_failed(self):
        """Those of ``self`` whose message failed and can be put back into its queue."""
        return self.filtered(lambda mail: mail.mail_mail_id.state == "exception")

    def _nurture_requeue(self):
        """Put failed messages back into their queue."""
        if not self:
            return
        self.mail_mail_id.mark_outgoing()
        self.write({"trace_status": "outgoing", "failure_type": False})
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _nurture_get_failure(self):
        """What went wrong, in the words of the system."""
        labels = dict(self._fields["failure_type"]._description_selection(self.env))
        return (
            self.mail_mail_id.failure_reason
            or self.failure_reason
            or labels.get(self.failure_type)
            or None
        )

    @api.model
    def _nurture_catch_up(self):
        """Tell the sequences what they could not be told when it happened."""
        commit = self.env["ir.cron"]._commit_progress
        for mail in self.search([("nurture_unheard", "!=", False)], limit=1000, order="id"):
            events = mail.nurture_unheard.split(",")
            mail.nurture_unheard = False
            for event in events:
                mail._nurture_hear(event)
            if not commit(1):
                break
