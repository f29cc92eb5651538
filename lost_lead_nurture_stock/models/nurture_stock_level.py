from odoo import api, fields, models
from odoo.tools import SQL


class NurtureStockLevel(models.Model):
    """A product in a warehouse of which leads in sequences take. Whoever takes writes its row, so
    that of two who do so at the same time the one who is later has to look again: with what each
    of them saw there was enough for both."""

    _name = "nurture.stock.level"
    _description = "Nurture: Stock that Leads Wait For"
    _log_access = False

    product_id = fields.Many2one("product.product", required=True, ondelete="cascade")
    warehouse_id = fields.Many2one("stock.warehouse", required=True, ondelete="cascade")
    taken_date = fields.Datetime(required=True)

    _product_unique = models.UniqueIndex(
        "(product_id, warehouse_id)", "A product has one line in each warehouse."
    )

    @api.model
    def _take(self, keys):
        """Note that of these products is taken now.

        :param keys: pairs of product id and warehouse id
        :raise psycopg2.errors.SerializationFailure: when somebody else has just done so
        """
        if not keys:
            return
        self.env.cr.execute(
            SQL(
                "INSERT INTO nurture_stock_level (product_id, warehouse_id, taken_date) VALUES %s"
                " ON CONFLICT (product_id, warehouse_id)"
                " DO UPDATE SET taken_date = excluded.taken_date",
                # always in the same order, so that nobody waits for each other
                SQL(", ").join(
                    SQL("(%s, %s, %s)", *key, fields.Datetime.now()) for key in sorted(keys)
                ),
            )
        )
