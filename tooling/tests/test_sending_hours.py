import datetime as datetime_module
import math
import unittest
from datetime import datetime, timedelta
from functools import cache

import pytz
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from . import pure

sending_hours = pure.load("sending_hours")
SendingHours = sending_hours.SendingHours

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ALWAYS = [(weekday, 0, 24) for weekday in range(7)]
#: Days (UTC) on which the wall clock does something odd, or might.
ODD_DAYS = [
    ("UTC", datetime(2026, 2, 28)),
    ("Africa/Casablanca", datetime(2026, 3, 22)),
    ("America/New_York", datetime(2026, 3, 8)),
    ("America/New_York", datetime(2026, 11, 1)),
    ("America/Sao_Paulo", datetime(2018, 11, 4)),  # midnight does not exist
    ("America/Sao_Paulo", datetime(2018, 2, 18)),  # the hour before midnight comes twice
    ("Asia/Kathmandu", datetime(2026, 1, 1)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4)),  # half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3)),
    ("Europe/Berlin", datetime(2026, 3, 29)),
    ("Europe/Berlin", datetime(2026, 10, 25)),
    ("Pacific/Apia", datetime(2011, 12, 30)),  # this day does not exist
]
SPAN = timedelta(days=3)

zones = st.sampled_from(pytz.all_timezones)
seconds = st.integers(0, 2**31 - 1)
moments = seconds.map(lambda number: datetime(1970, 1, 1) + timedelta(seconds=number))
minutes_of_day = st.integers(0, 24 * 60)
rows = st.builds(
    lambda weekday, start, end, week_type: (weekday, start / 60, end / 60, week_type),
    st.integers(0, 6),
    minutes_of_day,
    minutes_of_day | st.just(24 * 60),
    st.sampled_from([None, None, 0, 1]),
)
shares = st.floats(0, 1, exclude_max=True)


@st.composite
def odd_sending_hours(draw, most=12):
    """(SendingHours, zone, the day that is odd there); the holidays are around that day."""
    zone, day = draw(st.sampled_from(ODD_DAYS))
    starts = st.integers(-3 * 24 * 60, 3 * 24 * 60).map(lambda number: day + number * MINUTE)
    lengths = st.integers(-60, 2 * 24 * 60).map(lambda number: number * MINUTE)
    holidays = st.builds(lambda start, length: (start, start + length), starts, lengths)
    hours = draw(st.lists(rows, max_size=most) | st.just(ALWAYS))
    return SendingHours(hours, draw(st.lists(holidays, max_size=3))), zone, day


@cache
def walls(zone, day):
    """The wall clock of every minute around a day in UTC."""
    minutes = [day - SPAN + number * MINUTE for number in range(2 * SPAN // MINUTE)]
    return [
        (minute, pytz.utc.localize(minute).astimezone(pytz.timezone(zone)).replace(tzinfo=None))
        for minute in minutes
    ]


def shown_open(schedule, wall):
    """Whether a schedule is open when the wall clock shows this: the rule, word by word."""
    week_type = int(math.floor((wall.toordinal() - 1) / 7) % 2)  # as Odoo has it
    minute = wall.hour * 60 + wall.minute
    return any(
        row.weekday == wall.weekday()
        and row.week_type in (None, week_type)
        and round(row.hour_from * 60) <= minute < round(row.hour_to * 60)
        for row in schedule.hours
    ) and not any(start <= wall < end for start, end in schedule.holidays)


class TestAgainstTheWallClock(unittest.TestCase):
    """What the schedule computes is what looking at the clock every minute shows."""

    @settings(max_examples=60)
    @given(odd_sending_hours())
    def test_is_open(self, case):
        schedule, zone, day = case
        for minute, wall in walls(zone, day):
            expected = shown_open(schedule, wall)
            if schedule.is_open(minute, zone) != expected:
                self.fail(f"{minute} in {zone} is {wall}: open should be {expected}")

    @settings(max_examples=60)
    @given(
        odd_sending_hours(), st.integers(-DAY // MINUTE, DAY // MINUTE), st.integers(0, 59), shares
    )
    def test_next_opening(self, case, minutes, second, share):
        schedule, zone, day = case
        moment = day + minutes * MINUTE + second * timedelta(seconds=1)
        opening = schedule.next_opening(moment, zone)
        start = end = None
        for minute, wall in walls(zone, day):
            if minute + MINUTE <= moment:
                continue
            if shown_open(schedule, wall):
                start = start or max(minute, moment)
            elif start:
                end = minute
                break
        beyond = day + SPAN
        if not start:
            self.assertTrue(opening is None or opening[0] >= beyond)
            return
        self.assertEqual(opening[0], start)
        if end:
            self.assertEqual(opening[1], end)
            spread = min(end - start, sending_hours.LONGEST_SPREAD)
            expected = moment if start == moment else start + spread * share
            placed = schedule.place(moment, zone, share)
            self.assertLessEqual(placed, expected + timedelta(microseconds=1))
            self.assertLess(expected - placed, timedelta(seconds=1, microseconds=1))
        else:
            self.assertGreaterEqual(opening[1], beyond)

    @given(st.lists(rows, max_size=8), zones, moments)
    def test_any_zone_at_any_time(self, hours, zone, moment):
        schedule = SendingHours(hours)
        wall = pytz.utc.localize(moment).astimezone(pytz.timezone(zone)).replace(tzinfo=None)
        self.assertEqual(schedule.is_open(moment, zone), shown_open(schedule, wall))


class TestProperties(unittest.TestCase):
    @given(st.lists(rows, max_size=8), zones, moments)
    def test_an_opening_is_open_from_start_to_end(self, hours, zone, moment):
        schedule = SendingHours(hours)
        opening = schedule.next_opening(moment, zone)
        if not opening:
            self.assertFalse(any(round(row[1] * 60) < round(row[2] * 60) for row in hours))
            return
        start, end = opening
        self.assertLess(start, end)
        self.assertEqual(start == moment, schedule.is_open(moment, zone))
        self.assertGreaterEqual(start, moment)
        self.assertTrue(schedule.is_open(start, zone))
        self.assertTrue(schedule.is_open(end - timedelta(microseconds=1), zone))
        if start > moment:
            self.assertFalse(schedule.is_open(start - timedelta(microseconds=1), zone))
        if end < moment + sending_hours.HORIZON:
            self.assertFalse(schedule.is_open(end, zone))

    @given(st.lists(rows, min_size=1, max_size=8), zones, moments, shares)
    def test_a_place_is_open_and_stays(self, hours, zone, moment, share):
        schedule = SendingHours(hours)
        place = schedule.place(moment, zone, share)
        assume(place)
        self.assertTrue(schedule.is_open(place, zone))
        self.assertGreaterEqual(place, moment)
        self.assertEqual(schedule.place(place, zone, (share + 0.5) % 1), place)
        if schedule.is_open(moment, zone):
            self.assertEqual(place, moment)

    @given(st.lists(rows, min_size=1, max_size=8), zones, moments, shares, shares)
    def test_a_greater_share_is_not_earlier(self, hours, zone, moment, one, other):
        schedule = SendingHours(hours)
        places = [schedule.place(moment, zone, share) for share in sorted((0, one, other))]
        assume(places[0])
        self.assertEqual(places, sorted(places))
        self.assertEqual(places[0], schedule.next_opening(moment, zone)[0])
        self.assertLess(places[-1], places[0] + sending_hours.LONGEST_SPREAD)

    @given(st.lists(rows, max_size=8), zones, moments)
    def test_order_and_what_was_asked_before_do_not_matter(self, hours, zone, moment):
        schedule = SendingHours(hours)
        asked = SendingHours(list(reversed(hours)) + hours)
        asked.next_opening(moment - sending_hours.HORIZON, zone)
        asked.is_open(moment, "UTC")
        self.assertEqual(schedule.next_opening(moment, zone), asked.next_opening(moment, zone))

    @given(st.lists(rows, max_size=8), zones, moments)
    def test_a_holiday_without_end_leaves_nothing(self, hours, zone, moment):
        schedule = SendingHours(hours, [(datetime(1969, 1, 1), datetime(2099, 1, 1))])
        self.assertIsNone(schedule.next_opening(moment, zone))
        self.assertIsNone(schedule.place(moment, zone, 0.5))
        self.assertFalse(schedule.is_open(moment, zone))


class TestExamples(unittest.TestCase):
    def check(self, schedule, zone, moment, start, end):
        self.assertEqual(
            schedule.next_opening(datetime.fromisoformat(moment), zone),
            (datetime.fromisoformat(start), datetime.fromisoformat(end)),
        )

    def test_over_midnight(self):
        night = SendingHours([(0, 22, 24), (1, 0, 6)])
        self.check(night, "UTC", "2026-01-05 12:00", "2026-01-05 22:00", "2026-01-06 06:00")
        self.check(night, "UTC", "2026-01-06 01:00", "2026-01-06 01:00", "2026-01-06 06:00")

    def test_hours_that_the_clock_skips(self):
        skipped = SendingHours([(weekday, 2, 3) for weekday in range(7)])
        self.check(
            skipped, "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 00:00", "2026-03-30 01:00"
        )
        into = SendingHours([(6, 1.5, 2.5)])
        self.check(
            into, "Europe/Berlin", "2026-03-28 12:00", "2026-03-29 00:30", "2026-03-29 01:00"
        )
        out = SendingHours([(6, 2.5, 3.5)])
        self.check(out, "Europe/Berlin", "2026-03-28 12:00", "2026-03-29 01:00", "2026-03-29 01:30")

    def test_hours_that_the_clock_shows_twice(self):
        twice = SendingHours([(6, 2, 2.5)])
        self.check(
            twice, "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:00", "2026-10-25 00:30"
        )
        self.check(
            twice, "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30"
        )
        whole = SendingHours([(6, 2, 3)])
        self.check(
            whole, "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:00", "2026-10-25 02:00"
        )

    def test_a_day_that_never_was(self):
        friday = SendingHours([(4, 9, 17)])  # 30 December 2011 was one, except in Samoa
        self.check(
            friday, "Pacific/Apia", "2011-12-29 00:00", "2012-01-05 19:00", "2012-01-06 03:00"
        )

    def test_to_the_second(self):
        """In St. John's the clocks were changed a minute after midnight, until 2011."""
        self.check(
            SendingHours([(6, 0, 1)]),
            *("America/St_Johns", "2011-03-12", "2011-03-13 03:30", "2011-03-13 03:31"),
        )

    def test_every_second_week(self):
        # Monday, 5 January 2026 begins a week of type 0.
        for week_type, start in ((0, "2026-01-05"), (1, "2026-01-12")):
            schedule = SendingHours([sending_hours.Hours(0, 9, 10, week_type)])
            self.check(schedule, "UTC", "2026-01-02", f"{start} 09:00", f"{start} 10:00")
        every = SendingHours([(0, 9, 10, False)])  # as Odoo's empty selection is written
        self.check(every, "UTC", "2026-01-02", "2026-01-05 09:00", "2026-01-05 10:00")
        self.check(every, "UTC", "2026-01-06", "2026-01-12 09:00", "2026-01-12 10:00")

    def test_holidays_hold_on_the_recipient_s_wall(self):
        schedule = SendingHours(ALWAYS, [(datetime(2026, 12, 25), datetime(2026, 12, 26))])
        for zone, start in (("Pacific/Kiritimati", "2026-12-25 10:00"), ("UTC", "2026-12-26")):
            moment = datetime.fromisoformat(start) - timedelta(hours=1)
            self.assertFalse(schedule.is_open(moment, zone))
            self.assertEqual(schedule.next_opening(moment, zone)[0], datetime.fromisoformat(start))

    def test_no_second_is_open_between_holidays(self):
        days = [datetime(2026, 12, day) for day in (25, 26, 24)]
        schedule = SendingHours(ALWAYS, [(day, day + timedelta(seconds=86399)) for day in days])
        opening = schedule.next_opening(datetime(2026, 12, 24, 8), "UTC")
        self.assertEqual(opening[0], datetime(2026, 12, 27))

    def test_hours_are_cut_to_the_day(self):
        self.check(SendingHours([(0, -3, 30)]), "UTC", "2026-01-05", "2026-01-05", "2026-01-06")
        self.check(
            SendingHours([(0, 8, 23.9999)]), "UTC", "2026-01-05", "2026-01-05 08:00", "2026-01-06"
        )

    def test_before_the_day_nothing_is_open(self):
        monday = datetime(2026, 1, 5)
        self.assertFalse(SendingHours([(0, -3, 8)]).is_open(monday - MINUTE / 2, "UTC"))
        self.assertTrue(SendingHours([(0, -3, 8)]).is_open(monday, "UTC"))

    def test_hours_within_others(self):
        schedule = SendingHours([(0, 0, 4), (0, 8, 16), (0, 9, 10)])
        for hour, is_open in ((3, True), (5, False), (9, True), (12, True), (16, False)):
            self.assertIs(schedule.is_open(datetime(2026, 1, 5, hour), "UTC"), is_open, hour)

    def test_a_third_of_an_hour(self):
        self.check(
            SendingHours([(0, 8.3333333, 8.6666667)]),
            *("UTC", "2026-01-05", "2026-01-05 08:20", "2026-01-05 08:40"),
        )

    def test_nothing_is_open(self):
        for hours in ([], [(0, 8, 8)], [(0, 12, 8)]):
            self.assertIsNone(
                SendingHours(hours).next_opening(datetime(2026, 1, 1), "Europe/Berlin")
            )
            self.assertIsNone(SendingHours(hours).place(datetime(2026, 1, 1), "Europe/Berlin", 0.5))
            self.assertFalse(SendingHours(hours).is_open(datetime(2026, 1, 1), "Europe/Berlin"))

    def test_the_horizon(self):
        moment = datetime(2026, 1, 1)
        opens = moment + sending_hours.HORIZON
        for length, start in ((0, opens - MINUTE), (1, None)):
            end = opens - MINUTE + length * MINUTE
            opening = SendingHours(ALWAYS, [(moment, end)]).next_opening(moment, "UTC")
            self.assertEqual(opening and opening[0], start)
        self.assertEqual(SendingHours(ALWAYS).next_opening(moment, "UTC"), (moment, opens))

    def test_slack(self):
        """The end of an opening is left free, but never more than half of it."""
        monday = datetime(2026, 3, 2)
        for minutes, last in ((15, 12 * 60 - 15), (24 * 60, 8 * 60 + 2 * 60)):
            schedule = sending_hours.SendingHours([(0, 8, 12)], slack=timedelta(minutes=minutes))
            places = [schedule.place(monday, "UTC", share) for share in (0, 0.5, 0.999999)]
            self.assertEqual(places[0], monday + timedelta(hours=8))
            self.assertAlmostEqual(
                places[-1], monday + timedelta(minutes=last), delta=timedelta(seconds=2)
            )

    def test_what_waited_is_spread_over_a_day_at_most(self):
        weekdays = SendingHours(ALWAYS[:5])
        sunday, monday = datetime(2026, 1, 4, 12), datetime(2026, 1, 5)
        self.assertEqual(weekdays.place(sunday, "UTC", 0.5), monday + timedelta(hours=12))
        self.assertLess(weekdays.place(sunday, "UTC", 1 - 2**-53), monday + DAY)

    def test_shares_out_of_range(self):
        for share in (-0.1, 1, float("nan")):
            with self.assertRaises(ValueError):
                SendingHours(ALWAYS).place(datetime(2026, 1, 1), "UTC", share)

    def test_sending_hours_are_a_value(self):
        one, other = SendingHours(list(ALWAYS)), SendingHours(tuple(ALWAYS))
        one.is_open(datetime(2026, 1, 1), "UTC")
        self.assertEqual(one, other)
        self.assertEqual(hash(one), hash(other))
        with self.assertRaises(AttributeError):
            one.hours = ()

    def test_they_show_what_they_were_made_of(self):
        hours = SendingHours([(0, 8, 12)], slack=MINUTE)
        hours.is_open(datetime(2026, 1, 1), "UTC")
        names = {**vars(sending_hours), "datetime": datetime_module}
        self.assertEqual(eval(repr(hours), names), hours)


class TestShares(unittest.TestCase):
    @given(st.lists(st.integers() | st.text()))
    def test_range(self, keys):
        share = sending_hours.share_of(*keys)
        self.assertTrue(0 <= share < 1)
        self.assertEqual(share, sending_hours.share_of(*keys))

    def test_always_the_same(self):
        # On another computer, in another year: what was promised a place must find it again.
        self.assertEqual(sending_hours.share_of(1, 2), 0.4569255165940491)
        self.assertEqual(sending_hours.share_of("jörg@example.com", 7), 0.057812093678417775)

    def test_different_keys(self):
        different = [(1, 2), (2, 1), (12,), ("1", 2), ("1", "2"), ("12",), (1, 2, ""), ()]
        self.assertEqual(len({sending_hours.share_of(*keys) for keys in different}), len(different))

    def test_even(self):
        for count in (1000, 20000):
            buckets = [0] * 10
            for key in range(count):
                buckets[int(sending_hours.share_of(key, "step") * 10)] += 1
            # five standard deviations of what chance would do
            self.assertLess(max(abs(n - count / 10) for n in buckets), 5 * (count * 0.09) ** 0.5)
