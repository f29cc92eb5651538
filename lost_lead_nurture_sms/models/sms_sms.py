from odoo import models


class SmsSms(models.Model):
    """An SMS of a sequence has signed links, and says so to its sequence when it is deleted from
    the queue."""

    _inherit = "sms.sms"

    def _update_body_short_links(self):
        bodies = super()._update_body_short_links()
        messages = self.env["mailing.trace"].search(
            [("sms_id_int", "in", self.ids), ("nurture_trace_id", "!=", False)]
        )
        for message in messages:
            sms_id = message.sms_id_int
            bodies[sms_id] = message._nurture_sign(bodies[sms_id], sms_id)
        return bodies

    def unlink(self):
        queued = self.filtered(lambda sms: sms.state == "outgoing")
        messages = queued.mailing_trace_ids.filtered("nurture_trace_id")
        result = super().unlink()
        messages.set_canceled()
        return result
