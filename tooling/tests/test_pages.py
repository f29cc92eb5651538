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
