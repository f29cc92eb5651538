from odoo import models


class SmsSms(models.Model):
    """An SMS of a sequence has signed links, and its sequence is notified when it is deleted from
    the queue."""

    _inherit = "sms.sms"

    def _update_body_short_links(self):
        bodies = super()._update_body_short_links()
        mailing_traces = self.env["mailing.trace"].search(
            [("sms_id_int", "in", self.ids), ("nurture_trace_id", "!=", False)]
        )
        for mailing_trace in mailing_traces:
            sms_id = mailing_trace.sms_id_int
            bodies[sms_id] = mailing_trace._nurture_sign(bodies[sms_id], sms_id)
        return bodies

    def unlink(self):
        queued = self.filtered(lambda sms: sms.state == "outgoing")
        mailing_traces = queued.mailing_trace_ids.filtered("nurture_trace_id")
        result = super().unlink()
        mailing_traces.set_canceled()
        return result
