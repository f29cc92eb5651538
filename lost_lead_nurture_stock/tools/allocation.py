"""Who gets what there is: leads that wait for products take from what can be delivered, the most
valuable first, and nobody is invited to buy what others have been promised.

A *key* is a product in a warehouse; *wanted* is ``{key: quantity}`` of one lead. All that a lead
wants has to be there at once.
"""

from typing import NamedTuple

#: Quantities are sums of floats.
TOLERANCE = 1e-6


class Claim(NamedTuple):
    """What somebody in a sequence takes of the stock."""

    id: int
    wanted: dict
    #: whether somebody wrote to the lead already: what was promised stays taken
    is_invited: bool = False
    #: whether it takes anything: who is held out for comparison does not
    takes: bool = True


def is_there(stock, wanted):
    """Whether ``wanted`` can be delivered from ``stock``, nobody else considered.

    :param stock: ``{key: quantity}``
    """
    return all(stock.get(key, 0) >= quantity - TOLERANCE for key, quantity in wanted.items())


def allocate(stock, claims):
    """Who can be served. First those who were invited, whatever is left after: they are served as
    far as it suffices for them and all invited before them. Then the others, as far as what they
    want is left: who has to wait takes nothing.

    :param stock: ``{key: quantity}`` that can be delivered
    :param claims: list of :class:`Claim`, the most valuable first
    :return: ids of those who are served, and ``{key: quantity}`` that is left
    """
    left = dict(stock)
    served = set()
    for claim in sorted(claims, key=lambda one: not one.is_invited):
        fits = is_there(left, claim.wanted)
        if fits:
            served.add(claim.id)
        if claim.is_invited or (fits and claim.takes):
            take(left, claim.wanted)
    return served, left


def take(left, wanted):
    """Take ``wanted`` from what is left, even if that is less."""
    for key, quantity in wanted.items():
        left[key] = left.get(key, 0) - quantity
