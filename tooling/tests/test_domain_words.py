"""Domains in the words of the domain editor."""

import types
import unittest

from odoo.exceptions import AccessError
from odoo.fields import Domain

from . import pure

domain_words = pure.load("domain_words")


class Field(types.SimpleNamespace):
    """A field, with its label."""

    comodel_name = None

    def _description_string(self, _env):
        return self.label

    def _description_selection(self, _env):
        return [("low", "Low"), ("high", "High")]


class Model:
    """A model with fields, and the names of its records that the user may see."""

    def __init__(self, env, names=(), **fields):
        self.env, self._fields, self.names = env, fields, dict(names)
        self.forbidden = False

    def with_context(self, active_test):
        assert active_test is False, "archived records have names, too"
        return self

    def search(self, domain):
        if self.forbidden:
            raise AccessError("Not yours")
        ((_name, _operator, ids),) = domain
        return [
            types.SimpleNamespace(id=id_, display_name=name)
            for id_, name in self.names.items()
            if id_ in ids
        ]


class TestWords(unittest.TestCase):
    def setUp(self):
        env = pure.Env()
        text = Field(type="char", label="Text")
        self.partners = env["partner"] = Model(env, {1: "Ann", 2: "Bob"}, city=text)
        self.model = Model(
            env,
            city=Field(type="char", label="City"),
            note=Field(type="html", label="Note"),
            open=Field(type="boolean", label="Open"),
            revenue=Field(type="monetary", label="Revenue"),
            score=Field(type="float", label="Score"),
            tries=Field(type="integer", label="Tries"),
            day=Field(type="date", label="Day"),
            moment=Field(type="datetime", label="Moment"),
            level=Field(type="selection", label="Level"),
            partner=Field(type="many2one", label="Contact", comodel_name="partner"),
        )

    def words(self, domain):
        return domain_words.describe(self.model, Domain(domain)).replace("\u202f", " ")

    def check(self, cases):
        for condition, expected in cases.items():
            with self.subTest(condition):
                self.assertEqual(self.words([condition]), expected)

    def test_values(self):
        self.check(
            {
                ("city", "=", "Ghent"): "City = Ghent",
                ("city", "!=", "Ghent"): "City not = Ghent",
                ("city", "in", ("Ghent", "Bruges")): "City = Ghent or Bruges",
                ("city", "not in", ("Ghent",)): "City not = Ghent",
                ("city", "in", ("Ghent", False)): "City = Ghent or nothing",
                ("level", "=", "high"): "Level = High",
                ("level", "=", "gone"): "Level = gone",
                ("revenue", "=", 1234): "Revenue = 1,234",
                ("revenue", "=", 1234.5): "Revenue = 1,234.50",
                ("score", "=", 2.25): "Score = 2.25",
                ("tries", "=", 1234): "Tries = 1234",
                ("city", "=", "2026-03-09"): "City = 2026-03-09",
                ("open", "in", (True, False)): "Open = yes or nothing",
                ("unknown", "=", 1): "unknown = 1",
                ("unknown.name", "=", "x"): "unknown ➔ name = x",
            }
        )

    def test_nothing_to_name(self):
        self.check(
            {
                ("city", "=", False): "City is not set",
                ("city", "!=", False): "City is set",
                ("city", "in", (False,)): "City is not set",
                ("open", "=", True): "Open is set",
                ("open", "!=", True): "Open is not set",
                ("open", "=", False): "Open is not set",
                ("open", "!=", False): "Open is set",
            }
        )

    def test_operators(self):
        self.check(
            {
                ("tries", "<", 5): "Tries lower than 5",
                ("tries", ">", 5): "Tries greater than 5",
                ("tries", "<=", 5): "Tries lower or equal to 5",
                ("tries", ">=", 5): "Tries greater or equal to 5",
                ("city", "ilike", "Gh"): "City contains Gh",
                ("city", "like", "Gh"): "City contains Gh",
                ("city", "not ilike", "Gh"): "City does not contain Gh",
                ("city", "=ilike", "Gh%"): "City starts with Gh",
                ("note", "=ilike", "Gh%"): "Note starts with Gh",
                ("city", "=ilike", "%Gh"): "City is like %Gh",
                ("city", "=like", "Gh%"): "City is like Gh%",
                ("tries", "=ilike", "5%"): "Tries is like 5%",
                ("partner", "child_of", 1): "Contact child of Ann",
            }
        )

    def test_dates(self):
        self.check(
            {
                ("day", "<", "2026-03-09"): "Day before Mar 9, 2026",
                ("day", ">", "2026-03-09"): "Day after Mar 9, 2026",
                ("day", ">=", "2026-03-09"): "Day greater or equal to Mar 9, 2026",
                ("moment", ">", "2026-03-09 20:30:00"): "Moment after Mar 9, 2026, 8:30 PM",
                ("day", "<", "today -7d"): "Day before today -7d",
                ("moment", "<", "-7d"): "Moment before -7d",
            }
        )

    def test_records(self):
        hidden = "(one that you may not see, or that is gone)"
        self.check(
            {
                ("partner", "=", 1): "Contact = Ann",
                ("partner", "in", (2, 1)): "Contact = Bob or Ann",
                ("partner", "=", 9): f"Contact = {hidden}",
                ("partner", "in", (1, False)): "Contact = Ann or nothing",
                ("partner", "ilike", "An"): "Contact contains An",
                ("partner.city", "=", "Ghent"): "Contact ➔ Text = Ghent",
            }
        )
        self.partners.forbidden = True
        self.check({("partner", "=", 1): f"Contact = {hidden}"})

    def test_many_values(self):
        ten, eleven = (tuple(f"C{number}" for number in range(count)) for count in (10, 11))
        self.assertEqual(self.words([("city", "in", ten)]), f"City = {' or '.join(ten)}")
        self.assertEqual(self.words([("city", "in", eleven)]), f"City = {' or '.join(ten)} or …")

    def test_more_than_a_condition(self):
        ghent, many = ("city", "=", "Ghent"), ("tries", ">", 5)
        both = "City = Ghent and Tries greater than 5"
        archived = ("active", "in", [True, False])
        for domain, expected in (
            ([ghent, many], both),
            ([archived, ghent, many], both),
            (["|", ghent, many], "City = Ghent or Tries greater than 5"),
            (["|", "&", ghent, many, ("city", "=", "X")], f"( {both} ) or City = X"),
            (
                [("open", "=", True), "|", ghent, many],
                "Open is set and ( City = Ghent or Tries greater than 5 )",
            ),
            ([("partner", "any", [("city", "=", "X")])], "Contact matches ( Text = X )"),
            (
                [("partner", "not any", [("city", "=", "X")])],
                "Contact does not match ( Text = X )",
            ),
            (["!", ("partner.city", "=", "X")], "not ( Contact ➔ Text = X )"),
            ([], "everything matches"),
            ([(0, "=", 1)], "nothing matches"),
            ([archived], ""),
        ):
            with self.subTest(domain):
                self.assertEqual(self.words(domain), expected)

    def test_a_path_that_leads_nowhere(self):
        self.check({("unknown", "any", (("a", "=", 1),)): "unknown matches ( (('a', '=', 1),) )"})

    def test_rules_in_code(self):
        domain = Domain.custom(to_sql=lambda *_args: None)
        said = domain_words.describe(self.model, domain)
        self.assertEqual(said, "a rule that cannot be put into words")
