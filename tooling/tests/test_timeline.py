"""The words of a participant's timeline."""

import unittest
from datetime import datetime, timedelta

from markupsafe import Markup

from . import pure

timeline = pure.load("timeline")
ENV = pure.Env()


class TestEntries(unittest.TestCase):
    def test_an_entry(self):
        entry = timeline.make_entry(
            "sent", datetime(2026, 3, 9, 8), "Sent to <Ann>", ["first", "", None, 5], trace=7
        )
        self.assertEqual(
            entry,
            {
                "kind": "sent",
                "date": "2026-03-09 08:00:00",
                "text": "Sent to &lt;Ann&gt;",
                "why": ["first", "5"],
                "trace": 7,
            },
        )

    def test_when_is_not_known(self):
        entry = timeline.make_entry("sent", False, Markup("<b>Sent</b>"))
        self.assertIs(entry["date"], False)
        self.assertEqual(entry["text"], "<b>Sent</b>")
        self.assertEqual(entry["why"], [])


class TestWords(unittest.TestCase):
    def test_how_long(self):
        for duration, expected in (
            (timedelta(minutes=90), "90 minutes"),
            (timedelta(hours=2), "2 hours"),
            (timedelta(days=1), "24 hours"),
            (timedelta(days=3), "3 days"),
            (timedelta(days=20), "3 weeks"),
        ):
            self.assertEqual(timeline.in_words(ENV, duration), expected)

    def test_names(self):
        self.assertEqual(timeline.some_of(ENV, ["A"]), "“A”")
        self.assertEqual(timeline.some_of(ENV, ["A", "B"]), "“A” and “B”")
        self.assertEqual(timeline.some_of(ENV, "ABCD"), "“A”, “B”, “C”, and “D”")

    def test_many_names_are_cut_short(self):
        self.assertEqual(timeline.some_of(ENV, "ABCDE"), "“A”, “B”, “C” and 2 more")
        self.assertEqual(timeline.some_of(ENV, "ABCDEFGH"), "“A”, “B”, “C” and 5 more")

    def test_a_cap(self):
        for number, days, expected in (
            (1, 1, "frequency cap: 1 within a day"),
            (3, 7, "frequency cap: 3 in 7 days"),
            (1, 2, "frequency cap: 1 in 2 days"),
        ):
            self.assertEqual(timeline.cap_text(ENV, number, days), expected)


class TestBots(unittest.TestCase):
    """What did something to a message that was no person."""

    def said(self, kind, reason="", hits=1, links=0, seconds=0, is_mail=True):
        first = datetime(2026, 3, 9, 8)
        note = {
            "kind": kind,
            "reason": reason,
            "hits": hits,
            "links": [f"link{number}" for number in range(links)],
            "first": str(first),
            "last": str(first + timedelta(seconds=seconds)),
        }
        text = timeline.bot_text(ENV, note, is_mail)
        self.assertIsInstance(text, Markup, "who it was is bold")
        return str(text).replace("<strong>", "[").replace("</strong>", "]")

    def test_answers(self):
        self.assertEqual(self.said("reply"), "[Answered automatically]")

    def test_pictures(self):
        self.assertEqual(self.said("open"), "Pictures loaded [by a mail scanner]")
        self.assertEqual(
            self.said("open", "prefetch", hits=2),
            "Pictures loaded 2 times [by a program that fetches in advance]",
        )

    def test_links(self):
        for said, expected in (
            (self.said("click", links=1), "A link clicked [by a mail scanner]"),
            (self.said("click", links=1, is_mail=False), "A link clicked [by a program]"),
            (self.said("click", links=0), "Hidden link followed [by a mail scanner]"),
            (
                self.said("click", "forged", links=1),
                "A link clicked [by somebody who made the link up]",
            ),
            (
                self.said("click", "burst", hits=2, links=1),
                "A link clicked 2 times [by a mail scanner]",
            ),
            (
                self.said("click", "burst", hits=5, links=2, seconds=4),
                "2 links clicked within 4 seconds [by a mail scanner]",
            ),
            (
                self.said("click", "burst", hits=2, links=2),
                "2 links clicked within 1 second [by a mail scanner]",
            ),
        ):
            self.assertEqual(said, expected)
