from odoo import fields, models


class NurturePreset(models.Model):
    _inherit = "nurture.preset"

    product_ids = fields.Many2many(
        "product.product",
        "nurture_preset_product_rel",
        string="They Wait For",
        domain="[('is_storable', '=', True)]",
        context={"active_test": False},
        help="One of each is what leads of this preset wait for in a sequence that waits for "
        "stock, where neither a quotation nor the lead itself says what they want.",
    )
