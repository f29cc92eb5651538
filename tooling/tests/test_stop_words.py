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
            "Hi Sam,\nstop!\nThanks\nAnn",
            "Hello,\n\nplease remove me.\n\nThank you\nBest regards\nAnn Smith",
            "Unsubscribe\n\nSent from my iPhone",
            "Abmelden\n\nVon meinem iPhone gesendet",
            "unsubscribe\n\n*From:* Shop <shop@example.com>\n*Sent:* Monday",
            "退订\n\n在2026年写道：\n你好",
            "Bitte abmelden!\n\nAm Montag schrieb shop@example.com:\n> stop by our shop",
            "Désabonner",
            "unsubscribe\n\n-----Original Message-----\nFrom: us",
            "退订",
        ):
            self.assertTrue(stop_words.asks_to_stop(text, ["Ann Smith"]), text)

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
            "No more emails.\nPlease call me!",
            "Stop!\nYes, please",
            "Stop\nOK, offer accepted",
            "Opt out\nNo, keep me",
            "Baja\n\nMe interesa mucho",
            "Please don't\nstop",
            "退订\n\n我想买\n请打电话给我",
            "Stop\nThanks but call me",
            "Stop\nBob Brown",
            "Hello,\n\nThanks\nAnn",
        ):
            self.assertFalse(stop_words.asks_to_stop(text, ["Ann Smith"]), text)
