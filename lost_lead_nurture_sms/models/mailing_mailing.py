import re

from odoo import api, models
from odoo.tools.mail import TEXT_URL_REGEX


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    @api.constrains("body_plaintext")
    def _check_nurture_sms_runnable(self):
        self.nurture_sequence_id._check_runnable()

    def _nurture_get_links(self):
        if self.mailing_type != "sms":
            return super()._nurture_get_links()
        return sorted(set(re.findall(TEXT_URL_REGEX, self.body_plaintext or "")))

    def _nurture_open_mails(self, figure):
        action = super()._nurture_open_mails(figure)
        if set(self.mapped("mailing_type")) == {"sms"}:
            action["views"] = [
                (self.env.ref("mass_mailing_sms.mailing_trace_view_tree_sms").id, "list"),
                (self.env.ref("mass_mailing_sms.mailing_trace_view_form_sms").id, "form"),
            ]
        return action

    # ------------------------------------------------------------
    # SENDING: the sequence decides who gets the SMS of a step
    # ------------------------------------------------------------

    def action_send_sms(self, res_ids=None):
        if "nurture_trace_by_lead" not in self.env.context:
            self._check_not_nurture()
        return super().action_send_sms(res_ids)

    def _send_sms_get_composer_values(self, res_ids):
        values = super()._send_sms_get_composer_values(res_ids)
        if "nurture_trace_by_lead" in self.env.context:
            # sending at once could not be undone when the batch fails
            values["mass_force_send"] = False
        return values

    def _get_seen_list_sms(self):
        # see _get_seen_list of the mails; nurture.trace knows the numbers that have had it
        if "nurture_trace_by_lead" in self.env.context:
            return [], []
        return super()._get_seen_list_sms()

    def action_retry_failed_sms(self):
        nurtured = self.filtered("nurture_sequence_id")
        failed = nurtured.mailing_trace_ids.filtered(lambda sms: sms.trace_status == "error")
        failed.nurture_trace_id.action_retry()
        if others := self - nurtured:
            return super(MailingMailing, others).action_retry_failed_sms()
        return None
