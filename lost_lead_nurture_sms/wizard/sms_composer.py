from odoo import models

from odoo.addons.lost_lead_nurture.tools.send_batch import get_composed


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    def _action_send_sms(self):
        if not self.mailing_id._nurture_is_engine():
            self.mailing_id._check_not_nurture()
        return super()._action_send_sms()

    def _prepare_mass_sms_trace_values(self, record, sms_values):
        values = super()._prepare_mass_sms_trace_values(record, sms_values)
        batch = get_composed(self.env)
        if trace_id := batch and batch.trace_by_lead.get(record.id):
            values["nurture_trace_id"] = trace_id
        return values

    def _get_blacklist_record_ids(self, records, recipients_info):
        if not get_composed(self.env):
            return super()._get_blacklist_record_ids(records, recipients_info)
        # core reads the whole blacklist; and a sequence always respects it
        numbers = {record.id: recipients_info[record.id]["sanitized"] for record in records}
        blacklisted = set(
            self.env["phone.blacklist"]
            .sudo()
            .search([("number", "in", list(numbers.values()))])
            .mapped("number")
        )
        return [record_id for record_id, number in numbers.items() if number in blacklisted]
