from odoo import api, models

from odoo.addons.lost_lead_nurture.tools import bots


class NurtureHit(models.Model):
    _inherit = "nurture.hit"

    @api.model
    def _judge_alone(self, mail, kind, request, code, now):
        if kind != "click" or mail.trace_type != "sms":
            return super()._judge_alone(mail, kind, request, code, now)
        # nobody has a link that has not left
        left = mail.sent_datetime or mail.trace_status == "process"
        signed = left and mail._nurture_is_signed(code, request.token)
        # an SMS may be read before the provider reports that it left: time says nothing
        return bots.judge_click(request, bots.TOO_FAST, signed)
