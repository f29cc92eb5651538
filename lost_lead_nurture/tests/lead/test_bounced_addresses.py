"""What protects people without anybody setting it: a cap, one sequence at a time, and no mails to
addresses from which mails bounce."""

from datetime import timedelta

from odoo.tests import tagged

from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, SequenceMixin


@tagged("post_install", "-at_install")
class TestDefaults(NurtureHttpCase):
    def test_cap(self):
        """A new company's addresses get two marketing messages in seven days."""
        company = self.env["res.company"].create({"name": "New Company"})
        self.assertEqual((company.nurture_cap_number, company.nurture_cap_days), (2, 7))
        sequence = self.make_sequence(company_id=company.id)
        self.assertEqual(sequence._get_cap(), (2, 7))

    def test_new_sequence(self):
        sequence = self.env["nurture.sequence"].create({"name": "New"})
        self.assertTrue(sequence.exclude_other_sequences)
        self.assertTrue(sequence.exclude_bounced)

    def test_one_sequence_at_a_time(self):
        """Of two sequences for the same leads one takes them."""
        lead = self.make_lead(ANN)
        sequences = self.env["nurture.sequence"]
        for name in ("One", "Two"):
            sequence = sequences.create(
                {
                    "name": name,
                    "user_id": self.marketer.id,
                    "company_id": self.company.id,
                    "domain": repr([("id", "=", lead.id)]),
                }
            )
            step = self.make_step(sequence, subject=name)
            self.make_step(sequence, "after", step, 7, subject="Later")
            sequences |= sequence
        sequences.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertEqual(len(sequences.participant_ids), 1)

    def test_two_mails_a_week(self):
        self.company.nurture_cap_number = self.env["res.company"].new().nurture_cap_number
        sequence = self.make_sequence()
        step = self.make_step(sequence, subject="First")
        for day in (1, 2, 3):
            step = self.make_step(sequence, "after", step, 1, subject=f"Day {day}")
        self.make_lead(ANN)
        sequence.action_start()
        self.advance()
        for _day in range(5):
            self.advance(days=1)
        self.assertEqual(len(self.mails_to(ANN)), 2)


@tagged("post_install", "-at_install")
class TestBouncedAddresses(SecondStepMixin, SequenceMixin, NurtureHttpCase):
    def mail_plainly(self, *leads, subject="Plain"):
        """Send a plain mailing to leads; the mails that arrived."""
        mailing = self.make_mailing(subject)
        mailing.action_send_mail([lead.id for lead in leads])
        self.send_mails()
        return [self.mail_to(lead.email_normalized, subject) for lead in leads]

    def assertOut(self, lead):  # noqa: N802
        self.assertEqual(self.sequence._group_by_exclusion().get("bounced"), lead.ids)
        self.assertEqual(
            self.sequence.enrol(lead.ids),
            {"entered": [], "excluded": {"bounced": lead.ids}, "unknown": []},
        )

    def test_plain_mailing(self):
        """A mail of another mailing bounced: its address, of whatever lead, is excluded."""
        ann, bob = self.make_lead(ANN, self.reason_price), self.make_lead(BOB)
        self.bounce(self.mail_plainly(ann)[0])
        lead = self.make_lead(ANN)
        self.start()
        self.assertTrue(self.participant(bob))
        self.assertOut(lead)
        explained = self.sequence.with_user(self.marketer).explain(lead.id)
        no = [one["label"] for one in explained["conditions"] if not one["ok"]]
        self.assertEqual(
            no, ["No mail to the address has bounced, or somebody there has engaged since"]
        )
        self.assertIn(
            {"reason": "bounced", "label": "Mails to the address bounce", "count": 1},
            self.sequence.with_user(self.marketer).get_audience()["excluded"],
        )

    def test_only_the_statistics(self):
        """The trace of the mailing is enough: core's counters may have been reset."""
        ann = self.make_lead(ANN, self.reason_price)
        self.bounce(self.mail_plainly(ann)[0])
        ann.message_bounce = 0
        lead = self.make_lead(ANN)
        self.start()
        self.assertOut(lead)

    def test_mail_by_hand(self):
        """So is a mail that is no mailing, which core counts on leads and contacts."""
        for record in (
            self.make_lead(ANN, self.reason_price),
            self.env["res.partner"].create({"name": "Bob", "email": BOB}),
        ):
            record.message_bounce = 1
        leads = self.make_lead(ANN) | self.make_lead(BOB)
        self.start()
        self.assertEqual(self.sequence._group_by_exclusion().get("bounced"), sorted(leads.ids))

    def test_between_two_mails(self):
        ann = self.make_lead(ANN)
        self.start()
        self.clock += timedelta(days=1)
        (plain,) = self.mail_plainly(ann)
        self.bounce(plain)
        self.advance(days=6)
        self.assertFalse(self.mails_to(ANN, "Second"))
        trace = self.trace(ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("rejected", "bounced"))

    def test_own_bounce(self):
        """Who stays after a bounce stays for steps that are no mails."""
        ann = self.make_lead(ANN)
        action = self.make_step(
            self.sequence,
            "after",
            self.first,
            7,
            step_type="action",
            action_kind="priority",
            priority="3",
            mailing_id=False,
        )
        self.start(exit_on_bounced=False)
        self.bounce(self.mail_to(ANN))
        self.advance(days=7)
        self.assertEqual(self.trace(ann, self.second).reason, "bounced")
        self.assertEqual(self.trace(ann, action).state, "processed")

    def test_engaged_since(self):
        """A mail that was sent later is opened: the address is in order again."""
        ann = self.make_lead(ANN)
        partner = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        (plain,) = self.mail_plainly(ann)
        self.bounce(plain)
        self.assertEqual((ann.message_bounce, partner.message_bounce), (1, 1))
        self.sequence.action_start()
        self.advance()
        self.assertOut(ann)
        self.clock += timedelta(days=1)
        (again,) = self.mail_plainly(ann, subject="Again")
        self.clock += timedelta(hours=1)
        self.assertOut(ann)
        self.env["mailing.trace"].set_opened(domain=[("message_id", "=", again["Message-ID"])])
        self.env.invalidate_all()
        self.assertEqual((ann.message_bounce, partner.message_bounce), (0, 0))
        self.assertEqual(self.sequence.enrol(ann.ids)["entered"], ann.ids)

    def test_opened_before(self):
        """That it was opened before it bounced proves nothing."""
        ann = self.make_lead(ANN)
        (old,) = self.mail_plainly(ann, subject="Old")
        self.env["mailing.trace"].set_opened(domain=[("message_id", "=", old["Message-ID"])])
        self.clock += timedelta(days=1)
        self.bounce(self.mail_plainly(ann)[0])
        self.start()
        self.assertOut(ann)

    def test_switched_off(self):
        ann = self.make_lead(ANN)
        self.bounce(self.mail_plainly(ann)[0])
        self.start(exclude_bounced=False)
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)

    def test_another_address_of_the_contact(self):
        partner = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        ann = self.make_lead(ANN, partner_id=partner.id)
        self.bounce(self.mail_plainly(ann)[0])
        self.assertTrue(ann.message_bounce and partner.message_bounce)
        partner.email = BOB
        self.assertEqual(ann.email_normalized, BOB)
        self.assertFalse(ann.message_bounce or partner.message_bounce)

    def test_another_address(self):
        """Somebody wrote the right address into the lead."""
        ann = self.make_lead(ANN)
        self.bounce(self.mail_plainly(ann)[0])
        ann.email_from = BOB
        self.assertFalse(ann.message_bounce)
        self.start()
        self.assertEqual(len(self.mails_to(BOB, "First")), 1)
