"""Time zones of recipients."""

from datetime import date, datetime, time
from functools import cache

import pytz


def recipient_zone(contact_tz, country_code, company_tz):
    """Name of the time zone to write to a recipient in: the contact's own, or that of a country
    which has only one clock, or the company's, or UTC. What is empty or unknown is passed over.

    :param country_code: two letters, of any case
    """
    return _known(contact_tz) or _only_one(country_code) or _known(company_tz) or "UTC"


def midnight(day, zone):
    """When ``day`` begins in the pytz ``zone``: a naive datetime in UTC."""
    return zone.localize(datetime.combine(day, time())).astimezone(pytz.utc).replace(tzinfo=None)


def zones_of_countries():
    """``{country code: name of its time zone}`` of the countries where all clocks show the same."""
    zones = {code: _only_one(code) for code in pytz.country_timezones}
    return {code: zone for code, zone in zones.items() if zone}


def _known(name):
    try:
        return pytz.timezone(name or None).zone
    except pytz.UnknownTimeZoneError:
        return None


def _only_one(country_code):
    """The zone of a country where all clocks show the same: Germany has two, by history only."""
    # pytz takes codes of any case
    zones = pytz.country_timezones.get(country_code or "", ())
    clocks = {_clock(name, date.today().year) for name in zones}
    return zones[0] if len(clocks) == 1 else None


@cache
def _clock(name, year):
    """What the clocks of a zone show in a year: their offsets from UTC in each month."""
    zone = pytz.timezone(name)
    return tuple(zone.utcoffset(datetime(year, month, 15)) for month in range(1, 13))
