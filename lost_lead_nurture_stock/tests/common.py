"""Products, warehouses, quotations that are lost, and goods that arrive."""

from datetime import timedelta

from odoo.fields import Command, Datetime

from odoo.addons.lost_lead_nurture.tests.common import SequenceMixin


class StockMixin:
    """A desk of which there is none, and what happens in a warehouse."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        cls.desk = cls.make_product("Desk")
        cls.lamp = cls.make_product("Lamp")

    @classmethod
    def make_product(cls, name, **values):
        return cls.env["product.product"].create(
            {"name": name, "type": "consu", "is_storable": True, "taxes_id": False, **values}
        )

    def hours(self, number):
        return timedelta(hours=number)

    # ------------------------------------------------------------
    # LEADS
    # ------------------------------------------------------------

    def quote(self, lead, *lines, unit=None, warehouse=None, days_ago=1):
        """Make a quotation for the lead.

        :param lines: pairs of product and quantity
        :param unit: of these quantities, where that is not the product's own
        """
        warehouse = warehouse or self.warehouse
        company = warehouse.company_id
        partner = lead.partner_id or self.env["res.partner"].create(
            {"name": lead.contact_name, "email": lead.email_from}
        )
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "warehouse_id": warehouse.id,
                "opportunity_id": lead.id,
                "date_order": Datetime.subtract(self.clock, days=days_ago),
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            **({"product_uom_id": unit.id} if unit else {}),
                        }
                    )
                    for product, quantity in lines
                ],
            }
        )

    def lose(self, name, *lines, revenue=100.0, unit=None, warehouse=None, **values):
        """Make a lead with a quotation, and lose it for want of stock."""
        lead = self.make_lead(
            f"{name}@recipient.example.com", lost=False, expected_revenue=revenue, **values
        )
        if lines:
            self.quote(lead, *lines, unit=unit, warehouse=warehouse)
        lead.action_set_lost(lost_reason_id=self.reason_stock.id)
        return lead

    # ------------------------------------------------------------
    # THE WAREHOUSE
    # ------------------------------------------------------------

    def order_in(self, product, quantity, warehouse=None):
        """Order products from a supplier."""
        warehouse = warehouse or self.warehouse
        pickings = self.env["stock.picking"].with_company(warehouse.company_id)
        picking = pickings.create(
            {
                "picking_type_id": warehouse.in_type_id.id,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": warehouse.lot_stock_id.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "location_id": self.env.ref("stock.stock_location_suppliers").id,
                            "location_dest_id": warehouse.lot_stock_id.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        return picking

    def receive(self, product, quantity, warehouse=None):
        """Have products arrive: a receipt is validated."""
        picking = self.order_in(product, quantity, warehouse)
        picking.move_ids.write({"quantity": quantity, "picked": True})
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def sell(self, product, quantity, warehouse=None):
        """Somebody else orders products."""
        warehouse = warehouse or self.warehouse
        customer = self.env["res.partner"].create({"name": "Somebody Else"})
        order = self.env["sale.order"].create(
            {
                "partner_id": customer.id,
                "company_id": warehouse.company_id.id,
                "warehouse_id": warehouse.id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": quantity})
                ],
            }
        )
        order.action_confirm()
        return order


class WaitingMixin(StockMixin, SequenceMixin):
    """A running sequence that waits for stock, with one mail."""

    def setUp(self):
        super().setUp()
        self.sequence.write({"wait_for_stock": "free", "reentry": "stock", "wave_days": 7})
        self.sequence.action_start()

    def excluded(self):
        """Who is excluded, by reason."""
        groups = self.sequence._group_by_exclusion()
        return {reason: self.env["crm.lead"].browse(ids) for reason, ids in groups.items()}
