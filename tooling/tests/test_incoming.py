"""Mails as they should not be, without Odoo."""

import email
import email.errors
import email.policy
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from .pure import load

incoming = load("incoming")


def parse(raw):
    return email.message_from_bytes(raw, policy=email.policy.SMTP)


class TestImproper(unittest.TestCase):
    def test_headers(self):
        for raw, improper in (
            (b"From: ann@x\nReferences: <1@shop>\n\n\x00", False),
            (b"From: Gr\xfc\xdfe <ann@x>\nSubject: \xb5\xbd\n\nx", False),
            (b"Subject: a\x00b\n\nx", True),
            (b"in-reply-to: <1\xff@shop>\n\nx", True),
            (b"From: =?utf-8?B?AGE=?= <ann@x>\n\nx", True),
        ):
            self.assertIs(incoming.is_improper(parse(raw)), improper, raw)


class TestSource(unittest.TestCase):
    def test_source(self):
        """Bytes that are no text stay what they are."""
        raw = b"Subject: \xff\nContent-Type: text/plain; charset=none\n\n\x00\xff\n"
        self.assertEqual(incoming.get_source(parse(raw)), raw)

    def test_none(self):
        """Python reads what it cannot write: a header in a header, parts that are none."""
        for raw in (b"X-A: b\x0cX-C: d\n\nx", b"Content-Type: multipart/mixed\n\n\xff\xfe"):
            with self.subTest(raw):
                self.assertIsNone(incoming.get_source(parse(raw)))

    def test_whatever_python_says(self):
        """What the mail says is taken in, even if not what it was."""
        for error in (
            *(AttributeError, KeyError, IndexError, TypeError, ValueError),
            email.errors.HeaderParseError,
        ):
            message = parse(b"Subject: x\n\nx")
            with mock.patch.object(message, "as_bytes", side_effect=error):
                self.assertIsNone(incoming.get_source(message))


class TestReports(unittest.TestCase):
    def report(self, type_, text):
        return parse(
            b'From: mx@x.example\nContent-Type: multipart/report; boundary="b"\n\n'
            b"--b\nContent-Type: text/plain\n\nIt failed.\n"
            b"--b\nContent-Type: " + type_ + b"\n\n" + text + b"\n--b--\n"
        )

    def test_names_nul(self):
        """Where Odoo looks up what a report is about; what else is in it is not looked up."""
        encoded = b"text/rfc822-headers\nContent-Transfer-Encoding: base64"
        for type_, text, names in (
            (b"text/rfc822-headers", b"Message-ID: <1@shop>", False),
            (b"text/rfc822-headers", b"Message-ID: <1\x00@shop>", True),
            # Message-ID: <1 NUL
            (encoded, b"TWVzc2FnZS1JRDogPDEA", True),
            (b"message/rfc822", b"Message-ID: <1\x00@shop>\n\nx", True),
            (b"message/delivery-status", b"Final-Recipient: rfc822; a\x00@x", True),
            (b"message/delivery-status", b"X-Something: a\x00@x", False),
            (b"text/plain", b"a\x00", False),
        ):
            with self.subTest(type_, text=text):
                self.assertIs(incoming.names_nul(self.report(type_, text)), names)


class TestSimplify(unittest.TestCase):
    def simplify(self, raw):
        return incoming.simplify(parse(raw))

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
        """Its own, the first of them; of one without it is the same whenever it is read."""
        for more in (b"", b"Message-ID: <2@x.example>\n"):
            simple = self.simplify(b"From: a\nMessage-ID: <1@x.example>\n" + more + b"\nx")
            self.assertEqual(simple["Message-ID"], "<1@x.example>")
        names = {self.simplify(b"From: a\nMessage-ID: <\n\nx")["Message-ID"] for _time in range(2)}
        self.assertEqual(len(names), 1)
        self.assertRegex(names.pop(), r"^<[0-9a-f]{64}@unreadable>$")

    def test_date(self):
        """The first that can be read. A year that no clock knows is left out, also one that is over
        in UTC: nobody has to fail at it."""
        for dates, year in (
            (("x", "Mon, 2 Mar 2026 10:00:00 +0100", "Tue, 2 Mar 2027 10:00:00 +0100"), 2026),
            (("Thu, 1 Jan 1970 00:00:00 +0000",), 1970),
            (("Wed, 31 Dec 1969 23:59:59 +0000",), None),
            (("Thu, 31 Dec 9998 23:59:59 -1200",), 9998),
            (("Fri, 31 Dec 9999 23:59:59 -1200",), None),
            ((), None),
        ):
            with self.subTest(dates):
                headers = "".join(f"Date: {one}\n" for one in dates)
                date = self.simplify(f"From: a\n{headers}\nx".encode())["Date"]
                self.assertEqual(date and date.datetime.year, year)

    @given(st.binary(max_size=500), st.integers(0, 5))
    def test_any(self, raw, place):
        start = (b"", b"From: ", b"To: ", b"Date: ", b"Message-ID: <", b"Content-Type: ")[place]
        simple = self.simplify(start + raw)
        for name in ("From", "To", "Subject", "Message-ID", "References", "Date"):
            str(simple[name])
        simple.get_content()
