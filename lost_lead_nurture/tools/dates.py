"""Dates as users read them: one format on all screens, in their language and time zone. It is how
core's client shows dates, always with the year."""

import pytz
from babel.dates import format_skeleton

from odoo import fields
from odoo.tools.misc import babel_locale_parse, format_date, format_datetime, get_lang


def on_day(env, date):
    """A day: Mar 9, 2026. Of a moment, the day that it has on the clock of the user."""
    return format_date(env, date, date_format="medium")


def on_clock(env, moment, zone=None):
    """A moment on the clock of the user: Mar 9, 2026, 9:00 AM.

    :param zone: name of another time zone to tell it in
    """
    locale = _locale(env)
    pattern = locale.datetime_formats["medium"]
    # core's medium has seconds
    for place, part in (
        ("{0}", locale.time_formats["short"].pattern),
        ("{1}", locale.date_formats["medium"].pattern),
    ):
        pattern = pattern.replace(place, part)
    return format_datetime(env, moment, tz=zone or env.tz.zone, dt_format=pattern)


def as_local(env, moment):
    """A moment on the clock of the user, without a time zone, of which Excel knows none; None when
    there is no moment."""
    if not moment:
        return None
    return moment.replace(tzinfo=pytz.utc).astimezone(env.tz).replace(tzinfo=None)


def on_axis(env, day):
    """A day where there is little room, such as below a chart: Mar 9."""
    return format_skeleton("MMMd", fields.Date.to_date(day), locale=_locale(env))


def _locale(env):
    return babel_locale_parse(get_lang(env).code)
