from odoo import fields, models


class NurtureResume(models.TransientModel):
    """Start a stopped sequence again: what becomes of what fell due meanwhile."""

    _name = "nurture.resume"
    _inherit = ["nurture.choice.mixin"]
    _description = "Start a Stopped Nurture Sequence Again"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    stop_date = fields.Datetime(related="sequence_id.stop_date", related_sudo=False)
    overdue_count = fields.Integer(related="sequence_id.overdue_count", related_sudo=False)
    overdue = fields.Selection(
        [
            ("shift", "Go on as if it had not been stopped: all dates move by that time"),
            ("spread", "Do it in the next days"),
            ("skip", "Do not do it: these leads are through with that branch"),
        ],
        string="What Fell Due",
        required=True,
        default="shift",
    )
    days = fields.Integer(string="Spread over", default=3)

    def action_view_overdue(self):
        """Open the steps that fell due while it was stopped."""
        self.ensure_one()
        return self.sequence_id._open_list(
            "nurture.trace",
            self.env._("Fell Due While It Was Stopped"),
            self.sequence_id._get_overdue_domain(),
        )

    def action_resume(self):
        """Start the sequence again, and say what became of what had fallen due."""
        self.ensure_one()
        sequence, count = self.sequence_id, self.overdue_count
        sequence.action_start(self.overdue, self.days)
        if self.overdue == "skip":
            outcome = self.env._("Steps that are not done: %s.", count)
        elif self.overdue == "spread":
            outcome = self.env._(
                "Steps that are done in the next %(days)s days: %(count)s.",
                days=self.days,
                count=count,
            )
        else:
            outcome = self.env._("All its dates were moved by the time it was stopped.")
        running = self.env._("“%s” is running again.", sequence.name)
        return sequence._notify(f"{running} {outcome}")
