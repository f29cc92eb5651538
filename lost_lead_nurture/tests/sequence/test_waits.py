"""What the card of a sequence says of those inside: what they wait for, each once."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ...models.sequence import statistics as sequence_statistics
from ..common import ANN, NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestWaits(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        for user in (self.marketer, self.salesman, self.colleague):
            user.tz = "UTC"

    def waits(self, user=None):
        """What is said, with the leads that the list behind it shows."""
        sequence = self.seen_by(user or self.marketer)
        found = {}
        counted = 0
        for kind, text in (sequence.waits or {}).items():
            action = sequence.with_context(nurture_wait=kind).action_view_waits()
            listed = sequence.env[action["res_model"]].search(action["domain"])
            self.assertEqual(int(text.split()[0]), len(listed), text)
            counted += len(listed)
            found[text] = listed.lead_id.sudo()
        self.assertEqual(counted, sequence.running_count, "each is counted once")
        return found

    def test_next_mail(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.make_step(self.sequence, "mail_click", self.first, subject="Clicked")
        self.start()
        text = "2 wait for their next mail (next on Mar 9, 2026)"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})
        self.bob.action_set_won()
        self.advance()
        text = "1 waits for the next mail (on Mar 9, 2026)"
        self.assertEqual(self.waits(), {text: self.ann})

    def test_what_is_due_is_of_today(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.clock = self.clock.replace(day=20)
        text = "2 wait for their next mail (next on Mar 20, 2026)"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})

    def test_date_is_in_the_zone_of_the_user(self):
        self.clock = self.clock.replace(hour=20)
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.marketer.tz = "Pacific/Auckland"
        text = "2 wait for their next mail (next on Mar 10, 2026)"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})

    def test_reaction(self):
        self.make_step(self.sequence, "mail_click", self.first, 1, subject="Clicked")
        self.start()
        self.assertEqual(self.waits(), {"2 wait for a reaction": self.ann | self.bob})
        self.click(self.mail_to(ANN))
        self.assertEqual(
            self.waits(),
            {
                "1 waits for a reaction": self.bob,
                "1 waits for the next mail (on Mar 3, 2026)": self.ann,
            },
        )

    def test_steps_that_are_no_mails(self):
        values = {"step_type": "activity", "mailing_id": False, "name": "Call"}
        activity_type = self.env.ref("mail.mail_activity_data_call")
        call = self.make_step(
            self.sequence, "after", self.first, 3, activity_type_id=activity_type.id, **values
        )
        self.make_step(self.sequence, "activity_done", call, subject="Thanks")
        self.start()
        text = "2 wait for their next step (next on Mar 5, 2026)"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})
        self.advance(days=3)
        text = "2 wait for an activity to be done"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})

    def test_failed(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        with self.breaking_mail_of(self.bob):
            self.start()
        self.assertEqual(
            self.waits(),
            {
                "1 failed": self.bob,
                "1 waits for the next mail (on Mar 9, 2026)": self.ann,
            },
        )

    def test_mail_is_leaving(self):
        """In the queue: what follows waits for the mail to leave, nothing is scheduled yet."""
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.run_cron()
        text = "2 have a mail that is just leaving"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})

    def test_last_mail_is_leaving(self):
        self.sequence.action_start()
        self.run_cron()
        text = "2 have a mail that is just leaving"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})
        self.send_mails()
        self.assertEqual(self.waits(), {})

    def test_stopped(self):
        """Nobody waits for a date of a sequence that is stopped."""
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.sequence.action_stop()
        self.assertFalse(self.seen_by(self.marketer).waits)
        self.assertEqual(self.sequence.running_count, 2)

    def test_of_own_leads(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.bob.user_id = self.colleague
        self.start()
        text = "1 waits for the next mail (on Mar 9, 2026)"
        self.assertEqual(self.waits(self.salesman), {text: self.ann})
        self.assertEqual(self.waits(self.colleague), {text: self.bob})

    def test_big_sequence(self):
        """It shows what was counted last, as in its other statistics."""
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        with patch.object(sequence_statistics, "MANY_TRACES", 2):
            self.env.ref("lost_lead_nurture.ir_cron_nurture_statistics").method_direct_trigger()
        text = "2 wait for their next mail (next on Mar 9, 2026)"
        self.assertEqual(self.waits(), {text: self.ann | self.bob})
        self.bob.action_set_won()
        self.assertIn(text, self.seen_by(self.marketer).waits.values())

    def test_of_several_sequences(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        other = self.make_sequence(name="Other")
        first = self.make_step(other, subject="Other mail")
        self.make_step(other, "mail_click", first, subject="Other click")
        other.action_start()
        self.start()
        self.env.invalidate_all()
        one, another = (self.sequence | other).with_user(self.marketer).mapped("waits")
        self.assertEqual(one, {"mail": "2 wait for their next mail (next on Mar 9, 2026)"})
        self.assertEqual(another, {"reaction": "2 wait for a reaction"})

    def test_there_is_no_such_thing(self):
        for kind in (None, "nothing", 3, ["mail"]):
            with self.assertRaisesRegex(UserError, "is none of"):
                self.sequence.with_context(nurture_wait=kind).action_view_waits()
