"""It was lost for want of stock, and there was enough."""

from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureCase

from .common import WaitingMixin


@tagged("post_install", "-at_install")
class TestContradictions(WaitingMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.reason_stock.nurture_cure = "stock"

    def said(self, lead, user=None):
        """What contradicts the lost reason."""
        self.env.flush_all()
        self.env.invalidate_all()
        rows = self.env["nurture.contradiction"].with_user(user or self.salesman)
        found = rows.search([("lead_id", "=", lead.id), ("kind", "=", "in_stock")])
        text = lead.with_user(user or self.salesman).nurture_contradictions
        for description in found.mapped("description"):
            self.assertIn(description, text, "the lead says the same")
        return found.description or ""

    def move(self, act, days_ago, *arguments):
        """Something happens in the warehouse some days ago."""
        before = self.env["stock.move"].search([])
        act(*arguments)
        moved = self.env["stock.move"].search([]) - before
        moved.write({"date": self.clock - timedelta(days=days_ago)})
        return moved

    def forget(self, lead):
        """It was lost before the add-on noted what there was."""
        lead.nurture_missing = False

    def test_noted(self):
        """What was free when it was lost is noted."""
        self.receive(self.desk, 5)
        lead = self.lose("ann", (self.desk, 3))
        self.sell(self.desk, 4)
        self.assertEqual(
            self.said(lead),
            "There was enough when it was lost on Mar 2, 2026: 5 Units of Desk (3 Units wanted).",
        )
        self.assertEqual(self.said(lead, self.marketer), self.said(lead))
        lead.with_user(self.salesman).action_nurture_keep_reason()
        self.assertFalse(self.said(lead))

    def test_too_few(self):
        """All that was wanted has to have been there, and nobody else may have ordered it."""
        self.receive(self.desk, 3)
        self.assertFalse(self.said(self.lose("few", (self.desk, 4))))
        self.assertFalse(self.said(self.lose("part", (self.desk, 1), (self.lamp, 1))))
        self.sell(self.desk, 2)
        self.assertFalse(self.said(self.lose("reserved", (self.desk, 2))))

    def test_moved(self):
        """Of leads that were lost before it was noted the movements of stock tell: in other units,
        of its own warehouse, until it was lost."""
        dozen = self.env.ref("uom.product_uom_dozen")
        lead = self.lose("ann", (self.desk, 1), unit=dozen)
        self.forget(lead)
        self.assertFalse(self.said(lead))
        self.move(self.receive, 9, self.desk, 20)
        self.assertIn(": 20 Units of Desk (12 Units wanted).", self.said(lead))
        # eight had left before it was lost, one more too many
        for quantity, enough in ((8, True), (1, False)):
            (out,) = self.move(self.sell, 0, self.desk, quantity)
            out.write({"quantity": quantity, "picked": True})
            out._action_done()
            out.date = self.clock - timedelta(days=5)
            self.assertEqual(bool(self.said(lead)), enough)
        # what was delivered later was not there
        self.move(self.receive, -1, self.desk, 50)
        self.assertFalse(self.said(lead))

    def test_another_warehouse(self):
        other = self.env["stock.warehouse"].create(
            {"name": "Other", "code": "OTH", "company_id": self.company.id}
        )
        self.move(self.receive, 3, self.desk, 5, other)
        here = self.lose("here", (self.desk, 1))
        there = self.lose("there", (self.desk, 1), warehouse=other)
        self.forget(here | there)
        self.assertFalse(self.said(here))
        self.assertIn("5 Units of Desk", self.said(there))

    def test_another_reason(self):
        self.receive(self.desk, 5)
        lead = self.lose("ann", (self.desk, 3))
        self.reason_stock.nurture_cure = "price"
        self.assertFalse(self.said(lead))

    def test_kit(self):
        """What a kit consists of is not on the quotation: nobody can tell."""
        kit = self.make_product("Set", is_storable=False)
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [(0, 0, {"product_id": self.desk.id, "product_qty": 1})],
            }
        )
        self.move(self.receive, 3, self.desk, 5)
        self.move(self.receive, 3, self.lamp, 5)
        lead = self.lose("ann", (kit, 1), (self.lamp, 1))
        self.assertIn("5 Units of Set", self.said(lead), "core knows how many there are")
        self.forget(lead)
        self.assertFalse(self.said(lead))

    def test_queries(self):
        """A list of twenty takes as many queries as one of two."""
        self.receive(self.desk, 50)
        leads = [self.lose(f"lead{number}", (self.desk, 1)) for number in range(24)]
        self.forget(self.env["crm.lead"].union(*leads[::2]))

        def read(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            ids = [lead.id for lead in some]
            rows = self.env["nurture.contradiction"].with_user(self.salesman)
            found = rows.search([("lead_id", "in", ids), ("kind", "=", "in_stock")])
            self.assertEqual(len(found.read(["description"])), len(ids))
            return self.env.cr.sql_log_count - before

        read(leads[:2])  # caches
        self.assertEqual(read(leads[2:4]), read(leads[4:]))
