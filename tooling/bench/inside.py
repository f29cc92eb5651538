"""What the measures share. Everything that imports this runs inside Odoo (`odoo shell`)."""

import contextlib
import gc
import statistics
import time

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry


@contextlib.contextmanager
def environment(database):
    """An environment of a database, rolled back at the end."""
    with Registry(database).cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})
        cr.rollback()


def timed(function, *arguments):
    """Return how many seconds a call takes."""
    gc.collect()
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def in_turns(rounds, *functions, warm=1):
    """Call each function in turn, `rounds` times, so that whatever else the computer does hits all.

    :param warm: how many rounds do not count
    :return: the median seconds of each; a function may return its own seconds
    """
    taken = [[] for _function in functions]
    for number in range(warm + rounds):
        for function, seconds in zip(functions, taken, strict=True):
            gc.collect()
            start = time.perf_counter()
            own = function()
            spent = own if isinstance(own, float) else time.perf_counter() - start
            if number >= warm:
                seconds.append(spent)
    return [statistics.median(seconds) for seconds in taken]
