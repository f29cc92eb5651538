"""How many mails may leave at a time: per sequence, per mail provider and per mail server.

A limit is a number of mails in an hour or a day of the clock, in UTC. An hour is divided into
slices of five minutes, so that mails leave evenly. Each mail takes a place in the first slice that
has room, at once or later, and keeps it: what waits is decided about once, not over and over.
"""

from collections import Counter
from datetime import datetime, timedelta

#: How long a slice of an hour is.
SLICE = timedelta(minutes=5)
DAY = timedelta(days=1)
#: How far ahead a place is looked for.
HORIZON = timedelta(days=731)
#: A place is lost when its mail comes so much later: much else may have left meanwhile.
GRACE = timedelta(minutes=30)
#: Why a mail waits, in the order in which these are asked. Who has waited for one of them has its
#: place there.
STAGES = ("provider_held", "provider_limit", "server_limit", "sequence_limit")
#: How much more a mail server may send every day while it is warmed up, if nobody says otherwise.
GROWTH = 50
#: A mail server that has sent nothing for so long has to be warmed up once more.
RESTED = timedelta(days=30)

_EPOCH = datetime(1970, 1, 1)
_SLICES = timedelta(hours=1) // SLICE


def per_hour(number):
    """How many mails each slice of an hour takes, for :class:`Slots`: all of them together take
    ``number``."""

    def capacity(start):
        index = start.minute // (SLICE // timedelta(minutes=1))
        # rounded up: the first slice of an hour has one at least
        return -(-(index + 1) * number // _SLICES) - -(-index * number // _SLICES)

    return capacity


def warm_up(first, growth, begun, most=0):
    """How many mails each day takes while a mail server is warmed up, for :class:`Slots`.

    :param first: how many on the first day
    :param growth: how many percent more on each following day
    :param begun: the date of the first day
    :param most: how many a day when it is warm; 0 for no limit
    """

    def capacity(start):
        days = max((start.date() - begun).days, 0)
        # more days of growth than that are more than a number can hold
        number = int(first * (1 + growth / 100) ** min(days, 200))
        return min(number, most) if most else number

    return capacity


class Slots:
    """The places of one limit.

    :param length: of a slice: :data:`SLICE` or :data:`DAY`
    :param capacity: function of the beginning of a slice: how many mails it takes
    :param taken: ``{beginning of a slice: how many places are taken}``
    """

    def __init__(self, length, capacity, taken=()):
        self.length = length
        self.capacity = capacity
        self.taken = Counter(dict(taken))
        self.new = Counter()
        self._skip = {}

    def take(self, moment, place=None):
        """Take the first place at ``moment`` or later.

        :param place: function that moves a moment into the recipient's sending hours, or returns
            None when these never come
        :return: when the place is; None when there is none within :data:`HORIZON`
        """
        horizon = moment + HORIZON
        while moment and moment < horizon:
            start = self._find(self._slice_of(moment))
            if start >= horizon:
                return None
            moment = max(moment, start)
            placed = place(moment) if place else moment
            if placed is None:
                return None
            if self._slice_of(placed) == start:
                self.taken[start] += 1
                self.new[start] += 1
                return placed
            moment = placed
        return None

    def _slice_of(self, moment):
        return _EPOCH + (moment - _EPOCH) // self.length * self.length

    def _find(self, start):
        """The first slice with room from ``start`` on."""
        passed = []
        end = start + HORIZON
        while start <= end and self.taken[start] >= self.capacity(start):
            passed.append(start)
            start = self._skip.get(start, start + self.length)
        # nobody walks over full slices again
        self._skip.update(dict.fromkeys(passed, start))
        return start


class Places(dict):
    """``{key: Slots}`` that goes on where another one was left.

    :param kept: what :meth:`dump` said
    """

    def __init__(self, kept=None):
        super().__init__()
        self._kept = kept or {}

    def __ior__(self, others):
        for key, slots in others.items():
            for date, number in self._kept.get(key, {}).items():
                start = datetime.fromisoformat(date)
                slots.taken[start] += number
                slots.new[start] += number
        return super().__ior__(others)

    def dump(self):
        """Which places were taken, as JSON can keep it."""
        return {
            key: {date.isoformat(): number for date, number in slots.new.items()}
            for key, slots in self.items()
        }


class Pacer:
    """All limits that a mail has to keep.

    :param holds: ``{mail provider: until when it is held}``
    :param slots: ``{key: Slots}``; a key is ``provider:`` and its code, or begins with ``server``
        or ``sequence``
    """

    def __init__(self, holds=(), slots=()):
        self.holds = dict(holds)
        self.slots = dict(slots)
        self._shared = [
            (stage, [one for key, one in self.slots.items() if key.startswith(kind)])
            for stage, kind in (("server_limit", "server"), ("sequence_limit", "sequence"))
        ]

    def __bool__(self):
        return bool(self.holds or self.slots)

    def judge(self, provider, moment, place=None, passed=None):
        """When a mail may leave.

        :param provider: the mail provider of its recipient
        :param moment: when it would leave
        :param place: see :meth:`Slots.take`
        :param passed: the stage at which it waited until now, and has its place
        :return: (when, for which of :data:`STAGES` it has to wait or None); when is None if there
            is no place at all
        """
        if (until := self.holds.get(provider)) and until > moment:
            return (place(until) if place else until), "provider_held"
        for stage, slots in self._get_stages(provider):
            if passed and STAGES.index(stage) <= STAGES.index(passed):
                continue
            if (date := self._take(slots, moment, place)) != moment:
                return date, stage
        return moment, None

    def forecast(self, provider, moment, place=None):
        """When a mail that would leave at ``moment`` leaves in the end; None for never."""
        if (until := self.holds.get(provider)) and until > moment:
            moment = place(until) if place else until
        for _stage, slots in self._get_stages(provider):
            if moment:
                moment = self._take(slots, moment, place)
        return moment

    def _get_stages(self, provider):
        if slots := self.slots.get(f"provider:{provider}"):
            yield "provider_limit", [slots]
        yield from self._shared

    @staticmethod
    def _take(slots, moment, place):
        for one in slots:
            moment = moment and one.take(moment, place)
        return moment
