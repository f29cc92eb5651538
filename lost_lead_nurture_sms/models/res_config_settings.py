from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    nurture_sms_cost = fields.Float(related="company_id.nurture_sms_cost", readonly=False)
