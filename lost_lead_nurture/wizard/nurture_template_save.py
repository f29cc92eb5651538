from odoo import api, fields, models

from ..models.sequence.template import TEMPLATE_GROUPS


class NurtureTemplateSave(models.TransientModel):
    """Put a sequence into the gallery."""

    _name = "nurture.template.save"
    _inherit = ["nurture.choice.mixin"]
    _description = "Save a Nurture Sequence as Template"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    name = fields.Char(
        compute="_compute_name",
        compute_sudo=False,
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    template_summary = fields.Text(string="What It Does")
    template_group = fields.Selection(
        TEMPLATE_GROUPS, string="Shown Under", required=True, default="own"
    )

    @api.depends("sequence_id")
    def _compute_name(self):
        for wizard in self:
            wizard.name = wizard.name or wizard.sequence_id.name

    def action_save(self):
        """Make the template, and say where it is."""
        self.ensure_one()
        self.sequence_id._save_as_template(
            {
                "template_name": self.name,
                "template_summary": self.template_summary,
                "template_group": self.template_group,
            }
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "“%s” is in the gallery now: press New to make a sequence from it.", self.name
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
