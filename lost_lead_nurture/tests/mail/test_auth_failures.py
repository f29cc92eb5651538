"""What servers report of mails whose SPF, DKIM or DMARC has failed, as raw messages."""

import re
import unittest
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import ANN, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..corpus import CORPUS

#: The last Message-ID in a report is that of the mail it is about.
NAMED = re.compile(rb"(Message-ID: )<[^<>]+>(?!.*Message-ID)", re.IGNORECASE | re.DOTALL)


@tagged("post_install", "-at_install")
class TestAuthFailures(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.mail = self.mail_to(ANN)

    def failures(self):
        return self.env["nurture.auth.failure"].search([])

    def receive_real(self, name):
        """A report that a server really sent, of a mail of ours."""
        ours = self.mail["Message-ID"].encode()
        self._receive(NAMED.sub(rb"\1" + ours, (CORPUS / name).read_bytes()))

    @unittest.skipUnless(CORPUS.is_dir(), f"there is no corpus of reports in {CORPUS}")
    def test_real_reports(self):
        for name in ("arf-19.eml", "arf-20.eml"):
            self.receive_real(name)
        second, first = self.failures()
        self.assertEqual(first.reporter, "126.example.com")
        self.assertEqual((first.domain, first.delivery), ("example.net", "delivered"))
        self.assertIn("dkim=fail (signature error: RSA verify failed)", first.results)
        self.assertEqual(first.source_ip, "203.0.113.2")
        self.assertEqual((second.reporter, second.failed), ("example.net", "dmarc"))
        mailing_trace = self.trace(self.ann, self.first).mailing_trace_ids
        self.assertEqual((first | second).mailing_trace_id, mailing_trace)
        self.assertEqual((first | second).sequence_id, self.sequence)
        self.assertEqual((first | second).company_id, self.company)
        self.check_nobody_is_blamed()

    def check_nobody_is_blamed(self):
        """No complaint, no bounce, no answer: the journey goes on."""
        mailing_trace = self.trace(self.ann, self.first).mailing_trace_ids
        self.assertEqual(mailing_trace.trace_status, "sent")
        self.assertFalse(mailing_trace.nurture_complaint_date)
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", ANN)]))
        self.assertEqual(self.participant(self.ann).state, "running")
        self.advance(days=7)
        self.mail_to(ANN, "Second")

    def test_shown(self):
        """The sequence says how many there were lately, and opens them."""
        sequence = self.sequence.with_user(self.marketer)
        self.assertFalse(sequence.auth_failures)
        self.complain(self.mail, kind="auth-failure")
        self.assertEqual(
            sequence.auth_failures, "1 report in 30 days, from provider.example.com (1)"
        )
        action = sequence.action_view_auth_failures()
        found = self.env["nurture.auth.failure"].with_user(self.marketer)
        self.assertEqual(len(found.search(action["domain"])), 1)
        self.check_nobody_is_blamed()
        self.clock += timedelta(days=31)
        self.env.invalidate_all()
        self.assertFalse(sequence.auth_failures)
        with self.assertRaises(AccessError):
            self.failures().with_user(self.salesman).read(["reporter"])

    def test_each_once(self):
        """A server that reports a mail again says nothing new."""
        for _time in range(2):
            self.complain(self.mail, kind="auth-failure")
        self.assertEqual(len(self.failures()), 1)

    def test_many_servers(self):
        sequence = self.sequence.with_user(self.marketer)
        said = sequence._say_auth_failures([(f"{n}.example", 9 - n) for n in range(6)])
        self.assertEqual(
            said,
            "39 reports in 30 days, from 0.example (9), 1.example (8), 2.example (7), "
            "3.example (6), 2 more",
        )

    def test_forged(self):
        """Who does not name a mail of ours by its Message-ID is not believed."""
        del self.mail["Message-ID"]
        self.complain(self.mail, kind="auth-failure", recipient=ANN)
        self.assertFalse(self.failures())
