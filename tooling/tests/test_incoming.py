"""Mails as they should not be, without Odoo."""

import email
import email.policy
import unittest

from hypothesis import given
from hypothesis import strategies as st

from .pure import load

incoming = load("incoming")


class TestImproper(unittest.TestCase):
    def test_headers(self):
        for raw, improper in (
            (b"From: ann@x\nReferences: <1@shop>\n\n\x00", False),
            (b"From: Gr\xfc\xdfe <ann@x>\nSubject: \xb5\xbd\n\nx", False),
            (b"Subject: a\x00b\n\nx", True),
            (b"in-reply-to: <1\xff@shop>\n\nx", True),
            (b"From: =?utf-8?B?AGE=?= <ann@x>\n\nx", True),
        ):
            message = email.message_from_bytes(raw, policy=email.policy.SMTP)
            self.assertIs(incoming.is_improper(message), improper, raw)


class TestSimplify(unittest.TestCase):
    def simplify(self, raw):
        return incoming.simplify(email.message_from_bytes(raw, policy=email.policy.SMTP))

    def test_what_it_says(self):
        simple = self.simplify(
            b"From: Ann <ann@recipient.example.com>, (\nTo: group: ;bob@x.example\n"
            b"Subject: =?utf-8?B?R3LDtsOfZQ==?= 42\nMessage-ID: <1@x\n"
            b"References: <2@shop.example.com>\t<3@shop.example.com\n"
            b"Date: Mon, 2 Mar 2026 10:00:00 +0100\n"
            b"Content-Type: text/plain; charset=none\n\nYes \x01please\n"
        )
        self.assertEqual(simple["From"], "ann@recipient.example.com")
        self.assertEqual(simple["To"], "bob@x.example")
        self.assertEqual(simple["Subject"], "Größe 42")
        self.assertEqual(simple["References"], "<2@shop.example.com>")
        self.assertEqual(simple["Date"], "Mon, 02 Mar 2026 10:00:00 +0100")
        self.assertEqual(simple.get_content().strip(), "Yes please")

    def test_addresses(self):
        """Half an address is somebody else's, and a name beside one is none."""
        for sender, address in (
            ('"jane@victim.example.com" <x@other.example.com>', "x@other.example.com"),
            ("anne.o'neil@x.example.com", "anne.o'neil@x.example.com"),
            ("a&b@firm.example.com", "a&b@firm.example.com"),
            ("jürgen@x.example.com", None),
            ("jane@münchen.example", None),
        ):
            with self.subTest(sender):
                self.assertEqual(self.simplify(f"From: {sender}\n\nx".encode())["From"], address)

    def test_name(self):
        """Of one without a name it is the same whenever it is read."""
        names = {self.simplify(b"From: a\nMessage-ID: <\n\nx")["Message-ID"] for _time in range(2)}
        self.assertEqual(len(names), 1)
        self.assertRegex(names.pop(), r"^<[0-9a-f]{64}@unreadable>$")

    @given(st.binary(max_size=500), st.integers(0, 5))
    def test_any(self, raw, place):
        start = (b"", b"From: ", b"To: ", b"Date: ", b"Message-ID: <", b"Content-Type: ")[place]
        simple = self.simplify(start + raw)
        for name in ("From", "To", "Subject", "Message-ID", "References", "Date"):
            str(simple[name])
        simple.get_content()
