"""Another time in one thread: all others have the real one."""

import threading
import unittest
from datetime import datetime

from .pure import load

clock = load("clock")

REAL = datetime(2026, 3, 2, 9)
THEN = datetime(2024, 3, 2, 9)


class Moments:
    """What tells the time, as ``fields.Datetime``."""

    @staticmethod
    def now(*_args):
        return REAL


def ask_elsewhere():
    """What another thread gets to hear."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(Moments.now()))
    thread.start()
    thread.join()
    return answers[0]


class TestClock(unittest.TestCase):
    def setUp(self):
        self.before = vars(Moments)["now"]

    def test_in_this_thread_only(self):
        with clock.clock_at(Moments, THEN) as moved:
            self.assertEqual(Moments.now(), THEN)
            self.assertEqual(ask_elsewhere(), REAL)
            moved.now = datetime(2025, 1, 1)
            # as a default of a field is asked
            self.assertEqual(Moments().now("record"), datetime(2025, 1, 1))
        self.assertEqual(Moments.now(), REAL)
        self.assertIs(vars(Moments)["now"], self.before)

    def test_within_each_other(self):
        with clock.clock_at(Moments, THEN):
            with clock.clock_at(Moments, datetime(2023, 1, 1)):
                self.assertEqual(Moments.now(), datetime(2023, 1, 1))
            self.assertEqual(Moments.now(), THEN)
        self.assertIs(vars(Moments)["now"], self.before)

    def test_after_an_error(self):
        with self.assertRaises(ZeroDivisionError), clock.clock_at(Moments, THEN):
            raise ZeroDivisionError
        self.assertEqual(Moments.now(), REAL)

    def test_somebody_else_put_something_over_it(self):
        """That is not taken away; below it is the real time."""
        with clock.clock_at(Moments, THEN):
            over = vars(Moments)["now"]
            mine = staticmethod(lambda: over.__func__())
            Moments.now = mine
        self.assertIs(vars(Moments)["now"], mine)
        self.assertEqual(Moments.now(), REAL)
        Moments.now = self.before
