from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.lost_lead_nurture.tools.sandbox import is_past


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.model
    def _nurture_get_kept_in_stock(self):
        """The products of which there can be too few, as a domain. A kit is one where MRP is
        installed, which works out how many there are from its components."""
        domain = Domain("is_storable", "=", True)
        if "is_kits" in self._fields:
            domain |= Domain("is_kits", "=", True)
        return domain

    @api.model
    def _nurture_read_stock(self, keys):
        """How many of each product can be delivered, as core says: read once per warehouse, however
        many leads wait for them. Of an archived product that is none: nobody can sell it.

        :param keys: pairs of product id and warehouse id
        :return: ``{(product id, warehouse id): {"free": quantity, "forecast": quantity}}``, in the
            product's own unit
        """
        stock = {}
        warehouses = (
            self.env["stock.warehouse"].sudo().browse({warehouse for _id, warehouse in keys})
        )
        for warehouse in warehouses:
            ids = [product for product, warehouse_id in keys if warehouse_id == warehouse.id]
            # whoever steers a sequence need not see stock: what a lead waits for is looked up for
            # the engine
            products = (
                self.sudo()
                .with_company(warehouse.company_id)
                .with_context(
                    allowed_company_ids=warehouse.company_id.ids, warehouse_id=warehouse.id
                )
                .browse(ids)
            )
            # others may have moved stock since it was read in this transaction
            products.invalidate_recordset(["free_qty", "virtual_available"], flush=False)
            past = products._nurture_get_past_quantities() if is_past(self.env) else {}
            for product in products:
                is_sold = product.active and product.product_tmpl_id.active
                there = past.get(product.id) or {
                    "free": product.free_qty,
                    "forecast": product.virtual_available,
                }
                stock[product.id, warehouse.id] = there if is_sold else dict.fromkeys(there, 0.0)
        return stock

    def _nurture_get_past_quantities(self):
        """What of these products, in the warehouse of the context, was on hand at the moment of a
        replay, and what was expected then.

        :return: ``{product id: {"free": quantity, "forecast": quantity}}``
        """
        now = fields.Datetime.now()
        # of now itself core would say what there is today
        products = self.with_context(to_date=now - timedelta(seconds=1))
        products.invalidate_recordset(["qty_available"], flush=False)
        _quants, incoming, outgoing = self._get_domain_locations()
        coming = Domain("product_id", "in", self.ids) & Domain("create_date", "<=", now)
        # what was planned then has been done since, or is planned still
        coming &= Domain("state", "not in", ("draft", "cancel"))
        coming &= Domain("state", "!=", "done") | Domain("date", ">", now)
        moves = self.env["stock.move"].sudo()

        def count(where):
            groups = moves._read_group(coming & Domain(where), ["product_id"], ["product_qty:sum"])
            return {product.id: quantity for product, quantity in groups}

        more, less = count(incoming), count(outgoing)
        return {
            product.id: {
                "free": product.qty_available,
                "forecast": product.qty_available
                + more.get(product.id, 0.0)
                - less.get(product.id, 0.0),
            }
            for product in products
        }
