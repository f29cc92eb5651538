"""Who keeps the mailboxes of an address, without Odoo."""

import types
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

    def test_kept_for_the_statistics(self):
        """Whose address is erased has had a mailbox of that provider; without an address none."""
        kept = {}

        class Records(list):
            def grouped(self, key):
                groups = {}
                for one in self:
                    groups.setdefault(key(one), Group()).append(one.email)
                return groups

        class Group(list):
            def __setitem__(self, field, provider):
                kept[provider] = (field, *self)

        emails = ("ann@gmail.com", "bob@web.de", "eve@gmail.com", False)
        records = Records(types.SimpleNamespace(email=email) for email in emails)
        providers.keep_provider(records, "provider")
        self.assertEqual(
            kept,
            {
                "google": ("provider", "ann@gmail.com", "eve@gmail.com"),
                "gmx": ("provider", "bob@web.de"),
            },
        )

    def test_table(self):
        """Each domain is written as normalized addresses have it, and has a provider with a
        name."""
        for domain, provider in providers.DOMAINS.items():
            self.assertEqual(domain, domain.lower())
            self.assertIn(".", domain)
            self.assertIn(provider, dict(providers.PROVIDERS))
        self.assertEqual({*providers.DOMAINS.values(), "other"}, set(dict(providers.PROVIDERS)))
