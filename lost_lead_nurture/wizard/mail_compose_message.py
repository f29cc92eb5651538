from odoo import models

from ..tools.addresses import canonical, spellings
from ..tools.inside import get_carried


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    def _action_send_mail(self, auto_commit=False):
        if self.mass_mailing_id._nurture_is_engine():
            # One commit must carry the mails and what the engine wrote about them.
            auto_commit = False
        else:
            self.mass_mailing_id._check_not_nurture()
        return super()._action_send_mail(auto_commit=auto_commit)

    def _prepare_mail_values_mailing_traces(self, mail_values_all):
        trace_values_all = super()._prepare_mail_values_mailing_traces(mail_values_all)
        trace_by_lead = get_carried(self.env, "nurture_trace_by_lead") or {}
        for lead_id, trace_id in trace_by_lead.items():
            if trace_values_all.get(lead_id):
                trace_values_all[lead_id]["nurture_trace_id"] = trace_id
        return trace_values_all

    # core compares addresses letter by letter: each list knows all spellings, each mail has one

    def _get_recipients_data(self, mail_values_dict):
        recipients = super()._get_recipients_data(mail_values_dict)
        for data in recipients.values():
            data["mail_to_normalized"] = [
                canonical(address) for address in data["mail_to_normalized"]
            ]
        return recipients

    def _get_done_emails(self, mail_values_dict):
        return list(spellings(super()._get_done_emails(mail_values_dict)))

    def _get_optout_emails(self, mail_values_dict):
        return list(spellings(super()._get_optout_emails(mail_values_dict)))

    def _render_lang(self, res_ids, engine="inline_template"):
        """Placeholders are written in the language of the lead, where its contact has none."""
        langs = super()._render_lang(res_ids, engine=engine)
        if get_carried(self.env, "nurture_trace_by_lead"):
            for lead in self.env["crm.lead"].browse(res_ids):
                langs[lead.id] = langs[lead.id] or lead.lang_id.code
        return langs

    def _has_unsafe_expression_template_qweb(self, template_src, model, fname=None):
        # Simple placeholders core replaces by patterns, in a text that it tidies up once per mail.
        # A batch compiles its text once: that is quicker, and means the same.
        if get_carried(self.env, "nurture_compiled") is not None:
            return True
        return super()._has_unsafe_expression_template_qweb(template_src, model, fname=fname)
