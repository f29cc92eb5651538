from odoo import api, models
from odoo.tools import SQL


class NurtureParticipant(models.Model):
    _inherit = "nurture.participant"

    def _get_addresses(self):
        numbers = set(self.trace_ids.mailing_trace_ids.mapped("sms_number"))
        return super()._get_addresses() + [number for number in numbers if number]

    @api.model
    def _sql_is_queued(self):
        # core writes that an SMS has left the queue on the mailing trace first, then on the SMS
        return SQL(
            """
            (%s OR (
                mailing_trace.sent_datetime IS NULL
                AND mailing_trace.trace_status NOT IN ('process', 'error', 'cancel')
                AND EXISTS (
                    SELECT 1 FROM sms_sms sms
                     WHERE sms.id = mailing_trace.sms_id_int AND sms.state = 'outgoing')))
            """,
            super()._sql_is_queued(),
        )
