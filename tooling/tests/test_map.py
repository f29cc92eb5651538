"""The map of the code says where things are: they are there."""

import ast
import functools
import re
import unittest

from tooling import settings

MAP = settings.ROOT / "docs" / "architecture.md"
PLACE = re.compile(r"`(?P<file>[\w/]+\.py)(?::(?P<name>\w+))?`")
ADDON = settings.ROOT / "lost_lead_nurture"
REASON = re.compile(r"^\| `([\w.]+\.\w+)` \| (.+) \|$", re.MULTILINE)


@functools.cache
def names_in(file):
    """The classes, methods and functions that a file defines."""
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }


def find(path):
    """The file of that path, in the add-on or in the project; None when there is none."""
    return next((root / path for root in (ADDON, settings.ROOT) if (root / path).exists()), None)


class TestMap(unittest.TestCase):
    def test_all_places_exist(self):
        places = [found.groups() for found in PLACE.finditer(MAP.read_text())]
        self.assertGreater(len(places), 50)
        for path, name in places:
            with self.subTest(path=path, name=name):
                file = find(path)
                self.assertTrue(file, "there is no such file")
                if name:
                    self.assertIn(name, names_in(file))

    def test_methods_of_core(self):
        """The tables are those of the lists that are compared with the Odoo that runs."""
        listed = []
        for file in sorted(settings.ROOT.glob("lost_lead_nurture*/tests/core_methods.py")):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.Assign):
                    methods = ast.literal_eval(node.value)
                    listed += [(name, why) for name, (_parameters, why) in methods.items()]
        self.assertGreater(len(listed), 50)
        self.assertEqual(REASON.findall(MAP.read_text()), listed)

    def test_counts(self):
        """What stands above each of these tables is how many rows it has."""
        tables = re.findall(
            r"<code>[\w]+</code> (?:overrides|calls) \((\d+)\)</summary>(.*?)</details>",
            MAP.read_text(),
            re.DOTALL,
        )
        self.assertEqual(len(tables), 7)
        for number, table in tables:
            self.assertEqual(int(number), len(REASON.findall(table)))
