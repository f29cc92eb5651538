"""Core's A/B test of a mailing to leads: another criterion, and what may be said of versions."""

from odoo.tests import tagged

from ..common import NurtureCase


@tagged("post_install", "-at_install")
class TestAbTest(NurtureCase):
    def setUp(self):
        super().setUp()
        self.first = self.make_mailing(
            "First",
            ab_testing_enabled=True,
            ab_testing_pc=10,
            ab_testing_winner_selection="nurture_click_to_open_ratio",
            ab_testing_schedule_datetime="2026-03-09 09:00:00",
        )
        self.second = self.first.copy({"subject": "Second", "ab_testing_enabled": True})
        self.second.campaign_id = self.first.campaign_id

    def react(self, mailing, sent, opened, clicked):
        """So many got it, opened it, and clicked in it."""
        mailing_traces = self.env["mailing.trace"].create(
            [
                {
                    "mass_mailing_id": mailing.id,
                    "trace_type": "mail",
                    "model": "crm.lead",
                    "res_id": number + 1,
                    "email": f"{mailing.id}.{number}@recipient.example.com",
                }
                for number in range(sent)
            ]
        )
        mailing_traces.set_sent()
        mailing_traces[:opened].set_opened()
        mailing_traces[:clicked].set_clicked()
        mailing.state = "done"
        self.env.invalidate_all()

    def test_click_to_open(self):
        """Of those who opened it; the version with the higher rate is sent to the others."""
        self.react(self.first, 100, 50, 10)
        self.react(self.second, 100, 20, 8)
        self.assertEqual(self.first.nurture_click_to_open_ratio, 20.0)
        self.assertEqual(self.second.nurture_click_to_open_ratio, 40.0)
        self.assertEqual(self.make_mailing("New").nurture_click_to_open_ratio, 0.0)
        (self.first | self.second).action_send_winner_mailing()
        winner = self.first.campaign_id.ab_testing_winner_mailing_id
        self.assertEqual(winner.subject, "Second")
        before = self.first.nurture_ab_verdict
        self.react(winner, 100, 90, 80)
        self.assertEqual(self.first.nurture_ab_verdict, before, "a copy is no version")

    def test_verdict(self):
        self.assertFalse(self.first.nurture_ab_verdict, "nothing was sent")
        self.react(self.first, 100, 50, 10)
        self.assertFalse(self.first.nurture_ab_verdict, "there is nothing to compare with")
        self.react(self.second, 100, 20, 8)
        verdict = self.second.with_user(self.marketer).nurture_ab_verdict
        self.assertIn("Not enough yet to say: about", verdict)
        self.assertIn(
            "8 of 20", " ".join(verdict.replace("</t>", "").split()).replace("of <t>", "of ")
        )
        self.assertNotIn("ahead", verdict)
        self.first.ab_testing_winner_selection = "opened_ratio"
        self.env.invalidate_all()
        self.assertIn("They differ, and “First” is ahead", self.first.nurture_ab_verdict)

    def test_no_difference(self):
        for mailing in (self.first, self.second):
            self.react(mailing, 100, 20, 5)
        self.assertIn("no difference to be seen", self.first.nurture_ab_verdict)

    def test_not_tested(self):
        self.assertFalse(self.make_mailing("Alone").nurture_ab_verdict)
