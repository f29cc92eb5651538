from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    # customers by address, for the conditions on orders and meetings
    _nurture_email_index = models.Index("(email_normalized)")
