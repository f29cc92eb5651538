"""Who gets which version of a message."""

import unittest

from . import pure

versions = pure.load("versions")


class TestVersions(unittest.TestCase):
    def test_split(self):
        """In the order of letters, up to 1, and in proportion where shares do not add up."""
        for shares, expected in (
            ({"A": 50, "B": 50}, [("A", 0.5), ("B", 1.0)]),
            ({"B": 30, "A": 10}, [("A", 0.25), ("B", 1.0)]),
            ({"A": 0, "B": 50, "C": 0, "D": 150}, [("B", 0.25), ("D", 1.0)]),
            ({"B": 1}, [("B", 1.0)]),
            ({"A": 0, "B": 0}, [("A", 1.0)]),
        ):
            with self.subTest(shares):
                split = versions.get_split(shares)
                self.assertEqual([(arm["letter"], arm["upto"]) for arm in split], expected)

    def test_thirds_are_whole(self):
        """Nobody falls beside the last one."""
        self.assertEqual(versions.get_split({"A": 33, "B": 33, "C": 33})[-1]["upto"], 1.0)

    def test_shares(self):
        split = versions.get_split({"A": 10, "C": 30})
        self.assertEqual(versions.get_shares(split), {"A": 0.25, "C": 0.75})
        self.assertEqual(versions.get_shares([]), {})
