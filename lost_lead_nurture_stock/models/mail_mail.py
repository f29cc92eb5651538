from odoo import models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _nurture_find_lacking(self):
        """Mails of this queue that offer what cannot be delivered now.

        :return: ``{(participant, exit reason): mails}``
        """
        traces = self._nurture_get_mailing_traces().nurture_trace_id
        traces = traces.filtered(
            lambda trace: trace.sequence_id.wait_for_stock and trace.step_id._is_message()
        )
        lacking = traces.participant_id._find_lacking() if traces else {}
        return {
            (participant, lacking[participant.id]): of_one.mailing_trace_ids.mail_mail_id & self
            for participant, of_one in traces.grouped("participant_id").items()
            if participant.id in lacking
        }

    def _nurture_recall(self):  # pylint: disable=missing-return
        super()._nurture_recall()
        queued = self.filtered(lambda mail: mail.state == "outgoing")
        for participant, reason in queued._nurture_find_lacking():
            participant._leave(reason)
