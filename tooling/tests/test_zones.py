import datetime
import unittest

import pytz
from hypothesis import example, given
from hypothesis import strategies as st

from . import pure

zones = pure.load("zones")

NAMES = st.sampled_from(sorted(pytz.all_timezones))
WRONG = st.none() | st.just("") | st.sampled_from(["Mars/Olympus", "../UTC", "Ünknown"]) | st.text()
COUNTRIES = st.sampled_from(sorted(pytz.country_timezones))


class TestRecipientZone(unittest.TestCase):
    def test_examples(self):
        for arguments, expected in (
            (("Asia/Kathmandu", "FR", "America/New_York"), "Asia/Kathmandu"),
            ((None, "FR", "America/New_York"), "Europe/Paris"),
            (("", "fr", "America/New_York"), "Europe/Paris"),
            ((False, "US", "Europe/Vienna"), "Europe/Vienna"),  # which of its zones?
            ((False, "DE", "America/New_York"), "Europe/Berlin"),  # Büsingen's clock is the same
            ((None, "XX", "Europe/Vienna"), "Europe/Vienna"),
            ((None, False, "Europe/Vienna"), "Europe/Vienna"),
            (("Mars/Olympus", None, "Mars/Olympus"), "UTC"),
            ((None, None, None), "UTC"),
            (("europe/vienna", None, None), "Europe/Vienna"),
        ):
            self.assertEqual(zones.recipient_zone(*arguments), expected, arguments)

    @given(st.one_of(NAMES, WRONG), st.one_of(COUNTRIES, WRONG), st.one_of(NAMES, WRONG))
    @example("\ud800", "ß", "\0")
    def test_always_a_zone(self, contact, country, company):
        self.assertIn(zones.recipient_zone(contact, country, company), pytz.all_timezones_set)

    @given(NAMES, st.one_of(COUNTRIES, WRONG), st.one_of(NAMES, WRONG))
    def test_the_contact_s_own_first(self, contact, country, company):
        self.assertEqual(zones.recipient_zone(contact, country, company), contact)

    @given(COUNTRIES, NAMES)
    def test_the_country_s_when_there_is_no_doubt(self, country, company):
        known = pytz.country_timezones[country]
        noon = datetime.datetime(datetime.date.today().year, 1, 15, 12)
        clocks = {
            tuple(
                pytz.timezone(name).utcoffset(noon + datetime.timedelta(days=30 * number))
                for number in range(12)
            )
            for name in known
        }
        expected = known[0] if len(clocks) == 1 else company
        for code in (country, country.lower()):
            self.assertEqual(zones.recipient_zone(None, code, company), expected)


class TestMidnight(unittest.TestCase):
    def test_a_day_begins_by_the_clock_of_its_place(self):
        day = datetime.date(2026, 7, 1)
        for name, expected in (
            ("UTC", datetime.datetime(2026, 7, 1)),
            ("Europe/Vienna", datetime.datetime(2026, 6, 30, 22)),
            ("America/New_York", datetime.datetime(2026, 7, 1, 4)),
        ):
            self.assertEqual(zones.midnight(day, pytz.timezone(name)), expected, name)
