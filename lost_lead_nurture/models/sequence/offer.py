from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_compare, format_date, formatLang

#: Ten years: an offer that is good for longer is no offer.
MAX_VALID_DAYS = 3650


class NurtureOffer(models.Model):
    """One product that a sequence offers, and at what price. The mails of the sequence show all of
    them where ``object.nurture_offer`` stands, see ``lead/offer.py``."""

    _name = "nurture.offer"
    _description = "Offer of a Nurture Sequence"
    _inherit = ["nurture.guard.mixin"]
    _order = "sequence_id, position, id"
    _rec_name = "product_id"

    # that of the product, also of one of a company that whoever looks has not chosen
    display_name = fields.Char(compute_sudo=True)
    sequence_id = fields.Many2one("nurture.sequence", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="sequence_id.company_id", store=True)
    position = fields.Integer(default=10, help="Order in the mails.")
    product_id = fields.Many2one(
        "product.product",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('sale_ok', '=', True)]",
        help="In a sequence for several companies, a product of one of them is offered to leads of "
        "that company only.",
    )
    quantity = fields.Float(default=1.0, digits="Product Unit", required=True)
    allowed_uom_ids = fields.Many2many(
        "uom.uom", compute="_compute_allowed_uom_ids", compute_sudo=True
    )
    uom_id = fields.Many2one(
        "uom.uom",
        string="Unit",
        compute="_compute_uom_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
        domain="[('id', 'in', allowed_uom_ids)]",
    )
    price_kind = fields.Selection(
        [("pricelist", "As on the Customer's Pricelist"), ("fixed", "This Price")],
        string="Price",
        required=True,
        default="pricelist",
        help="By the pricelist a quotation to this customer would have. A lead without a contact "
        "gets the prices of its country.",
    )
    currency_id = fields.Many2one(related="sequence_id.cost_currency_id")
    price = fields.Monetary(
        string="Price per Unit",
        help="A customer whose quotations are in another currency is shown it in that one, at the "
        "rate of the day.",
    )
    valid_until_date = fields.Date(
        string="Valid Until",
        help="The last day on which it is offered. From then on mails leave it out.",
    )
    valid_days = fields.Integer(
        string="Valid (Days)",
        help="So many days from the day the mail is written. 0: as long as the date says, or "
        "without an end.",
    )
    is_over = fields.Boolean(
        compute="_compute_is_over",
        compute_sudo=True,
        help="It has ended, or its product is archived: mails leave it out.",
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "At least some of a product is offered."
    )

    # ------------------------------------------------------------
    # COMPUTES, CONSTRAINTS, CRUD
    # ------------------------------------------------------------

    @api.depends("product_id.uom_id", "product_id.uom_ids")
    def _compute_allowed_uom_ids(self):
        for offer in self:
            offer.allowed_uom_ids = offer.product_id.uom_id | offer.product_id.uom_ids

    @api.depends("product_id")
    def _compute_uom_id(self):
        for offer in self:
            if offer.uom_id not in offer.allowed_uom_ids:
                offer.uom_id = offer.product_id.uom_id

    @api.depends("valid_until_date", "product_id.active")
    def _compute_is_over(self):
        for offer in self:
            has_ended = (
                offer.valid_until_date
                and offer.valid_until_date < offer.sequence_id._get_local_day()
            )
            offer.is_over = bool(has_ended or not offer.product_id.active)

    @api.constrains("price", "valid_days", "valid_until_date", "uom_id", "product_id")
    def _check_offer(self):
        for offer in self:
            if offer.price < 0:
                raise ValidationError(
                    self.env._("“%s”: its price is 0 or more.", offer.display_name)
                )
            if not 0 <= offer.valid_days <= MAX_VALID_DAYS:
                raise ValidationError(
                    self.env._(
                        "“%(offer)s”: it is valid for 0 to %(most)s days.",
                        offer=offer.display_name,
                        most=MAX_VALID_DAYS,
                    )
                )
            if offer.valid_days and offer.valid_until_date:
                raise ValidationError(
                    self.env._(
                        "“%s”: it is valid until a day, or for so many days, not both.",
                        offer.display_name,
                    )
                )
            if offer.uom_id not in offer.allowed_uom_ids:
                raise ValidationError(
                    self.env._(
                        "“%(offer)s” is not sold by %(unit)s.",
                        offer=offer.display_name,
                        unit=offer.uom_id.name,
                    )
                )

    @api.constrains("sequence_id", "product_id", "valid_until_date")
    def _check_runnable(self):
        self.sequence_id._check_runnable()

    def unlink(self):
        sequences = self.sequence_id
        result = super().unlink()
        sequences.exists()._check_runnable()
        return result

    def _get_steered(self):
        return self.sequence_id

    def _get_own_companies(self):
        return self.sequence_id._get_companies()

    # ------------------------------------------------------------
    # WHAT IS OFFERED
    # ------------------------------------------------------------

    def _filter_open(self, company):
        """Those that leads of ``company`` are offered now."""
        return self._filter_sold_by(company).filtered(lambda offer: not offer.is_over)

    def _filter_sold_by(self, companies):
        """Those whose product one of ``companies`` sells: a branch sells its parents', too."""
        # whose products they are counts, not which companies whoever looks has chosen
        owners = companies.sudo().parent_ids
        return self.filtered(lambda offer: offer.sudo().product_id.company_id <= owners)

    def _get_price(self, pricelist, company):
        """What a unit costs.

        :param pricelist: of the customer; may be empty, as everywhere in Sales
        :param company: that sells it
        :return: amount and currency
        """
        self.ensure_one()
        currency = pricelist.currency_id or company.currency_id
        if self.price_kind == "fixed":
            day = self.sequence_id._get_local_day()
            return self.currency_id._convert(self.price, currency, company, day), currency
        price = pricelist.with_company(company)._get_product_price(
            self.product_id.with_company(company), self.quantity, currency=currency, uom=self.uom_id
        )
        return price, currency

    def _get_last_day(self):
        """The last day of the offer in a mail that is written today; False: it has none."""
        self.ensure_one()
        if not self.valid_days:
            return self.valid_until_date
        return fields.Date.add(self.sequence_id._get_local_day(), days=self.valid_days)

    def _format_price(self, amount, currency):
        """A price in words; one that is finer than the currency, as prices of products may be, with
        all its digits."""
        digits = self.env["decimal.precision"].precision_get("Product Price")
        is_finer = digits > currency.decimal_places and float_compare(
            amount, currency.round(amount), precision_digits=digits
        )
        dp = "Product Price" if is_finer else None
        return formatLang(self.env, amount, dp=dp, currency_obj=currency)

    def _describe(self, pricelist, company):
        """The offer as a line of a mail, in words of the language in the context.

        :param pricelist, company: see :meth:`_get_price`
        """
        self.ensure_one()
        amount, currency = self._get_price(pricelist, company)
        last_day = self._get_last_day()
        product = self.product_id.with_context(display_default_code=False)
        dp = None if self.quantity.is_integer() else "Product Unit"
        number = formatLang(self.env, self.quantity, digits=0, dp=dp)
        is_one = self.quantity == 1.0 and self.uom_id == self.product_id.uom_id
        return {
            "name": product.display_name,
            "quantity": "" if is_one else f"{number} {self.uom_id.name}",
            "price": self._format_price(amount, currency),
            "last_day": format_date(self.env, last_day) if last_day else "",
        }
