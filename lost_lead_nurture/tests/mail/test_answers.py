"""What arrives in the mailbox: whose answer it is, to which mail, and whether a person wrote it.
Raw messages are handed to the mail gateway."""

from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..mail_samples import AUTOMATIC, HUMAN

#: Automatic mails that report a bounce.
BOUNCES = ("163 returned mail", "postmaster who attaches the mail")


class AnswerCase(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def start(self):
        self.sequence.action_start()
        self.advance()
        self.clock += timedelta(minutes=5)

    def mailing_trace(self, lead, step=None):
        return self.trace(lead, step or self.first).mailing_trace_ids

    def receive(self, sender, subject, to=None, headers="", body="Yes, please call me."):
        """A message from ``sender`` arrives, with these headers."""
        self._receive(
            f"From: Somebody <{sender}>\n"
            f"To: {to or self.alias_domain.catchall_email}\n"
            f"Subject: {subject}\n"
            f"Message-ID: <{self.env.cr.sql_log_count}@recipient.example.com>\n"
            f"{headers}"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
            f"\n{body}\n"
        )

    def assertReplied(self, *leads):  # noqa: N802
        """These leads, and no others, have answered, and were won back."""
        everybody = self.env["nurture.participant"].search([("sequence_id", "=", self.sequence.id)])
        for participant in everybody:
            lead = participant.lead_id
            replied = lead in leads
            with self.subTest(lead.email_from):
                self.assertEqual(participant.exit_reason == "replied", replied)
                self.assertEqual(lead.won_status, "pending" if replied else "lost")
                statuses = participant.trace_ids.mailing_trace_ids.mapped("trace_status")
                self.assertEqual(statuses.count("reply"), int(replied))

    def assertFiled(self, lead, text):  # noqa: N802
        """What was written is in the lead's chatter."""
        self.assertIn(text, "".join(lead.message_ids.mapped("body")))


@tagged("post_install", "-at_install")
class TestSamples(NurtureHttpCase):
    """What programs and people really send."""

    def start(self, samples):
        """Send a mail to somebody for each of the samples: ``[(sample, lead, mail)]``."""
        leads = [self.make_lead(f"ann{n}@recipient.example.com") for n in range(len(samples))]
        sequence = self.make_sequence()
        first = self.make_step(sequence, subject="First")
        self.make_step(sequence, "mail_open", first, 1, "hours")
        self.make_step(sequence, "mail_reply", first, 1, "hours")
        self.make_step(sequence, "mail_bounce", first, 1, "hours")
        self.make_step(sequence, "mail_ignored", first, 9)
        sequence.action_start()
        self.advance()
        self.clock += timedelta(minutes=5)
        return [
            (sample, lead, self.mail_to(lead.email_from))
            for sample, lead in zip(samples, leads, strict=True)
        ]

    def states(self, lead):
        """All that a sequence knows of a lead."""
        participant = self.participant(lead)
        mailing_traces = participant.trace_ids.mailing_trace_ids
        return (
            (lead.won_status, lead.active, lead.lost_reason_id, participant.state),
            participant.trace_ids.sorted("id").mapped(lambda trace: (trace.state, trace.reason)),
            (
                mailing_traces.trace_status,
                mailing_traces.reply_datetime,
                mailing_traces.open_datetime,
            ),
        )

    def test_automatic(self):
        """Nothing comes of them, wherever they are sent, but for the reports among them that say
        that nobody gets mail at the address."""
        self.assertGreaterEqual(len(AUTOMATIC), 60)
        for sample, lead, mail in self.start(AUTOMATIC):
            with self.subTest(sample.name):
                before = self.states(lead)
                for to in (mail["Reply-To"], self.alias_domain.bounce_email):
                    raw = sample.build(mail["Message-ID"], lead.email_from, to)
                    raw = raw.replace(b"Message-ID: <", b"Message-ID: <" + to[:3].encode(), 1)
                    self._receive(raw)
                    if sample.name in BOUNCES:
                        self.assertEqual(self.states(lead)[2], ("bounce", False, False), to)
                    else:
                        self.assertEqual(self.states(lead), before, to)

    def test_people(self):
        self.assertGreaterEqual(len(HUMAN), 15)
        for sample, lead, mail in self.start(HUMAN):
            with self.subTest(sample.name):
                self._receive(sample.build(mail["Message-ID"], lead.email_from, mail["Reply-To"]))
                traces = self.participant(lead).trace_ids
                reply = traces.filtered(lambda trace: trace.step_id.trigger == "mail_reply")
                self.assertEqual(lead.won_status, "pending")
                self.assertEqual(traces.mailing_trace_ids.trace_status, "reply")
                self.assertEqual(reply.state, "scheduled", "its branch goes on")


@tagged("post_install", "-at_install")
class TestWhoseAnswer(AnswerCase):
    def setUp(self):
        super().setUp()
        self.others = [self.make_lead(f"other{n}@recipient.example.com") for n in range(4)]
        self.leads = [self.ann, self.bob, *self.others]
        self.start()
        self.ids = [self.mail_to(lead.email_from)["Message-ID"] for lead in self.leads]

    def references(self, *ids):
        return f"References: {' '.join(ids)}\n"

    def test_references_to_mails_of_others(self):
        """One answer is the answer to one mail, whatever it refers to."""
        for sender, lead in ((ANN, self.ann), (BOB.title(), self.bob)):
            self.receive(sender, "Re: First", headers=self.references(*self.ids), body=sender)
            self.assertFiled(lead, sender)
        self.assertReplied(self.ann, self.bob)

    def test_in_reply_to(self):
        """The mail that it replies to counts first, from whatever address."""
        headers = f"In-Reply-To: {self.ids[1]}\n{self.references(*self.ids)}"
        self.receive("bob.private@mail.example.com", "Re: First", headers=headers, body="From Bob")
        self.assertReplied(self.bob)
        self.assertFiled(self.bob, "From Bob")

    def test_in_reply_to_missing_in_the_references(self):
        headers = f"In-Reply-To: {self.ids[1]}\n{self.references(self.ids[0], self.ids[2])}"
        self.receive(BOB, "Re: First", headers=headers, body="From Bob")
        self.assertReplied(self.bob)
        self.assertFiled(self.bob, "From Bob")

    def test_stranger(self):
        """Who got none of the mails answers none of them."""
        self.receive("eve@elsewhere.example.com", "Re: First", headers=self.references(*self.ids))
        self.assertReplied()

    def test_last_mail(self):
        self.advance(days=7)
        second = self.mail_to(ANN, "Second")["Message-ID"]
        self.receive(ANN, "Re: Second", headers=self.references(self.ids[0], second, self.ids[1]))
        self.assertReplied(self.ann)
        self.assertEqual(self.mailing_trace(self.ann, self.second).trace_status, "reply")
        self.assertEqual(self.mailing_trace(self.ann).trace_status, "sent")

    def test_conversation_from_another_address(self):
        self.advance(days=7)
        second = self.mail_to(ANN, "Second")["Message-ID"]
        headers = self.references(self.ids[0], second)
        self.receive("ann.private@mail.example.com", "Re: Second", headers=headers)
        self.assertReplied(self.ann)

    def test_plain_mailing(self):
        """The mails of mailings are core's, but where one of a sequence is answered."""
        mailing_trace = self.env["mailing.trace"].create(
            {
                "model": "crm.lead",
                "res_id": self.ann.id,
                "message_id": "<plain@test.example.com>",
                "email": ANN,
                "trace_status": "sent",
                "sent_datetime": self.clock,
            }
        )
        headers = self.references("<plain@test.example.com>", self.ids[0])
        self.receive(ANN, "Re: First", headers=headers)
        self.assertReplied(self.ann)
        self.assertEqual(mailing_trace.trace_status, "sent")
        message_id = mailing_trace.message_id
        headers = f"In-Reply-To: {message_id}\n{self.references(message_id, self.ids[1])}"
        self.receive(BOB, "Re: Plain", headers=headers)
        self.assertReplied(self.ann)
        self.assertEqual(mailing_trace.trace_status, "reply")


@tagged("post_install", "-at_install")
class TestWithoutReferences(AnswerCase):
    def assertRefused(self, refused=True):  # noqa: N802
        """Core has answered somebody that nobody reads this address."""
        self.send_mails()
        senders = [message["From"] for message in self.catcher.messages]
        self.assertEqual(any("MAILER-DAEMON" in sender for sender in senders), refused)

    def test_answer(self):
        """Some mail programs send no references: who it is from and what about says the rest."""
        self.start()
        self.assertIn(self.alias_domain.catchall_email, self.mail_to(ANN)["Reply-To"])
        self.receive(ANN.upper(), "Re: First", body="No references")
        self.assertReplied(self.ann)
        self.assertFiled(self.ann, "No references")
        self.assertRefused(False)
        self.advance(days=8)
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.mail_to(BOB, "Second")

    def test_prefixes(self):
        leads = [self.make_lead(f"other{n}@recipient.example.com") for n in range(7)]
        self.start()
        prefixes = ("AW: ", "Antw: Re: ", "回复：", "[EXTERN] Odp: ", "RE[2]: ", "Fwd: R: ", "")
        for lead, prefix in zip(leads, prefixes, strict=True):
            self.receive(lead.email_from, f"{prefix}First")
        self.assertReplied(*leads)

    def test_unknown_references(self):
        """Some mail servers give a mail another Message-ID on its way."""
        self.start()
        self.receive(ANN, "Re: First", headers="In-Reply-To: <0102@eu-west-1.amazonses.com>\n")
        self.assertReplied(self.ann)

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def test_other_subject(self):
        self.start()
        self.receive(ANN, "Offer for you")
        self.receive(ANN, "Re: My First")
        self.assertReplied()
        self.assertRefused()

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def test_stranger(self):
        self.start()
        self.receive("eve@elsewhere.example.com", "Re: First")
        self.assertReplied()
        self.assertRefused()

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def test_too_late(self):
        self.sequence.window_days = 5
        self.start()
        self.clock += timedelta(days=6)
        self.receive(ANN, "Re: First")
        self.assertReplied()

    def test_which_mail(self):
        """It is the one with that subject, of several the one sent last."""
        domain = repr([("lost_reason_id", "=", self.reason_price.id)])
        sequence = self.make_sequence(name="Other", domain=domain, exclude_other_sequences=False)
        step = self.make_step(sequence, subject="First")
        other = self.make_lead(ANN, reason=self.reason_price)
        self.start()
        sequence.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "First")), 2)
        self.receive(ANN, "Re: First")
        self.assertReplied()
        self.assertEqual(self.mailing_trace(other, step).trace_status, "reply")
        self.assertEqual(other.won_status, "pending")

    def test_earlier_mail(self):
        self.start()
        self.advance(days=7)
        self.receive(ANN, "Re: First")
        self.assertReplied(self.ann)
        self.assertEqual(self.mailing_trace(self.ann).trace_status, "reply")

    def test_automatic(self):
        """It is filed and not refused, which would be an answer to a program; nothing else."""
        self.start()
        self.receive(ANN, "Automatic reply: First", body="I am away")
        self.receive(BOB, "Re: First", headers="Auto-Submitted: auto-replied\n", body="I am away")
        self.assertReplied()
        for lead in (self.ann, self.bob):
            self.assertFiled(lead, "I am away")
        self.assertRefused(False)

    def test_alias_of_the_team(self):
        """Where answers go to the sales team no new lead is made of them."""
        self.env["mail.alias"].create(
            {
                "alias_name": "offers",
                "alias_domain_id": self.alias_domain.id,
                "alias_model_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )
        self.start()
        before = self.env["crm.lead"].with_context(active_test=False).search_count([])
        self.receive(ANN, "Re: First", to="offers@test.example.com", body="To the team")
        self.assertReplied(self.ann)
        self.assertFiled(self.ann, "To the team")
        after = self.env["crm.lead"].with_context(active_test=False).search_count([])
        self.assertEqual(after, before)
