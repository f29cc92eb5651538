"""Rates as people read them, without Odoo."""

import unittest
from unittest.mock import patch

from . import pure

shares = pure.load("shares")


class TestPercent(unittest.TestCase):
    def test_on_one_line(self):
        env = pure.Env()
        with patch.object(shares, "formatLang", lambda _env, value, digits: f"{value:.{digits}f}"):
            self.assertEqual(shares.say_percent(env, 0.25), "25.0\N{NO-BREAK SPACE}%")
            self.assertEqual(shares.say_percent(env, 0.0), "0.0\N{NO-BREAK SPACE}%")
