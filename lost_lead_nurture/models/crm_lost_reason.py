from odoo import fields, models


class CrmLostReason(models.Model):
    _inherit = "crm.lost.reason"

    nurture_preset_ids = fields.Many2many(
        "nurture.preset",
        "nurture_preset_lost_reason_rel",
        string="Nurture Presets",
        groups="lost_lead_nurture.group_user",
        help="Presets that choose leads lost for this reason.",
    )
    nurture_sequence_count = fields.Integer(
        compute="_compute_nurture_sequence_count",
        groups="lost_lead_nurture.group_user",
    )

    def _compute_nurture_sequence_count(self):
        counts = dict(
            self.env["nurture.sequence"]
            .with_context(active_test=False)
            ._read_group(
                [("preset_id.lost_reason_ids", "in", self.ids)],
                ["preset_id"],
                ["__count"],
            )
        )
        for reason in self:
            reason.nurture_sequence_count = sum(
                count for preset, count in counts.items() if reason in preset.lost_reason_ids
            )

    def action_nurture_sequences(self):
        """Open the sequences whose preset chooses this reason."""
        return self.env["nurture.sequence"]._open_list(
            "nurture.sequence",
            self.env._("Nurture Sequences"),
            [("preset_id.lost_reason_ids", "in", self.ids)],
            view_mode="list,kanban,form",
        )

    def action_nurture(self):
        """Open a new sequence for the leads lost for this reason; the preset it needs is made when
        there is none."""
        self.ensure_one()
        preset = self.nurture_preset_ids.filtered(lambda preset: preset.lost_reason_ids == self)[:1]
        if not preset:
            preset = self.env["nurture.preset"].create(
                {"name": self.name, "lost_reason_ids": self.ids}
            )
        return preset.action_new_sequence()
