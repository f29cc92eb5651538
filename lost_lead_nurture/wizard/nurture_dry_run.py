from odoo import fields, models

from ..tools.reasons import ENTRY_OBSTACLES


class NurtureDryRunLine(models.TransientModel):
    _name = "nurture.dry.run.line"
    _description = "Nurture Dry Run: Leads Kept Out"

    reason = fields.Selection(ENTRY_OBSTACLES)
