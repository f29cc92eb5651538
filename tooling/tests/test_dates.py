"""Dates as users read them, in their language and time zone."""

import unittest
from datetime import date, datetime
from types import SimpleNamespace

import pytz

from . import pure

dates = pure.load("dates")

MOMENT = datetime(2026, 3, 9, 20, 30)


def read(text):
    """A text, whichever blank stands before AM and PM."""
    return text.replace("\u202f", " ")


class TestDates(unittest.TestCase):
    def test_a_day(self):
        self.assertEqual(dates.on_day(pure.Env(), date(2026, 3, 9)), "Mar 9, 2026")
        self.assertEqual(dates.on_day(pure.Env("de_DE"), date(2026, 3, 9)), "09.03.2026")

    def test_a_moment_without_seconds(self):
        for env, expected in (
            (pure.Env(), "Mar 9, 2026, 8:30 PM"),
            (pure.Env(tz="Europe/Vienna"), "Mar 9, 2026, 9:30 PM"),
            (pure.Env("de_DE"), "09.03.2026, 20:30"),
        ):
            self.assertEqual(read(dates.on_clock(env, MOMENT)), expected)

    def test_a_moment_elsewhere(self):
        said = dates.on_clock(pure.Env(tz="Europe/Vienna"), MOMENT, "Asia/Tokyo")
        self.assertEqual(read(said), "Mar 10, 2026, 5:30 AM")

    def test_for_excel(self):
        """On the user's clock, of whose zone Excel knows nothing; what has no date has none."""
        env = SimpleNamespace(tz=pytz.timezone("Europe/Vienna"))
        self.assertEqual(dates.as_local(env, MOMENT), datetime(2026, 3, 9, 21, 30))
        self.assertIsNone(dates.as_local(env, False))

    def test_below_a_chart(self):
        self.assertEqual(dates.on_axis(pure.Env(), "2026-03-09"), "Mar 9")
        self.assertEqual(dates.on_axis(pure.Env("de_DE"), date(2026, 3, 9)), "9. März")
