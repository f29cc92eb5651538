"""Sending hours: the hours of the week in which the recipient may be written to.

Hours and holidays are read from the clock on the recipient's wall; moments are naive datetimes in
UTC, as everywhere in Odoo. A moment is open when the wall clock shows an open time at that moment.
All that daylight saving does follows from this one rule: hours that the clock skips do not exist,
hours that it shows twice are open twice.
"""

import hashlib
import json
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import pytz

#: How far ahead an opening is looked for.
HORIZON = timedelta(days=731)
#: What waited for an opening is spread over this much of it at most.
LONGEST_SPREAD = timedelta(hours=24)

_EPOCH = datetime(1970, 1, 1)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
#: Openings are computed, and kept, for so long at a time. It does not show in any result.
_CHUNK = timedelta(days=28)
#: Weekly hours repeat after two weeks, as calendars may tell even weeks from odd ones.
_CYCLE = 14


class Hours(NamedTuple):
    """Hours of a weekday in which the schedule is open.

    :param weekday: 0 is Monday
    :param hour_from: hours since midnight, e.g. 8.5 for half past eight; the minute is what counts
    :param hour_to: the same, excluded; 24 is midnight. Nothing is open when not after `hour_from`
    :param week_type: 0 or 1 when only in every second week, counted as
        ``resource.calendar.attendance.get_week_type`` does; None (False, as Odoo writes it) when
        in every week
    """

    weekday: int
    hour_from: float
    hour_to: float
    week_type: int | None = None


@dataclass(frozen=True)
class SendingHours:
    """When recipients may be written to.

    :param hours: rows as :class:`Hours`, or tuples like them, in any order; they may overlap
    :param holidays: closed times as pairs (start, end) of naive datetimes on the wall clock,
        wherever the wall is. A minute that has begun is closed as a whole, so that days which end
        at 23:59:59 leave no second open.
    :param slack: how much of the end of an opening (half of it at most) :meth:`place` leaves free,
        for whoever is not on time to the minute

    A schedule remembers the openings of every zone it was asked for, so ask the same one for many
    moments.
    """

    hours: tuple = ()
    holidays: tuple = ()
    slack: timedelta = timedelta()
    _days: tuple = field(init=False, repr=False, compare=False)
    _chunks: dict = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        known = {
            "hours": tuple(Hours(*row) for row in self.hours),
            "holidays": _merge(_whole_minutes(*holiday) for holiday in self.holidays),
            "_chunks": {},
        }
        known["_days"] = tuple(_open_on(known["hours"], day) for day in range(_CYCLE))
        for name, value in known.items():
            object.__setattr__(self, name, value)

    def is_open(self, moment, zone):
        """Whether the schedule is open at ``moment`` (naive, UTC) for recipients in ``zone``.

        :raise pytz.UnknownTimeZoneError: when there is no such zone
        """
        starts, ends = self._chunk(zone, (moment - _EPOCH) // _CHUNK)
        index = bisect_right(starts, moment) - 1
        return index >= 0 and moment < ends[index]

    def next_opening(self, moment, zone):
        """The first open stretch that ends after ``moment``: what is left of the present one when
        the schedule is open.

        :return: (start, end), naive and in UTC, the end excluded and at most :data:`HORIZON` ahead;
            None when nothing opens until then
        :raise pytz.UnknownTimeZoneError: when there is no such zone
        """
        return self._opening(moment, zone, HORIZON)

    def place(self, moment, zone, share):
        """The moment for something due at ``moment``: the same when the schedule is open, or else
        within the next opening, ``share`` of its length after its start. Give everything a share of
        its own (:func:`share_of`), and what waited does not go out all at once.

        :param share: at least 0 and less than 1
        :return: a naive moment in UTC at which the schedule is open; None when it never opens
        :raise ValueError: when ``share`` is out of range
        :raise pytz.UnknownTimeZoneError: when there is no such zone
        """
        if not 0 <= share < 1:
            raise ValueError(share)
        opening = self._opening(moment, zone, LONGEST_SPREAD)
        if not opening:
            return None
        start, end = opening
        if start <= moment:
            return moment
        length = min(end - start, LONGEST_SPREAD)
        seconds = (length - min(self.slack, length / 2)) // _SECOND
        return start + timedelta(seconds=int(share * seconds))

    def _opening(self, moment, zone, enough):
        """See :meth:`next_opening`; of a longer opening than ``enough`` the end may be cut off."""
        start = end = None
        for next_start, next_end in self._stretches(moment, zone):
            if start is None:
                start = max(next_start, moment)
            elif next_start > end:
                break
            end = next_end
            if end - start >= enough:
                break
        return (start, min(end, moment + HORIZON)) if start else None

    def _stretches(self, moment, zone):
        """Open stretches from ``moment`` up to the horizon. They may touch."""
        index = (moment - _EPOCH) // _CHUNK
        horizon = moment + HORIZON
        while self.hours and _EPOCH + index * _CHUNK < horizon:
            starts, ends = self._chunk(zone, index)
            for at in range(bisect_right(ends, moment), len(ends)):
                if starts[at] >= horizon:
                    return
                yield starts[at], ends[at]
            index += 1

    def _chunk(self, zone, index):
        """Starts and ends of the openings within one chunk of time."""
        chunk = self._chunks.get((zone, index))
        if not chunk:
            start = _EPOCH + index * _CHUNK
            openings = self._openings(pytz.timezone(zone), start, start + _CHUNK)
            chunk = tuple(zip(*openings, strict=True)) or ((), ())
            self._chunks[zone, index] = chunk
        return chunk

    def _openings(self, timezone, start, end):
        """Openings in UTC, between two moments in UTC, in order and apart from each other."""
        return _merge(
            (opens - offset, closes - offset)
            for since, until, offset in _even_times(timezone, start, end)
            for opens, closes in self._openings_on_the_wall(since + offset, until + offset)
        )

    def _openings_on_the_wall(self, start, end):
        """Openings between two times of the wall clock. They may touch."""
        holidays = [(begin, over) for begin, over in self.holidays if begin < end and over > start]
        midnight = datetime(start.year, start.month, start.day)
        while midnight < end:
            for opens, closes in self._days[(midnight.toordinal() - 1) % _CYCLE]:
                opening = max(midnight + opens, start), min(midnight + closes, end)
                yield from _without(opening, holidays)
            midnight += _DAY


def share_of(*keys):
    """A number between 0 and 1 (excluded) that is always the same for the same keys and evenly
    spread over different ones.

    :param keys: numbers and strings, e.g. the ids of a trace and its step
    """
    digest = hashlib.blake2b(json.dumps(keys).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # as many bits as a float holds


def _open_on(hours, day):
    """Open times of a day of the two weeks, since its midnight."""
    week_type, weekday = divmod(day, 7)
    return _merge(
        (_since_midnight(row.hour_from), _since_midnight(row.hour_to))
        for row in hours
        if row.weekday == weekday
        and (row.week_type is None or row.week_type is False or row.week_type == week_type)
    )


def _since_midnight(hours):
    return min(max(round(hours * 60), 0), 24 * 60) * _MINUTE


def _whole_minutes(start, end):
    """The minutes that a time touches."""
    begun = timedelta(seconds=end.second, microseconds=end.microsecond)
    return start.replace(second=0, microsecond=0), end + (_MINUTE - begun if begun else begun)


def _merge(stretches):
    """The same times in order, the empty ones dropped and those that touch made one."""
    merged = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        elif start < end:
            merged.append((start, end))
    return tuple(merged)


def _without(stretch, holes):
    """What is left of a stretch without the holes, which are in order."""
    start, end = stretch
    for hole_start, hole_end in holes:
        if start < min(hole_start, end):
            yield start, min(hole_start, end)
        start = max(start, hole_end)
    if start < end:
        yield start, end


def _even_times(timezone, start, end):
    """Cut a time in UTC, of whole days, where the clocks of a zone are changed.

    :return: triples (start, end, offset of the wall clock)
    """
    offset = _offset(timezone, start)
    day = start
    while day < end:
        # Since 1970 no zone has changed its clocks twice within less than six days.
        next_offset = _offset(timezone, day + _DAY)
        if next_offset != offset:
            change = _change(timezone, day, offset)
            yield start, change, offset
            start, offset = change, next_offset
        day += _DAY
    yield start, end, offset


def _change(timezone, day, offset):
    """The first second after ``day`` at which the offset is another one, within 24 hours."""
    before, after = 0, _DAY // _SECOND
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(timezone, day + middle * _SECOND) == offset:
            before = middle
        else:
            after = middle
    return day + after * _SECOND


def _offset(timezone, moment):
    return timezone.fromutc(moment).utcoffset()
