"""What marketers click around a sequence that is about to run, or runs: in a real browser."""

from datetime import timedelta

from odoo.tests import tagged

from ...models.sequence import audience as sequence_audience
from ...wizard import nurture_dry_run
from ..common import ANN, BOB, NurtureHttpCase, RealClockMixin


@tagged("post_install", "-at_install")
class TestAudienceTours(RealClockMixin, NurtureHttpCase):
    def start_sequence_tour(self, sequence, tour):
        self.start_tour(f"/odoo/nurture-sequences/{sequence.id}", tour, login=self.marketer.login)

    def test_why_excluded(self):
        preset = self.env["nurture.preset"].create(
            {"name": "Tour preset", "lost_reason_ids": self.reason_stock.ids}
        )
        for name in ("free", "deal", "black"):
            self.make_lead(f"{name}@recipient.example.com")
        self.make_lead(
            "deal@recipient.example.com", self.reason_price, lost=False, name="Open deal"
        )
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        sequence = self.make_sequence(name="Tour audience", preset_id=preset.id)
        self.make_step(sequence)
        self.start_sequence_tour(sequence, "nurture_audience_tour")

    def make_running(self, *addresses):
        """A sequence of two mails, the first of which has reached these addresses."""
        leads = [self.make_lead(address) for address in addresses]
        sequence = self.make_sequence(name="Tour running")
        first = self.make_step(sequence, subject="First")
        second = self.make_step(sequence, "after", first, 7, subject="Second")
        sequence.action_start()
        self.advance()
        return sequence, second, leads

    def test_update(self):
        """A step is edited while leads are inside."""
        sequence, second, leads = self.make_running(ANN, BOB)
        before = [self.trace(lead, second).schedule_date for lead in leads]
        self.start_sequence_tour(sequence, "nurture_update_tour")
        self.assertEqual(
            [self.trace(lead, second).schedule_date for lead in leads],
            [date + timedelta(days=2) for date in before],
        )
        self.assertFalse(sequence.is_edited)

    def test_resume(self):
        """A sequence was stopped, and is started again."""
        sequence, second, leads = self.make_running(ANN, BOB)
        sequence.action_stop()
        traces = self.trace(leads[0], second) | self.trace(leads[1], second)
        traces.schedule_date = self.clock - timedelta(hours=1)
        self.start_sequence_tour(sequence, "nurture_resume_tour")
        self.assertEqual(sequence.state, "running")
        for trace in traces:
            self.assertEqual(trace.reason, "resumed")
            self.assertLessEqual(trace.schedule_date, self.clock + timedelta(days=2))

    def test_profiles(self):
        """One choice of leads becomes two profiles, in an order that is dragged."""
        builders, rich = self.env["nurture.preset"].create(
            [
                {"name": "Builders (tour)", "extra_domain": "[('city', '=', 'Ghent')]"},
                {"name": "Rich (tour)", "extra_domain": "[('expected_revenue', '>', 1000)]"},
            ]
        )
        self.make_lead("builder@recipient.example.com", city="Ghent")
        self.make_lead("both@recipient.example.com", city="Ghent", expected_revenue=5000)
        self.make_lead("owner@recipient.example.com", expected_revenue=5000)
        sequence = self.make_sequence(name="Tour profiles", preset_id=builders.id)
        sequence.domain = builders.full_domain
        self.make_step(sequence, subject="First")
        self.start_sequence_tour(sequence, "nurture_profiles_tour")
        self.assertEqual(sequence.profile_ids.preset_id.ids, [rich.id, builders.id])
        self.assertEqual(sequence.profile_ids.author_id, self.marketer)

    def test_dry_run(self):
        """What would happen, counted bit by bit, and the lists behind the numbers."""
        self.patch(sequence_audience, "MANY_LEADS", 5)
        self.patch(nurture_dry_run, "SLICE", 5)
        for number in range(12):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.make_lead("black@recipient.example.com")
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        sequence = self.make_sequence(name="Tour running")
        first = self.make_step(sequence, subject="First")
        self.make_step(sequence, "after", first, 7, subject="Second")
        self.start_sequence_tour(sequence, "nurture_dry_run_tour")
        self.assertFalse(sequence._has_participants())
