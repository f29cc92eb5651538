import unittest
from datetime import datetime, timedelta
from types import SimpleNamespace

from . import pure

decisions = pure.load("decisions")
Decision, Reaction = decisions.Decision, decisions.Reaction
NOON = datetime(2026, 3, 2, 12)


def reaction(seconds, kind="clicked"):
    return Reaction(NOON + timedelta(seconds=seconds), kind, {kind}, "")


class TestDecisions(unittest.TestCase):
    def test_a_log_is_read_as_it_is_written(self):
        first, second = decisions.read_decisions(
            [
                {"date": "2026-03-02 12:00:00", "state": "scheduled", "due": "2026-03-05 09:00:00"},
                {"date": "2026-03-02 13:00:00", "state": "error", "reason": "x", "detail": "y"},
            ]
        )
        self.assertEqual(first, Decision(NOON, "scheduled", due=datetime(2026, 3, 5, 9)))
        self.assertEqual(second, Decision(NOON + timedelta(hours=1), "error", "x", "y"))
        for nothing in (None, False, []):
            self.assertEqual(decisions.read_decisions(nothing), [])

    def test_what_an_event_led_to(self):
        event, absence = (SimpleNamespace(absence=value) for value in (False, True))
        for state, reason, after_event, after_absence in (
            ("scheduled", None, True, False),
            ("scheduled", "cap", False, False),
            ("cancelled", "opposite", False, True),
            ("cancelled", "left", False, False),
        ):
            decision = Decision(NOON, state, reason)
            self.assertEqual(decision.follows(event), after_event, (state, reason))
            self.assertEqual(decision.follows(absence), after_absence, (state, reason))

    def test_each_is_shown_once(self):
        log = [
            Decision(NOON, "cancelled", "left"),
            Decision(NOON, "cancelled", "expired"),
            Decision(NOON, "scheduled", "left"),
        ]

        def is_left(decision):
            return decision.reason == "left"

        self.assertEqual(decisions.take(log, is_left), log[:1])
        self.assertEqual([one.shown for one in log], [True, False, False])
        self.assertEqual(decisions.take(log, is_left), [])


class TestOpening(unittest.TestCase):
    """Who clicks has opened the mail: at about the same time that is one event."""

    def test_with_the_first_that_is_near(self):
        far, second, first = reaction(-300), reaction(40), reaction(20)
        self.assertTrue(decisions.join_opening([far, second, first], NOON))
        opening = [one for one in (far, second, first) if "open" in one.events]
        self.assertEqual(opening, [first])

    def test_automatic(self):
        for seconds, expected in ((-61, False), (-60, True), (60, True), (61, False)):
            self.assertEqual(decisions.join_opening([reaction(seconds)], NOON), expected, seconds)
        self.assertFalse(decisions.join_opening([], NOON))
