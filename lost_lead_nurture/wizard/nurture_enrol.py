from odoo import api, fields, models
from odoo.fields import Command


class NurtureEnrol(models.TransientModel):
    """Add leads to a sequence by hand, and tell who can be added and who cannot, and why."""

    _name = "nurture.enrol"
    _inherit = ["nurture.choice.mixin"]
    _description = "Add Leads to a Nurture Sequence"

    lead_ids = fields.Many2many("crm.lead", string="Leads", context={"active_test": False})
    lead_count = fields.Integer(compute="_compute_lead_count")
    lost_reason_ids = fields.Many2many("crm.lost.reason", compute="_compute_lost_reason_ids")
    available = fields.Boolean(compute="_compute_available", help="Whether a sequence is running.")
    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, domain="[('state', '=', 'running')]"
    )
    can_enter = fields.Boolean(compute="_compute_preview")
    preview = fields.Char(compute="_compute_preview")
    exclusion_reason = fields.Text(compute="_compute_preview")

    @api.model
    def default_get(self, fields_list):
        vals = super().default_get(fields_list)
        if self.env.context.get("active_model") == "crm.lead" and "lead_ids" in fields_list:
            leads = self.env["crm.lead"].browse(self.env.context.get("active_ids", []))
            vals["lead_ids"] = [Command.set(leads.ids)]
            if "sequence_id" in fields_list and not vals.get("sequence_id"):
                fitting = self.env["nurture.sequence"]._get_fitting(leads)
                vals["sequence_id"] = fitting._pick_offer(leads).id
        return vals

    @api.depends("lead_ids")
    def _compute_lead_count(self):
        for wizard in self:
            wizard.lead_count = len(wizard.lead_ids)

    @api.depends("lead_ids.lost_reason_id")
    def _compute_lost_reason_ids(self):
        for wizard in self:
            wizard.lost_reason_ids = wizard.lead_ids.lost_reason_id

    @api.depends_context("uid")
    def _compute_available(self):
        self.available = self.env["nurture.sequence"]._is_any_running()

    @api.depends("sequence_id", "lead_ids")
    @api.depends_context("lang", "tz", "uid")
    def _compute_preview(self):
        for wizard in self:
            leads, sequence = wizard.lead_ids._origin, wizard.sequence_id
            preview = sequence._preview_entry(leads) if leads and sequence else {}
            wizard.can_enter = sequence._can_enter(preview)
            wizard.preview = sequence._describe_entry(preview)
            wizard.exclusion_reason = sequence._describe_excluded(preview)

    def action_enrol(self):
        """Add the leads and say how many entered, and why the others did not.

        :raise UserError: when the sequence is not running any more
        """
        self.ensure_one()
        result = self.sequence_id.enrol(self.lead_ids.ids)
        return self.sequence_id._enrol_notification(result)
