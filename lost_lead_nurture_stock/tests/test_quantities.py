from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureCase

from .common import WaitingMixin


@tagged("post_install", "-at_install")
class TestQuantities(WaitingMixin, NurtureCase):
    """What a lead waits for, and whether there is enough of it."""

    def assertWaits(self, lead):  # noqa: N802
        self.advance(hours=2)
        self.assertNotIn(lead, self.entered())
        self.assertEqual(self.excluded()["not_in_stock"], lead)

    def assertEnters(self, lead):  # noqa: N802
        self.advance(hours=2)
        self.assertIn(lead, self.entered())

    def test_units(self):
        """A dozen quoted is twelve in stock."""
        dozen = self.env.ref("uom.product_uom_dozen")
        lead = self.lose("ann", (self.desk, 1), unit=dozen)
        self.receive(self.desk, 11)
        self.assertWaits(lead)
        self.receive(self.desk, 1)
        self.assertEnters(lead)
        self.assertEqual(self.participant(lead).stock_claim_ids.quantity, 12)

    def test_variants(self):
        """Another variant is another product."""
        attribute = self.env["product.attribute"].create(
            {
                "name": "Colour",
                "value_ids": [Command.create({"name": "Red"}), Command.create({"name": "Blue"})],
            }
        )
        template = self.env["product.template"].create(
            {
                "name": "Chair",
                "is_storable": True,
                "attribute_line_ids": [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
            }
        )
        red, blue = template.product_variant_ids
        lead = self.lose("ann", (red, 1))
        self.receive(blue, 5)
        self.assertWaits(lead)
        self.receive(red, 1)
        self.assertEnters(lead)

    def test_archived(self):
        """What is not sold any more does not return, however much of it lies about."""
        lead = self.lose("ann", (self.desk, 1))
        self.desk.action_archive()
        self.receive(self.desk, 5)
        self.assertWaits(lead)
        self.desk.action_unarchive()
        self.assertEnters(lead)

    def test_kit(self):
        """There are as many kits as there are components for."""
        kit = self.make_product("Kit", is_storable=False)
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": self.desk.id, "product_qty": 1}),
                    Command.create({"product_id": self.lamp.id, "product_qty": 2}),
                ],
            }
        )
        lead = self.lose("ann", (kit, 1))
        self.receive(self.desk, 1)
        self.receive(self.lamp, 1)
        self.assertWaits(lead)
        self.receive(self.lamp, 1)
        self.assertEnters(lead)

    def test_services_are_always_there(self):
        """Only what there can be too few of is waited for."""
        service = self.make_product("Assembly", type="service", is_storable=False)
        lead = self.lose("ann", (self.desk, 1), (service, 3))
        self.receive(self.desk, 1)
        self.assertEnters(lead)

    def test_free_or_forecast(self):
        free = self.lose("free", (self.desk, 1))
        self.order_in(self.desk, 1)
        self.assertWaits(free)
        self.sequence.wait_for_stock = "forecast"
        self.assertEnters(free)

    def test_last_quotation(self):
        lead = self.make_lead("ann@recipient.example.com", lost=False)
        self.quote(lead, (self.lamp, 1), days_ago=3).action_cancel()
        self.quote(lead, (self.desk, 1), days_ago=1)
        lead.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.receive(self.lamp, 1)
        self.assertWaits(lead)
        self.receive(self.desk, 1)
        self.assertEnters(lead)

    def test_named_on_the_lead(self):
        lead = self.lose("ann", nurture_product_ids=[Command.set(self.desk.ids)])
        self.assertWaits(lead)
        self.receive(self.desk, 1)
        self.assertEnters(lead)

    def test_named_on_the_preset(self):
        preset = self.env["nurture.preset"].create(
            {
                "name": "Wants a desk",
                "lost_reason_ids": [Command.set(self.reason_stock.ids)],
                "product_ids": [Command.set(self.desk.ids)],
            }
        )
        self.sequence.preset_id = preset
        lead = self.lose("ann")
        self.assertWaits(lead)
        self.receive(self.desk, 1)
        self.assertEnters(lead)

    def test_nothing_known(self):
        lead = self.lose("ann")
        self.advance(hours=2)
        self.assertEqual(self.excluded(), {"no_product": lead})

    def test_warehouses(self):
        """What lies in another warehouse is not delivered from that of the quotation."""
        other = self.env["stock.warehouse"].create(
            {"name": "Other", "code": "OTH", "company_id": self.company.id}
        )
        lead = self.lose("ann", (self.desk, 1), warehouse=other)
        self.receive(self.desk, 1)
        self.assertWaits(lead)
        self.receive(self.desk, 1, warehouse=other)
        self.assertEnters(lead)

    def test_companies(self):
        """Each company delivers from its own warehouse."""
        second = self.env["res.company"].create({"name": "Second Company"})
        self.env.user.company_ids |= second
        elsewhere = self.env["stock.warehouse"].search([("company_id", "=", second.id)], limit=1)
        mine = self.lose("mine", (self.desk, 1))
        theirs = self.make_lead(
            "theirs@recipient.example.com",
            lost=False,
            company_id=second.id,
            team_id=False,
            user_id=False,
        )
        self.quote(theirs, (self.desk, 1), warehouse=elsewhere)
        theirs.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.marketer.company_ids |= second
        self.sequence.company_id = False
        self.receive(self.desk, 1, warehouse=elsewhere)
        self.advance(hours=2)
        self.assertEqual(self.entered(), theirs)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertEqual(self.entered(), mine | theirs)
