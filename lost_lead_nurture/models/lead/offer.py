from odoo import api, fields, models

from ...tools.offers import EXPRESSION
from ...tools.quotations import EXPRESSION as QUOTATION
from ..sequence.offers import OFFERING


class CrmLead(models.Model):
    """What a lead is offered by the sequence that writes to it, for the texts of that sequence."""

    _inherit = "crm.lead"

    nurture_offer = fields.Html(
        string="Offer of the Sequence",
        compute="_compute_nurture_offer",
        search="_search_nurture_offer",
        # prices are worked out as for a quotation, whoever looks at the mail
        compute_sudo=True,
        sanitize=False,
        exportable=False,
        help="In the mails of a sequence: a table of what it offers, with prices for this lead. "
        "Empty anywhere else.",
    )

    @api.depends("company_id", "country_id", "partner_id")
    @api.depends_context("lang", OFFERING)
    def _compute_nurture_offer(self):
        sequence = self.env["nurture.sequence"]._get_offering()
        if not sequence.offer_ids:
            self.nurture_offer = False
            return
        pricelists, tables = {}, {}
        for lead in self:
            company = sequence._get_seller(lead)
            buyer = company, lead.partner_id or lead.country_id
            if buyer not in pricelists:
                customer = lead._nurture_get_customer(company)
                pricelists[buyer] = customer.property_product_pricelist
            key = pricelists[buyer], company
            if key not in tables:
                tables[key] = sequence._render_offer(*key)
            lead.nurture_offer = tables[key]

    def _nurture_get_customer(self, company):
        """Who would get the quotation of ``company``: the contact, else one as it would be made of
        the lead."""
        if self.partner_id:
            return self.partner_id.with_company(company)
        customers = self.env["res.partner"].with_company(company)
        return customers.new({"country_id": self.country_id.id})

    def _search_nurture_offer(self, operator, value):
        """Only whether there is one can be asked: leads of sequences that offer something. It is
        there because people choose placeholders among fields that can be searched."""
        if operator != "in" or set(value) != {False}:
            return NotImplemented
        return [("nurture_participant_ids", "not any", [("sequence_id.offer_ids", "!=", False)])]

    @api.model
    def mail_allowed_qweb_expressions(self):
        """The offer is for everybody who writes mails, as the name is, and so is what the recipient
        refused."""
        return (*super().mail_allowed_qweb_expressions(), EXPRESSION, QUOTATION)
