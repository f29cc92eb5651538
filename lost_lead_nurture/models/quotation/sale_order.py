import logging

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL, formatLang

from ...tools.prices import (
    PricedLine,
    add_discount,
    get_most,
    is_above_floor,
    is_below,
    lowest_margin,
    smallest_discount,
)
from ...tools.transaction import attempt
from ..credit.sale_order import NOT_ORDERED

_logger = logging.getLogger(__name__)

#: How often a discount is made larger by its last digit, where what was rounded on lines is missing
#: in the total.
ROUNDING_STEPS = 10


class SaleOrder(models.Model):
    """A quotation that was refused, as it would be today: copied, with the prices of the day. It is
    looked at without being saved, and saved when the customer asks for it."""

    _inherit = "sale.order"

    nurture_refused_id = fields.Many2one(
        "sale.order",
        string="Refused Quotation",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The customer refused it, and asked for this one in its place by the link in a mail "
        "of a sequence.",
    )

    def _has_field_access(self, field, operation):
        # the page leads the customer to what was asked for: nobody puts another one there
        if operation == "write" and field.name == "nurture_refused_id" and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    # ------------------------------------------------------------
    # WHICH ONE
    # ------------------------------------------------------------

    @api.model
    def _nurture_sql_is_quoted(self, companies=None, order="so"):
        """Whether an order is a quotation of its lead that was not ordered and may be shown to the
        lead. What was quoted to somebody else, such as a dealer, is nothing for its eyes.

        :param companies: only theirs; None: of whatever company
        :param order: alias of the order
        """
        own = SQL("true")
        if companies is not None:
            own = SQL("%s IN %s", SQL.identifier(order, "company_id"), tuple(companies.ids) or (0,))
        # each is looked up by its id, those of most quotations not at all: a join inside would be
        # done anew for each order where joins of whole tables are wanted
        return SQL(
            """
            (%(order)s.state IN %(states)s AND %(own)s AND COALESCE(
                (SELECT quoted.partner_id IS NULL OR quoted.partner_id = %(order)s.partner_id
                     OR COALESCE((SELECT buyer.email_normalized FROM res_partner buyer
                                   WHERE buyer.id = %(order)s.partner_id)
                                 = quoted.email_normalized, false)
                     OR COALESCE((SELECT buyer.commercial_partner_id FROM res_partner buyer
                                   WHERE buyer.id = %(order)s.partner_id)
                                 = (SELECT mine.commercial_partner_id FROM res_partner mine
                                     WHERE mine.id = quoted.partner_id), true)
                   FROM crm_lead quoted WHERE quoted.id = %(order)s.opportunity_id), true))
            """,
            order=SQL.identifier(order),
            states=NOT_ORDERED,
            own=own,
        )

    @api.model
    def _nurture_sql_is_refused(self, companies=None):
        """Whether the order ``so`` is the one that its lead refused: the last one of
        :meth:`_nurture_sql_is_quoted`.

        :param companies: of theirs; None: the last one of each company
        """
        later = self._nurture_sql_is_quoted(companies, "later")
        if companies is None:
            later = SQL("later.company_id = so.company_id AND %s", later)
        return SQL(
            "%s AND %s", self._nurture_sql_is_quoted(companies), self._nurture_sql_is_last(later)
        )

    @api.model
    def _nurture_sql_is_last(self, counts):
        """Whether no order of its lead is later than the order ``so``.

        :param counts: whether an order does, with the alias ``later``
        """
        return SQL(
            "NOT EXISTS (SELECT 1 FROM sale_order later"
            " WHERE later.opportunity_id = so.opportunity_id AND %s"
            " AND (COALESCE(later.date_order, '-infinity'), later.id)"
            " > (COALESCE(so.date_order, '-infinity'), so.id))",
            counts,
        )

    @api.model
    def _nurture_find_refused(self, leads, companies):
        """The last quotation of each lead that was not ordered.

        :param companies: of theirs
        :return: ``{lead id: order}``
        """
        self.flush_model(["company_id", "date_order", "opportunity_id", "partner_id", "state"])
        self.env["crm.lead"].flush_model(["email_normalized", "partner_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id", "email_normalized"])
        rows = self.env.execute_query(
            SQL(
                "SELECT so.opportunity_id, so.id FROM sale_order so"
                " WHERE so.opportunity_id IN %s AND %s",
                tuple(leads.ids) or (0,),
                self._nurture_sql_is_refused(companies),
            )
        )
        return {lead_id: self.browse(order_id) for lead_id, order_id in rows}

    def _nurture_find_fresh(self):
        """The quotations that customers asked for in place of these, the latest first."""
        return self.search([("nurture_refused_id", "in", self.ids)], order="id desc")

    # ------------------------------------------------------------
    # AS IT WOULD BE TODAY
    # ------------------------------------------------------------

    def _nurture_prepare_fresh(self, values=None):
        """What is different about a quotation that is made in place of this one, for ``copy``."""
        self.ensure_one()
        fresh = {
            "date_order": fields.Datetime.now(),
            "origin": self.name,
            "order_line": self._nurture_copy_lines(),
            **(values or {}),
        }
        pricelist = self._nurture_get_pricelist()
        if pricelist != self.pricelist_id:
            fresh["pricelist_id"] = pricelist.id
        return fresh

    def _nurture_copy_lines(self):
        """Commands that make its lines again. What a salesperson had taken off the whole is not
        given again, as a discount on lines is not."""
        lines = self._get_copiable_order_lines().filtered(
            lambda line: not line._is_global_discount()
        )
        commands = []
        for line, values in zip(lines, lines.copy_data(), strict=True):
            # by that the copy is found again, also by what belongs to a combo: core's own copy
            # forgets which one, where that had been saved before
            values["virtual_id"] = str(line.id)
            values["linked_virtual_id"] = str(line.linked_line_id.id or "")
            commands.append(Command.create(values))
        return commands

    def _nurture_get_pricelist(self):
        """The pricelist of the quotation; where that is archived, or in another currency now, the
        customer's of today, unless its prices are in another one, too: they could not be
        compared."""
        self.ensure_one()
        pricelist = self.pricelist_id
        if not pricelist or (pricelist.active and pricelist.currency_id == self.currency_id):
            return pricelist
        today = self.partner_id.with_company(self.company_id).property_product_pricelist
        return today if today.currency_id == self.currency_id else pricelist

    def _nurture_at_home(self):
        """These with all rights, in their company: prices are worked out as for a quotation."""
        return (
            self.sudo()
            .with_company(self.company_id)
            .with_context(allowed_company_ids=self.company_id.ids, active_test=False)
        )

    def _nurture_imagine(self):
        """This quotation as it would be if it were made today, which is not saved: core works out
        prices, discounts of the pricelist and taxes of what is copied."""
        self.ensure_one()
        home = self._nurture_at_home()
        fresh = home.new(home.copy_data(home._nurture_prepare_fresh())[0])
        fresh._nurture_price_again(home)
        return fresh

    def _nurture_try_to_imagine(self):
        """The same; None where it cannot be worked out, as core has no price for a combo whose
        choices are not offered any more."""
        fresh = []

        def on_error(error):
            _logger.warning("%s cannot be worked out anew: %r", self, error)

        with attempt(self.env, on_error):
            fresh.append(self._nurture_imagine())
        return fresh[0] if fresh else None

    def _nurture_price_again(self, refused):
        """Have core work out the prices of this copy of ``refused``. A price that somebody had
        typed above that of the pricelist stays, as it never came of it."""
        self._recompute_prices()
        for line, before in self._nurture_get_pairs(refused):
            line._nurture_keep_typed(before and before._nurture_get_typed())

    def _nurture_get_pairs(self, refused):
        """The lines of this copy of ``refused`` that somebody pays for, each with the one that it
        is a copy of."""
        before = {str(line.id): line for line in refused._nurture_get_priced()}
        none = self.env["sale.order.line"]
        return [(line, before.get(line.virtual_id, none)) for line in self._nurture_get_priced()]

    def _nurture_get_priced(self):
        """The lines that somebody pays for, without what takes something off the whole."""
        return self.order_line.filtered(
            lambda line: (
                not line.display_type
                and not line.is_downpayment
                and line.product_uom_qty
                and not line._is_global_discount()
            )
        )

    def _nurture_get_priced_lines(self):
        """The same with what they cost the company today, as :class:`PricedLine`."""
        self.ensure_one()
        return [line._nurture_as_priced() for line in self._nurture_get_priced()]

    def _nurture_get_margin(self):
        """The lowest margin of a line and of the whole, see :func:`lowest_margin`."""
        return lowest_margin(self._nurture_get_priced_lines())

    def _nurture_get_reason_against(self, floor=None):
        """Why this quotation, as it would be today, is not offered: a reason of those in
        ``EXCLUSION_REASONS`` of ``tools/reasons.py``; None when nothing stands against it.

        :param floor: margin that it has to keep, in percent of the cost; None: none
        """
        self.ensure_one()
        if reason := self._nurture_get_reason_unsold():
            return reason
        if self.amount_untaxed <= 0:
            return "not_priced"
        if floor is None:
            return None
        priced = self._nurture_get_priced_lines()
        if lowest_margin(priced) is None:
            return "no_cost"
        return None if is_above_floor(priced, floor) else "under_margin"

    def _nurture_get_reason_unsold(self):
        """The same, of what is not about its price."""
        lines = self._nurture_get_priced()
        if not lines:
            return "no_quotation"
        # what takes something off is nothing that is sold; what comes along, such as a delivery,
        # need not be for sale on its own
        sold = lines.filtered(lambda line: line.price_subtotal >= 0)
        chosen = sold & self._get_update_prices_lines()
        if not all(product._nurture_is_sold() for product in chosen.product_id) or not all(
            product.active for product in sold.product_id
        ):
            return "not_sold"
        return None

    # ------------------------------------------------------------
    # DISCOUNT
    # ------------------------------------------------------------

    def _nurture_beat(self, refused, percent, floor=None):
        """Grant the smallest discount on this quotation with which it is ``percent`` below what was
        refused and keeps its margin.

        :param refused: amount without taxes
        :param floor: see :meth:`_nurture_get_reason_against`
        :return: the discount in percent, 0 where none is needed; None where there is none, and
            nothing is granted
        """
        self.ensure_one()
        lines = self._nurture_get_priced()
        before = {line: line.discount for line in lines}
        digits = self.env["decimal.precision"].precision_get("Discount")
        most = get_most(refused, percent)
        discount = smallest_discount(self._nurture_get_priced_lines(), most, floor, digits)
        if discount is None or refused <= 0:
            return None
        for _step in range(ROUNDING_STEPS):
            for line in lines.filtered(lambda line: line.price_subtotal > 0):
                line.discount = add_discount(before[line], discount)
            if is_below(self.amount_untaxed, refused, percent):
                break
            discount = round(discount + 10**-digits, digits)
        if is_below(self.amount_untaxed, refused, percent) and is_above_floor(
            self._nurture_get_priced_lines(), floor
        ):
            return discount
        for line in lines:
            line.discount = before[line]
        return None

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _nurture_describe_line(self, line, before):
        """A line of this quotation, as it would be today, in words of the language in the context.

        :param before: the line that was refused; may be empty
        """
        sequences = self.env["nurture.sequence"]
        product = line.product_id.with_context(display_default_code=False)
        quantity = line.product_uom_qty
        number = formatLang(
            self.env, quantity, digits=0, dp=None if quantity.is_integer() else "Product Unit"
        )
        return {
            "name": product.display_name,
            "quantity": f"{number} {line.product_uom_id.name}",
            "before": sequences._say_price(before.price_subtotal, self.currency_id)
            if before
            else "",
            "amount": sequences._say_price(line.price_subtotal, self.currency_id),
            "is_below": bool(before)
            and self.currency_id.compare_amounts(line.price_subtotal, before.price_subtotal) < 0,
        }

    def _nurture_render_refused(self):
        """What was refused, and what it costs today, for the lead."""
        self.ensure_one()
        fresh = self._nurture_try_to_imagine()
        words = self.env["nurture.sequence"]._get_exclusion_labels()
        if not fresh:
            return Markup('<p class="text-danger">%s</p>') % words["not_priced"]
        sequences = self.env["nurture.sequence"]
        margin = fresh._nurture_get_margin()
        compare = self.currency_id.compare_amounts
        return self.env["ir.qweb"]._render(
            "lost_lead_nurture.nurture_refused_table",
            {
                "order": self,
                "reason": words.get(fresh._nurture_get_reason_against()),
                "lines": [
                    fresh._nurture_describe_line(line, before)
                    for line, before in fresh._nurture_get_pairs(self)
                ],
                "refused": sequences._say_price(self.amount_untaxed, self.currency_id),
                "today": sequences._say_price(fresh.amount_untaxed, self.currency_id),
                "change": self._nurture_say_change(fresh),
                "is_below": compare(fresh.amount_untaxed, self.amount_untaxed) < 0,
                "margin": margin is not None and formatLang(self.env, margin, digits=1),
            },
        )

    def _nurture_say_change(self, fresh):
        """By how much it is dearer or cheaper today, in percent; "" where it is not."""
        if not self.amount_untaxed:
            return ""
        change = round(100.0 * (fresh.amount_untaxed / self.amount_untaxed - 1.0), 1)
        sign = "+" if change > 0 else "−"
        return f"{sign}{formatLang(self.env, abs(change), digits=1)}%" if change else ""


class SaleOrderLine(models.Model):
    """What the products of a line cost the company."""

    _inherit = "sale.order.line"

    def _nurture_get_typed(self):
        """The price per unit where somebody has typed it above that of the pricelist; None where
        nobody has."""
        self.ensure_one()
        above = self.currency_id.compare_amounts(self.price_unit, self.technical_price_unit) > 0
        return self.price_unit if above else None

    def _nurture_keep_typed(self, price):
        """Let it cost per unit what somebody had typed, unless it is dearer today.

        :param price: falsy: nobody had
        """
        if price and price > self.price_unit:
            self.price_unit = price

    def _nurture_as_priced(self):
        """The line as :class:`PricedLine`."""
        return PricedLine(self.price_subtotal, self._nurture_get_cost())

    def _nurture_get_cost(self):
        """In the currency of the order, at the rate of the day; None where it is not known."""
        self.ensure_one()
        company = self.order_id.company_id
        product = self.product_id.with_company(company)
        if not product.standard_price:
            return None
        quantity = self.product_uom_id._compute_quantity(
            self.product_uom_qty, product.uom_id, round=False
        )
        cost, day = quantity * product.standard_price, fields.Date.context_today(self)
        currency = self.order_id.currency_id
        return company.currency_id._convert(cost, currency, company, day, round=False)


class ProductProduct(models.Model):
    """Whether a product can still be quoted."""

    _inherit = "product.product"

    def _nurture_is_sold(self):
        """Whether it is there and for sale."""
        self.ensure_one()
        return bool(self.active and self.product_tmpl_id.active and self.sale_ok)
