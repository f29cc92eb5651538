from odoo import models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "nurture.consent.mixin"]

    def _nurture_get_contact(self):
        return self
