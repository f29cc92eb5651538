from odoo import api, fields, models
from odoo.fields import Command


class NurtureUpdate(models.TransientModel):
    """What the edits of a sequence change for the leads inside, shown before it is done."""

    _name = "nurture.update"
    _inherit = ["nurture.choice.mixin"]
    _description = "Update the Leads Inside a Nurture Sequence"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    include_completed = fields.Boolean(
        string="Also leads that have completed it",
        help="They go on with the steps that are new to them. Who was won back, or does not match "
        "any more, does not.",
    )
    completed_count = fields.Integer(compute="_compute_changes")
    remove_unmatched = fields.Boolean(string="Take out leads that do not match any more")
    unmatched_count = fields.Integer(compute="_compute_changes")
    touched_count = fields.Integer(compute="_compute_changes", string="Leads Touched")
    line_ids = fields.One2many("nurture.update.line", "update_id", compute="_compute_changes")

    @api.depends("sequence_id", "include_completed", "remove_unmatched")
    def _compute_changes(self):
        for update in self:
            if not update.sequence_id:
                update.completed_count = update.unmatched_count = update.touched_count = 0
                update.line_ids = False
                continue
            update.sequence_id.check_access("write")
            changes = update.sequence_id.sudo()._get_changes(
                update.include_completed, update.remove_unmatched
            )
            update.completed_count = changes["completed"]
            update.unmatched_count = len(changes["unmatched"])
            update.touched_count = len(changes["touched"])
            update.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "kind": kind,
                            "step_id": step.id,
                            "lead_count": count,
                            "due_count": at_once,
                        }
                    )
                    for kind in ("new", "moved")
                    for step, (count, at_once) in changes[kind].items()
                ),
            ]

    def action_update(self):
        """Apply what is shown, and say what was done."""
        self.ensure_one()
        self.sequence_id.check_access("write")
        touched, leaving = self.touched_count, self.remove_unmatched and self.unmatched_count
        self.sequence_id.sudo()._apply_changes(self.include_completed, self.remove_unmatched)
        if touched:
            lines = [self.env._("Leads that got another step or another date: %s.", touched)]
        else:
            lines = [self.env._("No lead inside got another step or another date.")]
        if leaving:
            lines.append(self.env._("Leads that were taken out: %s.", leaving))
        return self.sequence_id._notify("\n".join(lines))

    def action_view_touched(self):
        """Open the participants who get another step or another date."""
        return self._open_participants(self.env._("Leads Touched by the Update"), "touched")

    def action_view_unmatched(self):
        """Open the participants who do not match any more."""
        return self._open_participants(self.env._("Leads That Do Not Match Any More"), "unmatched")

    def _open_participants(self, name, change):
        self.ensure_one()
        self.sequence_id.check_access("write")
        changes = self.sequence_id.sudo()._get_changes(
            self.include_completed, self.remove_unmatched
        )
        return self.sequence_id._open_list(
            "nurture.participant", name, [("id", "in", changes[change].ids)]
        )


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
    due_count = fields.Integer(
        string="Due at Once", help="Leads whose date has passed: with the next run it is done."
    )
