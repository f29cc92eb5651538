"""What is set per step: which link, how often it is tried, from which server; activities."""

from datetime import timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import BODY, NurtureHttpCase
from ..smtp import RELAY_DENIED, Catcher

ANN = "ann@recipient.example.com"
BOB = "bob@recipient.example.com"
SHOP = "https://shop.example.com/limited"
HELP = "https://shop.example.com/help?topic=sizes"


class StepRulesCase(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.ann, self.bob = self.make_lead(ANN), self.make_lead(BOB)
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")


@tagged("post_install", "-at_install")
class TestChosenLink(StepRulesCase):
    def setUp(self):
        super().setUp()
        self.first.mailing_id.body_html = BODY.replace(
            "</div>", f'<p><a href="{HELP}">Help</a></p></div>'
        )

    def click_on(self, address, number):
        """Follow the first (0: the shop) or the second (1: help) link of the first mail."""
        self._visit(self.links_of(self.mail_to(address, "First"))[number])

    def _visit(self, link):
        self.clock += timedelta(minutes=5)
        self._get(link)
        self.believe()

    def test_clicked(self):
        """Only a click on the chosen link counts."""
        shop = self.make_step(
            self.sequence, "mail_click", self.first, subject="Shop", link_url=SHOP
        )
        anywhere = self.make_step(self.sequence, "mail_click", self.first, subject="Anywhere")
        self.start()
        self.click_on(ANN, 1)
        self.assertEqual(self.trace(self.ann, shop).state, "waiting")
        self.assertEqual(self.trace(self.ann, anywhere).state, "scheduled")
        self.click_on(ANN, 0)
        self.assertEqual(self.trace(self.ann, shop).state, "scheduled")
        self.assertEqual(self.trace(self.bob, shop).state, "waiting")
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "Shop")), 1)
        self.assertFalse(self.mails_to(BOB, "Shop"))

    def test_not_clicked(self):
        """Nor does another link keep the absence from being one."""
        self.make_step(self.sequence, "mail_not_click", self.first, 2, subject="Not", link_url=SHOP)
        self.start()
        self.click_on(ANN, 1)
        self.click_on(BOB, 0)
        self.advance(days=2)
        self.assertEqual(len(self.mails_to(ANN, "Not")), 1)
        self.assertFalse(self.mails_to(BOB, "Not"))

    def test_pattern(self):
        help_step = self.make_step(
            self.sequence, "mail_click", self.first, link_url="https://shop.example.com/help*"
        )
        self.start()
        self.click_on(ANN, 1)
        self.click_on(BOB, 0)
        self.assertEqual(self.trace(self.ann, help_step).state, "scheduled")
        self.assertEqual(self.trace(self.bob, help_step).state, "waiting")

    def test_goal(self):
        """A click on the link that counts wins the lead back."""
        self.sequence.goal_link = "https://shop.example.com/limited*"
        self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.start()
        self.click_on(ANN, 1)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.click_on(ANN, 0)
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("exited", "clicked"))
        self.assertEqual(participant.credited_step_id, self.first)
        self.assertEqual(self.ann.won_status, "pending")
        self.advance(days=2)
        self.assertFalse(self.mails_to(ANN, "Second"))

    def test_link_that_is_not_there(self):
        self.make_step(
            self.sequence, "mail_click", self.first, link_url="https://other.example.com/"
        )
        with self.assertRaisesRegex(UserError, "has no such link"):
            self.sequence.action_start()

    def test_in_words(self):
        step = self.make_step(self.sequence, "mail_click", self.first, 1, link_url=SHOP)
        self.assertIn(SHOP, step.when)


@tagged("post_install", "-at_install")
class TestActivities(StepRulesCase):
    def setUp(self):
        super().setUp()
        self.call = self.make_step(
            self.sequence,
            step_type="activity",
            mailing_id=False,
            name="Call",
            activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
        )
        self.done = self.make_step(
            self.sequence, "activity_done", self.call, 1, subject="Nice to hear you"
        )
        self.not_done = self.make_step(
            self.sequence, "activity_not_done", self.call, 3, subject="Nobody has called"
        )

    def test_done(self):
        self.start()
        activity = self.ann.activity_ids
        self.assertEqual(activity.nurture_trace_id, self.trace(self.ann, self.call))
        self.advance(days=1)
        activity.with_user(self.salesman).action_feedback(feedback="She is interested")
        self.assertEqual(
            self.trace(self.ann, self.done).schedule_date, self.clock + timedelta(days=1)
        )
        self.assertEqual(self.trace(self.ann, self.not_done).reason, "opposite")
        self.advance(days=1)
        self.assertEqual(len(self.mails_to(ANN, "Nice to hear you")), 1)

    def test_not_done(self):
        self.start()
        self.advance(days=2)
        self.assertFalse(self.mails_to(ANN, "Nobody has called"))
        self.advance(days=1)
        self.assertEqual(len(self.mails_to(ANN, "Nobody has called")), 1)

    def test_deleted_is_not_done(self):
        self.start()
        self.ann.activity_ids.unlink()
        self.advance(days=3)
        self.assertEqual(len(self.mails_to(ANN, "Nobody has called")), 1)

    def test_waiting_ends(self):
        """Nobody waits for ever for a call that nobody makes."""
        self.start()
        self.advance(days=self.sequence.window_days)
        self.assertEqual(self.trace(self.ann, self.done).reason, "no_reaction")

    def test_only_after_an_activity(self):
        with self.assertRaisesRegex(ValidationError, "not possible"):
            self.make_step(self.sequence, "activity_done", self.first)
        self.assertNotIn("mail_open", self.done.allowed_triggers)
        self.assertIn("activity_done", self.done.allowed_triggers)


@tagged("post_install", "-at_install")
class TestRetryPolicy(StepRulesCase):
    def refuse(self, **delta):
        self.catcher.answers = {ANN: RELAY_DENIED}
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.advance(**delta)
        self.env.invalidate_all()

    def test_mail_that_is_refused(self):
        """It is tried again automatically, as often as the step says, and then goes on."""
        self.first.write({"retry_count": 2, "retry": 3, "retry_unit": "hours"})
        after = self.make_step(self.sequence, "after", self.first, 1)
        self.sequence.action_start()
        self.refuse()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.tries), ("error", 0))
        self.assertEqual(trace.retry_date, self.clock + timedelta(hours=3))
        self.advance(hours=2)
        self.assertEqual(trace.state, "error")
        self.refuse(hours=1)
        self.assertEqual((trace.state, trace.tries), ("error", 1))
        self.catcher.answers = {}
        self.advance(hours=3)
        self.assertEqual((trace.state, trace.tries), ("processed", 2))
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)
        self.assertEqual(self.trace(self.ann, after).schedule_date, self.clock + timedelta(days=1))
        self.assertIn("Tried again", trace.decisions)

    def test_tries_are_counted(self):
        self.first.write({"retry_count": 1, "retry": 1, "retry_unit": "hours"})
        self.sequence.action_start()
        self.refuse()
        self.refuse(hours=1)
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.tries, trace.retry_date), ("error", 1, False))
        self.refuse(days=1)
        self.assertEqual(trace.tries, 1)

    def test_step_that_fails(self):
        """Also a step that never came to its mail."""
        self.first.write({"retry_count": 1, "retry": 1, "retry_unit": "days"})
        self.sequence.action_start()
        with self.breaking_mail_of(self.ann):
            self.advance()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "failed"))
        self.advance(days=1)
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)

    def test_not_for_who_left(self):
        self.first.write({"retry_count": 1, "retry": 1, "retry_unit": "hours"})
        self.sequence.action_start()
        self.refuse()
        self.catcher.answers = {}
        self.ann.action_restore()
        self.advance(hours=2)
        self.assertFalse(self.mails_to(ANN))

    def test_not_while_stopped(self):
        self.first.write({"retry_count": 1, "retry": 1, "retry_unit": "hours"})
        self.sequence.action_start()
        self.refuse()
        self.catcher.answers = {}
        self.sequence.action_stop()
        self.advance(hours=2)
        self.assertFalse(self.mails_to(ANN))
        self.sequence.action_start()
        self.advance(hours=2)
        self.assertEqual(len(self.mails_to(ANN)), 1)

    def test_bad_numbers(self):
        for wrong in ({"retry_count": -1}, {"retry_count": 101}, {"retry": -1}):
            with (
                self.subTest(wrong),
                self.assertRaisesRegex(ValidationError, "100 times at most, and neither"),
            ):
                self.first.write(wrong)


@tagged("post_install", "-at_install")
class TestMailServer(StepRulesCase):
    def setUp(self):
        super().setUp()
        self.own_catcher = Catcher()
        self.own_catcher.start()
        self.addCleanup(self.own_catcher.stop)
        self.server = self.env["ir.mail_server"].create(
            {
                "name": "Sales",
                "smtp_host": "127.0.0.1",
                "smtp_port": self.own_catcher.port,
                "sequence": 99,
            }
        )

    def test_own_server(self):
        """A step's mail leaves through its own server, those of others through the usual one."""
        self.make_step(self.sequence, delay=1, subject="Second")
        self.first.mail_server_id = self.server
        self.start()
        self.advance(days=1)
        self.assertEqual({mail["Subject"] for mail in self.own_catcher.messages}, {"First"})
        self.assertEqual({mail["Subject"] for mail in self.catcher.messages}, {"Second"})

    def test_server_in_use(self):
        """Core does not archive a server that a mail names."""
        self.first.mail_server_id = self.server
        with self.assertRaisesRegex(UserError, "still used"):
            self.server.active = False

    def test_archived_while_running(self):
        """Nothing is lost: the step says so, and can be retried once it is back."""
        self.first.mail_server_id = self.server
        self.sequence.action_start()
        self.run_cron()
        self.env["mailing.mailing"].search([]).mail_server_id = False
        self.env["mail.mail"].search([]).mail_server_id = self.server
        self.server.active = False
        with mute_logger("odoo.addons.mail.models.mail_mail"):
            self.send_mails()
        self.env.invalidate_all()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
        self.assertTrue(trace.detail)
        self.server.active = True
        trace.action_retry()
        self.send_mails()
        self.assertEqual(len(self.own_catcher.messages), 1)
