from odoo import models

#: What the sequence is notified of when the status of an SMS becomes this.
EVENTS = {
    "process": "accepted",
    "pending": "sent",
    "sent": "sent",
    "bounce": "bounce",
    "error": "failed",
    "cancel": "cancelled",
}


class SmsTracker(models.Model):
    """Core writes what became of an SMS straight into ``mailing.trace``, here: its ``set_*``
    methods are not called for an SMS."""

    _inherit = "sms.tracker"

    def _update_sms_traces(self, trace_status, failure_type=False, failure_reason=False):
        event = EVENTS.get(trace_status)
        trackers = self
        if event in ("accepted", "sent"):
            # a report may come after the click, and would make it undone
            trackers = self.filtered(lambda tracker: not tracker._nurture_has_reaction())
        unsent = trackers.mailing_trace_id.filtered(lambda sms: not sms.sent_datetime)
        messages = super(SmsTracker, trackers)._update_sms_traces(
            trace_status, failure_type=failure_type, failure_reason=failure_reason
        )
        if event == "sent":
            # it left once: taken by the provider, and then delivered
            (messages & unsent)._nurture_handle("sent")
        elif event:
            messages._nurture_handle(event)
        return messages

    def _nurture_has_reaction(self):
        message = self.mailing_trace_id
        return (
            message.nurture_trace_id
            and message.sent_datetime
            and message.trace_status in ("open", "reply")
        )

    def _update_sms_mailings(self, trace_status, traces):
        if trace_status == "process":
            # the mailing of a step is not “being sent”: core's queue of mailings would take it up
            traces = traces.filtered(lambda sms: not sms.mass_mailing_id._nurture_guarded())
        return super()._update_sms_mailings(trace_status, traces)
