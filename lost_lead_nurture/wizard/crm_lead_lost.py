from odoo import api, fields, models


class CrmLeadLost(models.TransientModel):
    _inherit = "crm.lead.lost"

    nurture_sequence_id = fields.Many2one(
        "nurture.sequence",
        string="Nurture With",
        compute="_compute_nurture_sequence_id",
        readonly=False,
        store=True,
        domain="[('state', '=', 'running')]",
        help="The sequence that will try to win the lead back.",
    )

    @api.depends("lost_reason_id")
    def _compute_nurture_sequence_id(self):
        """Offer the running sequence that is meant for the reason."""
        for wizard in self:
            presets = wizard.lost_reason_id.sudo().nurture_preset_ids.filtered(
                lambda preset: len(preset.lost_reason_ids) == 1
            )
            wizard.nurture_sequence_id = self.env["nurture.sequence"].search(
                [("state", "=", "running"), ("preset_id", "in", presets.ids)], limit=1
            )

    def action_lost_reason_apply(self):
        result = super().action_lost_reason_apply()
        if not self.nurture_sequence_id:
            return result
        enrolled = self.nurture_sequence_id.enrol(self.lead_ids.ids)
        return self.nurture_sequence_id._enrol_notification(enrolled)
