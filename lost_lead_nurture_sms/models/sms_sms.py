from odoo import models


class SmsSms(models.Model):
    """An SMS that is taken out of the queue by deleting it says so to its sequence."""

    _inherit = "sms.sms"

    def unlink(self):
        queued = self.filtered(lambda sms: sms.state == "outgoing")
        messages = queued.mailing_trace_ids.filtered("nurture_trace_id")
        result = super().unlink()
        messages.set_canceled()
        return result
