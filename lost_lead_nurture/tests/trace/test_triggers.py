"""Each trigger, by the real event: what was sent to whom, and when."""

from datetime import timedelta

from odoo.tests import tagged

from ...tools.triggers import TRIGGERS
from ..common import ANN, BOB, NOW, NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestTriggers(TwoLeadsMixin, NurtureHttpCase):
    def start(self):
        """Start, and send the first mail to Ann and Bob."""
        self.sequence.action_start()
        self.advance()
        return self.mail_to(ANN, "First"), self.mail_to(BOB, "First")

    def assertGot(self, subject, *addresses):  # noqa: N802
        got = {address for address in (ANN, BOB) if self.mails_to(address, subject)}
        self.assertEqual(got, set(addresses), subject)

    def test_begin(self):
        """Steps that begin a sequence count from the day the lead enters, each with its delay."""
        self.make_step(self.sequence, "begin", delay=2, subject="Second beginning")
        self.start()
        self.advance(days=1, hours=23)
        self.assertGot("Second beginning")
        self.advance(hours=1)
        self.assertGot("Second beginning", ANN, BOB)

    def test_delay_units(self):
        """Hours, days and weeks are what they say; a month is a calendar month."""
        units = {
            unit: self.make_step(self.sequence, "begin", delay=1, unit=unit)
            for unit in ("hours", "days", "weeks", "months")
        }
        self.clock = NOW.replace(month=1, day=31)
        self.start()
        due = {unit: self.trace(self.ann, step).schedule_date for unit, step in units.items()}
        self.assertEqual(
            due,
            {
                "hours": self.clock + timedelta(hours=1),
                "days": self.clock + timedelta(days=1),
                "weeks": self.clock + timedelta(days=7),
                "months": self.clock.replace(month=2, day=28),
            },
        )

    def test_after(self):
        """Its clock starts when the mail before has really left, not when it was queued."""
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.trace(self.ann, after).state, "waiting")
        self.clock += timedelta(days=3)
        self.send_mails()
        self.assertEqual(
            self.trace(self.ann, after).schedule_date, NOW + timedelta(days=10), "sent on day 3"
        )
        self.advance(days=6)
        self.assertGot("After")
        self.advance(days=1)
        self.assertGot("After", ANN, BOB)

    def test_mail_open(self):
        opened = self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        to_ann, _to_bob = self.start()
        self.advance(days=5)
        self.read_mail(to_ann)
        self.assertEqual(self.trace(self.ann, opened).schedule_date, NOW + timedelta(days=6))
        self.advance(days=1)
        self.assertGot("Opened", ANN)
        self.read_mail(to_ann)
        self.advance(days=2)
        self.assertEqual(len(self.mails_to(ANN, "Opened")), 1, "a second look changes nothing")

    def test_mail_not_open(self):
        self.make_step(self.sequence, "mail_not_open", self.first, 3, subject="Not opened")
        to_ann, to_bob = self.start()
        self.clock += timedelta(days=2)
        self.read_mail(to_ann)
        self.advance(days=1)
        self.assertGot("Not opened", BOB)
        self.read_mail(to_bob)
        self.advance(days=1)
        self.assertGot("Not opened", BOB)

    def test_mail_click(self):
        self.make_step(self.sequence, "mail_click", self.first, 12, "hours", subject="Clicked")
        to_ann, to_bob = self.start()
        self.click(to_ann)
        self.read_mail(to_bob)
        self.advance(hours=11)
        self.assertGot("Clicked")
        self.advance(hours=1)
        self.assertGot("Clicked", ANN)

    def test_mail_not_click(self):
        self.make_step(self.sequence, "mail_not_click", self.first, 3, subject="Not clicked")
        to_ann, to_bob = self.start()
        self.click(to_ann)
        self.read_mail(to_bob)
        self.advance(days=3)
        self.assertGot("Not clicked", BOB)

    def test_mail_reply(self):
        """A step for replies is what still happens to somebody who replied; all else ends."""
        self.make_step(self.sequence, "mail_reply", self.first, 1, "hours", subject="Thank you")
        self.make_step(self.sequence, "after", self.first, 1, subject="After")
        to_ann, _to_bob = self.start()
        self.answer(to_ann)
        self.assertEqual(self.ann.won_status, "pending", "won back at once")
        self.advance(hours=1)
        self.assertGot("Thank you", ANN)
        self.advance(days=2)
        self.assertGot("After", BOB)
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "replied"))

    def test_reply_is_an_open(self):
        """Who answers a mail whose pictures were never loaded has opened it: what waits for that
        follows, where the journey goes on, and what waits for the opposite does not."""
        self.sequence.exit_on_replied = False
        self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        self.make_step(self.sequence, "mail_not_open", self.first, 3, subject="Not opened")
        to_ann, _to_bob = self.start()
        self.answer(to_ann)
        self.advance(days=1)
        self.assertGot("Opened", ANN)
        self.advance(days=2)
        self.assertGot("Not opened", BOB)

    def test_reply_instead_of_an_open(self):
        """Where a reply ends the journey, what waits for an open does not follow."""
        opened = self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        not_opened = self.make_step(self.sequence, "mail_not_open", self.first, 3)
        to_ann, _to_bob = self.start()
        self.answer(to_ann)
        self.assertEqual(self.trace(self.ann, opened).reason, "left")
        self.assertEqual(self.trace(self.ann, not_opened).reason, "opposite")
        self.advance(days=1)
        self.assertGot("Opened")

    def test_mail_not_reply(self):
        self.make_step(self.sequence, "mail_not_reply", self.first, 3, subject="Not replied")
        to_ann, to_bob = self.start()
        self.answer(to_ann)
        self.click(to_bob)
        self.advance(days=3)
        self.assertGot("Not replied", BOB)

    def test_mail_ignored(self):
        """Ignored is neither opened, clicked nor answered."""
        carl, dora = "carl@recipient.example.com", "dora@recipient.example.com"
        self.make_lead(carl)
        self.make_lead(dora)
        self.make_step(self.sequence, "mail_ignored", self.first, 7, subject="Ignored")
        to_ann, _to_bob = self.start()
        self.read_mail(to_ann)
        self.click(self.mail_to(carl))
        self.answer(self.mail_to(dora))
        self.advance(days=7)
        self.assertGot("Ignored", BOB)
        self.assertFalse(self.mails_to(carl, "Ignored") + self.mails_to(dora, "Ignored"))

    def test_mail_bounce(self):
        """A step for bounces is what still happens after one; all else ends."""
        bounced = self.make_step(self.sequence, "mail_bounce", self.first, 1)
        after = self.make_step(self.sequence, "after", self.first, 1, subject="After")
        to_ann, _to_bob = self.start()
        self.bounce(to_ann)
        self.assertEqual(self.trace(self.ann, bounced).schedule_date, NOW + timedelta(days=1))
        self.assertEqual(self.trace(self.ann, after).reason, "other_branch")
        self.assertEqual(self.trace(self.bob, bounced).state, "waiting")
        self.advance(days=1)
        self.assertGot("After", BOB)

    def test_out_of_office_is_no_reply(self):
        self.make_step(self.sequence, "mail_not_reply", self.first, 3, subject="Not replied")
        to_ann, _to_bob = self.start()
        self.answer(to_ann, "I am away.", headers="Auto-Submitted: auto-replied\n")
        self.assertEqual(self.ann.won_status, "lost")
        self.advance(days=3)
        self.assertGot("Not replied", ANN, BOB)

    def test_waiting_ends_with_the_window(self):
        """Who never reacts does not stay in the sequence for ever."""
        self.make_step(self.sequence, "mail_click", self.first, subject="Clicked")
        self.sequence.window_days = 30
        to_ann, _to_bob = self.start()
        self.advance(days=29)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.advance(days=1)
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "finished"))
        self.assertEqual(participant.trace_ids.sorted("id")[-1].reason, "no_reaction")
        self.click(to_ann)
        self.advance(days=1)
        self.assertGot("Clicked")

    def test_table(self):
        """The bridge apart, every trigger of the table can be chosen."""
        self.assertGreaterEqual(
            TRIGGERS.keys(), dict(self.env["nurture.step"]._fields["trigger"].selection).keys()
        )
