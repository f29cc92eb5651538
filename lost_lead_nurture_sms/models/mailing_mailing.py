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

    def _nurture_get_lines(self):
        return [*super()._nurture_get_lines(), self.body_plaintext]

    def _nurture_open_mailing_traces(self, statistic, domain=()):
        action = super()._nurture_open_mailing_traces(statistic, domain)
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
        if not self._nurture_is_engine():
            self._check_not_nurture()
        return super().action_send_sms(res_ids)

    def _send_sms_get_composer_values(self, res_ids):
        values = super()._send_sms_get_composer_values(res_ids)
        if self._nurture_is_engine():
            # sending at once could not be undone when the batch fails
            values["mass_force_send"] = False
        if self.mailing_model_real == "crm.lead":
            # leads show what they got, as with mails
            values["mass_keep_log"] = True
        return values

    def _get_seen_list_sms(self):
        # see _get_done_emails of the mails; nurture.trace knows the numbers that have had it
        if self._nurture_is_engine():
            return [], []
        return super()._get_seen_list_sms()

    def action_retry_failed_sms(self):
        nurtured = self._nurture_guarded()
        if nurtured:
            nurtured.filtered(lambda sms: not sms.nurture_sequence_id)._check_not_nurture()
            failed = nurtured.mailing_trace_ids.filtered(lambda one: one.trace_status == "error")
            failed.nurture_trace_id.action_retry()
        if others := self - nurtured:
            return super(MailingMailing, others).action_retry_failed_sms()
        return None

    # ------------------------------------------------------------
    # WHOM A MAILING OF ITS OWN WOULD REACH
    # ------------------------------------------------------------

    def _nurture_get_addresses(self, leads):
        if self.mailing_type != "sms":
            return super()._nurture_get_addresses(leads)
        return {
            lead: lead.phone_sanitized or lead.sudo().partner_id.phone_sanitized or None
            for lead in leads
        }

    def _nurture_get_excluded(self, addresses):
        if self.mailing_type != "sms":
            return super()._nurture_get_excluded(addresses)
        _seen_ids, seen = self._get_seen_list_sms()
        excluded = set(seen)
        if self.use_exclusion_list:
            entries = self.env["phone.blacklist"].sudo().search([("number", "in", addresses)])
            excluded.update(entries.mapped("number"))
        return excluded
