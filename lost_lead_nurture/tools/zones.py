"""Time zones of readers."""

import pytz


def reader_zone(contact_tz, country_code, company_tz):
    """Name of the time zone to write to a reader in: the contact's own, or that of a country which
    has only one, or the company's, or UTC. What is empty or unknown is passed over.

    :param country_code: two letters, of any case
    """
    return _known(contact_tz) or _only_one(country_code) or _known(company_tz) or "UTC"


def _known(name):
    try:
        return pytz.timezone(name or None).zone
    except pytz.UnknownTimeZoneError:
        return None


def _only_one(country_code):
    zones = pytz.country_timezones.get((country_code or "").upper(), ())
    return zones[0] if len(zones) == 1 else None
