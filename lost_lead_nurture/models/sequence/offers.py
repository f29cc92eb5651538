from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.inside import Inside, get_inside
from ...tools.offers import NothingOffered

#: In the context: id of the sequence whose texts are rendered.
OFFERING = "nurture_offering"


class NurtureSequence(models.Model):
    """What a sequence offers: products and prices, which its mails show."""

    _inherit = "nurture.sequence"

    offer_ids = fields.One2many(
        "nurture.offer",
        "sequence_id",
        copy=False,
        help="Products and prices that the mails show where the placeholder for the offer stands.",
    )

    # ------------------------------------------------------------
    # IN TEXTS
    # ------------------------------------------------------------

    def _offering(self, records):
        """``records`` in a context in which texts show the offer of this sequence."""
        return records.with_context(**{OFFERING: Inside(self.id or "")})

    @api.model
    def _get_offering(self):
        """The sequence whose texts are rendered just now, or none."""
        return self.browse(int(get_inside(self.env, OFFERING) or 0) or ())

    def _get_seller(self, lead):
        """The company that sells to ``lead``."""
        return lead.company_id or self.company_id or self._get_companies()[:1] or self.env.company

    def _render_offer(self, pricelist, company):
        """The offer as a table, in the language of the context.

        :param pricelist: of the customer; may be empty
        :param company: that sells
        :return: HTML; False where nothing is offered
        """
        lines = [
            offer._describe(pricelist, company) for offer in self.offer_ids._filter_open(company)
        ]
        return bool(lines) and self.env["ir.qweb"]._render(
            "lost_lead_nurture.nurture_offer_table",
            {
                "lines": lines,
                "has_quantity": any(line["quantity"] for line in lines),
            },
            minimal_qcontext=True,
        )

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    def _get_sellers_without_offer(self, companies):
        """Those of ``companies`` whose leads are offered nothing now."""
        return companies.filtered(lambda company: not self.offer_ids._filter_open(company))

    def _check_offered(self, mailing, leads):
        """Nobody gets a mail that speaks of an offer and shows none.

        :raise UserError: when all that is offered has ended, or is not sold to one of ``leads``
        """
        if not mailing._nurture_shows_offer():
            return
        sellers = self.env["res.company"].union(*(self._get_seller(lead) for lead in leads))
        missing = self._get_sellers_without_offer(sellers)
        if missing:
            error = NothingOffered if missing == sellers else UserError
            raise error(
                self.env._(
                    "“%(mail)s” shows the offer, and nothing is offered any more by %(companies)s.",
                    mail=mailing.display_name,
                    companies=", ".join(missing.mapped("name")),
                )
            )

    def _copy_offers(self, duplicate):
        """Let ``duplicate`` offer the same. What its companies do not sell is named in its
        chatter."""
        sold = self.offer_ids._filter_sold_by(duplicate._get_companies())
        # whoever may make the duplicate need not have chosen the companies of all its products
        sold.sudo().copy({"sequence_id": duplicate.id})
        foreign = self.offer_ids - sold
        if foreign:
            duplicate._message_log(
                body=self.env._(
                    "Not offered here, as these are products of other companies: %s",
                    ", ".join(foreign.sudo().mapped("product_id.display_name")),
                )
            )
