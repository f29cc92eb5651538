from odoo import api, models
from odoo.tools import SQL


class CrmLead(models.Model):
    _inherit = "crm.lead"

    @api.model
    def _nurture_sql_phone(self):
        """The number that an SMS to the lead of the alias ``lead`` goes to: its own, else, as core
        takes it, the customer's. NULL when neither can be called."""
        return SQL(
            "COALESCE(lead.phone_sanitized, (SELECT partner.phone_sanitized"
            " FROM res_partner partner WHERE partner.id = lead.partner_id))"
        )

    @api.model
    def _nurture_sql_addresses(self):
        return super()._nurture_sql_addresses() + [self._nurture_sql_phone()]

    @api.model
    def _nurture_sql_contacts(self):
        return super()._nurture_sql_contacts() + [
            SQL(
                "SELECT COALESCE(sms.sent_datetime, sms.create_date) AS date"
                " FROM mailing_trace sms"
                " WHERE sms.sms_number = %s AND sms.trace_type = 'sms'"
                " AND sms.is_test_trace IS NOT TRUE"
                " AND (sms.sent_datetime IS NOT NULL"
                " OR sms.trace_status IN ('outgoing', 'process'))",
                self._nurture_sql_phone(),
            )
        ]
