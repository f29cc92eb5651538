from odoo import models


class SaleOrderLine(models.Model):
    """What a line would have cost without the discount that was granted."""

    _inherit = "sale.order.line"

    def _nurture_get_discount(self):
        """What was granted on these lines: their list price less what is to be paid, untaxed, in
        the currency of the order. Who pays more than the list price was granted nothing; a line
        that takes something off the whole order is a discount itself."""
        discount = 0.0
        for line in self:
            if line.display_type or line.is_downpayment or line.product_uom_qty <= 0:
                continue
            before = line._nurture_get_list_amount() if line.price_subtotal >= 0 else 0.0
            discount += max(before - line.price_subtotal, 0.0)
        return discount

    def _nurture_get_list_amount(self):
        """The line at its list price, or at its own before the discount in percent, whichever is
        more; untaxed. The price of a combo is not that of its products one by one: there the own
        price is what counts."""
        price = self.price_unit
        if self.product_id and self.product_type != "combo" and not self.combo_item_id:
            price = max(price, self._nurture_get_list_price())
        amounts = self.tax_ids.compute_all(
            price,
            currency=self.currency_id,
            quantity=self.product_uom_qty,
            product=self.product_id,
            partner=self.order_id.partner_shipping_id,
        )
        return amounts["total_excluded"]

    def _nurture_get_list_price(self):
        """The sales price of the product per unit of the line, in the currency of the order, with
        taxes where those of the line are part of its price."""
        product = self.product_id.with_context(**self._get_product_price_context())
        prices = product._price_compute(
            "list_price",
            uom=self.product_uom_id,
            currency=self.currency_id,
            company=self.company_id,
            date=self.order_id.date_order.date(),
        )
        return product._get_tax_included_unit_price_from_price(
            prices[product.id],
            product_taxes=product.taxes_id._filter_taxes_by_company(self.company_id),
            fiscal_position=self.order_id.fiscal_position_id,
        )
