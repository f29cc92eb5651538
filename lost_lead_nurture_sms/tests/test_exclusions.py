"""Who gets no SMS, and that it says why."""

import re
from datetime import timedelta
from importlib.util import find_spec
from unittest import skipUnless

from odoo.tests import tagged

from .common import SmsCase

ANN = "+32456001101"
BOB = "+32456001102"


@tagged("post_install", "-at_install")
class TestExclusions(SmsCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.first = self.make_sms_step(self.sequence)
        self.beside = self.make_step(self.sequence, "begin", delay=7, subject="Beside")

    def assertJourneyGoesOn(self, lead, sms_count=0):  # noqa: N802
        """No SMS, but the mail beside it."""
        self.assertEqual(len(self.sms_to(lead)), sms_count)
        self.assertEqual(self.participant(lead).state, "running")
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(lead.email_normalized, "Beside")), 1)

    def test_no_phone(self):
        ann = self.make_lead("ann@recipient.example.com")
        after = self.make_sms_step(self.sequence, "after", self.first)
        self.start()
        self.assertTrace(ann, self.first, "rejected", "no_phone")
        self.assertFalse(self.trace(ann, after))
        self.assertJourneyGoesOn(ann)

    def test_customers_phone(self):
        """A lead without a number is called by its customer's, as core does."""
        customer = self.env["res.partner"].create({"name": "Ann", "phone": ANN})
        ann = self.make_lead("ann@recipient.example.com", partner_id=customer.id, phone=False)
        ann.phone = False
        self.env["res.partner"].flush_model()
        customer.phone = ANN
        self.start()
        self.assertTrace(ann, self.first, "processed", "done")
        self.assertEqual([sms["number"] for sms in self.provider.messages], [ANN])

    @skipUnless(find_spec("phonenumbers"), "without the library every number is valid")
    def test_invalid_phone(self):
        ann = self.make_lead("ann@recipient.example.com", phone="+32 1")
        self.start()
        self.assertTrace(ann, self.first, "rejected", "invalid_phone")
        self.assertJourneyGoesOn(ann)

    def test_blacklisted_phone(self):
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        bob = self.make_lead("bob@recipient.example.com", phone=BOB)
        self.first.mailing_id.use_exclusion_list = False
        self.env["phone.blacklist"].add(ANN)
        self.start()
        self.assertTrace(ann, self.first, "rejected", "phone_blacklisted")
        self.assertEqual(len(self.sms_to(bob)), 1)
        self.assertJourneyGoesOn(ann)

    def test_blacklisted_while_queued(self):
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        bob = self.make_lead("bob@recipient.example.com", phone=BOB)
        self.env["phone.blacklist"].add(BOB).action_archive()
        self.sequence.action_start()
        self.run_cron()
        self.env["phone.blacklist"].with_user(self.marketer).sudo().add(ANN)
        self.env["phone.blacklist"].add(BOB)
        self.send_sms()
        self.assertFalse(self.provider.messages)
        self.assertTrace(ann, self.first, "rejected", "phone_blacklisted")
        self.assertTrace(bob, self.first, "rejected", "phone_blacklisted")
        self.assertJourneyGoesOn(ann)

    def test_opt_out_link(self):
        """The link at the end of the text blacklists the number."""
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.first.sms_allow_unsubscribe = True
        later = self.make_sms_step(self.sequence, "begin", delay=2)
        self.start()
        (sms,) = self.sms_to(ann)
        (link,) = re.findall(r"STOP SMS: (\S+)", sms["text"])
        (token,) = re.findall(r'name="csrf_token" value="(\w+)"', self._get(link).text)
        response = self.url_open(link, data={"sms_number": ANN, "csrf_token": token})
        self.assertEqual(response.status_code, 200)
        self.env.invalidate_all()
        self.assertTrue(ann.phone_sanitized_blacklisted)
        self.advance(days=2)
        self.assertTrace(ann, later, "rejected", "phone_blacklisted")
        self.advance(days=5)
        self.assertEqual(len(self.mails_to(ann.email_normalized, "Beside")), 1)

    def test_same_number_in_a_batch(self):
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        partner = self.make_lead("partner@recipient.example.com", phone=ANN)
        self.start()
        self.assertEqual(len(self.sms_to(ann)), 1)
        states = {self.trace(lead, self.first).reason for lead in (ann, partner)}
        self.assertEqual(states, {"done", "sms_duplicate"})

    def test_same_number_in_another_batch(self):
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.start()
        partner = self.make_lead("partner@recipient.example.com", phone=ANN)
        self.advance()
        self.assertEqual(len(self.sms_to(ann)), 1)
        self.assertTrace(partner, self.first, "rejected", "sms_duplicate")

    def test_same_person_enters_again(self):
        """By another lead, later, where the sequence allows it."""
        self.sequence.write({"reentry": "days", "reentry_days": 1})
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.start()
        self.advance(days=7)
        self.assertEqual(self.participant(ann).state, "completed")
        self.clock += timedelta(days=5)
        again = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.advance()
        self.assertTrace(again, self.first, "processed", "done")
        self.assertEqual(len(self.sms_to(ann)), 2)

    def test_leads_without_address(self):
        """A sequence per lead takes them too: SMS go to their phones, each by its own cap."""
        sequence = self.make_sequence(
            name="Per lead", entry_per="lead", cap_own=True, cap_number=1, cap_days=7
        )
        first = self.make_sms_step(sequence)
        self.make_sms_step(sequence, "begin", delay=1)
        leads = [self.make_lead(False, name=number, phone=number) for number in (ANN, BOB)]
        sequence.action_start()
        self.assertEqual(first._get_batch_size(), 500)
        self.advance()
        for lead in leads:
            self.assertTrace(lead, first, "processed", "done")
        self.advance(days=1)
        self.assertEqual([len(self.sms_to(lead)) for lead in leads], [1, 1])

    def test_silence_is_about_mails(self):
        """An SMS that nobody clicks is no mail that nobody opens."""
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.sequence.silent_limit = 1
        self.start()
        self.report("delivered", *self.sms_to(ann))
        self.assertJourneyGoesOn(ann, 1)

    def test_mail_blacklist_forbids_no_sms(self):
        """Where the sequence does not end by it."""
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.sequence.exit_on_blacklisted = False
        later = self.make_sms_step(self.sequence, "begin", delay=2)
        self.start()
        self.env["mail.blacklist"]._add(ann.email_normalized)
        self.advance(days=2)
        self.assertTrace(ann, later, "processed", "done")
        self.assertEqual(len(self.sms_to(ann)), 2)

    def test_phone_gone(self):
        """The number counts when the step is due, not at entry."""
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        second = self.make_sms_step(self.sequence, "after", self.first, 2)
        self.start()
        ann.phone = False
        self.advance(days=2)
        self.assertTrace(ann, second, "rejected", "no_phone")

    @skipUnless(find_spec("phonenumbers"), "without the library every number is valid")
    def test_two_numbers(self):
        """Two numbers are none: nobody guesses which of them is meant."""
        ann = self.make_lead("ann@recipient.example.com", phone=f"{ANN} / {BOB}")
        self.start()
        self.assertFalse(ann.phone_sanitized)
        self.assertFalse(self.provider.messages)
        self.assertTrace(ann, self.first, "rejected", "invalid_phone")

    def test_forgotten_number(self):
        """Who asked to be forgotten is not found by the phone number, either."""
        ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.start()
        messages = self.trace(ann, self.first).mailing_trace_ids
        self.assertEqual(messages.sms_number, ANN)
        self.participant(ann).with_user(self.marketer).action_forget()
        self.assertFalse(messages.sms_number)
        again = self.make_lead("other@recipient.example.com", phone=ANN)
        self.assertEqual(self.sequence.enrol(again.ids)["excluded"], {"forgotten": again.ids})
        wizard = self.env["nurture.let.in"].with_user(self.marketer).create({"address": ANN})
        wizard.action_let_in()
        self.assertEqual(self.sequence.enrol(again.ids)["entered"], again.ids)
