import unittest
from datetime import datetime, timedelta

from . import pure

replay = pure.load("replay")
Shown = replay.Shown
NOON = datetime(2026, 3, 2, 12)
LINK = "https://shop.example.com"


def shown(*events, links=(LINK,), reachable=True):
    return Shown(
        reactions=[{"do": event} for event in events], links=list(links), reachable=reachable
    )


class TestOffers(unittest.TestCase):
    def test_examples(self):
        for what, step_type, expected in (
            (shown(), "email", ["open", "click", "reply", "bounce"]),
            (shown(links=()), "email", ["open", "reply", "bounce"]),
            (shown("open"), "email", ["click", "reply"]),
            # another link may be clicked
            (shown("open", "click"), "email", ["click", "reply"]),
            (shown("reply"), "email", ["click"]),
            (shown("bounce"), "email", []),
            (shown(reachable=False), "email", []),
            (shown(), "activity", ["done"]),
            (shown("done"), "activity", []),
            (shown(), "opt_in", ["confirmed"]),
            (shown("confirmed"), "opt_in", []),
            (shown(), "action", []),
        ):
            self.assertEqual(what.get_offers(step_type), expected, (what, step_type))

    def test_what_is_not_there_yet(self):
        """Nobody reacts to what was not done, and nothing has gone wrong with it."""
        self.assertEqual(Shown().get_offers("email"), [])
        self.assertFalse(Shown().failed)


class TestOrder(unittest.TestCase):
    def test_what_was_done_then_what_is_to_come(self):
        later = NOON + timedelta(days=1)
        orders = [
            Shown(ended=(NOON, 1)).get_order("processed", NOON),
            Shown(ended=(NOON, 2)).get_order("cancelled", NOON),
            Shown(ended=(later, 1)).get_order("error", later),
            Shown().get_order("scheduled", NOON),
            Shown().get_order("scheduled", later),
            Shown().get_order("waiting", None),
        ]
        self.assertEqual(sorted(orders), orders)

    def test_an_end_counts_from_when_it_was_seen(self):
        one = Shown()
        one.note_end(True, NOON, 1)
        one.note_end(True, NOON + timedelta(days=1), 2)
        self.assertEqual(one.ended, (NOON, 1))
        # tried again
        one.note_end(False, NOON, 3)
        self.assertIsNone(one.ended)


class TestTexts(unittest.TestCase):
    def test_excerpt(self):
        self.assertEqual(replay.excerpt(" two\n lines "), "two lines")
        long = "x" * replay.EXCERPT
        self.assertEqual(replay.excerpt(long), long)
        self.assertEqual(replay.excerpt(long + "y"), long[:-1] + "…")

    def test_own_links_lead_nowhere(self):
        for own in ("/unsubscribe_from_list", "https://x.example.com/view"):
            self.assertEqual(replay.without_own_links(f'<a href="{own}">'), '<a href="#">')
        kept = f'<a href="{LINK}/viewer">'
        self.assertEqual(replay.without_own_links(kept), kept)
        self.assertEqual(replay.without_own_links(None), "")
