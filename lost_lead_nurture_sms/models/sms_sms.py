from odoo import models


class SmsSms(models.Model):
    """An SMS of a sequence is looked at once more before it leaves, has signed links, and its
    sequence is notified when it is deleted from the queue."""

    _inherit = "sms.sms"

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        leaving = self - self._nurture_recall()
        if not leaving:
            # core asks the first one where reports go to
            return None
        return super(SmsSms, leaving)._send(
            unlink_failed=unlink_failed, unlink_sent=unlink_sent, raise_exception=raise_exception
        )

    def _nurture_recall(self):
        """Take those out of the queue that do not leave after all: their sequence was stopped or
        their lead left while a batch that was not committed yet queued them, their number was
        blacklisted, or what they say is not true any more.

        :return: these
        """
        mailing_traces = self.env["mailing.trace"].sudo()
        mailing_traces = mailing_traces.search(
            [("sms_id_int", "in", self.ids), ("nurture_trace_id", "!=", False)]
        )
        if not mailing_traces:
            return self.browse()
        traces = mailing_traces.nurture_trace_id
        traces.sequence_id.filtered(lambda one: one.state != "running")._recall_messages()
        traces.participant_id.filtered(lambda one: one.state != "running")._recall_messages()
        numbers = list(set(self.mapped("number")))
        listed = self.env["phone.blacklist"].sudo().search([("number", "in", numbers)])
        listed._nurture_recall()
        sms = mailing_traces._nurture_get_sms("outgoing")
        queued = mailing_traces.filtered(lambda one: one.sms_id_int in sms.ids)
        queued.nurture_trace_id._leave_outdated()
        ours = self.filtered(lambda one: one.id in mailing_traces.mapped("sms_id_int"))
        return ours.filtered(lambda one: one.state != "outgoing")

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
