from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _nurture_at_work(self, company):
        """Those who are there and work for ``company`` (an empty one: for any)."""
        return self.filtered(
            lambda user: user.active and (not company or company in user.company_ids)
        )
