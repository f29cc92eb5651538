from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureHttpCase

from .common import WaitingMixin


@tagged("post_install", "-at_install")
class TestBackInStock(WaitingMixin, NurtureHttpCase):
    """From a lost quotation to the mail that says it is back."""

    def test_mail_when_it_arrives(self):
        lead = self.lose("ann", (self.desk, 2))
        self.advance(hours=2)
        self.assertFalse(self.entered())
        self.assertEqual(self.excluded(), {"not_in_stock": lead})
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertFalse(self.entered(), "one is not enough for who wanted two")
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertEqual(self.entered(), lead)
        self.mail_to("ann@recipient.example.com", "First")

    def test_sold_while_it_is_queued(self):
        lead = self.lose("ann", (self.desk, 2))
        self.receive(self.desk, 2)
        self.clock += self.hours(2)
        self.run_cron()
        self.assertEqual(self.trace(lead, self.first).state, "processed")
        self.sell(self.desk, 1)
        self.send_mails()
        self.assertFalse(self.mails_to("ann@recipient.example.com"))
        self.assertEqual(self.participant(lead).exit_reason, "out_of_stock")
        self.assertEqual(self.trace(lead, self.first).reason, "recalled")
        self.assertEqual(lead.nurture_status, "Out of stock again")
        # never written to: as soon as there is enough it enters again
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.mail_to("ann@recipient.example.com")

    def test_sold_before_it_is_queued(self):
        second = self.make_step(self.sequence, "after", self.first, 3, subject="Second")
        lead = self.lose("ann", (self.desk, 2))
        self.receive(self.desk, 2)
        self.advance(hours=2)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com")), 1)
        self.sell(self.desk, 1)
        self.advance(days=4)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com")), 1)
        self.assertEqual(self.participant(lead).exit_reason, "out_of_stock")
        self.assertEqual(self.trace(lead, second).state, "cancelled")

    def test_the_more_valuable_keeps_its_mail(self):
        """Of two mails in the queue only one can be kept: that to whom it is worth more."""
        small = self.lose("small", (self.desk, 1), revenue=10)
        large = self.lose("large", (self.desk, 1), revenue=1000)
        self.receive(self.desk, 2)
        self.clock += self.hours(2)
        self.run_cron()
        self.sell(self.desk, 1)
        self.send_mails()
        self.assertFalse(self.mails_to("small@recipient.example.com"))
        self.mail_to("large@recipient.example.com")
        self.assertEqual(self.participant(small).exit_reason, "stock_taken")
        self.assertEqual(self.participant(large).state, "completed")

    def test_again_only_after_it_was_short_again(self):
        lead = self.lose("ann", (self.desk, 1))
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.mail_to("ann@recipient.example.com")
        self.advance(days=30)
        self.receive(self.desk, 5)
        self.advance(days=30)
        self.mail_to("ann@recipient.example.com")
        self.assertEqual(self.excluded(), {"inside": lead})
        order = self.sell(self.desk, 6)
        self.advance(hours=2)
        order._action_cancel()
        self.advance(hours=2)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com")), 2)
        self.assertEqual(sorted(self.participant(lead).mapped("enrolment_number")), [1, 2])

    def test_who_answers_gets_the_mails_for_that(self):
        """Who has answered is in talks: what the workflow has for that goes on."""
        thanks = self.make_step(self.sequence, "mail_reply", self.first, 1, subject="Thanks")
        lead = self.lose("ann", (self.desk, 1))
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.answer(self.mail_to("ann@recipient.example.com"))
        self.sell(self.desk, 1)
        self.advance(days=2)
        self.assertEqual(self.trace(lead, thanks).state, "processed")
        self.mail_to("ann@recipient.example.com", "Thanks")
