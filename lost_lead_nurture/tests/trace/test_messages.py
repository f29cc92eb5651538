"""What a trace says of its message, of what was decided, and of what went wrong."""

import re
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, NurtureCase, NurtureHttpCase, TwoLeadsMixin
from ..smtp import RELAY_DENIED


@tagged("post_install", "-at_install")
class TestSentAgain(TwoLeadsMixin, NurtureHttpCase):
    """A message that was refused, not kept, and sent once more: the last one counts."""

    def setUp(self):
        super().setUp()
        self.sequence.goal_link = "*/limited"
        self.sequence.action_start()
        self.catcher.answers = {ANN: RELAY_DENIED}
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.advance()
        self.mail_trace = self.trace(self.ann, self.first)
        self.assertEqual(self.mail_trace.mail_status, "Exception")
        self.mail_trace.mailing_trace_ids.mail_mail_id.unlink()
        self.catcher.answers = {}
        self.mail_trace.action_retry()
        self.advance()

    def test_status(self):
        self.assertEqual(len(self.mail_trace.mailing_trace_ids), 2)
        self.assertEqual(self.mail_trace.mail_status, "Delivered")

    def test_preview(self):
        preview = self.mail_trace.with_user(self.marketer).get_preview()
        self.assertEqual(preview["address"], ANN)
        self.assertIn("See the item", preview["html"])

    def test_goal(self):
        self.click(self.mail_to(ANN))
        participant = self.participant(self.ann)
        self.assertEqual(participant.exit_reason, "clicked")
        self.assertEqual(participant.credited_step_id, self.first)


@tagged("post_install", "-at_install")
class TestDecisions(TwoLeadsMixin, NurtureCase):
    def text_of(self, trace):
        return trace.decisions.replace("\u202f", " ")

    def test_when_what_and_why(self):
        """In the order of time, each with its moment, and with the date it is scheduled for."""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.clock += timedelta(hours=1)
        self.participant(self.ann).action_remove()
        trace = self.trace(self.ann, second)
        rows = re.findall(r">([^<>]+)</td><td[^>]*>([^<>]+)<", self.text_of(trace))
        self.assertEqual(
            rows,
            [
                ("Mar 2, 2026, 9:00 AM", "Waiting"),
                ("Mar 2, 2026, 10:00 AM", "Cancelled: The lead left the sequence"),
            ],
        )
        (first, *_others) = re.findall(
            r"<td[^>]*>(Scheduled[^<]+)<", self.text_of(self.trace(self.ann, self.first))
        )
        self.assertEqual(first, "Scheduled, for Mar 2, 2026, 9:00 AM")

    def test_what_the_system_said(self):
        self.sequence.action_start()
        sending = type(self.env["mailing.mailing"])
        with patch.object(sending, "_action_send_mail", side_effect=ValueError("no <luck>")):
            self.run_cron()
        text = self.text_of(self.trace(self.ann, self.first))
        self.assertIn("<br><small>ValueError: no &lt;luck&gt;</small>", text)
        self.assertTrue(text.startswith("<table"))

    def test_long_errors_are_cut_in_the_middle(self):
        self.sequence.action_start()
        sending = type(self.env["mailing.mailing"])
        error = ValueError(f"begins {'x' * 9000} ends")
        with patch.object(sending, "_action_send_mail", side_effect=error):
            self.run_cron()
        detail = self.trace(self.ann, self.first).detail
        self.assertTrue(detail.startswith("ValueError: begins"))
        self.assertTrue(detail.endswith("x ends"))
        self.assertIn("\n…\n", detail)
        self.assertLess(len(detail), 3010)

    def test_of_a_filter_it_is_what_did_not_hold(self):
        self.bob.city = "Ghent"
        self.first.filter_domain = "[('city', '=', 'Ghent')]"
        self.start()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("rejected", "filtered"))
        self.assertIn("<br><small>Did not hold: City = Ghent</small>", self.text_of(trace))
        self.assertEqual(self.trace(self.bob, self.first).state, "processed")

    def test_forgotten_ones_say_nothing(self):
        self.sequence.action_start()
        sending = type(self.env["mailing.mailing"])
        with patch.object(sending, "_action_send_mail", side_effect=ValueError(ANN)):
            self.run_cron()
        traces = self.trace(self.ann, self.first) | self.trace(self.bob, self.first)
        traces._forget()
        for trace in traces:
            self.assertFalse(trace.detail)
            self.assertNotIn(ANN, trace.decisions)
            self.assertIn("The step failed", trace.decisions)
