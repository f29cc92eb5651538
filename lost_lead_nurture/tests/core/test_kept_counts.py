"""What takes its time to count is counted once in a quarter of an hour."""

from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.core import kept
from ..common import NurtureCase


@tagged("post_install", "-at_install")
class TestKept(NurtureCase):
    def setUp(self):
        super().setUp()
        self.patch(kept, "MANY_TRACES", 0)
        self.number = 1

    def get(self, key=(1,), name="test"):
        return self.env["nurture.kept"]._get(name, list(key), lambda: {"number": self.number})

    def test_quarter_of_an_hour(self):
        counted = self.clock
        self.assertEqual(self.get(), ({"number": 1}, False))
        self.number = 2
        self.clock += timedelta(minutes=14)
        self.assertEqual(self.get(), ({"number": 1}, counted))
        self.clock += timedelta(minutes=2)
        self.assertEqual(self.get(), ({"number": 2}, False))
        self.assertEqual(self.env["nurture.kept"].search_count([]), 1)

    def test_what_it_depends_on(self):
        self.get()
        self.number = 2
        self.assertEqual(self.get(key=(2,)), ({"number": 2}, False))
        self.assertEqual(self.get(name="other"), ({"number": 2}, False))

    def test_few(self):
        """Where there is little to count nothing is kept."""
        self.patch(kept, "MANY_TRACES", 1000)
        self.get()
        self.number = 2
        self.assertEqual(self.get(), ({"number": 2}, False))

    def test_clock_set_back(self):
        self.get()
        self.number = 2
        self.clock -= timedelta(days=1)
        self.assertEqual(self.get(), ({"number": 2}, False))

    def test_forgotten(self):
        self.get()
        self.clock += timedelta(hours=1)
        self.env["nurture.kept"]._gc_kept()
        self.assertFalse(self.env["nurture.kept"].search([]))

    def test_rights(self):
        """What somebody else was shown is nobody's."""
        self.get()
        with self.assertRaises(AccessError):
            self.env["nurture.kept"].with_user(self.marketer).search([])

    def test_comparison(self):
        """Each user sees his own count, and of when it is."""
        sequence = self.make_sequence()
        self.make_step(sequence, subject="First")
        self.make_lead("one@recipient.example.com")
        sequence.action_start()
        self.run_cron()
        sequence.participant_ids.write({"state": "holdout", "holdout_percent": 50})
        self.env.flush_all()
        comparisons = self.env["nurture.comparison"].with_user(self.marketer)
        first = comparisons.create({"by": "all"})
        self.assertEqual((first.line_ids.held_out, first.count_date), (1, False))
        counted = self.clock
        self.clock += timedelta(minutes=5)
        sequence.participant_ids.unlink()
        self.env.flush_all()
        second = comparisons.create({"by": "all"})
        self.assertEqual((second.line_ids.held_out, second.count_date), (1, counted))
        other = self.env["nurture.comparison"].create({"by": "all"})
        self.assertFalse(other.line_ids)
