"""Whether a mail shows what its sequence offers."""

import unittest

from .pure import load

offers = load("offers")


class TestOffers(unittest.TestCase):
    def test_shows(self):
        for text in (
            '<p>You get <t t-out="object.nurture_offer">10 %</t></p>',
            "{{ object.nurture_offer }} for you",
        ):
            self.assertIs(offers.shows_offer(text), True)

    def test_does_not(self):
        """Another field, one whose name begins alike, or no text at all."""
        for text in ('<t t-out="object.name"/>', "object.nurture_offer_text", "", None, False):
            self.assertIs(offers.shows_offer(text), False)
