from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.allocation import TOLERANCE


class NurtureContradiction(models.Model):
    """There was enough when the lead was lost for want of it."""

    _inherit = "nurture.contradiction"

    kind = fields.Selection(
        selection_add=[("in_stock", "There was enough in stock")],
        ondelete={"in_stock": "cascade"},
    )

    _depends = {
        "crm.lead": ["nurture_missing"],
        "product.product": ["active", "product_tmpl_id"],
        "product.template": ["is_storable", "uom_id"],
        "sale.order": ["warehouse_id"],
        "sale.order.line": ["display_type", "product_id", "product_uom_id", "product_uom_qty"],
        "stock.location": ["parent_path"],
        "stock.move": [
            *("date", "location_dest_id", "location_id", "product_id", "product_uom"),
            *("quantity", "state"),
        ],
        "stock.warehouse": ["view_location_id"],
        "uom.uom": ["factor"],
    }

    @api.model
    def _sql_kinds(self):
        """What was free is noted when a lead is lost. Of leads that were lost before that was, the
        movements of stock tell what was in the warehouse of the quotation."""
        leads = self.env["crm.lead"]
        noted = SQL(
            "NOT EXISTS (SELECT FROM jsonb_array_elements(own.nurture_missing) line"
            " WHERE (line->>'free')::float8 < (line->>'wanted')::float8 - %s)",
            TOLERANCE,
        )
        moved = SQL(
            # of a kit only what it consists of is moved
            "quotation.id IS NOT NULL AND NOT EXISTS (SELECT FROM sale_order_line line"
            " WHERE line.order_id = quotation.id AND %s)"
            " AND NOT EXISTS (SELECT FROM (%s) wanted WHERE %s < wanted.quantity - %s)",
            leads._nurture_sql_is_kit(),
            leads._nurture_sql_wanted(SQL("line.order_id = quotation.id")),
            leads._nurture_sql_stock_at(
                SQL("wanted.product_id"), SQL("quotation.warehouse_id"), SQL("lead.date_closed")
            ),
            TOLERANCE,
        )
        return [
            *super()._sql_kinds(),
            (
                "in_stock",
                SQL(
                    "(SELECT quotation.id, lead.date_closed FROM crm_lead own"
                    " LEFT JOIN LATERAL (%s) quotation ON true"
                    " WHERE own.id = lead.id AND reason.nurture_cure = 'stock'"
                    " AND CASE WHEN own.nurture_missing IS NOT NULL THEN %s ELSE %s END)",
                    leads._nurture_sql_last_quotation(SQL("so.opportunity_id = own.id")),
                    noted,
                    moved,
                ),
            ),
        ]

    @api.model
    def _get_words(self):
        return {
            **super()._get_words(),
            "in_stock": self.env._("There was enough when it was lost on %(date)s: %(stock)s."),
        }

    def _get_cited(self):
        cited = super()._get_cited()
        rows = self.filtered(lambda row: row.kind == "in_stock")
        if not rows:
            return cited
        stock = rows.lead_id.sudo()._nurture_get_stock_when_lost()
        products = self.env["product.product"].with_context(active_test=False)
        products = products.browse(
            {product_id for lines in stock.values() for product_id, *_quantities in lines}
        )
        readable = products.exists()._filtered_access("read")
        for row in rows:
            lines = [
                row._say_product(readable.browse(product_id), had, wanted)
                for product_id, had, wanted in stock.get(row.lead_id.id, ())
                if product_id in readable.ids
            ]
            said = "; ".join(lines) or self.env._("of products that you may not see")
            cited[row.id] = {**cited.get(row.id, {}), "stock": said}
        return cited

    def _say_product(self, product, had, wanted):
        """How many of a product there were, and how many were wanted."""
        say = self.env["crm.lead"]._nurture_say_quantity
        return self.env._(
            "%(had)s of %(product)s (%(wanted)s wanted)",
            had=say(had, product),
            product=product.display_name,
            wanted=say(wanted, product),
        )
