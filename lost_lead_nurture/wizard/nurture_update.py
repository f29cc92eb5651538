from odoo import api, fields, models
from odoo.fields import Command


class NurtureUpdate(models.TransientModel):
    """What the edits of a sequence change for the leads inside, shown before it is done."""

    _name = "nurture.update"
    _description = "Update the Leads Inside a Nurture Sequence"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    include_completed = fields.Boolean(
        string="Also leads that have completed it",
        help="They go on with the steps that are new to them.",
    )
    remove_unmatched = fields.Boolean(string="Take out leads that do not match any more")
    unmatched_count = fields.Integer(compute="_compute_changes")
    line_ids = fields.One2many(
        "nurture.update.line",
        "update_id",
        compute="_compute_changes",
    )

    @api.depends("sequence_id", "include_completed")
    def _compute_changes(self):
        for update in self:
            changes = update.sequence_id._get_changes(update.include_completed)
            update.unmatched_count = changes["unmatched"]
            update.line_ids = [
                Command.create({"kind": kind, "step_id": step.id, "lead_count": count})
                for kind in ("new", "moved")
                for step, count in changes[kind].items()
            ]

    def action_update(self):
        """Apply what is shown."""
        self.ensure_one()
        self.sequence_id.check_access("write")
        self.sequence_id._apply_changes(self.include_completed, self.remove_unmatched)
        return {"type": "ir.actions.act_window_close"}


class NurtureUpdateLine(models.TransientModel):
    _name = "nurture.update.line"
    _description = "Nurture Update: What Changes at a Step"

    update_id = fields.Many2one("nurture.update", required=True, ondelete="cascade")
    step_id = fields.Many2one("nurture.step", required=True, ondelete="cascade")
    kind = fields.Selection(
        [("new", "Will be at this step"), ("moved", "Get another date")],
        string="What Happens",
        required=True,
    )
    lead_count = fields.Integer(string="Leads")
