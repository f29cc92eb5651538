"""How many of the last mails may go wrong."""

import unittest

from .pure import load

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

    def test_samples(self):
        for kind, rail in guardrails.GUARDRAILS.items():
            with self.subTest(kind):
                self.assertTrue(0 < rail.events <= rail.least <= rail.sample)
