from odoo import api, models
from odoo.tools import SQL


class NurturePast(models.AbstractModel):
    """Which pages had been looked at by a moment in the past."""

    _inherit = "nurture.past"

    @api.model
    def _get_seen(self, sequence):
        looked = SQL("seen.visit_datetime <= now.moment")
        return {**super()._get_seen(sequence), "website_track": (looked, {})}
