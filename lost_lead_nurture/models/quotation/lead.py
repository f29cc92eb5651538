from odoo import api, fields, models

from ..credit.sale_order import NOT_ORDERED
from ..lead.lead import STATUS_GROUPS
from ..sequence.offers import OFFERING


class CrmLead(models.Model):
    """The quotation that a lead refused: for mails, as it would be today on the terms of the
    sequence; on the lead, beside what was refused."""

    _inherit = "crm.lead"

    nurture_quotation = fields.Html(
        string="Refused Quotation, as It Would Be Today",
        compute="_compute_nurture_quotation",
        search="_search_nurture_quotation",
        sanitize=False,
        exportable=False,
        help="In the mails of a sequence: what the lead refused, what it costs today, and a button "
        "by which the recipient gets it as a new quotation. Empty anywhere else.",
    )
    nurture_refused = fields.Html(
        string="Refused Quotation",
        compute="_compute_nurture_refused",
        groups=STATUS_GROUPS,
        help="What the lead refused, and what that costs today, for those who may see the "
        "quotation.",
    )
    nurture_price_note = fields.Char(
        string="Below the Refused Price",
        compute="_compute_nurture_price_note",
        groups="sales_team.group_sale_salesman",
        help="At which price the lead entered the sequence in which it is.",
    )

    # ------------------------------------------------------------
    # IN MAILS
    # ------------------------------------------------------------

    @api.depends("partner_id")
    @api.depends_context("lang", "uid", OFFERING)
    def _compute_nurture_quotation(self):
        self.nurture_quotation = False
        sequence = self.env["nurture.sequence"]._get_offering()
        if not sequence:
            return
        for lead, renewal in sequence.sudo()._renew_for(self).items():
            # who looks at a mail before it is sent sees no more than at the quotation
            refused = renewal.refused.with_env(self.env)
            if not renewal.reason and (self.env.su or refused.has_access("read")):
                lead.nurture_quotation = self._nurture_render_quotation(sequence, renewal)

    def _nurture_render_quotation(self, sequence, renewal):
        return self.env["ir.qweb"]._render(
            "lost_lead_nurture.nurture_quotation_table",
            {"quotation": sequence.with_env(self.env).sudo()._describe_renewal(renewal)},
            minimal_qcontext=True,
        )

    def _search_nurture_quotation(self, operator, value):
        """Only whether there may be one can be asked: it is there because people choose
        placeholders among fields that can be searched."""
        if operator != "in" or set(value) != {False}:
            return NotImplemented
        return [("order_ids", "not any", [("state", "in", NOT_ORDERED)])]

    # ------------------------------------------------------------
    # ON THE LEAD
    # ------------------------------------------------------------

    @api.depends("won_status", "order_ids.state", "order_ids.amount_untaxed")
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_nurture_refused(self):
        self.nurture_refused = False
        lost = self.filtered(lambda lead: lead._origin.id and lead.won_status == "lost")
        found = self.env["sale.order"]._nurture_find_refused(lost, self.env.companies)
        for lead in lost:
            refused = found.get(lead._origin.id)
            if refused and refused.has_access("read"):
                lead.nurture_refused = refused._nurture_render_refused()

    @api.depends("nurture_journey_id")
    @api.depends_context("lang", "tz")
    def _compute_nurture_price_note(self):
        for lead in self:
            journey = lead.nurture_journey_id
            # an empty journey is no text
            described = bool(journey) and journey._describe_price()
            lead.nurture_price_note = described and self.env._(
                "Below what was refused: %s", described
            )
