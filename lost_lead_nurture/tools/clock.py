"""Another time than now, in one thread, for a while.

All that decides when something happens asks ``fields.Datetime.now()`` what time it is. While a
thread is in :func:`clock_at` there is a switch in its place, for the whole process, which tells
that thread another time and all others the real one. The rest of the time there is none.
"""

import threading
from contextlib import contextmanager

_thread = threading.local()


class Clock:
    """A clock that only goes on when somebody sets it."""

    def __init__(self, moment):
        self.now = moment


class _Switch:
    """What tells the time, as long as somebody needs another one."""

    def __init__(self):
        self._lock = threading.Lock()
        self._users = 0
        #: what there was before, as it stands in its class, and what is there instead
        self._before = self._instead = None

    def enter(self, owner):
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = vars(owner)["now"]
                self._instead = staticmethod(_in_turn(owner.now))
                owner.now = self._instead

    def leave(self, owner):
        with self._lock:
            self._users -= 1
            # who put something over it meanwhile takes that away: then this one tells the real time
            if not self._users and vars(owner)["now"] is self._instead:
                owner.now = self._before


def _in_turn(real):
    """What tells the time of the thread that asks."""

    def now(*_args):
        clock = getattr(_thread, "clock", None)
        return clock.now if clock else real()

    return now


_switch = _Switch()


@contextmanager
def clock_at(owner, moment):
    """Let it be ``moment`` in this thread.

    :param owner: the class whose ``now`` is asked, ``fields.Datetime``
    :param moment: naive, UTC
    :return: the :class:`Clock`, which can be set
    """
    before = getattr(_thread, "clock", None)
    _switch.enter(owner)
    clock = _thread.clock = Clock(moment)
    try:
        yield clock
    finally:
        _thread.clock = before
        _switch.leave(owner)
