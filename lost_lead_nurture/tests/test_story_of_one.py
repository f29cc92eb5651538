from odoo.tests import tagged

from .common import NurtureCase


@tagged("post_install", "-at_install")
class TestOne(NurtureCase):
    def test_one(self):
        lead = self.make_lead("ann@reader.example.com")
        sequence = self.make_sequence()
        first = self.make_step(sequence, subject="Back in stock")
        second = self.make_step(sequence, "mail_ignored", first, 7)
        clicked = self.make_step(sequence, "mail_click", first, 1)
        sequence.action_start()
        self.run_cron()
        self.assertEqual(self.trace(lead, first).state, "processed")
        self.assertEqual(self.trace(lead, second).state, "waiting")
        self.send_mails()
        mail = self.mail_to("ann@reader.example.com")
        self.assertEqual(self.trace(lead, second).state, "scheduled")
        self.read_mail(mail)
        self.assertEqual(self.trace(lead, second).state, "cancelled")
        self.click(mail)
        self.assertEqual(self.trace(lead, clicked).state, "scheduled")
        self.answer(mail)
        participant = self.participant(lead)
        self.assertEqual(participant.exit_reason, "replied")
        self.assertEqual(lead.won_status, "pending")
        self.assertEqual(lead.activity_ids.user_id, self.salesman)
        print(lead.message_ids.mapped("body"))
