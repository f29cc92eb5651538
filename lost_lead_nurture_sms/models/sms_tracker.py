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
    """Core writes what became of an SMS straight into its mailing trace, here: the ``set_*``
    methods of that are not called for an SMS."""

    _inherit = "sms.tracker"

    def _update_sms_traces(self, trace_status, failure_type=False, failure_reason=False):
        event = EVENTS.get(trace_status)
        trackers = self
        if event in ("accepted", "sent"):
            # a report may come after the click, and would make it undone
            trackers = self.filtered(lambda tracker: not tracker._nurture_has_reaction())
        unsent = trackers.mailing_trace_id.filtered(lambda one: not one.sent_datetime)
        mailing_traces = super(SmsTracker, trackers)._update_sms_traces(
            trace_status, failure_type=failure_type, failure_reason=failure_reason
        )
        if event == "sent":
            # it left once: taken by the provider, and then delivered
            (mailing_traces & unsent)._nurture_handle("sent")
        elif event:
            mailing_traces._nurture_handle(event)
        return mailing_traces

    def _nurture_has_reaction(self):
        mailing_trace = self.mailing_trace_id
        return (
            mailing_trace.nurture_trace_id
            and mailing_trace.sent_datetime
            and mailing_trace.trace_status in ("open", "reply")
        )

    def _update_sms_mailings(self, trace_status, traces):
        if trace_status == "process":
            # the mailing of a step is not “being sent”: core's queue of mailings would take it up
            traces = traces.filtered(lambda one: not one.mass_mailing_id._nurture_guarded())
        return super()._update_sms_mailings(trace_status, traces)
