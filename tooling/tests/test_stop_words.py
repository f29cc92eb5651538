"""Answers that say nothing but that their sender wants no more mails."""

import unittest

from . import pure

stop_words = pure.load("stop_words")


class TestStopWords(unittest.TestCase):
    def test_who_does(self):
        for text in (
            "STOP",
            "Unsubscribe.",
            "Hello,\n\nplease remove me\n\nAnn Smith",
            "Bitte abmelden!\n\nAm Montag schrieb shop@example.com:\n> stop by our shop",
            "Désabonner",
            "unsubscribe\n\n-----Original Message-----\nFrom: us",
            "退订",
        ):
            self.assertTrue(stop_words.asks_to_stop(text), text)

    def test_who_does_not(self):
        for text in (
            "",
            "Yes, please call me.",
            "Please stop by tomorrow",
            "Stop\nI have a question about the desk that you offered",
            "> unsubscribe",
            "Yes\n\nOn Monday you wrote:\n> unsubscribe",
            "How do I unsubscribe my colleague and keep mine?",
            "stop " * 100,
            "stop\n" * 20,
        ):
            self.assertFalse(stop_words.asks_to_stop(text), text)
