from odoo import api, models


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    @api.model
    def _nurture_lock_queued(self, mails, ahead=()):
        """A mail that offers what cannot be delivered does not leave. The stock is looked at in the
        transaction in which it would: it may have been sold since the mail was queued."""
        lacking = mails._nurture_find_lacking()
        if not lacking:
            return super()._nurture_lock_queued(mails, ahead)
        unwanted = {mail.id for participant in lacking for mail in lacking[participant]}
        # nothing is noted ahead of a mail that does not leave
        locked = super()._nurture_lock_queued(mails)
        return [one._replace(wanted=False) if one.mail_id in unwanted else one for one in locked]
