from odoo import api, fields, models
from odoo.fields import Command


class NurtureEnrol(models.TransientModel):
    """Add leads to a sequence by hand, and tell who could not be added and why."""

    _name = "nurture.enrol"
    _description = "Add Leads to a Nurture Sequence"

    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, domain="[('state', '=', 'running')]"
    )
    lead_ids = fields.Many2many("crm.lead", string="Leads", context={"active_test": False})
    lead_count = fields.Integer(compute="_compute_lead_count")

    @api.model
    def default_get(self, fields_list):
        vals = super().default_get(fields_list)
        if self.env.context.get("active_model") == "crm.lead" and "lead_ids" in fields_list:
            vals["lead_ids"] = [Command.set(self.env.context.get("active_ids", []))]
        return vals

    @api.depends("lead_ids")
    def _compute_lead_count(self):
        for wizard in self:
            wizard.lead_count = len(wizard.lead_ids)

    def action_enrol(self):
        """Add the leads and say how many entered, and why the others did not."""
        self.ensure_one()
        result = self.sequence_id.enrol(self.lead_ids.ids)
        return self.sequence_id._enrol_notification(result)
