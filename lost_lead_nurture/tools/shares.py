"""Rates and amounts as people read them."""

from odoo.tools import format_amount, formatLang


def say_percent(env, share, digits=1):
    """A share, from 0 to 1, in percent as people write it; it stays on one line."""
    return f"{formatLang(env, 100 * share, digits=digits)}\N{NO-BREAK SPACE}%"


def say_amount(env, amount, currency):
    """An amount for a button or a headline: without decimals where it has none, never with half of
    them."""
    is_whole = not round(amount, currency.decimal_places) % 1
    return format_amount(env, amount, currency, trailing_zeroes=not is_whole)
