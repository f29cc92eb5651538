"""The refused quotation in the texts of mails."""

import unittest

from .pure import load

quotations = load("quotations")


class TestTexts(unittest.TestCase):
    def test_shows(self):
        for text, shows in (
            ('<t t-out="object.nurture_quotation"/>', True),
            ('<a href="/nurture_quotation">It</a>', True),
            ('<a href="https://shop.example.com/nurture_quotation?x=1">It</a>', True),
            ('<a href="/nurture_quotations">No</a>', False),
            ('<a href="/nurture_quotation/1">No</a>', False),
            ("object.nurture_quotation_x", False),
            ("", False),
            (None, False),
        ):
            with self.subTest(text):
                self.assertEqual(quotations.shows_quotation(text), shows)

    def test_names(self):
        self.assertTrue(quotations.names_quotation("{{object.nurture_quotation}}"))
        self.assertFalse(quotations.names_quotation('<a href="/nurture_quotation">It</a>'))

    def test_link(self):
        for url, is_link in (
            ("https://shop.example.com/nurture_quotation", True),
            ("https://shop.example.com/shop/nurture_quotation/?utm_source=x", True),
            ("/nurture_quotation", True),
            ("https://shop.example.com/?to=/nurture_quotation", False),
            ("https://shop.example.com/nurture_quotation/x", False),
            ("", False),
            (None, False),
        ):
            with self.subTest(url):
                self.assertEqual(quotations.is_link(url), is_link)
