"""Sunset: who opens nothing is asked for engagement, then left in peace."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import NurtureHttpCase

ANN = "ann@recipient.example.com"
BOB = "bob@recipient.example.com"


@tagged("post_install", "-at_install")
class TestSunset(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead(ANN)
        self.bob = self.make_lead(BOB)
        self.sequence = self.make_sequence(silent_limit=2, silent_days=10)
        step = self.first = self.make_step(self.sequence, subject="Mail 1")
        self.steps = [step]
        for number in (2, 3, 4, 5, 6):
            step = self.make_step(self.sequence, "after", step, 5, subject=f"Mail {number}")
            self.steps.append(step)

    def add_last_chance(self, **values):
        self.last_chance = self.make_step(self.sequence, "silent", subject="Last Chance", **values)

    def start(self):
        """Start, and send what is due until two mails are there."""
        self.sequence.action_start()
        self.advance()
        self.advance(days=5)
        self.assertTrue(self.mail_to(ANN, "Mail 2"))

    def days(self, number):
        """Let days pass, one by one."""
        for _day in range(number):
            self.advance(days=1)
            # the run that begins the last-chance mail wakes the scheduled action
            self.advance()

    def subjects(self, address):
        return [message["Subject"] for message in self.mails_to(address)]

    def assertSilent(self, lead):  # noqa: N802
        participant = self.participant(lead)
        self.assertEqual((participant.state, participant.exit_reason), ("exited", "silent"))
        self.assertTrue(all(participant.trace_ids.mapped("reason")))
        self.assertFalse(
            participant.trace_ids.filtered(lambda trace: trace.state in ("waiting", "scheduled"))
        )
        self.assertFalse(participant.won_back_date)
        self.assertEqual(lead.won_status, "lost")

    def test_without_last_chance(self):
        """Two mails unopened: the third is not sent, the lead leaves in silence."""
        self.start()
        self.read_mail(self.mail_to(BOB, "Mail 1"))
        self.days(5)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2"])
        self.assertSilent(self.ann)
        self.assertEqual(self.subjects(BOB), ["Mail 1", "Mail 2", "Mail 3"])

    def test_in_a_row(self):
        """Only mails since the last engagement count, and those that have left."""
        self.start()
        self.read_mail(self.mail_to(ANN, "Mail 2"))
        self.days(5)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 3")
        self.days(5)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 4", "one is silent")
        self.days(5)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 4", "two are")
        self.assertSilent(self.ann)

    def test_old_mail_is_opened(self):
        """Engagement is one, whatever mail it comes from."""
        self.start()
        self.days(3)
        self.click(self.mail_to(ANN, "Mail 1"))
        self.days(2)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 3")

    def test_no_limit(self):
        self.sequence.silent_limit = 0
        self.start()
        self.days(20)
        self.assertEqual(len(self.subjects(ANN)), 6)
        self.assertEqual(self.participant(self.ann).exit_reason, "finished")

    def test_limit_beyond_the_end(self):
        """Who has got all mails has nothing more to be spared."""
        self.sequence.silent_limit = 6
        self.start()
        self.days(20)
        self.assertEqual(self.participant(self.ann).exit_reason, "finished")

    def test_steps_that_are_no_mails(self):
        """Silence is about messages: what is done with the lead is done still."""
        self.make_step(
            self.sequence,
            "after",
            self.steps[1],
            5,
            step_type="action",
            action_kind="score",
            score=7,
            mailing_id=False,
        )
        self.add_last_chance()
        self.start()
        self.days(5)
        self.assertEqual(self.ann.nurture_score, 7)

    def test_last_chance_not_opened(self):
        """The last-chance mail is sent instead of the next mail; ten days later the lead leaves."""
        self.add_last_chance()
        self.start()
        self.days(5)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2", "Last Chance"])
        third = self.trace(self.ann, self.steps[2])
        self.assertEqual((third.state, third.reason), ("scheduled", "last_chance"))
        self.days(9)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.days(1)
        self.assertSilent(self.ann)
        self.assertEqual((third.state, third.reason), ("cancelled", "left"))
        self.days(30)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2", "Last Chance"])
        self.assertEqual(self.ann.nurture_status, "Too many mails without engagement")
        decisions = self.participant(self.ann).decisions
        self.assertIn("Deferred: a last-chance mail asks for engagement first", decisions)
        self.assertIn("Ended: Too many mails without engagement", decisions)

    def test_other_mails_wait_for_the_last_chance(self):
        """Whatever else falls due while it is out waits until it is known whether it is opened."""
        self.add_last_chance()
        parallel = self.make_step(self.sequence, delay=12, subject="Parallel")
        self.start()
        self.days(7)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2", "Last Chance"])
        trace = self.trace(self.ann, parallel)
        self.assertEqual((trace.state, trace.reason), ("scheduled", "last_chance"))
        self.assertEqual(self.participant(self.ann).state, "running")
        self.read_mail(self.mail_to(ANN, "Last Chance"))
        self.days(9)
        self.assertIn("Parallel", self.subjects(ANN))

    def test_last_chance_opened(self):
        """Who opens the last-chance mail goes on at once, and is counted anew."""
        self.add_last_chance()
        self.start()
        self.days(5)
        self.days(2)
        self.read_mail(self.mail_to(ANN, "Last Chance"))
        self.advance()
        self.assertEqual(self.subjects(ANN)[-1], "Mail 3")
        self.assertEqual(self.subjects(BOB)[-1], "Last Chance")
        self.days(5)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 4")
        self.days(5)
        self.assertSilent(self.ann)
        self.assertEqual(
            len(self.mails_to(ANN, "Last Chance")), 1, "there is one last-chance mail only"
        )

    def test_last_chance_clicked_or_answered(self):
        self.add_last_chance()
        self.start()
        self.days(5)
        self.click(self.mail_to(ANN, "Last Chance"))
        self.answer(self.mail_to(BOB, "Last Chance"))
        self.assertEqual(self.participant(self.bob).exit_reason, "replied")
        self.assertEqual(self.participant(self.bob).credited_step_id, self.last_chance)
        self.advance()
        self.assertEqual(self.subjects(ANN)[-1], "Mail 3")

    def test_what_follows_the_last_chance(self):
        """Steps after it are for those who opened it."""
        self.add_last_chance()
        self.make_step(self.sequence, "mail_open", self.last_chance, subject="Welcome back")
        self.make_step(self.sequence, "mail_not_open", self.last_chance, 3, subject="Really?")
        self.start()
        self.days(5)
        self.read_mail(self.mail_to(ANN, "Last Chance"))
        self.days(5)
        self.assertTrue(self.mails_to(ANN, "Welcome back"))
        self.assertFalse(self.mails_to(ANN, "Really?"))
        self.assertFalse(self.mails_to(BOB, "Really?"), "silent means silent")
        self.days(5)
        self.assertSilent(self.bob)

    def test_last_chance_in_the_queue(self):
        """The days begin when the last-chance mail has left."""
        self.add_last_chance()
        self.start()
        self.clock += timedelta(days=5)
        self.run_cron()
        self.run_cron()
        self.assertEqual(self.trace(self.ann, self.last_chance).state, "processed")
        self.clock += timedelta(days=11)
        self.run_cron()
        self.assertEqual(self.participant(self.ann).state, "running")
        self.send_mails()
        self.assertEqual(self.subjects(ANN)[-1], "Last Chance")
        self.days(9)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.days(1)
        self.assertSilent(self.ann)

    def test_alive_before_the_last_chance_is_sent(self):
        """Nobody is taken for silent who has just opened a mail; when silence comes again the
        last-chance mail is sent."""
        self.add_last_chance(delay=2)
        self.start()
        self.days(6)
        trace = self.trace(self.ann, self.last_chance)
        self.assertEqual(trace.state, "scheduled")
        self.read_mail(self.mail_to(ANN, "Mail 2"))
        self.assertEqual((trace.state, trace.reason), ("cancelled", "opposite"))
        self.days(1 + 5)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2", "Mail 3", "Mail 4"])
        self.days(5 + 2)
        self.assertEqual(self.subjects(ANN)[-1], "Last Chance")
        self.read_mail(self.mail_to(ANN, "Last Chance"))
        self.days(1)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 5")

    def test_last_chance_that_fails(self):
        """Nobody leaves in silence who was not asked, while the last-chance mail may still be
        sent."""
        self.add_last_chance(retry_count=0)
        self.start()
        with self.breaking_mail_of(self.ann):
            self.days(5)
        self.assertEqual(self.trace(self.ann, self.last_chance).state, "error")
        self.days(12)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.assertSilent(self.bob)
        self.trace(self.ann, self.last_chance).action_retry()
        self.days(1)
        self.assertEqual(self.subjects(ANN)[-1], "Last Chance")
        self.days(20)
        self.assertSilent(self.ann)

    def test_last_chance_that_cannot_be_sent(self):
        """Who cannot have the last-chance mail leaves without."""
        self.add_last_chance(filter_domain=repr([("email_from", "=", BOB)]))
        self.start()
        self.days(15)
        self.assertSilent(self.ann)
        self.assertFalse(self.mails_to(ANN, "Last Chance"))
        self.assertEqual(self.trace(self.ann, self.last_chance).reason, "filtered")

    def test_excluded_until_engagement(self):
        """Who left in silence enters no sequence before opening a mail, an old one or another."""
        self.add_last_chance()
        self.start()
        self.days(15)
        self.assertSilent(self.ann)
        self.assertSilent(self.bob)
        other = self.make_sequence(name="Other", entry="manual")
        self.make_step(other, subject="Other mail")
        other.action_start()
        both = self.ann | self.bob
        result = other.enrol(both.ids)
        self.assertEqual(result, {"entered": [], "excluded": {"silent": both.ids}, "unknown": []})
        self.days(1)
        self.read_mail(self.mail_to(ANN, "Last Chance"))
        result = other.enrol(both.ids)
        excluded = {"silent": self.bob.ids}
        self.assertEqual(result, {"entered": self.ann.ids, "excluded": excluded, "unknown": []})

    def test_engagement_before_leaving_does_not_count(self):
        self.start()
        self.read_mail(self.mail_to(ANN, "Mail 1"))
        self.days(15)
        self.assertSilent(self.ann)
        self.sequence.reentry = "days"
        self.sequence.reentry_days = 1
        self.days(5)
        self.assertEqual(len(self.participant(self.ann)), 1)

    def test_last_chance_is_a_message(self):
        self.make_step(
            self.sequence, "silent", step_type="action", action_kind="score", mailing_id=False
        )
        with self.assertRaisesRegex(UserError, "last-chance mail is no message"):
            self.sequence.action_start()

    def test_last_chance_without_limit(self):
        self.add_last_chance()
        self.sequence.silent_limit = 0
        with self.assertRaisesRegex(UserError, "no limit of silent mails"):
            self.sequence.action_start()
        self.sequence.silent_limit = 2
        self.sequence.action_start()
        with self.assertRaisesRegex(UserError, "no limit of silent mails"):
            self.sequence.silent_limit = 0

    def test_statistics(self):
        self.add_last_chance()
        self.start()
        self.days(15)
        self.assertEqual(self.sequence.sent_count, 6)
        self.assertEqual(self.sequence.ignored_count, 6)
        self.assertEqual(self.sequence.running_count, 0)
        self.assertEqual(self.sequence.lead_count, 0)
