"""Rates as people read them."""

from odoo.tools import formatLang


def say_percent(env, share, digits=1):
    """A share, from 0 to 1, in percent as people write it; it stays on one line."""
    return f"{formatLang(env, 100 * share, digits=digits)}\N{NO-BREAK SPACE}%"
