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
                "SELECT COALESCE(mailing_trace.sent_datetime, mailing_trace.create_date) AS date"
                " FROM mailing_trace"
                " WHERE mailing_trace.sms_number = %s AND mailing_trace.trace_type = 'sms'"
                " AND mailing_trace.is_test_trace IS NOT TRUE"
                " AND (mailing_trace.sent_datetime IS NOT NULL"
                " OR mailing_trace.trace_status IN ('outgoing', 'process'))",
                self._nurture_sql_phone(),
            )
        ]
