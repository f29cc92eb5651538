"""What a product costs by a pricelist, worked out without Odoo and without floats: what totals are
compared with, of thousands of pricelists in ``tooling/tests``, and of hundreds on real records.

Written from what core's documentation says of pricelists, not from its code.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
HUNDRED = Decimal(100)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Product:
    """What is sold: its price and its cost, in the company's currency."""

    name: str
    list_price: Decimal
    cost: Decimal


@dataclass(frozen=True)
class Rule:
    """A line of a pricelist.

    :param product: name of the product that it is for; None: for all
    :param kind: "fixed", "percentage" or "formula"
    :param base: what a percentage or formula starts from: "list_price", "standard_price" or
        "pricelist"
    :param amount: the fixed price, or the percentage
    :param step: of what the result of a formula is a multiple; 0: of nothing
    :param surcharge: what a formula adds then
    :param least, most: margins of a formula over its base; 0: none
    :param from_quantity: the smallest quantity that it is for
    :param first_day, last_day: when it is valid; None: always
    """

    product: str | None
    kind: str
    amount: Decimal
    base: str = "list_price"
    step: Decimal = ZERO
    surcharge: Decimal = ZERO
    least: Decimal = ZERO
    most: Decimal = ZERO
    from_quantity: int = 0
    first_day: int | None = None
    last_day: int | None = None

    def is_for(self, product, quantity, day):
        return (
            self.product in (None, product.name)
            and quantity >= self.from_quantity
            and (self.first_day is None or self.first_day <= day)
            and (self.last_day is None or day <= self.last_day)
        )


@dataclass(frozen=True)
class Pricelist:
    """Rules in the order in which they were written, in a currency.

    :param rate: how much of its currency one of the company's is worth
    :param other: the pricelist from which rules with that base start
    """

    rules: tuple = ()
    rate: Decimal = Decimal(1)
    other: object = None

    def find(self, product, quantity, day):
        """The rule that counts: one for the product before one for all, then the one for the
        largest quantity, then the last one that was written."""
        fitting = [
            (rule.product is not None, rule.from_quantity, place, rule)
            for place, rule in enumerate(self.rules)
            if rule.is_for(product, quantity, day)
        ]
        return max(fitting, key=lambda one: one[:3])[3] if fitting else None

    def get_price(self, product, quantity, day):
        """What one costs, in the currency of the pricelist, with all its digits."""
        rule = self.find(product, quantity, day)
        if rule is None:
            return product.list_price * self.rate
        if rule.kind == "fixed":
            return rule.amount
        base = self._get_base(rule, product, quantity, day)
        # a formula on the cost adds what one on a price takes off
        sign = 1 if rule.kind == "formula" and rule.base == "standard_price" else -1
        price = base + sign * base * rule.amount / HUNDRED
        if rule.kind == "percentage":
            return price
        if rule.step:
            price = to_multiple(price, rule.step)
        price += rule.surcharge
        if rule.least:
            price = max(price, base + rule.least)
        if rule.most:
            price = min(price, base + rule.most)
        return price

    def _get_base(self, rule, product, quantity, day):
        if rule.base == "standard_price":
            return product.cost * self.rate
        if rule.base == "pricelist" and self.other is not None:
            return self.other.get_price(product, quantity, day) / self.other.rate * self.rate
        return product.list_price * self.rate

    def get_total(self, lines, day, is_per_line=True):
        """What a quotation comes to, without taxes.

        :param lines: list of (product, quantity)
        :param is_per_line: whether each line is in whole cents, or only all together
        """
        if is_per_line:
            return sum(self.get_line(product, quantity, day) for product, quantity in lines)
        exact = sum(
            self.get_price(product, quantity, day) * quantity for product, quantity in lines
        )
        return to_multiple(exact, CENT)

    def get_line(self, product, quantity, day):
        # Sales keeps the price of one as it is worked out
        return to_multiple(self.get_price(product, quantity, day) * quantity, CENT)


def to_multiple(amount, step):
    """The multiple of ``step`` that is nearest; of two the one that is farther from zero."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


class Draw:
    """Random products and pricelists.

    :param random: a ``random.Random``
    """

    def __init__(self, random):
        self.random = random

    def amount(self, least, most):
        return Decimal(self.random.randint(least * 100, most * 100)) / HUNDRED

    def product(self, name):
        return Product(name, self.amount(1, 500), self.amount(1, 300))

    def rule(self, names, has_other):
        random = self.random
        kind = random.choice(("fixed", "percentage", "formula"))
        bases = ["list_price", "standard_price", *(["pricelist"] if has_other else [])]
        first = random.choice((None, None, random.randint(-30, 30)))
        rule = Rule(
            product=random.choice((None, *names)),
            kind=kind,
            amount=self.amount(1, 400) if kind == "fixed" else self.amount(0, 60),
            base=random.choice(bases),
            from_quantity=random.choice((0, 0, 2, 5, 10)),
            first_day=first,
            last_day=random.choice((None, (first or 0) + random.randint(1, 30))),
        )
        if kind != "formula":
            return rule
        margins = sorted(self.amount(1, 40) for _number in range(2))
        return replace(
            rule,
            step=random.choice((ZERO, Decimal("0.05"), Decimal("0.5"), Decimal(1), Decimal(10))),
            surcharge=random.choice((ZERO, self.amount(-1, 5), Decimal("-0.01"))),
            # core takes a least margin beside a highest one only
            **random.choice(({}, {"most": margins[1]}, {"least": margins[0], "most": margins[1]})),
        )

    def pricelist(self, names, other=None):
        rules = tuple(
            self.rule(names, other is not None) for _number in range(self.random.randint(0, 4))
        )
        rate = self.random.choice((Decimal(1), Decimal("1.25"), Decimal("0.8"), Decimal("7.4321")))
        return Pricelist(rules, rate, other)
