"""Who gets what there is: nobody is promised what others have been promised."""

import random
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


class History:
    """What happens around one warehouse: goods come and go, leads are lost, enter, are written to,
    and leave. It decides as the add-on does, by :func:`allocate` alone."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.stock = dict.fromkeys(KEYS, 0)
        self.waiting = []  # (value, number, wanted)
        self.inside = {}  # number: (value, wanted, whether a mail left)
        self.number = 0

    def lose(self):
        self.number += 1
        keys = self.random.sample(KEYS, self.random.randint(1, 2))
        wanted = {key: self.random.randint(1, 5) for key in keys}
        self.waiting.append((self.random.random(), self.number, wanted))

    def arrive(self):
        self.stock[self.random.choice(KEYS)] += self.random.randint(1, 8)

    def sell(self):
        key = self.random.choice(KEYS)
        self.stock[key] -= self.random.randint(0, max(0, self.stock[key]))

    def scan(self):
        left = dict(self.stock)
        for _value, wanted, _invited in self.inside.values():
            allocation.take(left, wanted)
        order = sorted(self.waiting, reverse=True)
        served, _left = allocation.allocate(left, [Claim(one[1], one[2]) for one in order])
        for value, number, wanted in order:
            if number in served:
                self.inside[number] = (value, wanted, False)
        self.waiting = [one for one in self.waiting if one[1] not in served]

    def send(self):
        """Send a mail to somebody inside, if that may be.

        :return: what was wrong with it, if anything
        """
        if not self.inside:
            return None
        number = self.random.choice(sorted(self.inside))
        order = sorted(self.inside.items(), key=lambda one: -one[1][0])
        claims_ = [Claim(one, wanted, invited) for one, (_value, wanted, invited) in order]
        served, _left = allocation.allocate(self.stock, claims_)
        value, wanted, invited = self.inside.pop(number)
        if number not in served:
            self.waiting.append((value, number, wanted))
            return None
        self.inside[number] = (value, wanted, True)
        promised = dict.fromkeys(KEYS, 0)
        for _value, of_one, is_invited in self.inside.values():
            if is_invited:
                for key, quantity in of_one.items():
                    promised[key] += quantity
        if any(self.stock[key] < quantity for key, quantity in wanted.items()):
            return "could not be delivered"
        if not invited and any(promised[key] > self.stock[key] for key in wanted):
            return "more was promised than there is"
        return None

    def leave(self):
        if self.inside:
            self.inside.pop(self.random.choice(sorted(self.inside)))


class TestHistories(unittest.TestCase):
    def test_never_above_stock(self):
        """Some hundred histories, each of a hundred events."""
        sent = 0
        for seed in range(400):
            history = History(seed)
            events = [*("lose", "lose", "arrive", "sell", "scan", "scan"), *["send"] * 4, "leave"]
            for _event in range(100):
                wrong = getattr(history, history.random.choice(events))()
                self.assertIsNone(wrong, f"seed {seed}")
            sent += sum(invited for _value, _wanted, invited in history.inside.values())
        self.assertGreater(sent, 400)
