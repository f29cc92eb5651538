from odoo import api, fields, models
from odoo.fields import Command

from ..tools.reasons import ENTRY_OBSTACLES


class NurtureDryRun(models.TransientModel):
    """Who would enter a sequence now, who would not and why, and what would be sent when."""

    _name = "nurture.dry.run"
    _description = "Nurture Dry Run"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    entry = fields.Selection(related="sequence_id.entry")
    entering_count = fields.Integer(string="Enter", readonly=True)
    held_out_count = fields.Integer(string="Held Out", readonly=True)
    kept_out_count = fields.Integer(string="Kept Out", readonly=True)
    message_count = fields.Integer(string="Messages", readonly=True)
    line_ids = fields.One2many("nurture.dry.run.line", "dry_run_id", readonly=True)
    send_ids = fields.One2many("nurture.dry.run.send", "dry_run_id", readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        dry_runs = super().create(vals_list)
        for dry_run in dry_runs:
            dry_run._run()
        return dry_runs

    def _run(self):
        """Count, and forecast."""
        sequence = self.sequence_id
        kept_out = self._get_kept_out()
        entering = kept_out.pop(None, [])
        held_out = sequence.sudo()._get_held_out(entering)
        sends = sequence.sudo()._forecast([id_ for id_ in entering if id_ not in held_out])
        self.write(
            {
                "entering_count": len(entering) - len(held_out),
                "held_out_count": len(held_out),
                "kept_out_count": sum(map(len, kept_out.values())),
                "message_count": sum(sends.values()),
                "line_ids": [
                    Command.create({"reason": reason, "lead_count": len(kept_out[reason])})
                    for reason, _label in ENTRY_OBSTACLES
                    if reason in kept_out
                ],
                "send_ids": [
                    Command.create({"date": day, "step_id": step_id, "message_count": count})
                    for (day, step_id), count in sorted(sends.items())
                ],
            }
        )

    def action_view_entering(self):
        """Open the leads that would enter."""
        self.ensure_one()
        entering, held_out = self._get_entering()
        return self.sequence_id._open_leads(
            [id_ for id_ in entering if id_ not in held_out], self.env._("Leads That Would Enter")
        )

    def action_view_held_out(self):
        """Open the leads that would be held out for comparison."""
        self.ensure_one()
        _entering, held_out = self._get_entering()
        return self.sequence_id._open_leads(sorted(held_out), self.env._("Held Out for Comparison"))

    def action_view_kept_out(self):
        """Open all leads that are kept out, whatever the reason."""
        self.ensure_one()
        kept_out = self._get_kept_out()
        kept_out.pop(None, None)
        return self.sequence_id._open_kept_out(kept_out)

    def action_view_sends(self):
        """Open what would be sent, as a calendar."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Expected Messages: %s", self.sequence_id.name),
            "res_model": "nurture.dry.run.send",
            "view_mode": "calendar,graph,list",
            "domain": [("dry_run_id", "=", self.id)],
            "context": {"create": False, "edit": False},
        }

    def _get_kept_out(self):
        self.sequence_id.check_access("write")
        return self.sequence_id.sudo()._get_kept_out()

    def _get_entering(self):
        """Ids of the leads that would enter, and of those among them who would be held out."""
        entering = self._get_kept_out().get(None, [])
        return entering, self.sequence_id.sudo()._get_held_out(entering)


class NurtureDryRunLine(models.TransientModel):
    """Leads that would be kept out for one reason."""

    _name = "nurture.dry.run.line"
    _description = "Nurture Dry Run: Leads Kept Out"

    dry_run_id = fields.Many2one("nurture.dry.run", required=True, ondelete="cascade")
    reason = fields.Selection(ENTRY_OBSTACLES, required=True)
    lead_count = fields.Integer(string="Leads")

    def action_view_leads(self):
        """Open the leads that are kept out for this reason."""
        self.ensure_one()
        dry_run = self.dry_run_id
        return dry_run.sequence_id._open_kept_out(dry_run._get_kept_out(), self.reason)


class NurtureDryRunSend(models.TransientModel):
    """Messages of one step that would be sent on one day."""

    _name = "nurture.dry.run.send"
    _description = "Nurture Dry Run: Expected Messages"
    _order = "date, id"

    dry_run_id = fields.Many2one("nurture.dry.run", required=True, ondelete="cascade")
    date = fields.Date(string="Day")
    step_id = fields.Many2one("nurture.step", ondelete="cascade")
    message_count = fields.Integer(string="Messages", aggregator="sum")

    @api.depends("step_id", "message_count")
    def _compute_display_name(self):
        for send in self:
            send.display_name = f"{send.message_count} × {send.step_id.name}"
