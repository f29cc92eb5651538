"""Rates as people read them, without Odoo."""

import unittest
from types import SimpleNamespace
from unittest.mock import patch

from . import pure

shares = pure.load("shares")


class TestPercent(unittest.TestCase):
    def test_on_one_line(self):
        env = pure.Env()
        with patch.object(shares, "formatLang", lambda _env, value, digits: f"{value:.{digits}f}"):
            self.assertEqual(shares.say_percent(env, 0.25), "25.0\N{NO-BREAK SPACE}%")
            self.assertEqual(shares.say_percent(env, 0.0), "0.0\N{NO-BREAK SPACE}%")


class TestAmounts(unittest.TestCase):
    def test_decimals(self):
        """All that the currency has or none, also where less than its smallest coin is left."""

        def write(_env, amount, _currency, trailing_zeroes):
            return f"{amount:.2f}" if trailing_zeroes else f"{amount:.0f}"

        currency = SimpleNamespace(decimal_places=2)
        with patch.object(shares, "format_amount", write):
            for amount, expected in (
                (1201.0, "1201"),
                (1200.5, "1200.50"),
                (0.01, "0.01"),
                (0.0, "0"),
                (999.9999, "1000"),
            ):
                self.assertEqual(shares.say_amount(pure.Env(), amount, currency), expected)
