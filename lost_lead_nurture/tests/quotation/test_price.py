"""Leads enter when what they refused costs less."""

from odoo.tests import tagged

from ..common import NurtureCase
from ..quotations import QuotationMixin


@tagged("post_install", "-at_install")
class TestPriceEntry(QuotationMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.make_price_sequence()
        self.sequence.action_start()
        self.advance(minutes=5)

    def test_below(self):
        """5% less is enough, 4.99% is not."""
        self.assertFalse(self.entered())
        self.assertEqual(self.reasons_against(self.ann), ["not_below"])
        self.cut(self.desk, 95.01)
        self.advance(hours=1)
        self.assertFalse(self.entered())
        self.cut(self.desk, 95.0)
        self.advance(hours=1)
        self.assertEqual(self.entered(), self.ann)
        journey = self.participant(self.ann)
        self.assertEqual((journey.refused_amount, journey.entry_amount), (100.0, 95.0))
        self.assertEqual(journey.refused_order_id, self.refused)
