"""Figures of big sequences: those of the last count."""

from unittest.mock import patch

from odoo.tests import tagged

from ...models.sequence import figures as sequence_figures
from ..common import NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestFigures(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence.action_start()
        self.advance()
        patcher = patch.object(sequence_figures, "MANY_TRACES", 2)
        patcher.start()
        self.addCleanup(patcher.stop)

    def read_figures(self, user=None):
        self.env.invalidate_all()
        sequence = self.sequence.with_user(user or self.marketer)
        card = sequence.workflow["steps"][0]
        return (
            sequence.participant_count,
            sequence.sent_count,
            card["counts"].get("processed"),
            card["mails"]["sent"],
            card["chart"]["processed"][-1],
        )

    def count(self):
        self.env.ref("lost_lead_nurture.ir_cron_nurture_figures").method_direct_trigger()

    def let_another_enter(self):
        self.make_lead("carl@reader.example.com")
        self.advance()

    def test_of_the_last_count(self):
        self.assertEqual(self.read_figures(), (2, 2, 2, 2, 2))
        self.assertFalse(self.sequence.figures_date)
        self.count()
        self.let_another_enter()
        self.assertEqual(self.read_figures(), (2, 2, 2, 2, 2))
        self.assertTrue(self.sequence.figures_date)
        self.sequence.with_user(self.marketer).action_count_figures()
        self.assertEqual(self.read_figures(), (3, 3, 3, 3, 3))

    def test_small_ones_are_counted_at_once(self):
        self.count()
        with patch.object(sequence_figures, "MANY_TRACES", 1000):
            self.count()
            self.let_another_enter()
            self.assertEqual(self.read_figures(), (3, 3, 3, 3, 3))

    def test_nobody_sees_more_than_he_may(self):
        """Whose rules hide participants is told of the others only."""
        self.count()
        self.ann.user_id = False
        self.bob.user_id = False
        self.env.invalidate_all()
        sequence = self.sequence.with_user(self.salesman)
        self.assertEqual(sequence.participant_count, 0)
        self.assertFalse(sequence.figures_date)
