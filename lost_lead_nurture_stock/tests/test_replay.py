from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import NOW, NurtureCase, SequenceMixin
from odoo.addons.lost_lead_nurture.tests.replays import ReplayMixin

from .common import StockMixin


@tagged("post_install", "-at_install")
class TestReplay(ReplayMixin, StockMixin, SequenceMixin, NurtureCase):
    """A replay knows what there was in stock on a day, and who was offered it."""

    def setUp(self):
        super().setUp()
        self.sequence.write({"wait_for_stock": "free", "reentry": "stock", "wave_days": 7})

    def on(self, days):
        """So many days before the test."""
        self.clock = NOW - timedelta(days=days)

    def replay(self):
        self.env.flush_all()
        self.clock = NOW
        replay = self.sequence.with_user(self.marketer)._replay(3, "nobody")
        while replay.state != "done":
            replay.action_go_on()
        return replay

    def test_enter_as_goods_arrived(self):
        self.on(70)
        dear = self.lose("dear", (self.desk, 2), revenue=900.0)
        cheap = self.lose("cheap", (self.desk, 2), revenue=100.0)
        never = self.lose("never", (self.lamp, 1))
        self.on(50)
        self.receive(self.desk, 3)
        self.on(30)
        self.receive(self.desk, 2)
        self.on(29)
        replay = self.replay()
        entered = {entry.lead_id: (NOW - entry.date).days for entry in replay.entry_ids}
        self.assertIn(entered[dear], (49, 50))
        # what the other one was offered, and did not answer to in a week, is there for it
        self.assertIn(entered[cheap], (41, 42, 43))
        self.assertNotIn(never, entered)
        self.assertFalse(self.env["nurture.stock.claim"].search([]))
        self.assertFalse(self.env["nurture.stock.level"].search([]))

    def test_gone_again(self):
        """Before the second mail somebody else bought it."""
        self.make_step(self.sequence, "after", self.first, 10, subject="Second")
        self.on(60)
        lead = self.lose("lead", (self.desk, 1))
        self.on(50)
        self.receive(self.desk, 1)
        self.on(45)
        quants = self.env["stock.quant"]
        order = self.sell(self.desk, 1)
        order.picking_ids.move_ids.write({"quantity": 1, "picked": True})
        order.picking_ids.button_validate()
        self.assertFalse(quants._get_available_quantity(self.desk, self.warehouse.lot_stock_id))
        replay = self.replay()
        self.assertEqual(replay.entry_ids.lead_id, lead)
        self.assertEqual(replay.entry_ids.exit_reason, "out_of_stock")
        self.assertEqual(replay.mail_count, 1)
