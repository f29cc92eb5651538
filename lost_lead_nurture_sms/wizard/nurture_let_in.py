from odoo import models


class NurtureLetIn(models.TransientModel):
    """Phone numbers are forgotten, too."""

    _inherit = "nurture.let.in"

    def _get_addresses(self):
        addresses = super()._get_addresses()
        number = "@" not in self.address and self.env.user._phone_format(number=self.address)
        return addresses + [number] if number else addresses
