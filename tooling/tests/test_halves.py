"""The two halves of Odoo's tests."""

import unittest

from tooling import addons, halves


class TestHalves(unittest.TestCase):
    def test_split(self):
        """Each test is in one half, and both take about as long."""
        modules = addons.names()
        counted = halves.count(modules)
        first, rest = (half.split(",") for half in halves.split(modules))
        self.assertLess(set(first), set(counted))
        self.assertEqual(
            set(rest), {f"post_install/{name}" for name in modules} | {f"-{tag}" for tag in first}
        )
        length = sum(counted[tag] for tag in first)
        self.assertLess(abs(2 * length - sum(counted.values())), sum(counted.values()) / 10)
