"""What a refused quotation costs today, its margin, and the smallest discount that beats it."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from .pure import load

prices = load("prices")
Line = prices.PricedLine
amounts = st.integers(0, 10**7).map(lambda cents: cents / 100)
lines = st.lists(st.builds(Line, amounts, st.none() | amounts), max_size=5)


class TestBelow(unittest.TestCase):
    def test_at_least(self):
        for amount, percent, below in (
            (95.0, 5, True),
            (95.01, 5, False),
            (94.99, 5.01, True),
            (95.0, 5.01, False),
            (33.3, 66.7, True),
        ):
            with self.subTest(amount=amount, percent=percent):
                self.assertEqual(prices.is_below(amount, 100.0, percent), below)

    def test_nothing_refused(self):
        """What was free is not beaten."""
        self.assertFalse(prices.is_below(0.0, 0.0, 5))
        self.assertFalse(prices.is_below(-10.0, -5.0, 5))
        self.assertFalse(prices.is_below(-1.0, -0.5, 5))

    def test_cents_are_beaten_as_euros_are(self):
        self.assertTrue(prices.is_below(0.47, 0.5, 5))
        self.assertFalse(prices.is_below(0.48, 0.5, 5))


class TestMargin(unittest.TestCase):
    def test_lowest(self):
        self.assertAlmostEqual(prices.lowest_margin([Line(100, 50), Line(110, 100)]), 10.0)

    def test_discount_on_the_whole(self):
        """It counts for all lines together."""
        self.assertAlmostEqual(prices.lowest_margin([Line(100, 50), Line(-40)]), 20.0)

    def test_cents_count_as_euros_do(self):
        self.assertAlmostEqual(prices.lowest_margin([Line(100, 50), Line(0.5, 1)]), -50.0)
        self.assertIsNone(prices.lowest_margin([Line(100, 50), Line(0.5, None)]))

    def test_what_is_taken_back(self):
        """It takes something off the whole; a margin of its own it has none."""
        self.assertAlmostEqual(prices.lowest_margin([Line(100, 50), Line(-0.5, 0.2)]), 99.0)

    def test_not_known(self):
        self.assertIsNone(prices.lowest_margin([Line(100, 50), Line(10, None)]))
        self.assertIsNone(prices.lowest_margin([Line(100, 0.0)]))
        self.assertIsNone(prices.lowest_margin([]))

    def test_notes(self):
        """What is free and costs nothing does not count; what is given away does."""
        self.assertAlmostEqual(prices.lowest_margin([Line(100, 50), Line(0, None)]), 100.0)
        self.assertAlmostEqual(prices.lowest_margin([Line(100, 50), Line(0, 5)]), -100.0)

    def test_floor(self):
        self.assertTrue(prices.is_above_floor([Line(125, 100)], 25))
        self.assertFalse(prices.is_above_floor([Line(124.99, 100)], 25))
        self.assertTrue(prices.is_above_floor([Line(1, 100)], None))
        self.assertFalse(prices.is_above_floor([Line(1, None)], 0))


class TestSmallestDiscount(unittest.TestCase):
    def test_smallest(self):
        self.assertEqual(prices.smallest_discount([Line(100, 50)], 95.0, 0), 5.0)
        self.assertEqual(prices.smallest_discount([Line(120, 50)], 95.0, 0), 20.84)
        self.assertEqual(prices.smallest_discount([Line(120, 50)], 95.0, 0, digits=0), 21.0)

    def test_none_needed(self):
        self.assertEqual(prices.smallest_discount([Line(80, 50)], 95.0, 0), 0.0)

    def test_floor(self):
        self.assertIsNone(prices.smallest_discount([Line(100, 95)], 95.0, 1))
        self.assertIsNone(prices.smallest_discount([Line(100, None)], 95.0, 1))
        self.assertEqual(prices.smallest_discount([Line(100, None)], 95.0, None), 5.0)

    def test_beside_a_discount_on_the_whole(self):
        """Of what takes something off already nothing is taken off."""
        some = [Line(100, 50), Line(-10)]
        self.assertEqual(prices.smallest_discount(some, 81.0, None), 9.0)
        self.assertEqual(prices.smallest_discount(some, 81.0, 62), 9.0)
        self.assertIsNone(prices.smallest_discount(some, 81.0, 62.1))
        # the smallest amounts, too
        some = [Line(0.9, 0.4), Line(-0.5)]
        self.assertEqual(prices.smallest_discount(some, 0.13, None), 30.0)
        self.assertIsNone(prices.smallest_discount(some, 0.13, -60))
        self.assertEqual(prices.smallest_discount(some, 0.13, -68), 30.0)

    def test_what_is_given_away_costs_as_much_as_before(self):
        self.assertIsNone(prices.smallest_discount([Line(100, 10), Line(0, 5)], 95.0, 0))

    def test_nearly_everything(self):
        self.assertEqual(prices.smallest_discount([Line(100)], 0.5, None), 99.5)

    def test_the_margin_is_of_the_price_with_the_discount(self):
        self.assertEqual(prices.smallest_discount([Line(100, 50)], 50.0, 0), 50.0)
        self.assertIsNone(prices.smallest_discount([Line(100, 51)], 50.9, 0))

    def test_nothing_to_take_off(self):
        self.assertIsNone(prices.smallest_discount([], 95.0, None))
        self.assertIsNone(prices.smallest_discount([Line(-5)], 95.0, None))
        self.assertIsNone(prices.smallest_discount([Line(100)], 0.0, None))

    @given(lines, amounts, st.none() | st.integers(0, 100))
    def test_beats_and_keeps(self, some, most, floor):
        """What is granted beats what was refused, keeps the margin, and a smaller one does not."""
        discount = prices.smallest_discount(some, most, floor)
        if discount is None:
            return
        self.assertTrue(0 <= discount < 100)

        def left(percent):
            return [Line(line.amount * (100 - percent) / 100, line.cost) for line in some]

        self.assertLessEqual(sum(line.amount for line in left(discount)), most + 1e-3)
        self.assertTrue(prices.is_above_floor(left(discount), floor))
        if discount >= 0.01:
            smaller = sum(line.amount for line in left(discount - 0.01))
            self.assertGreater(smaller, most - 1e-3)

    def test_one_after_the_other(self):
        self.assertAlmostEqual(prices.add_discount(10, 10), 19.0)
        self.assertEqual(prices.add_discount(0, 5), 5.0)
