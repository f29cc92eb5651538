"""Pages that let leads in, and the addresses at which they are looked at."""

import unittest

from tooling.tests.pure import load

pages = load("pages", "lost_lead_nurture_website")

URL = "https://shop.example.com/prices?utm_source=mail"


class TestCompared(unittest.TestCase):
    def test_of_all_websites(self):
        self.assertEqual(pages.get_compared(URL, "/prices"), "/prices")

    def test_of_one_website(self):
        pattern = "https://shop.example.com/prices"
        self.assertEqual(pages.get_compared(URL, pattern), pattern)

    def test_with_a_query(self):
        self.assertEqual(pages.get_compared(URL, "/prices?utm_*"), "/prices?utm_source=mail")
        self.assertEqual(pages.get_compared(URL, "https://shop.example.com/prices?*"), URL)

    def test_path_elsewhere(self):
        """A path within another address is not taken for the page."""
        self.assertEqual(pages.get_compared("https://a.example.com/x/prices", "/p"), "/x/prices")


class TestPattern(unittest.TestCase):
    def test_as_typed(self):
        """What people type and copy is the address at which the page is looked at."""
        for text, pattern in (
            ("/prices", "/prices"),
            (" /prices\n", "/prices"),
            ("/prices/", "/prices"),
            ("/prices#plans", "/prices"),
            ("/prices/#plans", "/prices"),
            ("/prices/?plan=/x/", "/prices?plan=/x/"),
            ("/prices/*", "/prices/*"),
            ("/f%C3%BCr-sie*", "/für-sie*"),
            ("/50%25_off", "/50%25_off"),
            ("/", "/"),
            ("https://shop.example.com/", "https://shop.example.com/"),
            ("https://shop.example.com/prices/", "https://shop.example.com/prices"),
            (False, ""),
        ):
            with self.subTest(text):
                self.assertEqual(pages.get_pattern(text), pattern)

    def test_address(self):
        for text in ("/", "/prices*", "https://shop.example.com/", "http://a/b", "*prices*"):
            self.assertTrue(pages.is_address(text), text)
        for text in ("", "prices", "www.shop.example.com/prices", "ftp://a/b", "httpss://a/b"):
            self.assertFalse(pages.is_address(text), text)

    def test_hosts(self):
        """Whatever the port, and however it is written."""
        websites = ["https://Shop.example.com:8069", "http://a.example.com/x", False, "b"]
        self.assertEqual(pages.get_hosts(websites), {"shop.example.com", "a.example.com"})
