"""How what came of marketing is shared out among the messages that led to it."""

from datetime import datetime
from itertools import accumulate, pairwise
from typing import NamedTuple

#: For how many days a click or a reply counts, unless somebody changes it.
WINDOW_DAYS = 90
#: Models of attribution. The last touch is what most people mean by credit, and what is shown
#: where nobody asks for another one.
MODELS = ("last", "first", "linear")


class Touch(NamedTuple):
    """A message that a person clicked in, or replied to, before something came of it."""

    #: what the message is to whoever asks, such as the id of a mailing trace
    message: object
    #: the first and the last time
    first: datetime
    last: datetime


def share_out(touches):
    """The share that each touch has in what came of them, by each model. Shares of a model add up
    to 1: something is credited once.

    :param touches: list of :class:`Touch`, the older message first where two were touched at once
    :return: ``{model: [(touch, share), …]}``, touches without a share left out
    """
    if not touches:
        return {model: [] for model in MODELS}
    latest = max(reversed(touches), key=lambda touch: touch.last)
    earliest = min(touches, key=lambda touch: touch.first)
    return {
        "last": [(latest, 1.0)],
        "first": [(earliest, 1.0)],
        "linear": [(touch, 1.0 / len(touches)) for touch in touches],
    }


def divide(amount, parts, currency):
    """Divide an amount so that the parts add up to it, to the cent: each is the sum up to here, in
    cents, less the sum before.

    :param parts: what belongs to each, as parts of 1; where they add up to less, some is left
    :return: list of amounts
    """
    sums = [currency.round(amount * part) for part in accumulate(parts, initial=0.0)]
    return [currency.round(after - before) for before, after in pairwise(sums)]
