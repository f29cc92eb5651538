from odoo import fields, models
from odoo.exceptions import UserError

from ..tools.addresses import first_address


class NurtureLetIn(models.TransientModel):
    """Somebody who asked to be forgotten wants to hear from us again."""

    _name = "nurture.let.in"
    _description = "Let a Forgotten Address In Again"

    address = fields.Char(required=True, help="It is compared with what is remembered, not kept.")

    def action_let_in(self):
        """Let the address that was typed enter sequences again.

        :raise UserError: when it had not been forgotten
        """
        self.ensure_one()
        if not self.env["nurture.forgotten"].sudo()._let_in(self._get_addresses()):
            raise UserError(self.env._("“%s” is not among the forgotten addresses.", self.address))
        # what was typed is not kept, either
        self.address = "-"
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "The address may enter sequences again, with the next look at all leads."
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _get_addresses(self):
        """What was typed, as it is remembered."""
        address = first_address(self.address)
        return [address] if address else []
