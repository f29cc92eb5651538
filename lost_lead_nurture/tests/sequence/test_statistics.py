"""Statistics of big sequences: those of the last count."""

from unittest.mock import patch

from odoo.tests import tagged

from ...models.sequence import statistics as sequence_statistics
from ..common import NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestStatistics(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence.action_start()
        self.advance()
        patcher = patch.object(sequence_statistics, "MANY_TRACES", 2)
        patcher.start()
        self.addCleanup(patcher.stop)

    def read_statistics(self, user=None):
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
        self.env.ref("lost_lead_nurture.ir_cron_nurture_statistics").method_direct_trigger()

    def let_another_enter(self):
        self.make_lead("carl@recipient.example.com")
        self.advance()

    def test_of_the_last_count(self):
        self.assertEqual(self.read_statistics(), (2, 2, 2, 2, 2))
        self.assertFalse(self.sequence.statistics_date)
        self.count()
        self.let_another_enter()
        self.assertEqual(self.read_statistics(), (2, 2, 2, 2, 2))
        self.assertTrue(self.sequence.statistics_date)
        self.sequence.with_user(self.marketer).action_count_statistics()
        self.assertEqual(self.read_statistics(), (3, 3, 3, 3, 3))

    def test_small_ones_are_counted_at_once(self):
        self.count()
        with patch.object(sequence_statistics, "MANY_TRACES", 1000):
            self.count()
            self.let_another_enter()
            self.assertEqual(self.read_statistics(), (3, 3, 3, 3, 3))

    def test_sequence_of_all_companies(self):
        """The last count is for who sees all of it: whoever works in one of its companies only sees
        what is there, counted at once."""
        other = self.env["res.company"].create({"name": "Other"})
        self.make_lead(
            "carl@recipient.example.com", company_id=other.id, user_id=False, team_id=False
        )
        both = self.make_marketer(self.company | other)
        self.sequence = self.make_sequence(name="Everywhere", company_id=False, user_id=both.id)
        self.make_step(self.sequence)
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.sequence.participant_count, 3)
        self.count()
        for companies, count, kept in (
            (self.company | other, 3, True),
            (self.company, 2, False),
            (other, 1, False),
        ):
            with self.subTest(companies=companies.mapped("name")):
                self.env.invalidate_all()
                sequence = self.sequence.with_user(both)
                sequence = sequence.with_context(allowed_company_ids=companies.ids)
                self.assertEqual(sequence.participant_count, count)
                self.assertEqual(bool(sequence.statistics_date), kept)

    def test_nobody_sees_more_than_he_may(self):
        """Whose rules hide participants is said of the others only."""
        self.count()
        self.ann.user_id = False
        self.bob.user_id = False
        self.env.invalidate_all()
        sequence = self.sequence.with_user(self.salesman)
        self.assertEqual(sequence.participant_count, 0)
        self.assertFalse(sequence.statistics_date)
