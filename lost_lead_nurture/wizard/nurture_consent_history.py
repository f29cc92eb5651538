from odoo import api, fields, models

from ..tools.dates import on_clock


class NurtureConsentHistory(models.TransientModel):
    """All that happened to the consent of a lead or contact, as one page."""

    _name = "nurture.consent.history"
    _description = "History of a Consent"

    lead_id = fields.Many2one("crm.lead", context={"active_test": False}, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", ondelete="cascade")
    basis = fields.Char(compute="_compute_history", string="Lawful Basis Today")
    basis_date = fields.Datetime(compute="_compute_history", string="Since")
    source = fields.Char(compute="_compute_history")
    wording = fields.Text(compute="_compute_history")
    may_write = fields.Char(compute="_compute_history", string="Sequences")
    history = fields.Html(compute="_compute_history", sanitize=False)

    @api.depends("lead_id", "partner_id")
    def _compute_display_name(self):
        for page in self:
            page.display_name = self.env._("Consent: %s", page._get_record().display_name)

    @api.depends("lead_id", "partner_id")
    def _compute_history(self):
        for page in self:
            record = page._get_record()
            # with the rights of whoever looks
            record._nurture_check_may_see()
            bases = dict(record._fields["nurture_basis"]._description_selection(self.env))
            page.basis = bases.get(record.nurture_basis) or self.env._("None is known")
            page.basis_date = record.nurture_basis_date
            page.source = record.nurture_basis_source
            page.wording = record.nurture_basis_wording
            page.may_write = page._describe_choice(record)
            page.history = self.env["ir.qweb"]._render(
                "lost_lead_nurture.consent_history",
                {
                    "entries": record._nurture_get_history(),
                    "on_clock": lambda moment: on_clock(self.env, moment),
                },
            )

    def _describe_choice(self, record):
        """Whether the company writes on this basis, in words."""
        company = (record.company_id or self.env.company).sudo()
        bases = company._nurture_get_bases()
        if record.nurture_basis == "withdrawn":
            return self.env._("%s does not write to this address.", company.name)
        if not bases:
            return self.env._("%s has not chosen: everybody is written to.", company.name)
        if record.nurture_basis in bases:
            return self.env._("%s writes on this basis.", company.name)
        return self.env._("%s does not write on this basis.", company.name)

    def _get_record(self):
        self.ensure_one()
        return self.lead_id or self.partner_id

    def action_export(self):
        """Download it."""
        self.ensure_one()
        return self._get_record().action_export_nurture_consent()

    def action_note(self):
        """Ask what to note."""
        self.ensure_one()
        record = self._get_record()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "lost_lead_nurture.nurture_consent_note_action"
        )
        context = {"active_model": record._name, "active_ids": record.ids, "active_id": record.id}
        return {**action, "context": context}
