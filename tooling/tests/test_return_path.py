"""The mark of a mail in its envelope sender, without Odoo."""

import email
import email.policy
import unittest

from hypothesis import given
from hypothesis import strategies as st

from .pure import load

return_path, reports = load("return_path"), load("reports")

SIGNATURE = "0123456789abcdef"
MARKED = f"bounce+nurture-4711-{SIGNATURE}@shop.example.com"


def parse(text):
    return email.message_from_string(text, policy=email.policy.SMTP)


class TestReturnPath(unittest.TestCase):
    def test_mark(self):
        self.assertEqual(return_path.mark("bounce@shop.example.com", 4711, SIGNATURE), MARKED)
        self.assertEqual(return_path.find_marks(MARKED), [(4711, SIGNATURE)])

    def test_too_long(self):
        """A local part has 64 characters at most (RFC 5321)."""
        for length, is_marked in ((34, True), (35, False)):
            address = f"{'b' * length}@shop.example.com"
            marked = return_path.mark(address, 4711, SIGNATURE)
            self.assertEqual(marked != address, is_marked, len(marked))

    def test_recipients(self):
        """Servers say in different headers for whom a message was, and change its case."""
        for name in ("To", "Delivered-To", "X-Original-To", "Envelope-To"):
            message = parse(f"{name}: <{MARKED.upper()}>\nSubject: failure notice\n\nNo.\n")
            self.assertEqual(return_path.marks_of_recipients(message), [(4711, SIGNATURE)], name)
        message = parse(f"From: <{MARKED}>\nSubject: {MARKED}\n\n{MARKED}\n")
        self.assertEqual(return_path.marks_of_recipients(message), [])

    def test_unmarked(self):
        for recipient in (MARKED, MARKED.upper(), "bounce+nurture-x@shop.example.com"):
            message = parse(f"To: Shop <{recipient}>\n\nx")
            self.assertEqual(return_path.get_unmarked(message), {"bounce@shop.example.com"})
        self.assertFalse(return_path.get_unmarked(parse("To: bounce+other@shop.example.com\n\nx")))

    def test_no_marks(self):
        for text in (
            f"bounce+nurture-4711-{SIGNATURE[1:]}@x",
            f"bounce+nurture-{'1' * 11}-{SIGNATURE}@x",
            f"bounce+nurture--1-{SIGNATURE}@x",
            f"bounce-nurture-1-{SIGNATURE}@x",
            "bounce@x",
        ):
            self.assertEqual(return_path.find_marks(text), [], text)
        many = " ".join(f"b+nurture-{number}-{SIGNATURE}@x" for number in range(50))
        self.assertEqual(len(return_path.find_marks(many)), 20)
        self.assertEqual(len(return_path.find_marks(f"{MARKED} {MARKED}")), 1)

    @given(st.text(max_size=300))
    def test_any_text(self, text):
        return_path.find_marks(text)


class TestReturned(unittest.TestCase):
    """What arrives at an envelope sender with a mark was not written by a person."""

    def read(self, subject, text, sender="MX <mx@recipient.example.com>"):
        message = parse(f"From: {sender}\nTo: {MARKED}\nSubject: {subject}\n\n{text}\n")
        return reports.read_report(message, is_returned=True)

    def test_reports(self):
        """Of servers that call themselves nothing that is known."""
        self.assertEqual(self.read("Your mail", "550 5.1.1 user unknown").kind, "hard")
        self.assertEqual(self.read("Re: First", "552 5.2.2 mailbox full").kind, "soft")

    def test_answers(self):
        """RFC 3834 has automatic answers sent there."""
        for subject, text in (
            ("Automatic reply: First", "I am away until 550 5.1.1"),
            ("First", "Thank you, we are moving house."),
            ("Urlaub", "Ich bin bis 4.3.26 weg. Zimmer 512 - Haus B."),
            ("Away", "-----Original Message-----\nFrom: shop\n\nHello"),
            ("Vacances", "Absent.\n450 Park Avenue"),
            ("Change", "Jane Doe is no longer with us.\n400 Main Street"),
        ):
            self.assertIsNone(self.read(subject, text), subject)

    def test_answers_by_header(self):
        message = parse(
            f"From: a@x\nTo: {MARKED}\nSubject: x\nAuto-Submitted: auto-replied\n\n550 5.1.1 no\n"
        )
        self.assertIsNone(reports.read_report(message, is_returned=True))

    def test_in_the_returned_mail(self):
        """It stands in what a report returns, too."""
        returned = f"Return-Path: <{MARKED}>\nTo: ann@recipient.example.com\n\nHello\n"
        report = self.read("failure notice", f"550 user unknown\n\n{returned}")
        self.assertEqual(report.marks, [(4711, SIGNATURE)])
