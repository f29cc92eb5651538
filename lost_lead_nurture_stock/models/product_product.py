from odoo import api, models
from odoo.fields import Domain


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
            for product in products:
                is_sold = product.active and product.product_tmpl_id.active
                stock[product.id, warehouse.id] = {
                    "free": product.free_qty if is_sold else 0.0,
                    "forecast": product.virtual_available if is_sold else 0.0,
                }
        return stock
