"""What mail servers report of the mails of sequences, as raw messages: what ends a journey, and
what does not."""

import re
import unittest
from base64 import b64encode
from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..corpus import CORPUS

#: Some of the corpus: how they end, and of which server.
HARD_ONES = ("exim-59", "office365-02", "postfix-06", "qmail-18", "notes-03", "sendmail-01")
GATEWAY = "odoo.addons.mail.models.mail_thread"
EXIM = """A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ann@recipient.example.com
    SMTP error from remote mail server after RCPT TO:<ann@recipient.example.com>:
    host mx.recipient.example.com [192.0.2.1]: 550 5.1.1 unknown user

------ This is a copy of the message, including all the headers. ------

"""
QMAIL = """Hi. This is the qmail-send program at mx.recipient.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ann@recipient.example.com>:
192.0.2.1 does not like recipient.
Remote host said: 550 no mailbox here by that name

--- Below this line is a copy of the message.

"""
FULL = "552 5.2.2 <ann@recipient.example.com>: mailbox full"
UNKNOWN = "550 5.1.1 <ann@recipient.example.com>: user unknown"


class ReportCase(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.third = self.make_step(self.sequence, "after", self.second, 7, subject="Third")
        self.fourth = self.make_step(self.sequence, "after", self.third, 7, subject="Fourth")
        self.sequence.action_start()
        self.advance()

    def sent(self, step=None, lead=None):
        """The mailing trace of a mail, as a rule of Ann's first one."""
        return self.trace(lead or self.ann, step or self.first).mailing_trace_ids

    def report(self, text, headers="", to=None):
        """A message of a mail server arrives."""
        self.number = getattr(self, "number", 0) + 1
        self._receive(
            "From: Mail Delivery System <mailer-daemon@mx.recipient.example.com>\n"
            f"To: {to or self.alias_domain.bounce_email}\nSubject: Mail delivery failed\n"
            f"Message-ID: <report.{self.number}@mx.recipient.example.com>\n{headers}\n{text}"
        )

    def report_status(self, said, mail=None, action="failed", status="5.0.0", address=ANN):
        """The same as RFC 3464 has it."""
        returned = f"Message-ID: {(mail or self.sent()).message_id}\nTo: {address}\n\nHello\n"
        self.report(
            f"--b\nContent-Type: text/plain\n\n{said}\n"
            "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
            f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\n"
            f"Diagnostic-Code: smtp; {said}\n\n--b\nContent-Type: message/rfc822\n\n"
            f"{returned}\n--b--\n",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n',
        )

    def assertBounced(self):  # noqa: N802
        self.assertEqual(self.sent().trace_status, "bounce")
        self.assertEqual(self.participant(self.ann).exit_reason, "bounced")
        self.assertEqual(self.ann.message_bounce, 1)
        self.assertEqual(self.participant(self.bob).state, "running")

    def assertGoesOn(self, mail=None):  # noqa: N802
        self.assertEqual((mail or self.sent()).trace_status, "sent")
        self.assertEqual(self.participant(self.ann).state, "running")
        self.assertFalse(self.ann.message_bounce)


@tagged("post_install", "-at_install")
class TestBounceReports(ReportCase):
    def check_bounces(self, text, headers="", to=None):
        # each time from the start
        with self.env.cr.savepoint() as savepoint:
            self.report(text, headers, to)
            self.assertBounced()
            savepoint.rollback()
        self.env.invalidate_all()

    def test_forms(self):
        """Whatever server it was, and in whatever mailbox it arrives."""
        returned = f"Message-ID: {self.sent().message_id}\nTo: {ANN}\n\nHello\n"
        mixed = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n'
        moved = returned.replace("Message-ID", "X-Microsoft-Original-Message-ID")
        encoded = b64encode(f"{UNKNOWN}\n\n{returned}".encode()).decode()
        for name, text, headers in (
            ("exim", EXIM + returned, "Auto-Submitted: auto-replied\n"),
            ("qmail", QMAIL + returned, ""),
            (
                "exchange",
                f"--b\nContent-Type: text/plain\n\n{UNKNOWN}\n"
                f"--b\nContent-Type: message/rfc822\n\nMessage-ID: <new@x>\n{moved}\n--b--\n",
                mixed,
            ),
            ("base64", encoded, "Content-Transfer-Encoding: base64\n"),
            ("answer", UNKNOWN, f"In-Reply-To: {self.sent().message_id}\n"),
        ):
            for to in (self.alias_domain.bounce_email, self.sent().mass_mailing_id.email_from):
                with self.subTest(name, to=to), mute_logger(GATEWAY):
                    self.check_bounces(text, headers, to)

    def test_twice(self):
        """Two servers report on the same mail: it bounced once, and core counts it once."""
        self.report_status(UNKNOWN)
        self.report(EXIM + f"Message-ID: {self.sent().message_id}\n\n")
        self.assertBounced()

    def test_answered(self):
        """Who has answered has got the mail, whatever became of a copy."""
        self.answer(self.mail_to(ANN, "First"))
        self.assertEqual(self.sent().trace_status, "reply")
        self.report_status(UNKNOWN)
        self.assertEqual(self.sent().trace_status, "reply")
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")
        self.assertFalse(self.ann.message_bounce)

    def test_who_got_it_writes(self):
        """No server writes from the address that it reports of: what sounds like a report of one is
        filed."""
        before = self.ann.message_ids
        self._receive(
            f"From: Ann <{ANN}>\nTo: {self.sent().mass_mailing_id.email_from}\n"
            "Subject: Delivery failed last time\nMessage-ID: <1@recipient.example.com>\n"
            f"In-Reply-To: {self.sent().message_id}\n\nThe server said: {UNKNOWN}\n"
        )
        self.assertGoesOn()
        self.assertEqual(len(self.ann.message_ids - before), 1)

    def test_forged(self):
        """Whom a report names is no proof: anybody can write that."""
        self.report(EXIM + "Message-ID: <1.2.3-openerp@shop.example.com>\n\n")
        self.assertGoesOn()
        self.report_status(UNKNOWN, self.sent(lead=self.bob))
        self.assertGoesOn()
        self.assertEqual(self.participant(self.bob).exit_reason, "bounced")
        self.assertEqual(self.bob.message_bounce, 1)

    def test_no_failure(self):
        """It is late, or there, or was read: nothing is written, and nothing filed."""
        messages = self.env["mail.message"].search_count([])
        for action in ("delayed", "delivered", "relayed"):
            self.report_status("user unknown", action=action, status="4.4.1")
        self.assertGoesOn()
        self.assertFalse(self.sent().nurture_soft_bounce_date)
        self.assertEqual(self.env["mail.message"].search_count([]), messages)

    def test_not_well_formed(self):
        """Core takes the parts of a report for what they call themselves, and fails."""
        headers = "Content-Type: multipart/report; report-type=delivery-status\n"
        self.report(UNKNOWN, headers)
        self.assertGoesOn()
        self.report(f"{UNKNOWN}\nMessage-ID: {self.sent().message_id}\n", headers)
        self.assertBounced()

    def test_nul_in_what_is_looked_up(self):
        """PostgreSQL is not asked for what no text can be."""
        for address, returned in (
            ("an\x00n@recipient.example.com", ""),
            (ANN, "--b\nContent-Type: message/rfc822\n\nMessage-ID: <a\x00b@example.com>\n\n"),
            (ANN, "--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <a\x00b@x.com>\n"),
        ):
            with self.subTest(address, returned=returned), self.assertNoLogs("odoo.sql_db"):
                self.report(
                    f"{returned}--b\nContent-Type: message/delivery-status\n\n"
                    f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; {address}\n"
                    "Action: failed\nStatus: 5.0.0\n\n--b--\n",
                    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n',
                )
            self.assertGoesOn()

    @unittest.skipUnless(CORPUS.is_dir(), f"there is no corpus of reports in {CORPUS}")
    def test_corpus(self):
        """Real ones, with our Message-ID instead of the last one in them; none fails."""
        ours, to = self.sent().message_id.encode(), self.alias_domain.bounce_email.encode()
        hard = {f"lhost-{name}.eml" for name in HARD_ONES}
        found = set()
        files = [*sorted(CORPUS.glob("*.eml"))[::9], *(CORPUS / name for name in sorted(hard))]
        for file in files:
            with self.subTest(file.name), self.env.cr.savepoint() as savepoint:
                head, separator, body = re.split(rb"(\r?\n\r?\n)", file.read_bytes(), maxsplit=1)
                head = re.sub(rb"(?im)^to:.*$", b"To: " + to, head)
                if named := list(re.finditer(rb"(?i)message-id\s*:?\s*(<[^<>\s]+>)", body)):
                    begin, end = named[-1].span(1)
                    body = body[:begin] + ours + body[end:]
                self._receive(head + separator + body)
                if self.sent().trace_status == "bounce":
                    found.add(file.name)
                self.assertEqual(self.participant(self.bob).state, "running")
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertLessEqual(hard, found)


@tagged("post_install", "-at_install")
class TestReturnPath(ReportCase):
    """Where the domain takes sub-addresses, mails say in their envelope sender which ones they are;
    whatever names nothing else is still known to be about one of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alias_domain.nurture_has_subaddresses = True

    def envelope_sender(self, address=ANN):
        return next(
            sender
            for sender, (recipients, _raw) in zip(
                self.catcher.senders, self.catcher.envelopes, strict=True
            )
            if address in recipients
        )

    def test_on_the_wire(self):
        """Each mail has its own, and other mails are as they were."""
        self.assertNotEqual(self.envelope_sender(ANN), self.envelope_sender(BOB))
        for address in (ANN, BOB):
            bounce, _at, domain = self.alias_domain.bounce_email.partition("@")
            self.assertRegex(
                self.envelope_sender(address), rf"^{bounce}\+nurture-\d+-[0-9a-f]{{16}}@{domain}$"
            )
        self.env["mail.mail"].create({"email_to": ANN, "body_html": "x"}).send()
        self.assertNotIn("nurture", self.catcher.senders[-1])

    def test_report_without_a_name(self):
        for subject in ("Your mail", "Re: First"):
            with self.subTest(subject), self.env.cr.savepoint() as savepoint:
                self._receive(
                    "From: <mx@recipient.example.com>\n"
                    f"To: {self.envelope_sender().upper()}\nSubject: {subject}\n"
                    f"Message-ID: <1@mx.recipient.example.com>\n\n{UNKNOWN}\n"
                )
                self.assertBounced()
                savepoint.rollback()
            self.env.invalidate_all()

    def test_in_the_returned_mail(self):
        """Also where the report itself was passed on to somewhere else."""
        returned = f"Return-Path: <{self.envelope_sender()}>\nMessage-ID: <other@relay>\n\nHello\n"
        self.report(EXIM + returned, to=self.sent().mass_mailing_id.email_from)
        self.assertBounced()

    def test_automatic_answer(self):
        """RFC 3834 has it sent there; it is filed nowhere, and nothing comes of it."""
        before = self.env["mail.message"].search_count([])
        for subject, text in (("Automatic reply: First", "Away"), ("First", "Thank you.")):
            self._receive(
                f"From: <{ANN}>\nTo: {self.envelope_sender()}\nSubject: {subject}\n"
                f"Auto-Submitted: auto-replied\nMessage-ID: <{len(text)}@x>\n\n{text}\n"
            )
        self.assertGoesOn()
        self.assertFalse(self.sent().reply_datetime)
        self.assertEqual(self.env["mail.message"].search_count([]), before)

    def test_forged(self):
        """Only what we signed is believed."""
        sender, other = self.envelope_sender(), self.envelope_sender(BOB)
        head, _dash, tail = sender.rpartition("-")
        for forged in (
            f"{head}-{other.rpartition('-')[2]}",
            f"{head}-{tail.translate(str.maketrans('0123456789abcdef', '123456789abcdef0'))}",
        ):
            self.report(UNKNOWN, to=f"{self.alias_domain.bounce_email}, {forged}")
        self.assertGoesOn()

    def test_server_that_sends_for_some_addresses(self):
        """Of another envelope sender it would make that of who writes: the plain one it takes."""
        self.env["ir.mail_server"].search(
            []
        ).from_filter = f"{self.alias_domain.bounce_email},{self.alias_domain.default_from_email}"
        self.catcher.clear()
        self.advance(days=7, hours=1)
        self.assertEqual(self.envelope_sender(), self.alias_domain.bounce_email)

    def test_of_no_mail_any_more(self):
        """It is the bounce address all the same: nothing is filed, and no lead made."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        before = leads.search_count([])
        sender = self.envelope_sender()
        self.sent().unlink()
        self._receive(
            f"From: <{ANN}>\nTo: {sender}\nSubject: Away\nMessage-ID: <1@x>\n\nAway until May.\n"
        )
        self.assertEqual(leads.search_count([]), before)

    def test_off(self):
        """A domain may refuse such addresses: without the switch mails leave as core has them."""
        self.alias_domain.nurture_has_subaddresses = False
        self.catcher.clear()
        self.advance(days=7, hours=1)
        self.assertEqual(self.envelope_sender(), self.alias_domain.bounce_email)


@tagged("post_install", "-at_install")
class TestUnnamed(ReportCase):
    """Reports that say of which address they are and of no mail: it is the last one to it."""

    def report_address(self, said=UNKNOWN, address=ANN):
        self.report(
            f"--b\nContent-Type: text/plain\n\n<{address}>: host mx said: {said}\n"
            "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
            f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: 5.0.0\n"
            f"Diagnostic-Code: smtp; {said}\n--b--\n",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n',
        )

    def test_last_mail(self):
        self.report_address(address=ANN.upper())
        self.assertBounced()

    def test_soft(self):
        self.report_address(FULL)
        self.assertGoesOn()
        self.assertTrue(self.sent().nurture_soft_bounce_date)

    def test_too_old(self):
        """No server tries that long."""
        self.advance(days=6)
        self.report_address()
        self.assertGoesOn()

    def test_arrived(self):
        self.sent().sudo().set_opened()
        self.report_address()
        self.assertEqual(self.sent().trace_status, "open")
        self.assertEqual(self.participant(self.ann).state, "running")

    def test_something_else_since(self):
        """What somebody wrote to the customer since then may be what it is about."""
        partner = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        self.clock += timedelta(hours=1)
        partner.message_post(
            body=self.env._("The invoice"),
            partner_ids=partner.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        self.report_address()
        self.assertGoesOn()

    def test_written_to_without_a_contact(self):
        self.clock += timedelta(hours=1)
        self.ann.message_post(
            body=self.env._("The invoice"),
            outgoing_email_to=ANN,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        self.report_address()
        self.assertGoesOn()

    def test_by_a_person(self):
        """Who writes of a report of somebody's mail and sends it along is no mail server."""
        self._receive(
            f"From: it@recipient.example.com\nTo: {self.mail_to(ANN, 'First')['Reply-To']}\n"
            "Subject: Your mails do not arrive\nMessage-ID: <1@recipient.example.com>\n"
            'Content-Type: multipart/mixed; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nWe want to order, see below.\n"
            "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
            f"Final-Recipient: rfc822; {ANN}\nAction: failed\nStatus: 5.1.1\n--b--\n"
        )
        self.assertGoesOn()

    def test_other_addresses(self):
        self.report_address(address="cleo@recipient.example.com")
        self.assertGoesOn()
        self.assertEqual(self.participant(self.bob).state, "running")


@tagged("post_install", "-at_install")
class TestSoftBounces(ReportCase):
    def go_on(self, step):
        self.advance(days=7, hours=1)
        mail = self.sent(step)
        self.assertTrue(mail.sent_datetime, "the next step follows")
        return mail

    def test_once(self):
        """The journey goes on, the statistics count the mail as sent, and both screens say it."""
        self.report_status(FULL)
        self.assertGoesOn()
        self.assertEqual(self.sent().nurture_soft_bounce_date, self.clock)
        self.assertIn("mailbox full", self.sent().nurture_soft_bounce_reason)
        self.assertEqual(self.sequence.bounced_count, 0)
        entries = self.participant(self.ann).timeline["entries"]
        entry = next(entry for entry in entries if entry["kind"] == "soft_bounced")
        self.assertIn("mailbox full", str(entry))
        self.go_on(self.second)

    def test_three(self):
        """The third one in a row is a bounce; a second report on one mail is none of them."""
        for step in (self.first, self.second):
            mail = self.sent(step) if step == self.first else self.go_on(step)
            for _time in range(3):
                self.report_status(FULL, mail)
            self.assertGoesOn(mail)
        mail = self.go_on(self.third)
        self.report_status(FULL, mail)
        self.assertEqual(mail.trace_status, "bounce")
        self.assertEqual(self.participant(self.ann).exit_reason, "bounced")
        self.assertEqual((self.sequence.bounced_count, self.ann.message_bounce), (1, 1))

    def test_arrived_between(self):
        """A mail that was opened, or of which nothing was reported, has arrived."""
        self.report_status(FULL)
        mail = self.go_on(self.second)
        self.report_status(FULL, mail)
        mail.sudo().set_opened()
        third = self.go_on(self.third)
        self.report_status(FULL, third)
        self.assertGoesOn(third)
        fourth = self.go_on(self.fourth)
        self.report_status(FULL, fourth)
        self.assertEqual(fourth.trace_status, "sent")

    def test_then_hard(self):
        self.report_status(FULL)
        self.report_status(UNKNOWN)
        self.assertBounced()

    def test_forgotten(self):
        """What the server said may name the address."""
        self.report_status(FULL)
        self.sent().sudo()._nurture_forget()
        self.assertFalse(self.sent().nurture_soft_bounce_reason)
