import unittest

from . import pure

triggers = pure.load("triggers")
TABLE = triggers.TRIGGERS
EVENTS = sorted(frozenset().union(*(trigger.events for trigger in TABLE.values())))


class TestTriggers(unittest.TestCase):
    """What planning and cancelling take for granted of the table."""

    def test_a_key_is_its_value(self):
        for value, trigger in TABLE.items():
            self.assertEqual(value, trigger.value)
        self.assertEqual([value for value, _label in triggers.selection()], list(TABLE))

    def test_below_a_parent_no_two_look_the_same(self):
        for what in ("label", "icon"):
            seen = [(trigger.parent, getattr(trigger, what)) for trigger in TABLE.values()]
            self.assertEqual(len(seen), len(set(seen)), what)

    def test_some_parent_offers_each(self):
        types = {trigger.parent for trigger in TABLE.values()} - {triggers.ANY}
        for trigger in TABLE.values():
            self.assertTrue(any(trigger.offered_by(parent) for parent in types), trigger.value)

    def test_below_a_step_nothing_begins_and_at_the_root_nothing_follows(self):
        for trigger in TABLE.values():
            self.assertEqual(
                trigger.offered_by(triggers.ROOT), trigger.parent == triggers.ROOT, trigger.value
            )
            self.assertEqual(
                trigger.offered_by("anything else"), trigger.parent == triggers.ANY, trigger.value
            )

    def test_every_parent_offers_one_that_time_alone_makes_due(self):
        for parent in {trigger.parent for trigger in TABLE.values()} - {triggers.ANY}:
            self.assertTrue(any(TABLE[value].offered_by(parent) for value in triggers.timed()))

    def test_absence_is_the_absence_of_something(self):
        for trigger in TABLE.values():
            if trigger.absence:
                self.assertTrue(trigger.events, trigger.value)

    def test_timed(self):
        self.assertEqual(
            set(triggers.timed()),
            {value for value, trigger in TABLE.items() if trigger.absence or not trigger.events},
        )
        self.assertIn("begin", triggers.timed())
        self.assertIn("after", triggers.timed())

    def test_an_event_never_makes_due_what_it_rules_out(self):
        for event in EVENTS:
            wanting, refuted = triggers.wanting(event), triggers.refuted_by(event)
            self.assertTrue(wanting, f"nothing waits for {event}")
            self.assertFalse(set(wanting) & set(refuted), event)
            self.assertFalse(set(wanting) & set(triggers.timed()), event)
            self.assertLessEqual(set(refuted), set(triggers.timed()), event)

    def test_each_of_its_events_rules_an_absence_out(self):
        for value, trigger in TABLE.items():
            for event in EVENTS:
                self.assertEqual(
                    value in triggers.refuted_by(event), trigger.absence and event in trigger.events
                )

    def test_each_of_its_events_makes_a_reaction_due(self):
        for value, trigger in TABLE.items():
            for event in EVENTS:
                self.assertEqual(
                    value in triggers.wanting(event),
                    not trigger.absence and event in trigger.events,
                )

    def test_what_ignoring_rules_out_has_an_opposite_of_its_own(self):
        for event in TABLE["mail_ignored"].events:
            self.assertGreater(set(triggers.refuted_by(event)), {"mail_ignored"}, event)

    def test_an_unknown_event_does_nothing(self):
        self.assertEqual(triggers.wanting("unknown"), ())
        self.assertEqual(triggers.refuted_by("unknown"), ())

    def test_only_clicks_are_about_links(self):
        about = {value for value, trigger in TABLE.items() if trigger.about_links}
        self.assertEqual(about, {"mail_click", "mail_not_click"})

    def test_what_a_trigger_is_about(self):
        for value, kind in (
            ("begin", "time"),
            ("after", "time"),
            ("mail_open", "event"),
            ("mail_not_open", "absence"),
            ("mail_ignored", "absence"),
            ("mail_bounce", "event"),
            ("activity_done", "event"),
            ("activity_not_done", "absence"),
            ("confirmed", "event"),
            ("not_confirmed", "absence"),
            ("silent", "event"),
        ):
            self.assertEqual(TABLE[value].kind, kind, value)

    def test_a_line_of_the_table_stays_what_it_is(self):
        with self.assertRaises(AttributeError):
            TABLE["after"].label = "Later"
