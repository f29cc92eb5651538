"""SMS that say what is back in stock, where the add-on for SMS is installed, too."""

from odoo.tests import tagged

from odoo.addons.lost_lead_nurture_sms.tests.common import SmsCase

from .common import WaitingMixin

ANN, BOB = "+32456001101", "+32456001102"


@tagged("post_install", "-at_install")
class TestSms(WaitingMixin, SmsCase):
    def test_sold_while_it_is_queued(self):
        """An SMS offers what there is in the moment in which it leaves, as a mail does: of two in
        the queue the more valuable one keeps its own."""
        first = self.make_sms_step(self.sequence)
        # it is the only message
        self.first.active = False
        ann = self.lose("ann", (self.desk, 1), revenue=10, phone=ANN)
        bob = self.lose("bob", (self.desk, 1), revenue=1000, phone=BOB)
        self.receive(self.desk, 2)
        self.clock += self.hours(2)
        self.run_cron()
        self.assertEqual(self.trace(ann, first).state, "processed")
        self.sell(self.desk, 1)
        self.send_sms()
        self.assertFalse(self.sms_to(ann))
        self.assertEqual(len(self.sms_to(bob)), 1)
        self.assertEqual(self.participant(ann).exit_reason, "stock_taken")
        self.assertTrace(ann, first, "cancelled", "recalled")
        self.assertTrace(bob, first, "processed", "done")
        # all that is left is sold: there is nothing to send, and nothing fails
        again = self.lose("again", (self.desk, 1), phone="+32456001103")
        self.receive(self.desk, 1)
        self.clock += self.hours(2)
        self.run_cron()
        self.assertEqual(self.trace(again, first).state, "processed")
        self.sell(self.desk, 2)
        self.send_sms()
        self.assertFalse(self.sms_to(again))
        self.assertEqual(self.participant(again).exit_reason, "out_of_stock")
