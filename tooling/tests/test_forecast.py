import unittest
from datetime import datetime, timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from . import pure

forecast = pure.load("forecast")
sending_hours = pure.load("sending_hours")
Cap, Step = forecast.Cap, forecast.PlannedStep

ENTRY = datetime(2026, 1, 5, 12)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICE = sending_hours.SendingHours([(weekday, 9, 17) for weekday in range(5)])

hours = st.integers(-24 * 10, 24 * 10).map(lambda number: ENTRY + number * HOUR)
caps = st.builds(Cap, st.integers(1, 3), st.integers(1, 14))
zones = st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])


@st.composite
def workflows(draw, most=7):
    """The first steps of a tree, the ids counted as drawn."""
    count = draw(st.integers(0, most))
    parents = [draw(st.integers(-1, number - 1)) for number in range(count)]

    def below(parent):
        return tuple(steps[number] for number in range(count) if parents[number] == parent)

    steps = {}
    for number in reversed(range(count)):
        steps[number] = Step(
            number,
            draw(st.sampled_from(["message", "message", "other"])),
            draw(st.sampled_from([True, True, True, False])),
            draw(st.integers(0, 6)),
            draw(st.sampled_from(["hours", "days", "weeks", "months"])),
            below(number),
            draw(st.booleans()),
        )
    return below(-1)


def flat(steps, parent=None):
    """All steps of a tree by their ids, with the step before."""
    found = {}
    for step in steps:
        found[step.id] = (step, parent)
        found.update(flat(step.children, step))
    return found


def message(number, *children, **values):
    return Step(number, "message", children=children, **values)


class TestSpan(unittest.TestCase):
    def walk(self, begin, end):
        first = message(1, message(2), span=(begin, end))
        found = forecast.forecast([first], ENTRY)
        return [(one.step_id, one.outcome) for one in found]

    def test_within(self):
        """The begin is within, the end is not."""
        sent = [(1, "sent"), (2, "sent")]
        self.assertEqual(self.walk(ENTRY, ENTRY + HOUR), sent)
        self.assertEqual(self.walk(None, ENTRY + HOUR), sent)
        self.assertEqual(self.walk(ENTRY - DAY, None), sent)

    def test_outside(self):
        """Nothing follows what is not done."""
        self.assertEqual(self.walk(ENTRY + HOUR, None), [(1, "skipped")])
        self.assertEqual(self.walk(None, ENTRY), [(1, "skipped")])


class TestProperties(unittest.TestCase):
    @given(workflows())
    def test_without_rules_delays_add_up(self, steps):
        outlooks = {outlook.step_id: outlook for outlook in forecast.forecast(steps, ENTRY)}
        for step, parent in flat(steps).values():
            reached = parent is None or parent.id in outlooks
            self.assertEqual(step.id in outlooks, step.trigger_timed and reached)
            if step.id in outlooks:
                before = outlooks[parent.id].moment if parent else ENTRY
                moment, outcome = outlooks[step.id][1:]
                self.assertEqual(moment, before + step.delay)
                self.assertEqual(outcome, "sent" if step.kind == "message" else "done")

    @settings(max_examples=200)
    @given(
        workflows(),
        st.none() | caps,
        st.sampled_from([None, OFFICE, sending_hours.SendingHours()]),
        zones,
        st.lists(hours, max_size=6),
        st.integers(0, 5),
    )
    def test_rules_are_kept(self, steps, cap, schedule, zone, contacts, seed):
        outlooks = forecast.forecast(
            steps,
            ENTRY,
            schedule=schedule,
            zone=zone,
            share=partial(sending_hours.share_of, seed),
            cap=cap,
            contacts=contacts,
        )
        known = flat(steps)
        moments = {outlook.step_id: outlook.moment for outlook in outlooks}
        outcomes = {outlook.step_id: outlook.outcome for outlook in outlooks}
        self.assertEqual(len(outcomes), len(outlooks), "a step came twice")
        self.assertEqual([outlook.moment for outlook in outlooks], sorted(moments.values()))
        past = list(contacts)
        for number, moment, outcome in outlooks:
            step, parent = known[number]
            due = (moments[parent.id] if parent else ENTRY) + step.delay
            self.assertTrue(step.trigger_timed)
            self.assertGreaterEqual(moment, due)
            if parent:
                self.assertIn(outcomes[parent.id], ("sent", "done"))
            if step.kind == "other":
                self.assertEqual((moment, outcome), (due, "done"))
                continue
            if outcome == "never":
                self.assertIsNotNone(schedule)
                self.assertFalse(schedule.hours)
                continue
            self.assertTrue(schedule is None or schedule.is_open(moment, zone))
            recent = cap and [at for at in past if moment - timedelta(cap.days) < at <= moment]
            over_cap = bool(cap) and len(recent) >= cap.number
            self.assertEqual(outcome, "skipped" if over_cap else "sent")
            self.assertTrue(not over_cap or step.skip_over_cap)
            if outcome == "sent":
                past.append(moment)

    @given(workflows(), caps, st.lists(hours, max_size=6), zones)
    def test_repeatable(self, steps, cap, contacts, zone):
        rules = {"schedule": OFFICE, "zone": zone, "cap": cap}
        one = forecast.forecast(steps, ENTRY, contacts=contacts, **rules)
        other = forecast.forecast(steps, ENTRY, contacts=contacts[::-1], **rules)
        self.assertEqual(one, other)

    @given(caps, st.lists(hours, max_size=8).map(sorted), hours)
    def test_not_later_than_the_cap_asks(self, cap, contacts, moment):
        """Trying every hour finds the same: all here happens on the hour."""
        free = cap.free_from(moment, contacts)
        past = [at for at in contacts if at <= moment]
        trial = moment
        while sum(trial - timedelta(days=cap.days) < at <= trial for at in past) >= cap.number:
            trial += HOUR
        self.assertEqual(free, trial)


class TestExamples(unittest.TestCase):
    def test_children_count_from_when_it_was_sent(self):
        steps = [message(1, message(2, delay_amount=1), delay_amount=5)]
        contacts = [ENTRY + 3 * DAY]
        self.assertEqual(
            forecast.forecast(steps, ENTRY, cap=Cap(1, 7), contacts=contacts),
            [(1, ENTRY + 10 * DAY, "sent"), (2, ENTRY + 17 * DAY, "sent")],
        )

    def test_branches_share_the_cap(self):
        steps = [message(1), message(2, skip_over_cap=True), message(3, delay_amount=1)]
        self.assertEqual(
            forecast.forecast(steps, ENTRY, cap=Cap(1, 7)),
            [(1, ENTRY, "sent"), (2, ENTRY, "skipped"), (3, ENTRY + 7 * DAY, "sent")],
        )

    def test_other_steps_do_not_count(self):
        steps = [Step(1, "other", children=(message(2),))]
        self.assertEqual(
            forecast.forecast(steps, ENTRY, cap=Cap(1, 7)),
            [(1, ENTRY, "done"), (2, ENTRY, "sent")],
        )

    def test_deferred_by_the_cap_into_the_night(self):
        contacts = [ENTRY - 7 * DAY + timedelta(hours=8)]  # falls out at 20:00
        (outlook,) = forecast.forecast(
            [message(1)], ENTRY, schedule=OFFICE, cap=Cap(1, 7), contacts=contacts
        )
        self.assertEqual(outlook, (1, datetime(2026, 1, 6, 9), "sent"))

    def test_the_share_spreads_within_the_sending_hours(self):
        (outlook,) = forecast.forecast(
            [message(1, delay_amount=5)], ENTRY, schedule=OFFICE, share=lambda _step_id: 0.5
        )
        self.assertEqual(outlook.moment, datetime(2026, 1, 12, 13))

    def test_the_cap_is_judged_when_messages_may_leave(self):
        contacts = [ENTRY - 2 * DAY]
        steps = [message(1, delay_amount=4, skip_over_cap=True)]
        (outlook,) = forecast.forecast(
            steps, ENTRY + 10 * HOUR, schedule=OFFICE, cap=Cap(1, 6.4), contacts=contacts
        )
        self.assertEqual(outlook, (1, datetime(2026, 1, 12, 9), "sent"))

    def test_months_of_the_calendar(self):
        steps = [message(1, message(2, delay_amount=1, delay_unit="months"))]
        moments = [outlook.moment for outlook in forecast.forecast(steps, datetime(2026, 1, 31))]
        self.assertEqual(moments, [datetime(2026, 1, 31), datetime(2026, 2, 28)])

    def test_nothing_after_what_never_goes(self):
        steps = [message(1, message(2))]
        for rules in ({"schedule": sending_hours.SendingHours()}, {"cap": Cap(0, 7)}):
            self.assertEqual(forecast.forecast(steps, ENTRY, **rules), [(1, ENTRY, "never")])

    def test_a_tree_that_bites_its_tail(self):
        children = []
        steps = [message(1, message(2, Step(3, "other", children=children)))]
        children.extend(steps)
        numbers = [outlook.step_id for outlook in forecast.forecast(steps, ENTRY)]
        self.assertEqual(numbers, [1, 2, 3])

    def test_deferred_too_often(self):
        contacts = [ENTRY + number * HOUR for number in range(forecast.MAX_DEFERRALS + 5)]
        (outlook,) = forecast.forecast([message(1)], ENTRY, cap=Cap(1, 1 / 24), contacts=contacts)
        self.assertEqual(outlook.outcome, "never")

    def test_a_step_stays_what_it_is(self):
        with self.assertRaises(AttributeError):
            message(1).kind = "other"

    def test_no_steps(self):
        self.assertEqual(forecast.forecast([], ENTRY), [])
