from odoo import fields, models

from ..tools.reasons import STOCK_REASONS


class NurtureDryRunLine(models.TransientModel):
    _inherit = "nurture.dry.run.line"

    reason = fields.Selection(
        selection_add=STOCK_REASONS,
        ondelete={reason: "cascade" for reason, _label in STOCK_REASONS},
    )
