"""A mail server that fails: the form says so, the responsible is notified, and all is tried
again."""

import smtplib
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureHttpCase, TwoLeadsMixin
from ..smtp import RELAY_DENIED

LOGGERS = (
    "odoo.addons.mail.models.mail_mail",
    "odoo.addons.base.models.ir_mail_server",
)


@tagged("post_install", "-at_install")
class TestFailures(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.server = self.env["ir.mail_server"].search([])
        self.port = self.server.smtp_port
        self.marketing = self.sequence.with_user(self.marketer)

    def go_down(self):
        self.server.smtp_port = 1

    def win_back(self):
        self.server.smtp_port = self.port
        self.catcher.clear()

    def work(self, **delta):
        """Let time pass, send, and let the scheduled action see what became of it."""
        with mute_logger(*LOGGERS):
            self.advance(**delta)
        self.run_cron()

    def activities(self):
        return self.sequence.activity_ids.filtered("active")

    def send_in_vain(self):
        self.go_down()
        self.sequence.action_start()
        self.work()

    def test_banner(self):
        """What failed is said in words, with the name of the server."""
        self.assertFalse(self.marketing.failure_note)
        self.send_in_vain()
        note = self.marketing.failure_note
        for words in ("could not be sent", "2 times", "Catcher", "refused"):
            self.assertIn(words, note)
        self.assertEqual(self.marketing.retryable_count, 2)
        action = self.marketing.action_view_failed()
        traces = self.env["nurture.trace"].with_user(self.marketer).search(action["domain"])
        self.assertEqual(len(traces), 2)

    def test_retry_all(self):
        self.send_in_vain()
        self.win_back()
        notification = self.marketing.button_retry_all()
        self.assertIn("2 steps", notification["params"]["message"])
        self.assertFalse(self.marketing.failure_note)
        self.assertFalse(self.activities())
        self.work()
        self.mail_to(ANN)
        self.mail_to(BOB)
        self.assertFalse(self.marketing.failure_note)
        with self.assertRaisesRegex(UserError, "nothing to retry"):
            self.marketing.action_retry_all()

    def test_fails_again(self):
        """It is shown again, and the responsible is notified again, but not at once."""
        self.send_in_vain()
        self.assertEqual(self.marketing.action_retry_all(), {"retried": 2})
        self.work(minutes=5)
        self.assertIn("2 times", self.marketing.failure_note)
        self.assertFalse(self.activities())
        self.clock += timedelta(hours=1)
        self.run_cron()
        self.assertEqual(len(self.activities()), 1)

    def test_activity(self):
        self.send_in_vain()
        activity = self.activities()
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.marketer)
        self.assertIn("Catcher", activity.note)

    def test_once_an_hour(self):
        """However much fails in between, and not while the first activity is still to be done."""
        self.send_in_vain()
        activity = self.activities()
        for number in range(4):
            self.make_lead(f"carl{number}@recipient.example.com")
            self.work(minutes=40)
            self.assertEqual(self.activities(), activity)
        self.assertIn("6 times", self.marketing.failure_note)
        self.assertIn("5 times", activity.note, "as of the last run an hour later")
        activity.action_done()
        self.work(minutes=10)
        self.assertFalse(self.activities(), "nothing has failed since")
        self.make_lead("eve@recipient.example.com")
        self.work(minutes=60)
        self.assertEqual(len(self.activities()), 1)

    def test_retried_one_by_one(self):
        self.send_in_vain()
        self.win_back()
        for lead in (self.ann, self.bob):
            self.trace(lead, self.first).action_retry()
        self.work()
        self.assertFalse(self.activities())
        self.assertFalse(self.marketing.failure_note)

    def test_each_sequence(self):
        """Each of those that failed says so, and no other one."""
        other = self.make_sequence(name="Other", domain="[('id', '=', 0)]")
        self.make_step(other, subject="Other")
        other.action_start()
        self.send_in_vain()
        self.assertFalse(other.with_user(self.marketer).failure_note)
        self.assertFalse(other.activity_ids)

    def test_authentication(self):
        """Whatever it is that the server does not like."""
        error = smtplib.SMTPAuthenticationError(535, b"5.7.8 Authentication failed")
        down = patch.object(type(self.server), "_smtp_login__", side_effect=error)
        self.server.write({"smtp_user": "shop", "smtp_pass": "wrong"})
        self.sequence.action_start()
        with down:
            self.work()
        self.assertIn("Catcher", self.marketing.failure_note)
        self.assertIn("Authentication failed", self.marketing.failure_note)

    def test_refusal(self):
        self.catcher.answers = {ANN: RELAY_DENIED}
        self.sequence.action_start()
        self.work()
        self.assertIn("once", self.marketing.failure_note)
        self.assertIn("Relay access denied", self.marketing.failure_note)
        self.assertEqual(len(self.activities()), 1)

    def test_in_doubt(self):
        """What may have arrived is shown, and not sent again among many."""
        self.send_in_vain()
        self.trace(self.ann, self.first).reason = "mail_in_doubt"
        self.assertIn("not known", self.marketing.failure_note)
        self.assertEqual(self.marketing.retryable_count, 1)
        self.win_back()
        self.assertEqual(self.marketing.action_retry_all(), {"retried": 1})
        self.work()
        self.assertFalse(self.mails_to(ANN))
        self.mail_to(BOB)
        self.assertEqual(self.marketing.retryable_count, 0)
        self.assertIn("not known", self.marketing.failure_note)

    def test_step_that_fails(self):
        """Not only mails do."""
        self.sequence.action_start()
        with self.breaking_mail_of(self.ann), mute_logger("odoo.addons.lost_lead_nurture"):
            self.work()
        self.assertIn("this lead breaks the template", self.marketing.failure_note)

    def test_stopped(self):
        """While it is stopped nothing is to be retried."""
        self.send_in_vain()
        self.sequence.action_stop()
        self.assertFalse(self.marketing.failure_note)
        with self.assertRaises(UserError):
            self.marketing.action_retry_all()

    def test_salespeople(self):
        self.send_in_vain()
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).action_retry_all()
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).read(["failure_note"])
