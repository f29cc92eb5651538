"""How many mails may leave at a time."""

import unittest
from datetime import date, datetime, timedelta

from .pure import load

delivery, pace, provider_answers = load("delivery"), load("pace"), load("provider_answers")
DAY, SLICE, Pacer, Places, Slots = pace.DAY, pace.SLICE, pace.Pacer, pace.Places, pace.Slots
per_hour, warm_up = pace.per_hour, pace.warm_up

NOW = datetime(2026, 3, 2, 9, 0)


def hourly(number):
    return Slots(SLICE, per_hour(number))


class TestSlots(unittest.TestCase):
    def test_an_hour_has_as_many_as_it_may(self):
        for number in (1, 2, 7, 12, 13, 100, 1800):
            slices = [per_hour(number)(NOW + index * SLICE) for index in range(12)]
            self.assertEqual(sum(slices), number)
            self.assertLessEqual(max(slices) - min(slices), 1)

    def test_each_has_a_place(self):
        slots = hourly(24)
        dates = [slots.take(NOW + timedelta(minutes=1)) for _each in range(50)]
        self.assertEqual(dates[:3], [NOW + timedelta(minutes=1)] * 2 + [NOW + SLICE])
        self.assertEqual(dates, sorted(dates))
        self.assertEqual(dates[-1], NOW + timedelta(hours=2))
        self.assertEqual(sum(slots.new.values()), 50)

    def test_many(self):
        """Full slices are not walked over again."""
        slots = hourly(1)
        dates = {slots.take(NOW) for _each in range(2000)}
        self.assertEqual(len(dates), 2000)

    def test_never(self):
        self.assertIsNone(hourly(0).take(NOW))
        self.assertIsNone(hourly(1).take(NOW, lambda _moment: None))

    def test_only_where_it_is_open(self):
        """Who can be written to later leaves the places before that to others."""

        def tomorrow(moment):
            return max(moment, NOW + DAY)

        slots = hourly(12)
        self.assertEqual(slots.take(NOW, tomorrow), NOW + DAY)
        self.assertEqual(slots.take(NOW), NOW)

    def test_warm_up(self):
        capacity = warm_up(10, 100, date(2026, 3, 2), most=50)
        days = [capacity(NOW + number * DAY) for number in range(5)]
        self.assertEqual(days, [10, 20, 40, 50, 50])
        self.assertGreater(warm_up(10, 1000, date(2000, 1, 1))(NOW), 10**9)


class TestPacer(unittest.TestCase):
    def test_stages(self):
        pacer = Pacer(
            {"google": NOW + timedelta(hours=1)},
            {"provider:yahoo": hourly(12), "sequence:1": hourly(24)},
        )
        self.assertEqual(pacer.judge("google", NOW), (NOW + timedelta(hours=1), "provider_held"))
        self.assertEqual(pacer.judge("yahoo", NOW), (NOW, None))
        self.assertEqual(pacer.judge("yahoo", NOW), (NOW + SLICE, "provider_limit"))
        self.assertEqual(pacer.judge("other", NOW), (NOW, None))
        self.assertEqual(pacer.judge("other", NOW), (NOW + SLICE, "sequence_limit"))
        # who has waited for it has its place there
        self.assertEqual(pacer.judge("other", NOW, None, "sequence_limit"), (NOW, None))

    def test_without_limits(self):
        self.assertFalse(Pacer())
        self.assertTrue(Pacer({}, {"sequence:1": hourly(1)}))

    def test_forecast(self):
        pacer = Pacer({"google": NOW + DAY}, {"sequence:1": hourly(12)})
        self.assertEqual(pacer.forecast("other", NOW), NOW)
        self.assertEqual(pacer.forecast("other", NOW), NOW + SLICE)
        self.assertEqual(pacer.forecast("google", NOW), NOW + DAY)

    def test_goes_on(self):
        places = Places()
        places |= {"sequence:1": hourly(12)}
        places["sequence:1"].take(NOW)
        again = Places(places.dump())
        again |= {"sequence:1": hourly(12)}
        self.assertEqual(again["sequence:1"].take(NOW), NOW + SLICE)
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
