"""Sunset: who opens nothing is asked for a sign of life, then left in peace."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import NurtureHttpCase

ANN = "ann@reader.example.com"
BOB = "bob@reader.example.com"


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

    def add_farewell(self, **values):
        self.farewell = self.make_step(self.sequence, "silent", subject="Farewell", **values)

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
            # the run that begins the farewell wakes the scheduled action
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

    def test_without_farewell(self):
        """Two mails unopened: the third is not sent, the lead leaves in silence."""
        self.start()
        self.read_mail(self.mail_to(BOB, "Mail 1"))
        self.days(5)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2"])
        self.assertSilent(self.ann)
        self.assertEqual(self.subjects(BOB), ["Mail 1", "Mail 2", "Mail 3"])

    def test_in_a_row(self):
        """Only mails since the last sign of life count, and those that have left."""
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
        """A sign of life is one, whatever mail it comes from."""
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
        self.add_farewell()
        self.start()
        self.days(5)
        self.assertEqual(self.ann.nurture_score, 7)

    def test_farewell_not_opened(self):
        """The farewell is sent instead of the next mail; ten days later the lead leaves."""
        self.add_farewell()
        self.start()
        self.days(5)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2", "Farewell"])
        third = self.trace(self.ann, self.steps[2])
        self.assertEqual((third.state, third.reason), ("scheduled", "farewell"))
        self.days(9)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.days(1)
        self.assertSilent(self.ann)
        self.assertEqual((third.state, third.reason), ("cancelled", "left"))
        self.days(30)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2", "Farewell"])
        self.assertEqual(self.ann.nurture_status, "Too many mails without a sign of life")
        decisions = self.participant(self.ann).decisions
        self.assertIn("Put off: a farewell mail asks for a sign of life first", decisions)
        self.assertIn("Ended: Too many mails without a sign of life", decisions)

    def test_farewell_opened(self):
        """Who opens the farewell goes on at once, and is counted anew."""
        self.add_farewell()
        self.start()
        self.days(5)
        self.days(2)
        self.read_mail(self.mail_to(ANN, "Farewell"))
        self.advance()
        self.assertEqual(self.subjects(ANN)[-1], "Mail 3")
        self.assertEqual(self.subjects(BOB)[-1], "Farewell")
        self.days(5)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 4")
        self.days(5)
        self.assertSilent(self.ann)
        self.assertEqual(len(self.mails_to(ANN, "Farewell")), 1, "there is one farewell only")

    def test_farewell_clicked_or_answered(self):
        self.add_farewell()
        self.start()
        self.days(5)
        self.click(self.mail_to(ANN, "Farewell"))
        self.answer(self.mail_to(BOB, "Farewell"))
        self.assertEqual(self.participant(self.bob).exit_reason, "replied")
        self.assertEqual(self.participant(self.bob).credited_step_id, self.farewell)
        self.advance()
        self.assertEqual(self.subjects(ANN)[-1], "Mail 3")

    def test_what_follows_the_farewell(self):
        """Steps after it are for those who opened it."""
        self.add_farewell()
        self.make_step(self.sequence, "mail_open", self.farewell, subject="Welcome back")
        self.make_step(self.sequence, "mail_not_open", self.farewell, 3, subject="Really?")
        self.start()
        self.days(5)
        self.read_mail(self.mail_to(ANN, "Farewell"))
        self.days(5)
        self.assertTrue(self.mails_to(ANN, "Welcome back"))
        self.assertFalse(self.mails_to(ANN, "Really?"))
        self.assertFalse(self.mails_to(BOB, "Really?"), "silent means silent")
        self.days(5)
        self.assertSilent(self.bob)

    def test_farewell_in_the_queue(self):
        """The days begin when the farewell has left."""
        self.add_farewell()
        self.start()
        self.clock += timedelta(days=5)
        self.run_cron()
        self.run_cron()
        self.assertEqual(self.trace(self.ann, self.farewell).state, "processed")
        self.clock += timedelta(days=11)
        self.run_cron()
        self.assertEqual(self.participant(self.ann).state, "running")
        self.send_mails()
        self.assertEqual(self.subjects(ANN)[-1], "Farewell")
        self.days(9)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.days(1)
        self.assertSilent(self.ann)

    def test_alive_before_the_farewell_is_sent(self):
        """Nobody is told of silence who has just opened a mail; when silence comes again the
        farewell is sent."""
        self.add_farewell(delay=2)
        self.start()
        self.days(6)
        trace = self.trace(self.ann, self.farewell)
        self.assertEqual(trace.state, "scheduled")
        self.read_mail(self.mail_to(ANN, "Mail 2"))
        self.assertEqual((trace.state, trace.reason), ("cancelled", "opposite"))
        self.days(1 + 5)
        self.assertEqual(self.subjects(ANN), ["Mail 1", "Mail 2", "Mail 3", "Mail 4"])
        self.days(5 + 2)
        self.assertEqual(self.subjects(ANN)[-1], "Farewell")
        self.read_mail(self.mail_to(ANN, "Farewell"))
        self.days(1)
        self.assertEqual(self.subjects(ANN)[-1], "Mail 5")

    def test_farewell_that_fails(self):
        """Nobody leaves in silence who was not asked, while the farewell may still be sent."""
        self.add_farewell(retry_count=0)
        self.start()
        with self.breaking_mail_of(self.ann):
            self.days(5)
        self.assertEqual(self.trace(self.ann, self.farewell).state, "error")
        self.days(12)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.assertSilent(self.bob)
        self.trace(self.ann, self.farewell).action_retry()
        self.days(1)
        self.assertEqual(self.subjects(ANN)[-1], "Farewell")
        self.days(20)
        self.assertSilent(self.ann)

    def test_farewell_that_cannot_be_sent(self):
        """Who cannot have the farewell leaves without."""
        self.add_farewell(filter_domain=repr([("email_from", "=", BOB)]))
        self.start()
        self.days(15)
        self.assertSilent(self.ann)
        self.assertFalse(self.mails_to(ANN, "Farewell"))
        self.assertEqual(self.trace(self.ann, self.farewell).reason, "filtered")

    def test_kept_out_until_a_sign_of_life(self):
        """Who left in silence enters no sequence before opening a mail, an old one or another."""
        self.add_farewell()
        self.start()
        self.days(15)
        self.assertSilent(self.ann)
        self.assertSilent(self.bob)
        other = self.make_sequence(name="Other", entry="manual")
        self.make_step(other, subject="Other mail")
        other.action_start()
        both = self.ann | self.bob
        result = other.enrol(both.ids)
        self.assertEqual(result, {"entered": [], "kept_out": {"silent": both.ids}, "unknown": []})
        self.days(1)
        self.read_mail(self.mail_to(ANN, "Farewell"))
        result = other.enrol(both.ids)
        kept_out = {"silent": self.bob.ids}
        self.assertEqual(result, {"entered": self.ann.ids, "kept_out": kept_out, "unknown": []})

    def test_signs_of_life_before_leaving_do_not_count(self):
        self.start()
        self.read_mail(self.mail_to(ANN, "Mail 1"))
        self.days(15)
        self.assertSilent(self.ann)
        self.sequence.reentry = "days"
        self.sequence.reentry_days = 1
        self.days(5)
        self.assertEqual(len(self.participant(self.ann)), 1)

    def test_farewell_is_a_message(self):
        self.make_step(
            self.sequence, "silent", step_type="action", action_kind="score", mailing_id=False
        )
        with self.assertRaisesRegex(UserError, "farewell is no message"):
            self.sequence.action_start()

    def test_farewell_without_limit(self):
        self.add_farewell()
        self.sequence.silent_limit = 0
        with self.assertRaisesRegex(UserError, "no limit of silent mails"):
            self.sequence.action_start()
        self.sequence.silent_limit = 2
        self.sequence.action_start()
        with self.assertRaisesRegex(UserError, "no limit of silent mails"):
            self.sequence.silent_limit = 0

    def test_figures(self):
        self.add_farewell()
        self.start()
        self.days(15)
        self.assertEqual(self.sequence.sent_count, 6)
        self.assertEqual(self.sequence.ignored_count, 6)
        self.assertEqual(self.sequence.running_count, 0)
        self.assertEqual(self.sequence.lead_count, 0)
