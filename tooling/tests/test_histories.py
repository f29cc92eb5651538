"""Thousands of random histories of stock and prices: nobody is written to when what it waits for
could not be delivered, nobody is promised what others have been promised, and what a fresh
quotation comes to is what the pricelist says, to the cent."""

import importlib.util
import random
import sys
import unittest
from collections import Counter
from decimal import ROUND_CEILING, Decimal

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tooling import settings as project

from .pure import load

allocation = load("allocation", "lost_lead_nurture_stock")
prices = load("prices")
Claim = allocation.Claim

SEED = 20261130
#: With those that the engine plays in `lost_lead_nurture_stock/tests/test_random.py` ten thousand.
HISTORIES = 9_960
EVENTS = 60
KEYS = ("desk", "lamp", "chair")
PERCENTS = (0, 1, 5, 10)
FLOORS = (None, None, 0, 10, 25)
EVENTS_OF_MAIL = ("send", "send", "send", "sign", "leave")
#: What is left of calculating with floats.
LITTLE = Decimal("0.00001")


def _load_pricelists():
    """The pricelists with which the tests of the add-on compare real ones."""
    file = project.ROOT / "lost_lead_nurture" / "tests" / "pricelists.py"
    spec = importlib.util.spec_from_file_location("lost_lead_nurture_pricelists", file)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pricelists = _load_pricelists()


class History:
    """What happens around one warehouse and its pricelists: goods come and go, prices change, leads
    are lost, enter, are written to, sign and leave. It decides as the add-on does, by
    :func:`allocate` and by what ``tools/prices.py`` says of totals; what is wrong is found without
    them."""

    def __init__(self, number):
        self.random = random.Random(number)
        self.draw = pricelists.Draw(self.random)
        self.stock = dict.fromkeys(KEYS, 0)
        self.day = 0
        self.percent = self.random.choice(PERCENTS)
        self.floor = self.random.choice(FLOORS)
        self.waiting = []  # (value, number, wanted)
        self.inside = {}  # number: (value, wanted, whether a mail left)
        self.refused = {}  # number: amount
        self.number = 0
        self.sent = self.signed = 0
        self.price()

    # ------------------------------------------------------------
    # WHAT HAPPENS
    # ------------------------------------------------------------

    def price(self):
        """Somebody changes products and pricelists, or a day passes."""
        self.day += self.random.randint(0, 10)
        self.products = {key: self.draw.product(key) for key in KEYS}
        self.pricelist = self.draw.pricelist(KEYS, self.draw.pricelist(KEYS))

    def lose(self):
        self.number += 1
        keys = self.random.sample(KEYS, self.random.randint(1, 2))
        wanted = {key: self.random.randint(1, 5) for key in keys}
        self.waiting.append((self.random.random(), self.number, wanted))
        # dearer than today, mostly
        self.refused[self.number] = self.total(wanted) * self.random.choice((1, 1, 2))

    def arrive(self):
        self.stock[self.random.choice(KEYS)] += self.random.randint(1, 8)

    def sell(self):
        key = self.random.choice(KEYS)
        self.stock[key] -= self.random.randint(0, max(0, self.stock[key]))

    def leave(self):
        if self.inside:
            self.inside.pop(self.random.choice(sorted(self.inside)))

    def scan(self):
        """Let leads enter whose products are there and cost enough less than they refused."""
        left = dict(self.stock)
        for _value, wanted, _invited in self.inside.values():
            allocation.take(left, wanted)
        order = sorted((one for one in self.waiting if self.is_cheap(*one[1:])), reverse=True)
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
        claims = [Claim(one, wanted, invited) for one, (_value, wanted, invited) in order]
        served, _left = allocation.allocate(self.stock, claims)
        value, wanted, invited = self.inside.pop(number)
        if number not in served or not self.is_cheap(number, wanted):
            self.waiting.append((value, number, wanted))
            return None
        self.inside[number] = (value, wanted, True)
        self.sent += 1
        return self.find_broken_promise(wanted, invited) or self.find_dear(number, wanted)

    def sign(self):
        """Somebody asks for a fresh quotation, with a discount where it is dear, and signs it.

        :return: what was wrong with it, if anything
        """
        asking = {number: one[1] for number, one in self.inside.items() if one[2]}
        asking |= {number: wanted for _value, number, wanted in self.waiting}
        if not asking:
            return None
        number = self.random.choice(sorted(asking))
        wanted = asking[number]
        most = prices.get_most(float(self.refused[number]), self.percent)
        discount = prices.smallest_discount(self.lines(wanted), most, self.floor)
        self.signed += discount is not None
        return self.find_wrong_total(wanted) or self.find_wrong_discount(
            number, wanted, None if discount is None else Decimal(str(discount))
        )

    # ------------------------------------------------------------
    # AMOUNTS
    # ------------------------------------------------------------

    def line(self, key, quantity):
        return self.pricelist.get_line(self.products[key], quantity, self.day)

    def total(self, wanted):
        return sum(self.line(*item) for item in wanted.items())

    def cost(self, key, quantity):
        return self.products[key].cost * self.pricelist.rate * quantity

    def lines(self, wanted):
        """As the add-on takes them from a quotation."""
        return [
            prices.PricedLine(float(self.line(*item)), float(self.cost(*item)))
            for item in wanted.items()
        ]

    def is_cheap(self, number, wanted):
        """Whether the add-on would write about it."""
        lines = self.lines(wanted)
        total = sum(line.amount for line in lines)
        return prices.is_below(
            total, float(self.refused[number]), self.percent
        ) and prices.is_above_floor(lines, self.floor)

    def margin(self, wanted, discount=0):
        """The lowest margin, exactly, in percent."""
        left = (100 - discount) / pricelists.HUNDRED
        pairs = [(self.line(*item), self.cost(*item)) for item in wanted.items()]
        pairs = [pair for pair in pairs if pair[0] > 0 or pair[1]]
        pairs.append((sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)))
        return min((amount * left / cost - 1) * 100 for amount, cost in pairs)

    def has_free_line(self, wanted):
        return any(self.line(*item) <= 0 for item in wanted.items())

    # ------------------------------------------------------------
    # WHAT IS WRONG
    # ------------------------------------------------------------

    def find_broken_promise(self, wanted, invited):
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

    def find_dear(self, number, wanted):
        if self.total(wanted) * 100 > self.refused[number] * (100 - self.percent) + LITTLE:
            return "not below what was refused"
        if self.floor is None or self.has_free_line(wanted):
            return None
        if self.margin(wanted) < self.floor - LITTLE:
            return "below the margin floor"
        return None

    def find_wrong_total(self, wanted):
        total = sum(line.amount for line in self.lines(wanted))
        if f"{total:.2f}" != f"{self.pricelist.get_total(self.sold(wanted), self.day):.2f}":
            return "another total than the pricelist's"
        return None

    def sold(self, wanted):
        return [(self.products[key], quantity) for key, quantity in wanted.items()]

    def find_wrong_discount(self, number, wanted, discount):
        """The smallest one in hundredths of a percent that brings it below, and none that would
        take it below the floor."""
        most = self.refused[number] * (100 - self.percent) / 100
        total = self.total(wanted)
        if total <= 0:
            return None if discount is None else "a discount on nothing"
        if self.has_free_line(wanted):
            # what takes something off the whole is given no discount, and has no margin
            return None

        def is_enough(percent, little=LITTLE):
            return total * (100 - percent) / 100 <= most + little

        if discount is None:
            needed = ((1 - most / total) * 10_000).to_integral_value(ROUND_CEILING) / 100
            needed = max(needed, Decimal(0))
            is_possible = needed < 100 and (
                self.floor is None or self.margin(wanted, needed) > self.floor + LITTLE
            )
            return "a discount would have done" if is_possible else None
        if not is_enough(discount):
            return "not below what was refused, with the discount"
        if discount and is_enough(discount - pricelists.CENT, -LITTLE):
            return "less discount would have done"
        if self.floor is not None and self.margin(wanted, discount) < self.floor - LITTLE:
            return "below the margin floor, with the discount"
        return None


class TestHistories(unittest.TestCase):
    def test_never_promised_in_vain(self):
        """Ten thousand histories, with those of the engine."""
        seen = Counter()

        @seed(SEED)
        @settings(max_examples=HISTORIES, derandomize=False)
        @given(st.integers(0, 2**63))
        def live(number):
            history = History(number)
            events = [*("lose", "lose", "arrive", "sell", "scan", "scan", "price"), *EVENTS_OF_MAIL]
            for _event in range(EVENTS):
                wrong = getattr(history, history.random.choice(events))()
                self.assertIsNone(wrong, f"history {number}")
            seen.update(lives=1, sent=history.sent, signed=history.signed)

        live()
        self.assertGreaterEqual(seen["lives"], HISTORIES)
        # it is about something
        self.assertGreater(seen["sent"], HISTORIES)
        self.assertGreater(seen["signed"], HISTORIES // 4)
