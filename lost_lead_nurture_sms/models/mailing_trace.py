from odoo import api, fields, models


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    # who has had an SMS, and when
    _nurture_sms = models.Index("(sms_number, mass_mailing_id) WHERE sms_number IS NOT NULL")

    def set_opened(self, domain=None):
        # Who follows the link has the SMS: the provider's report that it has left may come later.
        at_provider = self.filtered(
            lambda sms: sms.nurture_trace_id and sms.trace_status == "process"
        )
        if at_provider:
            at_provider.write({"trace_status": "pending", "sent_datetime": fields.Datetime.now()})
            at_provider._nurture_hear("sent")
        return super().set_opened(domain)

    @api.model
    def _nurture_queued(self, domain):
        queued_sms = (
            self.env["sms.sms"]
            .sudo()
            .search([("state", "=", "outgoing"), ("mailing_id.nurture_step_ids", "!=", False)])
        )
        return super()._nurture_queued(domain) | self.search(
            [("nurture_trace_id", "any", domain), ("sms_id_int", "in", queued_sms.ids)]
        )

    def _nurture_cancel_queued(self):
        result = super()._nurture_cancel_queued()
        self._nurture_get_sms("outgoing").action_set_canceled()
        return result

    def _nurture_get_sms(self, *states):
        """The SMS of ``self`` that are in one of ``states``."""
        numbers = self.filtered(lambda trace: trace.trace_type == "sms").mapped("sms_id_int")
        return self.env["sms.sms"].sudo().search([("id", "in", numbers), ("state", "in", states)])
