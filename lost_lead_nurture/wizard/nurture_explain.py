from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class NurtureExplain(models.TransientModel):
    """Why a lead, or a customer who is no lead yet, is in a sequence or is not, in words."""

    _name = "nurture.explain"
    _inherit = ["nurture.choice.mixin"]
    _description = "Why Is a Lead in a Nurture Sequence"

    sequence_id = fields.Many2one("nurture.sequence", ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", context={"active_test": False}, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        ondelete="cascade",
        help="A customer who is no lead yet, for sequences for silent customers.",
    )
    problem = fields.Char(compute="_compute_explanation", help="Why nothing can be said.")
    enters = fields.Boolean(compute="_compute_explanation")
    inside = fields.Boolean(compute="_compute_explanation")
    held_out = fields.Boolean(
        compute="_compute_explanation", help="It enters, for comparison with those written to."
    )
    conditions = fields.Html(compute="_compute_explanation")
    decisions = fields.Html(compute="_compute_explanation")

    @api.model
    def default_get(self, fields_list):
        vals = super().default_get(fields_list)
        model, record_id = self.env.context.get("active_model"), self.env.context.get("active_id")
        field = {
            "crm.lead": "lead_id",
            "nurture.sequence": "sequence_id",
            "res.partner": "partner_id",
        }.get(model)
        if field in fields_list and record_id:
            vals[field] = record_id
        return vals

    @api.depends("sequence_id", "lead_id", "partner_id")
    def _compute_explanation(self):
        for wizard in self:
            wizard.enters = wizard.inside = wizard.held_out = False
            wizard.conditions = wizard.decisions = wizard.problem = False
            if wizard.sequence_id and wizard.partner_id and not wizard.lead_id:
                wizard._explain_customer()
            if not (wizard.sequence_id and wizard.lead_id):
                continue
            explanation = wizard.sequence_id.explain(wizard.lead_id.id)
            wizard.enters = explanation["enters"]
            sequence = wizard.sequence_id.sudo()
            wizard.held_out = wizard.enters and bool(sequence._get_held_out(wizard.lead_id.ids))
            wizard.inside = any(
                journey["state"] == "running" for journey in explanation["journeys"]
            )
            wizard.conditions = wizard._render_conditions(explanation["conditions"])
            journeys = self.env["nurture.participant"].search(
                [("sequence_id", "=", wizard.sequence_id.id), ("lead_id", "=", wizard.lead_id.id)],
                order="id desc",
            )
            wizard.decisions = Markup().join(journey.decisions or "" for journey in journeys)

    def _explain_customer(self):
        """Say of a customer who is no lead yet what there is to say."""
        try:
            explanation = self.sequence_id.explain_customer(self.partner_id.id)
        except (AccessError, UserError) as error:
            self.problem = str(error)
            return
        self.enters = explanation["enters"]
        self.conditions = self._render_conditions(explanation["conditions"])

    def _render_conditions(self, conditions):
        row = Markup(
            "<li class='list-group-item d-flex gap-2 %s'>"
            "<i class='fa fa-fw %s mt-1' aria-hidden='true'></i>"
            "<span>%s%s</span><span class='ms-auto text-muted'>%s</span></li>"
        )
        rows = [
            row
            % (
                "" if condition["ok"] else "o_nurture_no fw-bold",
                "fa-check text-success" if condition["ok"] else "fa-times text-danger",
                condition["label"],
                self._render_parts(condition),
                self.env._("Yes") if condition["ok"] else self.env._("No"),
            )
            for condition in conditions
        ]
        return Markup("<ul class='list-group'>%s</ul>") % Markup().join(rows)

    def _render_parts(self, condition):
        """What exactly of a filter excludes the lead."""
        texts = [part["text"] for part in condition["parts"]]
        if not texts:
            return ""
        intro = Markup()
        if condition["reason"] == "unmatched":
            words = self.env._("What does not hold of its filter:")
            intro = Markup("<div class='small fw-normal text-muted'>%s</div>") % words
        part = Markup("<div class='small fw-normal'>%s</div>")
        return intro + Markup().join(part % text for text in texts)
