"""What belongs to which message, without Odoo."""

import unittest
from datetime import datetime, timedelta
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from . import pure

attribution = pure.load("attribution")
Touch = attribution.Touch
MONDAY = datetime(2026, 3, 2, 9)


def touch(message, first, last=None):
    days = [first, first if last is None else last]
    return Touch(message, *(MONDAY + timedelta(days=day) for day in days))


class TestShares(unittest.TestCase):
    def test_each_model(self):
        long_one, short, late = touch("long", 0, 9), touch("short", 2), touch("late", 5)
        shares = attribution.share_out([long_one, short, late])
        self.assertEqual(list(shares), list(attribution.MODELS))
        self.assertEqual(shares["last"], [(long_one, 1.0)])
        self.assertEqual(shares["first"], [(long_one, 1.0)])
        self.assertEqual(shares["linear"], [(one, 1 / 3) for one in (long_one, short, late)])
        shares = attribution.share_out([short, late])
        self.assertEqual((shares["first"], shares["last"]), ([(short, 1.0)], [(late, 1.0)]))

    def test_at_the_same_moment(self):
        """The first is the older message, the last the younger one."""
        older, younger = touch("older", 1), touch("younger", 1)
        shares = attribution.share_out([older, younger])
        self.assertEqual((shares["first"], shares["last"]), ([(older, 1.0)], [(younger, 1.0)]))

    def test_rules(self):
        """For how long something counts unless somebody changes it."""
        self.assertIn(f"{attribution.WINDOW_DAYS} days if nobody changed it", pure.rules())

    def test_nothing(self):
        self.assertEqual(attribution.share_out([]), {"last": [], "first": [], "linear": []})


class TestDivide(unittest.TestCase):
    cents = SimpleNamespace(round=lambda amount: round(amount, 2))

    def test_to_the_cent(self):
        self.assertEqual(attribution.divide(100.0, [1 / 3] * 3, self.cents), [33.33, 33.34, 33.33])
        self.assertEqual(attribution.divide(-0.05, [0.5, 0.5], self.cents), [-0.03, -0.02])
        self.assertEqual(attribution.divide(10.0, [], self.cents), [])
        self.assertEqual(attribution.divide(0.004, [0.5, 0.5], self.cents), [0.0, 0.0])
        self.assertEqual(attribution.divide(10.0, [0.25, 0.25], self.cents), [2.5, 2.5])

    @given(st.integers(-(10**9), 10**9), st.lists(st.integers(1, 1000), min_size=1, max_size=30))
    def test_parts_add_up(self, cents, weights):
        amount = cents / 100
        parts = [weight / sum(weights) for weight in weights]
        divided = attribution.divide(amount, parts, self.cents)
        self.assertEqual(round(sum(divided) * 100), cents)
        for part, got in zip(parts, divided, strict=True):
            self.assertLess(abs(got - amount * part), 0.011)
