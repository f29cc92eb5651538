"""Values that people write for a field, such as those a step writes into a lead."""

import datetime
import types
import unittest

from . import pure

values = pure.load("values")


class Field(types.SimpleNamespace):
    def _description_selection(self, _env):
        return [("low", "Low priority"), ("3", "Very high")]


class Model:
    """Records by their names."""

    def __init__(self, rec_name, found):
        self._rec_name, self.found = rec_name, found

    def search(self, domain, limit):
        ((name, operator, text),) = domain
        assert operator == "=", operator
        assert name == (self._rec_name or "name"), name
        ids = self.found.get(text, [])[:limit]
        return Records(ids)


class Records(list):
    @property
    def id(self):
        (one,) = self
        return one


ENV = pure.Env(
    team=Model("name", {"Sales": [7], "Twice": [1, 2, 3]}), tag=Model(None, {"Hot": [9]})
)


def parse(kind, text, **more):
    return values.parse_value(ENV, Field(type=kind, **more), text)


class TestValues(unittest.TestCase):
    def test_what_people_write(self):
        for kind, text, expected in (
            ("boolean", "Yes", True),
            ("boolean", "1", True),
            ("boolean", "OFF", False),
            ("boolean", "n", False),
            ("char", " two words ", "two words"),
            ("text", "a", "a"),
            ("html", "<p>", "<p>"),
            ("integer", "-5", -5),
            ("float", "2.5", 2.5),
            ("monetary", "1e3", 1000.0),
            ("date", "2026-03-02", datetime.date(2026, 3, 2)),
            ("datetime", "2026-03-02 09:30:00", datetime.datetime(2026, 3, 2, 9, 30)),
            ("selection", "low", "low"),
            ("selection", "Very high", "3"),
        ):
            with self.subTest(kind=kind, text=text):
                value = parse(kind, text)
                self.assertEqual(value, expected)
                self.assertIs(type(value), type(expected))

    def test_nothing_empties_the_field(self):
        for kind in ("char", "integer", "many2one", "binary"):
            for text in ("", "  ", None, False):
                self.assertIs(parse(kind, text), False)

    def test_what_does_not_fit(self):
        for kind, text in (
            ("boolean", "maybe"),
            ("integer", "2.5"),
            ("float", "much"),
            ("selection", "Medium"),
            ("selection", "very high"),
            ("date", "tomorrow"),
            ("binary", "x"),
            ("many2many", "x"),
        ):
            with self.subTest(kind=kind, text=text), self.assertRaises(ValueError):
                parse(kind, text)

    def test_records_by_their_name(self):
        self.assertEqual(parse("many2one", "Sales", comodel_name="team"), 7)
        self.assertEqual(parse("many2one", "Hot", comodel_name="tag"), 9)

    def test_records_that_are_too_much_alike(self):
        for text in ("Twice", "Nobody"):
            with self.assertRaises(ValueError):
                parse("many2one", text, comodel_name="team")

    def test_fields_that_people_can_write(self):
        for kind in ("boolean", "char", "date", "datetime", "float", "html", "integer"):
            self.assertTrue(values.can_parse(Field(type=kind)), kind)
        for kind in ("many2one", "monetary", "selection", "text"):
            self.assertTrue(values.can_parse(Field(type=kind)), kind)
        for kind in ("many2many", "one2many", "binary", "json"):
            self.assertFalse(values.can_parse(Field(type=kind)), kind)
