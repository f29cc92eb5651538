"""How many mails may leave at a time."""

import unittest
from datetime import date, datetime, time, timedelta
from random import Random

from .pure import load, rules

delivery, pace, provider_answers = load("delivery"), load("pace"), load("provider_answers")
DAY, SLICE, Pacer, Places, Slots = pace.DAY, pace.SLICE, pace.Pacer, pace.Places, pace.Slots
per_hour, slowed_down, warm_up = pace.per_hour, pace.slowed_down, pace.warm_up

NOW = datetime(2026, 3, 2, 9, 0)


def hourly(number):
    return Slots(SLICE, per_hour(number))


def daily(number):
    return Slots(DAY, lambda _start: number)


def opens(opening, hours=2):
    """Sending hours that begin with an opening, as `SendingHours.place` has them."""

    def place(moment, share):
        assert 0 <= share < 1, share
        return moment if moment >= opening else opening + share * timedelta(hours=hours)

    return place


def take(slots, moment, place=None):
    if date := slots.find(moment, place):
        slots.take(date)
    return date


class TestSlots(unittest.TestCase):
    def test_an_hour_has_as_many_as_it_may(self):
        for number in (1, 2, 7, 12, 13, 100, 1800):
            slices = [per_hour(number)(NOW + index * SLICE) for index in range(12)]
            self.assertEqual(sum(slices), number)
            self.assertLessEqual(max(slices) - min(slices), 1)

    def test_each_has_a_place(self):
        slots = hourly(24)
        dates = [take(slots, NOW + timedelta(minutes=1)) for _each in range(50)]
        self.assertEqual(dates[:3], [NOW + timedelta(minutes=1)] * 2 + [NOW + SLICE])
        self.assertEqual(dates, sorted(dates))
        self.assertEqual(dates[-1], NOW + timedelta(hours=2))
        self.assertEqual(sum(slots.new.values()), 50)

    def test_many(self):
        """Full slices are not walked over again."""
        slots = hourly(1)
        dates = {take(slots, NOW) for _each in range(2000)}
        self.assertEqual(len(dates), 2000)

    def test_never(self):
        self.assertIsNone(hourly(0).find(NOW))
        for slots in (hourly(0), daily(0)):
            self.assertIsNone(slots.find(NOW + timedelta(minutes=1)))
        self.assertIsNone(hourly(1).find(NOW, lambda _moment, share: None))

    def test_given_back(self):
        """A place that is given back is one, not more."""
        slots = hourly(12)
        slots.take(NOW)
        slots.give_back(NOW)
        self.assertEqual([take(slots, NOW) for _each in range(2)], [NOW, NOW + SLICE])
        self.assertEqual(sum(slots.new.values()), 2)

    def test_not_before_it_is_open(self):
        """Whoever comes before that leaves when it opens, and not at once with all others."""
        opening = NOW + timedelta(hours=3)
        slots = hourly(24)
        dates = [take(slots, NOW, opens(opening)) for _each in range(3)]
        self.assertEqual(dates, [opening, opening, opening + SLICE])

    def test_only_where_it_is_open(self):
        """Who can be written to later leaves the places before that to others."""

        def tomorrow(moment, share):
            return max(moment, NOW + DAY)

        slots = hourly(12)
        self.assertEqual(take(slots, NOW, tomorrow), NOW + DAY)
        self.assertEqual(take(slots, NOW), NOW)

    def test_a_later_day(self):
        """What may leave today does at once; each other day is spread."""
        slots = daily(4)
        dates = [take(slots, NOW) for _each in range(9)]
        self.assertEqual(dates[:4], [NOW] * 4)
        self.assertEqual([date.hour for date in dates[4:]], [0, 6, 12, 18, 0])
        self.assertEqual([date.day for date in dates[4:]], [3] * 4 + [4])

    def test_today_begins_at_midnight(self):
        """Also for what is due right then."""
        midnight = datetime.combine(NOW.date(), time())
        slots = daily(4)
        self.assertEqual([take(slots, midnight) for _each in range(4)], [midnight] * 4)

    def test_a_later_day_in_sending_hours(self):
        """Also after days on which nothing leaves."""

        slots = daily(4)
        dates = [take(slots, NOW, opens(datetime(2026, 3, 6, 8))) for _each in range(4)]
        self.assertEqual(
            dates, [datetime(2026, 3, 6, 8) + index * timedelta(minutes=30) for index in range(4)]
        )

        slots = daily(2)
        dates = [take(slots, NOW, opens(NOW)) for _each in range(4)]
        self.assertEqual([date.hour for date in dates], [9, 9, 0, 12])

    def test_a_later_day_that_is_open_when_it_begins(self):
        """All places of a day are taken where sending hours are those of its first hours."""

        def place(moment, share):
            assert 0 <= share < 1, share
            return moment if moment.hour < 4 else datetime.combine(moment.date() + DAY, time())

        slots = daily(24)
        dates = [take(slots, NOW, place) for _each in range(30)]
        self.assertEqual([date.day for date in dates], [3] * 24 + [4] * 6)
        self.assertLess(max(date.hour for date in dates), 4)
        self.assertGreater(len(set(dates[:24])), 12)

    def test_slowed_down(self):
        """A provider that was slow gets more from hour to hour, not all that waits at once."""
        for most, last in ((0, None), (40, 40)):
            capacity = slowed_down(12, NOW + timedelta(hours=1), most)
            hours = [
                sum(capacity(NOW + hour * timedelta(hours=1) + part * SLICE) for part in range(12))
                for hour in range(9)
            ]
            self.assertEqual(hours[:2], [12, 24])
            self.assertEqual(hours[2:4], [40, 40] if most else [48, 96])
            self.assertEqual(hours[6], 40 if most else 768)
            self.assertEqual(hours[7], last or float("inf"))

    def test_recovers_in_time(self):
        """As long as it gets fewer mails than others, and not much longer, it counts as slow."""
        capacity = slowed_down(12, NOW, 0)
        slices = [NOW + index * SLICE for index in range(24 * 12)]
        end = max(start for start in slices if capacity(start) < float("inf")) + SLICE
        self.assertEqual(end, NOW + timedelta(hours=6))
        self.assertLessEqual(end + SLICE, NOW + pace.RECOVERING)
        self.assertLessEqual(NOW + pace.RECOVERING, end + timedelta(hours=1))
        self.assertIn("gets twice as many mails every hour, for six hours", rules())

    def test_warm_up(self):
        capacity = warm_up(10, 100, date(2026, 3, 2), most=50)
        days = [capacity(NOW + number * DAY) for number in range(5)]
        self.assertEqual(days, [10, 20, 40, 50, 50])
        capacity = warm_up(1000, 50, date(2026, 3, 2))
        days = [capacity(NOW + number * DAY) for number in range(-1, 3)]
        self.assertEqual(days, [1000, 1000, 1500, 2250])
        self.assertGreater(warm_up(10, 1000, date(2000, 1, 1))(NOW), 10**9)


class TestPacer(unittest.TestCase):
    def test_limits(self):
        pacer = Pacer(
            {"google": NOW + timedelta(hours=1)},
            {"provider:yahoo": hourly(12), "sequence:1": hourly(24)},
        )
        self.assertEqual(pacer.get_held("google", NOW), NOW + timedelta(hours=1))
        self.assertIsNone(pacer.get_held("google", NOW + timedelta(hours=1)))
        self.assertIsNone(pacer.get_held("yahoo", NOW))
        self.assertEqual(pacer.get_keys("yahoo"), ["provider:yahoo", "sequence:1"])
        self.assertEqual(pacer.judge("yahoo", NOW), (NOW, None))
        self.assertEqual(pacer.judge("yahoo", NOW), (NOW + SLICE, "provider:yahoo"))
        self.assertEqual(pacer.judge("other", NOW), (NOW, None))
        self.assertEqual(pacer.judge("other", NOW), (NOW + SLICE, "sequence:1"))
        # who has waited for it has its place there
        self.assertEqual(pacer.judge("other", NOW, None, ["sequence:1"]), (NOW, None))
        # and none under a limit that came later, for which it loses the one it has
        self.assertEqual(
            pacer.judge("other", NOW, None, ["provider:other"]), (NOW + 2 * SLICE, "sequence:1")
        )

    def test_gives_its_place_back(self):
        """Who has to leave later than its place takes no second one."""
        pacer = Pacer({}, {"server:1": hourly(12), "server-day:1": daily(2)})
        for _each in range(2):
            pacer.judge("google", NOW)
        late = NOW + timedelta(hours=3)
        pacer.slots["server:1"].take(late)
        self.assertEqual(
            pacer.judge("google", late, None, ["server-day:1"], NOW + SLICE),
            (late + SLICE, "server:1"),
        )
        self.assertEqual(sum(pacer.slots["server-day:1"].new.values()), 2)

    def test_one_place_under_all(self):
        """Whoever waits for one limit keeps the others at that moment."""
        pacer = Pacer(
            {}, {"provider:google": hourly(12), "server:1": hourly(24), "server-day:1": daily(3)}
        )
        dates = [pacer.judge("google", NOW)[0] for _each in range(6)]
        self.assertEqual(dates[:3], [NOW + index * SLICE for index in range(3)])
        self.assertEqual([date.hour for date in dates[3:]], [0, 8, 16])
        for slots in pacer.slots.values():
            for start, number in slots.new.items():
                self.assertLessEqual(number, slots.capacity(start))
            self.assertEqual(sum(slots.new.values()), 6)

    def test_no_limit_is_exceeded(self):
        """Whatever the limits are, and whoever comes when."""
        for seed in range(40):
            draw = Random(seed)
            pacer = Pacer(
                {},
                {
                    "provider:a": hourly(draw.randint(1, 60)),
                    "server:1": hourly(draw.randint(1, 60)),
                    "server-day:1": daily(draw.randint(1, 90)),
                    "sequence:1": hourly(draw.randint(1, 60)),
                },
            )
            for _each in range(200):
                moment = NOW + timedelta(minutes=draw.randint(0, 600))
                date, key = pacer.judge(draw.choice("ab"), moment)
                self.assertEqual(date > moment, bool(key))
            for slots in pacer.slots.values():
                self.assertTrue(all(slots.new[one] <= slots.capacity(one) for one in slots.new))

    def test_without_limits(self):
        self.assertFalse(Pacer())
        self.assertTrue(Pacer({}, {"sequence:1": hourly(1)}))

    def test_forecast(self):
        pacer = Pacer({"google": NOW + DAY}, {"sequence:1": hourly(12)})
        self.assertEqual(pacer.forecast("other", NOW), NOW)
        self.assertEqual(pacer.forecast("other", NOW), NOW + SLICE)
        self.assertEqual(pacer.forecast("google", NOW), NOW + DAY)
        opening = NOW + 2 * DAY
        self.assertEqual(pacer.forecast("google", NOW, opens(opening)), opening)
        self.assertIsNone(pacer.forecast("google", NOW, lambda _moment, share: None))

    def test_never(self):
        """Under one limit there is no place at all: so there is none under the others."""
        pacer = Pacer({}, {"server:1": hourly(0), "sequence:1": hourly(12)})
        self.assertEqual(pacer.judge("google", NOW), (None, "server:1"))
        self.assertFalse(pacer.slots["sequence:1"].new)

    def test_rules(self):
        """What docs promise."""
        text = rules()
        self.assertIn("missed by half an hour is lost", text)
        self.assertEqual(pace.GRACE, timedelta(hours=1) / 2)
        self.assertIn(f"sent nothing by the server for {pace.RESTED.days} days", text)

    def test_goes_on(self):
        places = Places()
        places |= {"sequence:1": hourly(12)}
        places["sequence:1"].take(NOW)
        again = Places(places.dump())
        again |= {"sequence:1": hourly(12)}
        self.assertEqual(again["sequence:1"].find(NOW), NOW + SLICE)
        self.assertEqual(again.dump()["sequence:1"][NOW.isoformat()], 1)


class TestAnswers(unittest.TestCase):
    def test_matches(self):
        refusal = delivery.Refusal(
            "rcpt", 421, "4.7.28 Gmail has detected\nan unusual rate of mail"
        )
        for code, phrases, expected in (
            ("4", "4.7.28", True),
            ("421", "", True),
            ("5", "4.7.28", False),
            ("", "nothing\nUNUSUAL rate", True),
            ("4", "gmail * rate of mail", True),
            ("4", "rate * gmail", False),
            ("4", "4?7.28", False),
            (False, False, True),
        ):
            with self.subTest(code=code, phrases=phrases):
                found = provider_answers.matches(code, phrases, refusal)
                self.assertEqual(found, expected)
