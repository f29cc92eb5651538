"""How many mails may leave at a time: per sequence, per mail provider and per mail server.

A limit is a number of mails in an hour or a day of the clock, in UTC. An hour is divided into
slices of five minutes, so that mails leave evenly; those of a later day are spread over that day.
Each mail takes a place under all of its limits at the first moment at which all have room, and
keeps it: what waits is decided about once, not over and over.
"""

from collections import Counter
from datetime import datetime, timedelta
from math import inf

#: How long a slice of an hour is.
SLICE = timedelta(minutes=5)
DAY = timedelta(days=1)
#: How far ahead a place is looked for.
HORIZON = timedelta(days=731)
#: A place is lost when its mail comes so much later: much else may have left meanwhile.
GRACE = timedelta(minutes=30)
#: Why a mail waits that has a place, by the kind of limit: what the keys of limits begin with.
REASONS = {
    "provider": "provider_limit",
    "server": "server_limit",
    "server-day": "server_limit",
    "sequence": "sequence_limit",
}
#: Why a mail waits.
STAGES = ("provider_held", *dict.fromkeys(REASONS.values()))
#: After it was slow a mail provider gets twice as many mails every hour, for so many hours.
RECOVERY = 6
#: For so long it gets fewer mails than otherwise.
RECOVERING = timedelta(hours=RECOVERY + 1)
#: How much more a mail server may send every day while it is warmed up, if nobody says otherwise.
GROWTH = 50
#: A mail server that has sent nothing for so long has to be warmed up once more.
RESTED = timedelta(days=30)

#: So often a day is halved to find the part of it that is open.
_HALVES = 12
_EPOCH = datetime(1970, 1, 1)
_SLICES = timedelta(hours=1) // SLICE


def per_hour(number):
    """How many mails each slice of an hour takes, for :class:`Slots`: all of them together take
    ``number``."""

    def capacity(start):
        index = (start - _EPOCH) // SLICE
        # rounded up: the first slice of an hour has one at least
        return -(-(index + 1) * number // _SLICES) - -(-index * number // _SLICES)

    return capacity


def slowed_down(number, until, most):
    """How many mails each slice of an hour takes while a mail provider is slow, and while it
    recovers from that, for :class:`Slots`.

    :param number: how many in an hour while it is slow
    :param until: when that is over
    :param most: how many in an hour otherwise; 0 for no limit
    """

    def capacity(start):
        hours = (start - until) // timedelta(hours=1) + 1 if start >= until else 0
        limits = [most] if most else []
        if hours <= RECOVERY:
            limits.append(number << hours)
        return per_hour(min(limits))(start) if limits else inf

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

    def find(self, moment, place=None):
        """The first moment at which there is room, ``moment`` or later.

        :param place: moves a moment into the recipient's sending hours, as
            :meth:`.sending_hours.SendingHours.place` with its zone
        :return: None when there is none within :data:`HORIZON`
        """
        horizon = moment + HORIZON
        start = self._slice_of(moment)
        while (start := self._find(start)) < horizon:
            if start > moment:
                date = self._spread(start, place)
            else:
                date = place(moment, share=0) if place else moment
            if date is None or self._slice_of(date) == start:
                return date
            start = self._slice_of(date)
        return None

    def take(self, moment):
        """Take a place at a moment that :meth:`find` has found."""
        start = self._slice_of(moment)
        self.taken[start] += 1
        self.new[start] += 1

    def give_back(self, moment):
        """Give a place at that moment back, which was taken before."""
        start = self._slice_of(moment)
        self.taken[start] -= 1
        self.new[start] -= 1

    def _spread(self, start, place):
        """When the next mail leaves of a slice that is still to come: those of a day not all at
        once."""
        share = self.taken[start] / self.capacity(start) if self.length == DAY else 0
        if not place:
            return start + self.length * share
        date = place(start, share=share)
        if date != start:
            return date
        # which is open at that moment, maybe all day, maybe only then
        for _half in range(_HALVES):
            date = place(start + self.length * share, share=0)
            if date is None or self._slice_of(date) == start:
                return date
            share /= 2
        return start

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
    :param slots: ``{key: Slots}``; a key is one of :data:`REASONS`, a colon, and whose limit it is
    """

    def __init__(self, holds=(), slots=()):
        self.holds = dict(holds)
        self.slots = dict(slots)
        self._shared = [key for key in self.slots if not key.startswith("provider:")]

    def __bool__(self):
        return bool(self.holds or self.slots)

    def get_held(self, provider, moment):
        """Until when a mail provider is held; None when it is not."""
        until = self.holds.get(provider)
        return until if until and until > moment else None

    def get_keys(self, provider):
        """The keys of the limits of a mail to this mail provider."""
        own = f"provider:{provider}"
        return [own, *self._shared] if own in self.slots else self._shared

    def judge(self, provider, moment, place=None, kept=(), kept_date=None):
        """Take the places of a mail to a mail provider that is not held.

        :param moment: when it would leave
        :param place: see :meth:`Slots.find`
        :param kept: keys of the limits under which it has its place at that moment
        :param kept_date: when that place is, which it gives back where it leaves later
        :return: (when it leaves, key of the limit that it waits for or None); when is None if there
            is no place at all
        """
        keys = self.get_keys(provider)
        missing = [key for key in keys if key not in kept]
        date, last = self._find(missing, moment, place)
        if date != moment:
            # a place at another moment is another one under each limit
            missing = keys
            for key in kept if kept_date else ():
                if key in self.slots:
                    self.slots[key].give_back(kept_date)
            date, last = self._find(keys, moment, place)
        if date:
            for key in missing:
                self.slots[key].take(date)
        return date, last

    def forecast(self, provider, moment, place=None):
        """When a mail that would leave at ``moment`` leaves in the end; None for never."""
        if until := self.get_held(provider, moment):
            moment = place(until, share=0) if place else until
        return moment and self.judge(provider, moment, place)[0]

    def _find(self, keys, moment, place):
        """The first moment at which all these limits have room, and which of them has it last."""
        last = agreed = None
        while moment != agreed:
            agreed = moment
            for key in keys:
                date = self.slots[key].find(moment, place)
                if date is None:
                    return None, key
                if date != moment:
                    last, moment = key, date
        return moment, last
