"""Wordings that ask for consent, and names in them: nothing that leads somewhere."""

import unittest

from .pure import load, rules

consent = load("consent")


class TestWordings(unittest.TestCase):
    def test_plain(self):
        """What people write of themselves, with what looks a little like a link."""
        for text in (
            "May we write to you about desks, twice a month at most?",
            "Write to privacy@shop.example.com if you have a question.",
            "z.B.Angebote, d.h.alles, was neu ist. Und mehr",
            "Version 2.0, 10.50 EUR, 1.2.2026",
            "Do you want them?Yes or no",
            "1 < 2 and a<5",
            "",
            None,
            False,
        ):
            with self.subTest(text):
                self.assertIs(consent.has_link(text), False)

    def test_links(self):
        """Whatever a mail program makes a link of, or a browser shows as more than text."""
        for text in (
            "See https://shop.example.com",
            "See HTTP:shop",
            "See ftp://x",
            "See www.x",
            "See shop.example.com",
            "Great desks: shop.example",
            "Mehr auf x.de/angebote",
            "Größe.köln",
            "<b>Hello</b>",
            "<!-- x -->",
            "</p>",
            "<IMG src=x>",
        ):
            with self.subTest(text):
                self.assertIs(consent.has_link(text), True)


class TestNames(unittest.TestCase):
    def test_plain(self):
        for name in ("Ann Smith", "Jean-Luc O'Neil", "Dr. A. Müller", "J.R. Smith", "李雷"):
            with self.subTest(name):
                self.assertTrue(consent.is_plain_name(name))

    def test_others(self):
        """A name that anybody may have written advertises nothing."""
        for name in (
            "",
            None,
            False,
            "Buy at shop.example.com",
            "ann@shop.example.com",
            "Win: 1000",
            "a/b",
            "x.de",
            "www.x",
            "<b>Ann",
        ):
            with self.subTest(name):
                self.assertFalse(consent.is_plain_name(name))


class TestBases(unittest.TestCase):
    def test_who_withdrew_gets_nothing(self):
        """A company chooses among all bases but this one."""
        self.assertEqual({*dict(consent.BASES)} - {*consent.ALLOWING}, {"withdrawn"})
        self.assertTrue(set(consent.ENDING) < set(dict(consent.BASES)))

    def test_rules(self):
        self.assertIn(f"can be used for {consent.REQUEST_DAYS} days", rules())
