"""Too many bounces, complaints, unsubscribed, failures: first a warning, then it stops."""

from datetime import timedelta

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import NurtureCase, NurtureHttpCase, SequenceMixin
from ..smtp import RELAY_DENIED, SMTP_LOGGERS


@tagged("post_install", "-at_install")
class TestGuardrails(SequenceMixin, NurtureCase):
    def send_many(self, number):
        for index in range(number):
            self.make_lead(f"lead{index}@recipient.example.com")
        self.sequence.action_start()
        self.run_cron()
        mailing_traces = self.traces().mailing_trace_ids
        mailing_traces.set_sent()
        return mailing_traces

    def titles(self):
        return self.sequence.activity_ids.mapped("summary")

    def test_warned_then_stopped(self):
        """Each time with what to do; the warning comes once."""
        self.sequence.unsubscribe_limit = 6
        mails = self.send_many(100)
        for number in range(3):
            mails._nurture_note_unsubscribed([("id", "=", mails[number].id)])
        self.assertFalse(self.titles())
        for number in range(3, 6):
            mails._nurture_note_unsubscribed([("id", "=", mails[number].id)])
            self.assertEqual(self.titles(), ["Too many unsubscribe"])
        self.assertEqual(self.sequence.state, "running")
        self.assertIn("At more than 6 % it stops", self.sequence.activity_ids.note)
        mails._nurture_note_unsubscribed([("id", "=", mails[6].id)])
        self.assertEqual(self.sequence.state, "stopped")
        self.assertIn("In 7 of the last 100 mails somebody unsub", self.sequence.last_error)
        self.assertIn("look whom it is for", self.sequence.last_error)
        # what was before the start does not count again
        self.clock += timedelta(days=1)
        self.sequence.action_start("spread")
        self.assertFalse(self.sequence.guard_warned)
        self.assertEqual(self.sequence._count_last("unsubscribe"), (0, 0))

    def test_complaints(self):
        self.sequence.complaint_limit = 0.5
        mails = self.send_many(200)
        mails[:1].nurture_complaint_date = self.clock
        self.sequence._check_guardrail("complaint")
        self.assertEqual(self.sequence.state, "running")
        mails[1:2].nurture_complaint_date = self.clock
        self.sequence._check_guardrail("complaint")
        self.assertEqual(self.sequence.state, "stopped")
        self.assertIn("2 of the last 200 mails were called spam", self.sequence.last_error)

    def test_never(self):
        self.sequence.unsubscribe_limit = 0
        mails = self.send_many(100)
        mails._nurture_note_unsubscribed([("id", "in", mails.ids)])
        self.assertEqual(self.sequence.state, "running")

    def test_bad_input(self):
        for kind in ("complaint", "unsubscribe", "failure"):
            with self.assertRaises(ValidationError):
                self.sequence[f"{kind}_limit"] = 101


@tagged("post_install", "-at_install")
class TestFailing(NurtureHttpCase):
    def test_failures(self):
        """Mails that cannot be handed over stop it, too, and nothing of them is lost."""
        sequence = self.sequence = self.make_sequence(failure_limit=20)
        self.first = self.make_step(sequence)
        leads = [self.make_lead(f"lead{number}@recipient.example.com") for number in range(50)]
        self.catcher.answers = {lead.email_from: RELAY_DENIED for lead in leads[:11]}
        sequence.action_start()
        with mute_logger(*SMTP_LOGGERS):
            self.advance()
        self.run_cron()
        self.assertEqual(sequence.state, "stopped")
        self.assertIn("11 of the last 50 mails could not be handed over", sequence.last_error)
        self.assertEqual(len(self.traces().filtered(lambda one: one.state == "error")), 11)
