from odoo import api, models

from odoo.addons.lost_lead_nurture.tools import bots


class NurtureHit(models.Model):
    _inherit = "nurture.hit"

    @api.model
    def _judge_alone(self, mailing_trace, kind, request, code, now):
        if kind != "click" or mailing_trace.trace_type != "sms":
            return super()._judge_alone(mailing_trace, kind, request, code, now)
        # nobody has a link that has not left
        left = mailing_trace.sent_datetime or mailing_trace.trace_status == "process"
        signed = left and mailing_trace._nurture_is_signed(code, request.token)
        # an SMS may be read before the provider reports that it left: time says nothing
        return bots.judge_click(request, bots.TOO_FAST, signed)
