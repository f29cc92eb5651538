"""Headers of mails as they go over the wire."""

import email
import email.message
import email.policy
import re
import unittest

from hypothesis import given
from hypothesis import strategies as st

from . import pure

wire = pure.load("wire")

TEXTS = st.text(st.characters(exclude_categories=()), max_size=60)


class TestClean(unittest.TestCase):
    def test_on_one_line(self):
        for text, expected in (
            ("Hello\r\nBcc: eve@example.com", "Hello Bcc: eve@example.com"),
            ("a\u2028b\u2029c\x00d\ud800e", "a b c d e"),
            ("  a   b ", "a b"),
            ("abc\u202edef\u2066g", "abcdefg"),
            ("Grüße 👋", "Grüße 👋"),
            ("", ""),
            (None, None),
        ):
            with self.subTest(text):
                self.assertEqual(wire.clean(text), expected)

    def test_a_limit(self):
        self.assertEqual(wire.clean("a" * 250, 250), "a" * 250)
        self.assertEqual(wire.clean("a" * 251, 250), "a" * 249 + "…")
        self.assertEqual(wire.clean("abc defgh", 5), "abc…")
        self.assertEqual(wire.clean("a" * 300), "a" * 300)

    @given(TEXTS)
    def test_anything(self, text):
        cleaned = wire.clean(text, 20)
        self.assertLessEqual(len(cleaned), 20)
        self.assertEqual(len(cleaned.splitlines()), bool(cleaned))
        self.assertEqual(wire.clean(cleaned, 20), cleaned)

    def test_blank(self):
        for text in ("", None, " ", "\u200b\u00a0\t", "\u2060"):
            self.assertTrue(wire.is_blank(text), repr(text))
        for text in ("a", " . ", "👋"):
            self.assertFalse(wire.is_blank(text), repr(text))


class TestCleanAddress(unittest.TestCase):
    def test_addresses(self):
        for text, expected in (
            ("ann@example.com", "ann@example.com"),
            ("Ann <ann@example.com>", "Ann <ann@example.com>"),
            ("Ann\n <ann@example.com>", "Ann <ann@example.com>"),
            ('"\u200b" <ann@example.com>', "ann@example.com"),
            ("not an address at all", "not an address at all"),
            ("", ""),
            (None, None),
        ):
            with self.subTest(text):
                self.assertEqual(wire.clean_address(text), expected)

    def test_long_names_are_cut(self):
        name = "n" * 100
        self.assertEqual(wire.clean_address(f"{name} <a@example.com>"), f"{name} <a@example.com>")
        cut = wire.clean_address(f"{name}n <a@example.com>")
        self.assertIn("a@example.com", cut)
        self.assertNotIn("n" * 100, cut)


class TestPolicy(unittest.TestCase):
    def fold(self, name, value, policy=wire.WIRE):
        """A header as it goes over the wire."""
        message = email.message.EmailMessage(policy=policy)
        message[name] = value
        return message.as_bytes(policy=policy).decode().partition("\r\n\r\n")[0] + "\r\n"

    def test_a_web_address_is_never_encoded(self):
        url = f"https://example.com/{'x' * 200}?a=1"
        for name in ("List-Unsubscribe", "List-Help", "list-archive"):
            self.assertEqual(self.fold(name, f"<{url}>"), f"{name}: <{url}>\r\n")

    def test_several_web_addresses_have_lines_of_their_own(self):
        one, two = f"<https://example.com/{'x' * 60}>", "<mailto:list@example.com>"
        self.assertEqual(
            self.fold("List-Unsubscribe", f"{one}, {two}"),
            f"List-Unsubscribe: {one},\r\n {two}\r\n",
        )
        self.assertEqual(
            self.fold("List-Help", "<https://a.example>, <https://b.example>"),
            "List-Help: <https://a.example>, <https://b.example>\r\n",
        )

    def test_a_web_address_of_other_letters(self):
        self.assertEqual(
            self.fold("List-Help", "<https://example.com/ü>"),
            "List-Help: <https://example.com/%C3%BC>\r\n",
        )

    def test_a_list_header_without_address_is_folded_as_others(self):
        self.assertEqual(self.fold("List-Post", "NO"), "List-Post: NO\r\n")

    def test_a_comma_in_a_name_makes_no_second_recipient(self):
        for name in ("To", "From", "Reply-To"):
            header = self.fold(name, '"Müller, Ann" <ann@example.com>')
            self.assertTrue(header.isascii())
            parsed = email.message_from_string(header, policy=email.policy.default)
            (address,) = parsed[name].addresses
            self.assertEqual(address.addr_spec, "ann@example.com")
            self.assertEqual(address.display_name, "Müller, Ann")

    def test_names(self):
        for value, expected in (
            ("ann@example.com", "To: ann@example.com\r\n"),
            ('"Ann \\"A\\" B" <a@example.com>', 'To: "Ann \\"A\\" B" <a@example.com>\r\n'),
            ("Ann <a@example.com>, b@example.com", 'To: "Ann" <a@example.com>, b@example.com\r\n'),
        ):
            with self.subTest(value):
                self.assertEqual(self.fold("To", value), expected)

    def test_addresses_given_as_a_list(self):
        header = self.fold("To", ["Ann <ann@example.com>", "bob@example.com"])
        self.assertEqual(header, 'To: "Ann" <ann@example.com>, bob@example.com\r\n')

    def test_many_recipients_fit_the_lines(self):
        people = [f"Person number {number} <p{number}@example.com>" for number in range(20)]
        header = self.fold("To", ", ".join(people))
        self.assertTrue(all(len(line) <= 78 for line in header.split("\r\n")), header)
        parsed = email.message_from_string(header, policy=email.policy.default)
        self.assertEqual(len(parsed["To"].addresses), 20)

    def test_lines_are_filled(self):
        people = [f"person{number}@example.com" for number in range(9)]
        lines = self.fold("To", ", ".join(people)).split("\r\n")[:-1]
        self.assertEqual([line.count("@") for line in lines], [3, 3, 3])

    def test_a_line_is_full(self):
        """The last that fits and the first that does not."""
        for length, lines in ((78, 1), (79, 2)):
            first = "a@example.com"
            second = "b" * (length - len(f"To: {first},") - 1 - len("@x.com")) + "@x.com"
            header = self.fold("To", f"{first}, {second}")
            self.assertEqual(header.count("\r\n"), lines, header)

    def test_long_names_of_other_letters(self):
        header = self.fold("To", f"{'Grüße ' * 20} <ann@example.com>")
        *name, last, _end = header.split("\r\n")
        self.assertTrue(all(len(line) <= 78 for line in name), header)
        self.assertTrue(last.endswith(" <ann@example.com>"), header)
        self.assertEqual(re.findall(r"[^\r]\n", header), [])
        parsed = email.message_from_string(header, policy=email.policy.default)
        self.assertEqual(parsed["To"].addresses[0].addr_spec, "ann@example.com")

    def test_where_letters_may_stand_as_they_are(self):
        policy = wire.WIRE.clone(utf8=True)
        self.assertIn("Grüße", self.fold("To", "Grüße <ann@example.com>", policy))

    def test_international_addresses_are_left_to_python(self):
        self.assertTrue(self.fold("To", "Ann <jürgen@example.com>").isascii())

    def test_other_headers_are_left_to_python(self):
        header = self.fold("Subject", "Grüße")
        self.assertIn("=?utf-8?", header)
        self.assertEqual(self.fold("Subject", "Hello"), "Subject: Hello\r\n")
