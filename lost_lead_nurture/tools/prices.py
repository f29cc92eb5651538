"""What a message costs, and what a refused quotation costs today."""

from math import ceil
from typing import NamedTuple

#: Digits of a price: it goes further than the cent.
PRICE_DIGITS = (16, 5)
#: Amounts that differ by less are the same: what is left of calculating with floats.
TOLERANCE = 1e-6


class PricedLine(NamedTuple):
    """A line of a quotation: what the customer pays for it and what it costs the company, both
    without taxes and in one currency. What takes something off the whole has no cost of its own."""

    amount: float
    #: None: it is not known
    cost: float | None = None


def get_most(refused, percent):
    """How much may be asked at most so that it is ``percent`` below the ``refused`` amount."""
    return refused * (100.0 - percent) / 100.0


def is_below(amount, refused, percent):
    """Whether ``amount`` is at least ``percent`` below what was refused."""
    return refused > 0 and amount <= get_most(refused, percent) + TOLERANCE


def lowest_margin(lines):
    """The lowest margin of ``lines``, each on its own and all together, in percent of the cost.

    :param lines: list of :class:`PricedLine`
    :return: None where it is not known what one of them costs, or there is none
    """
    # what is free and costs nothing is a note; less than nothing is a discount on the whole
    sold = [line for line in lines if line.amount > 0 or line.cost]
    positive = [line for line in sold if line.amount >= 0]
    if not positive or any(not line.cost for line in positive):
        return None
    margins = [_margin(line.amount, line.cost) for line in positive]
    total = sum(line.amount for line in lines)
    margins.append(_margin(total, sum(line.cost for line in positive)))
    return min(margins)


def is_above_floor(lines, floor):
    """Whether ``lines`` keep a margin of ``floor`` percent on the cost; None: none is asked for."""
    if floor is None:
        return True
    margin = lowest_margin(lines)
    return margin is not None and margin >= floor - TOLERANCE


def smallest_discount(lines, most, floor, digits=2):
    """The smallest discount in percent, the same on all lines, with which they come to ``most`` at
    most and keep their margin.

    :param lines: list of :class:`PricedLine`, before the discount
    :param floor: see :func:`is_above_floor`
    :param digits: of a discount
    :return: None where there is none
    """
    sold = [line for line in lines if line.amount > 0]
    others = [line for line in lines if line.amount <= 0]
    if not sold:
        return None
    step = 10**digits
    rest = sum(line.amount for line in others)
    share = 1.0 - (most - rest) / sum(line.amount for line in sold)
    discount = max(0, ceil(100.0 * share * step - TOLERANCE)) / step
    if discount >= 100.0:
        return None
    left = 1.0 - discount / 100.0
    after = [PricedLine(line.amount * left, line.cost) for line in sold]
    return discount if is_above_floor(after + others, floor) else None


def add_discount(discount, other):
    """Two discounts in percent, one after the other, as one."""
    return 100.0 - (100.0 - discount) * (100.0 - other) / 100.0


def _margin(amount, cost):
    return (amount / cost - 1.0) * 100.0
