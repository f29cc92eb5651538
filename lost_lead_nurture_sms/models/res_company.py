from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.lost_lead_nurture.tools.prices import PRICE_DIGITS


class ResCompany(models.Model):
    _inherit = "res.company"

    nurture_sms_cost = fields.Float(
        string="Cost per Marketing SMS",
        digits=PRICE_DIGITS,
        help="What new sequences count for each SMS that leaves, in the currency of the company.",
    )

    @api.constrains("nurture_sms_cost")
    def _check_nurture_sms_cost(self):
        for company in self:
            if company.nurture_sms_cost < 0:
                raise ValidationError(self.env._("The cost per SMS is an amount, 0 or more."))
