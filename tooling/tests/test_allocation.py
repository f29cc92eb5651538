"""Who gets what there is: nobody is promised what others have been promised."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from .pure import load

allocation = load("allocation", "lost_lead_nurture_stock")
Claim = allocation.Claim

KEYS = ("desk", "lamp", "chair")
stocks = st.fixed_dictionaries({key: st.integers(-5, 20) for key in KEYS})
wishes = st.dictionaries(st.sampled_from(KEYS), st.integers(1, 8), min_size=1)


@st.composite
def claims(draw, **fixed):
    """Claims of different leads, in the order of their value."""
    found = draw(st.lists(st.tuples(wishes, st.booleans(), st.booleans()), max_size=12))
    return [
        Claim(number, wanted, **{"is_invited": invited, "takes": takes, **fixed})
        for number, (wanted, invited, takes) in enumerate(found)
    ]


def total(found):
    """What all of these want together."""
    return {key: sum(claim.wanted.get(key, 0) for claim in found) for key in KEYS}


class TestIsThere(unittest.TestCase):
    def test_all_of_it_has_to_be(self):
        stock = {"desk": 2, "lamp": 1}
        self.assertTrue(allocation.is_there(stock, {"desk": 2, "lamp": 1}))
        self.assertFalse(allocation.is_there(stock, {"desk": 2, "lamp": 2}))
        self.assertFalse(allocation.is_there(stock, {"chair": 1}))

    def test_sums_of_floats(self):
        self.assertTrue(allocation.is_there({"desk": 0.1 + 0.2 - 0.3 + 0.3}, {"desk": 0.3}))
        self.assertFalse(allocation.is_there({"desk": 0.299}, {"desk": 0.3}))


class TestAllocate(unittest.TestCase):
    def test_most_valuable_first(self):
        three = [Claim(number, {"desk": 2}) for number in range(3)]
        served, left = allocation.allocate({"desk": 5}, three)
        self.assertEqual((served, left), ({0, 1}, {"desk": 1}))

    def test_who_has_to_wait_takes_nothing(self):
        claims_ = [Claim(1, {"desk": 9}), Claim(2, {"desk": 3})]
        self.assertEqual(allocation.allocate({"desk": 3}, claims_), ({2}, {"desk": 0}))

    def test_part_of_it_is_nothing(self):
        claims_ = [Claim(1, {"desk": 1, "lamp": 1}), Claim(2, {"desk": 1})]
        self.assertEqual(allocation.allocate({"desk": 1}, claims_), ({2}, {"desk": 0}))

    def test_a_promise_stays(self):
        """Whoever was invited comes before whoever was not, and counts even if it is gone."""
        claims_ = [Claim(1, {"desk": 1}), Claim(2, {"desk": 2}, is_invited=True)]
        self.assertEqual(allocation.allocate({"desk": 2}, claims_), ({2}, {"desk": 0}))
        self.assertEqual(allocation.allocate({"desk": 1}, claims_), (set(), {"desk": -1}))

    def test_held_out(self):
        claims_ = [Claim(1, {"desk": 1}, takes=False), Claim(2, {"desk": 1})]
        self.assertEqual(allocation.allocate({"desk": 1}, claims_), ({1, 2}, {"desk": 0}))

    def test_what_is_given_is_not_changed(self):
        stock = {"desk": 1}
        allocation.allocate(stock, [Claim(1, {"desk": 1})])
        self.assertEqual(stock, {"desk": 1})

    @given(stocks, claims(takes=True))
    def test_never_above_stock(self, stock, found):
        served, left = allocation.allocate(stock, found)
        counted = [claim for claim in found if claim.is_invited or claim.id in served]
        taken = total(counted)
        self.assertEqual(left, {key: stock[key] - taken[key] for key in KEYS})
        for claim in found:
            if claim.id in served and not claim.is_invited:
                for key in claim.wanted:
                    self.assertLessEqual(taken[key], stock[key])

    @given(stocks, claims(takes=True, is_invited=False))
    def test_who_waits_would_not_fit(self, stock, found):
        """Nobody waits for whom there is enough beside those who come first."""
        served, _left = allocation.allocate(stock, found)
        for place, claim in enumerate(found):
            before = total([one for one in found[:place] if one.id in served])
            fits = all(stock[key] - before[key] >= number for key, number in claim.wanted.items())
            self.assertEqual(claim.id in served, fits)

    @given(stocks, claims())
    def test_more_serves_the_first_one(self, stock, found):
        """The most valuable of those invited, or else of all, is served if all of it is there."""
        if found:
            first = next((one for one in found if one.is_invited), found[0])
            served, _left = allocation.allocate(stock, found)
            self.assertEqual(first.id in served, allocation.is_there(stock, first.wanted))
