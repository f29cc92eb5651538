"""Who keeps the mailboxes of an address, without Odoo."""

import unittest

from . import pure

providers = pure.load("providers")


class TestProviders(unittest.TestCase):
    def test_addresses(self):
        for address, provider in (
            ("ann@gmail.com", "google"),
            ("ann@googlemail.com", "google"),
            ("ann@hotmail.co.uk", "microsoft"),
            ("ann@outlook.de", "microsoft"),
            ("ann@aol.com", "yahoo"),
            ("ann@privaterelay.appleid.com", "apple"),
            ("ann@web.de", "gmx"),
            ("ann@GMX.net", "gmx"),
            ("ann@t-online.de", "telekom"),
            ("ann@notgmail.com", "other"),
            ("ann@gmail.com.example.com", "other"),
            ('"ann@home"@gmail.com', "google"),
            ("ann", None),
            ("", None),
            (None, None),
        ):
            with self.subTest(address):
                self.assertEqual(providers.get_provider(address), provider)

    def test_table(self):
        """Each domain is written as normalized addresses have it, and has a provider with a
        name."""
        for domain, provider in providers.DOMAINS.items():
            self.assertEqual(domain, domain.lower())
            self.assertIn(".", domain)
            self.assertIn(provider, dict(providers.PROVIDERS))
        self.assertEqual({*providers.DOMAINS.values(), "other"}, set(dict(providers.PROVIDERS)))
