from odoo import api, models
from odoo.tools import SQL


class NurturePast(models.AbstractModel):
    """What there was in stock at a moment in the past: what is there today, less what has come
    since and with what has left. Who had reserved what then, nobody knows any more: in the past
    what was on hand counts as free."""

    _inherit = "nurture.past"

    @api.model
    def _get_written(self):
        return [*super()._get_written(), "nurture_stock_claim", "nurture_stock_level"]

    @api.model
    def _sql_moments(self):
        return [*super()._sql_moments(), SQL("SELECT date FROM stock_move WHERE state = 'done'")]
