from odoo import api, fields, models
from odoo.fields import Domain


class MailingTrace(models.Model):
    """Core's statistics of a mail are where opens, clicks, replies and bounces arrive: what they
    hear is passed on to the participant's trace."""

    _inherit = "mailing.trace"

    nurture_trace_id = fields.Many2one("nurture.trace", index="btree_not_null", ondelete="set null")

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
        if self.env.context.get("nurture_ignore_reaction"):
            return
        mails = self.filtered(lambda mail: mail.nurture_trace_id and not mail.is_test_trace)
        if mails:
            mails.nurture_trace_id.sudo()._hear(event)
