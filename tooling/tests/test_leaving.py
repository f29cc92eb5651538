"""What comes with a request to the pages to unsubscribe, of which anybody can send anything."""

import unittest
from datetime import date

from .pure import load

leaving = load("leaving")

#: Of whatever a program makes of the fields of a form, or of JSON.
NO_TEXTS = (None, False, True, 0, 7, 1.5, b"x", ["x"], {"x": "y"})


class TestIds(unittest.TestCase):
    def test_ids(self):
        """As a number or as it stands in a link, up to the largest that PostgreSQL has."""
        for value, expected in (
            (1, 1),
            ("1", 1),
            ("0042", 42),
            (2147483647, 2147483647),
            ("2147483647", 2147483647),
        ):
            with self.subTest(value):
                self.assertEqual(leaving.read_id(value), expected)

    def test_no_ids(self):
        """What PostgreSQL would fail at, or Python, is nobody's."""
        for value in (
            *(0, -1, 2147483648, 10**5000, True, False, 1.0, None, [1], b"1"),
            *("", "0", "-1", "+1", " 1", "1 ", "1.0", "1_0", "x", "²", "１", "2147483648"),
            *("1" * 5000, "0" * 20 + "1"),
        ):
            with self.subTest(str(type(value))):
                self.assertIsNone(leaving.read_id(value))


class TestTexts(unittest.TestCase):
    def test_texts(self):
        """As much as is kept, without what PostgreSQL refuses; lines stay."""
        for value, expected in (
            ("  Too many mails\n", "Too many mails"),
            ("First\nsecond", "First\nsecond"),
            ("a\x00b", "ab"),
            ("a\ud800b", "a?b"),
            ("x" * 99, "x" * 20),
        ):
            self.assertEqual(leaving.read_text(value, 20), expected)

    def test_no_texts(self):
        for value in NO_TEXTS:
            self.assertEqual(leaving.read_text(value, 20), "")


class TestDates(unittest.TestCase):
    def test_dates(self):
        self.assertEqual(leaving.read_date("2026-12-01"), date(2026, 12, 1))

    def test_no_dates(self):
        for value in (*NO_TEXTS, "", "tomorrow", "2026-02-30", "01.12.2026", "2026-12-01 10:00"):
            with self.subTest(value):
                self.assertIsNone(leaving.read_date(value))


class TestLinks(unittest.TestCase):
    def test_addresses(self):
        """The longest that there are (RFC 5321) fit; what looks like none is core's to judge."""
        longest = f"{'a' * 64}@{'b' * 251}.com"
        for value in ("ann@recipient.example.com", "jürgen@münchen.example", "ann", longest):
            self.assertTrue(leaving.is_address(value), value)
        for value in (*NO_TEXTS, f"x{longest}", "a\x00@b", "a\ud800@b", " ann@b", "ann@b\n"):
            self.assertFalse(leaving.is_address(value), value)

    def test_tokens(self):
        """Core's are hexadecimal digits; what cannot be compared with them fails at nothing."""
        for value in ("0123456789abcdef" * 8, "x"):
            self.assertTrue(leaving.is_token(value), value)
        for value in (*NO_TEXTS, "0123456789abcdef" * 16, "ä", "a\x00", " a"):
            self.assertFalse(leaving.is_token(value), value)
