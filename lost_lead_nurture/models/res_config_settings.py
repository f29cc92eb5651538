from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    nurture_cap_number = fields.Integer(related="company_id.nurture_cap_number", readonly=False)
    nurture_cap_days = fields.Integer(related="company_id.nurture_cap_days", readonly=False)
