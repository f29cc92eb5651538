from odoo import api, fields, models

from ..tools.consent import BASES


class NurtureConsentNote(models.TransientModel):
    """On which lawful basis some leads or contacts may be written to, as somebody says."""

    _name = "nurture.consent.note"
    _description = "Note a Lawful Basis"

    basis = fields.Selection(BASES, string="Lawful Basis", required=True, default="consent")
    source = fields.Char(
        required=True, help="Where it comes from: a form, a call, a trade fair, and who was there."
    )
    wording = fields.Text(help="What they agreed to, as it was said or shown.")
    record_model = fields.Char(readonly=True)
    record_ids = fields.Json(readonly=True)
    record_count = fields.Integer(compute="_compute_record_count")

    @api.model
    def default_get(self, fields_list):
        vals = super().default_get(fields_list)
        if self.env.context.get("active_model") in ("crm.lead", "res.partner"):
            vals["record_model"] = self.env.context["active_model"]
            vals["record_ids"] = self.env.context.get("active_ids") or []
        return vals

    @api.depends("record_ids")
    def _compute_record_count(self):
        for wizard in self:
            wizard.record_count = len(wizard.record_ids or [])

    def action_note(self):
        """Note it, with the rights of the user."""
        self.ensure_one()
        model = self.env["res.partner" if self.record_model == "res.partner" else "crm.lead"]
        records = model.with_context(active_test=False).browse(self.record_ids or [])
        records.nurture_note_basis(self.basis, self.source, self.wording)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
