"""How many of the last mails may go wrong."""

import unittest

from .pure import load, rules

guardrails = load("guardrails")
OK, WARN, STOP = guardrails.OK, guardrails.WARN, guardrails.STOP


class TestJudge(unittest.TestCase):
    def test_judge(self):
        rail = guardrails.Guardrail(sample=100, least=50, events=3)
        for limit, mails, events, expected in (
            (0, 100, 100, OK),
            (10, 49, 40, OK),
            (10, 50, 2, OK),
            (10, 50, 3, WARN),
            (10, 50, 5, WARN),
            (10, 50, 6, STOP),
            (10, 100, 5, OK),
            (10, 100, 6, WARN),
            (1, 100, 2, OK),
            (1, 100, 3, STOP),
        ):
            with self.subTest(limit=limit, mails=mails, events=events):
                self.assertEqual(rail.judge(limit, mails, events), expected)

    def test_percent(self):
        """Neither warned nor stopped at a limit itself, but by one more, of however many mails."""
        rail = guardrails.Guardrail(sample=10_000, least=1, events=1)
        for events, expected in ((1000, OK), (1001, WARN), (2000, WARN), (2001, STOP)):
            self.assertEqual(rail.judge(20, 10_000, events), expected, events)


class TestGuardrails(unittest.TestCase):
    def test_of_how_many(self):
        """Of fewer mails or events nothing is said, however bad they look."""
        for kind, mails, events in (
            ("bounce", 50, 1),
            ("complaint", 200, 2),
            ("unsubscribe", 100, 3),
            ("failure", 50, 5),
        ):
            rail = guardrails.GUARDRAILS[kind]
            with self.subTest(kind):
                self.assertEqual(rail.judge(0.1, mails, events), STOP)
                self.assertEqual(rail.judge(0.1, mails - 1, mails - 1), OK)
                self.assertEqual(rail.judge(0.1, mails, events - 1), OK)

    def test_rules(self):
        """They look as far back as docs say, which is as far as they need."""
        text = rules()
        for kind, words in (
            ("bounce", "Bounces: of the last {:,} mails"),
            ("complaint", "Complaints: of the last {:,},"),
            ("unsubscribe", "Unsubscribed: of the last {:,},"),
            ("failure", "Failures: of the last {:,},"),
        ):
            rail = guardrails.GUARDRAILS[kind]
            with self.subTest(kind):
                self.assertIn(words.format(rail.sample), text)
                self.assertGreaterEqual(rail.sample, rail.least)
