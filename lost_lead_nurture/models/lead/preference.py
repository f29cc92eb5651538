from odoo import api, fields, models

from ...tools.arguments import check_records


class CrmLead(models.Model):
    """What whoever has the lead's address has said about mails, readable by who reads the lead."""

    _inherit = "crm.lead"

    nurture_preferences = fields.Html(
        string="Mail Preferences",
        compute="_compute_nurture_preferences",
        sanitize=False,
        help="What the recipient at this address has chosen, with date and source, on whatever "
        "lead's mail it was.",
    )
    nurture_preference_count = fields.Integer(
        string="Mail Preferences Count", compute="_compute_nurture_preferences"
    )

    @api.depends("email_from")
    @api.depends_context("lang", "tz", "uid")
    def _compute_nurture_preferences(self):
        # whoever reads the lead reads what its address has chosen
        log = self.env["nurture.preference"].sudo()
        emails = [lead.email_normalized for lead in self if lead.email_normalized]
        found = log.search([("email", "in", emails)]).grouped("email") if emails else {}
        values = {
            "kinds": dict(log._fields["kind"]._description_selection(self.env)),
            "sources": dict(log._fields["source"]._description_selection(self.env)),
        }
        for lead in self:
            preferences = found.get(lead.email_normalized, log)
            # of other companies it is nobody's here what they wrote, and what was answered
            values["own"] = preferences.filtered(
                lambda one: not one.company_id or one.company_id in self.env.companies
            )
            lead.nurture_preference_count = len(preferences)
            lead.nurture_preferences = bool(preferences) and self.env["ir.qweb"]._render(
                "lost_lead_nurture.nurture_preference_log", {**values, "preferences": preferences}
            )

    def action_nurture_preference(self):
        """Open the dialog in which somebody notes what the recipient of a lead has said.

        :raise AccessError: for who may not read the lead
        """
        check_records(self, one=True)
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What the Recipient Wants"),
            "res_model": "nurture.preference.choose",
            "view_mode": "form",
            "target": "new",
            "context": {"default_lead_id": self.id, "dialog_size": "medium"},
        }
