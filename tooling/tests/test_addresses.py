"""One address, however it is written: as people write it and as mail servers do."""

import unittest

from hypothesis import example, given
from hypothesis import strategies as st

from odoo.fields import Domain

from . import pure

addresses = pure.load("addresses")

READABLE, ASCII = "ann@bücher.example", "ann@xn--bcher-kva.example"
LOCAL_PARTS = st.text("abcäöü.+-", min_size=1, max_size=8)
DOMAINS = st.sampled_from(
    ["example.com", "bücher.example", "xn--bcher-kva.example", "BÜCHER.Example", "例え.jp", "ß.de"]
)


class TestSpellings(unittest.TestCase):
    def test_one_spelling(self):
        for text, expected in (
            (READABLE, READABLE),
            (ASCII, READABLE),
            (ASCII.upper(), "ANN@bücher.example"),
            ("ann@BÜCHER.example", READABLE),
            ("ann@bu\u0308cher.example", READABLE),
            ("jose\u0301@example.com", "josé@example.com"),
            ("ann@example.com", "ann@example.com"),
            ("Ann@Example.com", "Ann@Example.com"),
            ("ann@XN--bcher-kva.example", READABLE),
            ("ann@Ｂücher.example", READABLE),
            ("ann@xn--\u00ff..example", "ann@xn--\u00ff..example"),
            ("ÄNN@xn--0.Example", "ÄNN@xn--0.example"),
            ("", ""),
            (None, None),
            (False, False),
        ):
            with self.subTest(text):
                self.assertEqual(addresses.canonical(text), expected)

    def test_on_the_envelope(self):
        for text, expected in (
            (READABLE, ASCII),
            (ASCII, ASCII),
            ("jürgen@example.com", "jürgen@example.com"),
            ("jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
            ("ann@Ｂücher.example", ASCII),
            ("ann@ü..example", "ann@ü..example"),
            ("", ""),
            (None, None),
        ):
            with self.subTest(text):
                self.assertEqual(addresses.on_wire(text), expected)

    @given(LOCAL_PARTS, DOMAINS)
    @example("ann", "bücher.example")
    def test_there_and_back(self, local, domain):
        one = addresses.canonical(f"{local}@{domain}")
        self.assertEqual(addresses.canonical(one), one)
        self.assertEqual(addresses.canonical(addresses.on_wire(one)), one)
        self.assertTrue(addresses.on_wire(one).rpartition("@")[2].isascii())

    def test_all_spellings(self):
        self.assertEqual(
            addresses.spellings([ASCII, "", None, "bob@example.com"]),
            {READABLE, ASCII, "bob@example.com"},
        )
        self.assertEqual(
            addresses.spellings(["ann@BÜCHER.example"]), {"ann@BÜCHER.example", READABLE, ASCII}
        )
        self.assertEqual(addresses.spellings([]), set())

    def test_plain_ones(self):
        """What can be written in one way only needs no second look."""
        for text in ("", None, False, "ann@example.com", "Ann <ann@example.com>", "no address"):
            self.assertIs(addresses.is_plain(text), True, text)
        for text in (READABLE, ASCII, ASCII.upper(), "a@x.com, b@x.com", "ä"):
            self.assertIs(addresses.is_plain(text), False, text)


class TestAddressesInText(unittest.TestCase):
    def test_the_first_that_mail_can_be_sent_to(self):
        for text, expected in (
            ("Ann <ann@example.com>, bob@example.com", "ann@example.com"),
            ("ANN@EXAMPLE.COM", "ann@example.com"),
            (f"Ann <{ASCII}>", READABLE),
            ("no address", False),
            ("", False),
            (None, False),
        ):
            with self.subTest(text):
                self.assertEqual(addresses.first_address(text), expected)

    def test_half_addresses_are_passed_over(self):
        split = addresses.email_normalize_all
        self.addCleanup(setattr, addresses, "email_normalize_all", split)
        for found, expected in (
            (["@example.com", "ann@", "bob@example.com"], "bob@example.com"),
            (["ann@"], "ann@"),
            (["ann@", "bob@"], "ann@"),
            (["@example.com"], "@example.com"),
        ):
            addresses.email_normalize_all = lambda _text, found=found: found
            self.assertEqual(addresses.first_address("x"), expected)

    def test_as_a_header_travels(self):
        self.assertEqual(
            addresses.format_on_wire(f'"Ann" <{READABLE}>, bob@example.com'),
            f'"Ann" <{ASCII}>, bob@example.com',
        )
        self.assertEqual(addresses.format_on_wire(""), "")
        self.assertEqual(addresses.format_on_wire(None), "")

    def test_the_name_of_an_address(self):
        header = f'"Ann  B." <{ASCII}>, <bob@example.com>, "eve@example.com" <eve@example.com>'
        for address, expected in (
            (READABLE, "Ann B."),
            ("bob@example.com", ""),
            ("eve@example.com", ""),
            ("dan@example.com", ""),
        ):
            with self.subTest(address):
                self.assertEqual(addresses.name_in(header, address), expected)
        self.assertEqual(addresses.name_in(None, READABLE), "")


class TestDomains(unittest.TestCase):
    def respelled(self, domain):
        return list(addresses.by_spelling(domain, "email"))

    def test_what_is_looked_for_is_in_its_one_spelling(self):
        for before, after in (
            ([("email", "=", ASCII)], [("email", "=", READABLE)]),
            ([("email", "ilike", ASCII)], [("email", "ilike", READABLE)]),
            ([("name", "=", ASCII)], [("name", "=", ASCII)]),
            (
                ["|", ("name", "=", ASCII), ("email", "=", ASCII)],
                ["|", ("name", "=", ASCII), ("email", "=", READABLE)],
            ),
        ):
            with self.subTest(before):
                self.assertEqual(self.respelled(before), list(Domain(after)))

    def test_several(self):
        for kind in (list, tuple, set):
            ((field, operator, values),) = self.respelled([("email", "in", kind([ASCII, False]))])
            self.assertEqual((field, operator), ("email", "in"))
            self.assertEqual(set(values), {READABLE, False})

    def test_what_is_no_address(self):
        domain = Domain("email", "=", 5)
        self.assertEqual(list(addresses.by_spelling(domain, "email")), list(domain))


class TestSql(unittest.TestCase):
    class Cursor:
        """Answers with the addresses of a table."""

        def __init__(self, *found):
            self.found, self.asked = found, []

        def execute(self, query):
            self.asked.append(query.code)

        def fetchall(self):
            return [(one,) for one in self.found]

    def test_tables_without_any_are_left_alone(self):
        for found in ((), (READABLE,), ("xn--0@example.com",)):
            cursor = self.Cursor(*found)
            self.assertIsNone(addresses.sql_respell(cursor, "mail_blacklist", "email"))
            self.assertEqual(len(cursor.asked), 1)

    def test_only_those_that_are_written_otherwise(self):
        cursor = self.Cursor(ASCII, READABLE)
        statement = addresses.sql_respell(cursor, "mail_blacklist", "email")
        self.assertIn('UPDATE "mail_blacklist" SET "email"', statement.code)
        self.assertEqual(statement.params, [[ASCII], [READABLE]])

    def test_what_can_be_written_otherwise(self):
        code = addresses.sql_has_spellings(addresses.SQL.identifier("email")).code
        self.assertEqual(code.count('"email"'), 2)
