"""Domains that people write: read, taken apart, and judged by what they look at."""

import contextlib
import types
import unittest

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from . import pure

domains = pure.load("domains")

A, B, C = (Domain(name, "=", 1) for name in "abc")
ACTIVE = Domain("active", "in", [True, False])


class Model:
    """A model that answers a search with what a test has it answer."""

    def __init__(self, error=None, user="admin"):
        self.error, self.user, self.searched = error, user, []
        self.env = types.SimpleNamespace(
            _=pure.Env()._, cr=self, user="marketer", savepoint=self.savepoint
        )
        self.depth = 0

    @contextlib.contextmanager
    def savepoint(self, flush):
        assert not flush, "what is not written yet does not matter to a search"
        self.depth += 1
        yield
        self.depth -= 1

    def search_count(self, domain, limit):
        self.searched.append((self.user, domain, limit, self.depth))
        if self.error:
            raise self.error

    def with_user(self, user):
        other = Model(self.error, user)
        other.searched = self.searched
        return other


def field(**values):
    usual = {
        "groups": None,
        "store": True,
        "column_type": ("varchar", "varchar"),
        "relational": False,
        "company_dependent": False,
    }
    return types.SimpleNamespace(**usual | values)


FIELDS = types.SimpleNamespace(
    _fields={
        "name": field(),
        "secret": field(groups="base.group_system"),
        "counted": field(store=False),
        "tags": field(column_type=None, relational=True),
        "partner": field(relational=True),
        "price": field(company_dependent=True),
    }
)


class TestReading(unittest.TestCase):
    def test_domains(self):
        self.assertEqual(domains.read_domain("[('a', '=', 1)]"), A)
        for text in ("[]", "", None, False):
            self.assertTrue(domains.read_domain(text).is_true())

    def test_whatever_somebody_writes(self):
        """Nothing is run, and it fails only by errors that are put into words."""
        for text in ("[(", "__import__('os')", "[('a',)]", "5", "['&']", "(" * 300, "1" * 5000):
            with self.subTest(text[:20]), self.assertRaises(domains.ERRORS):
                domains.read_domain(text)

    def test_tried_on_a_model(self):
        model = Model()
        self.assertEqual(domains.parse_domain(model, "[('a', '=', 1)]"), A)
        self.assertEqual(model.searched, [("admin", A, 1, 1)])

    def test_refused_in_words(self):
        for error in (
            *(psycopg2.Error("no column"), AccessError("not yours"), KeyError("x")),
            *(TypeError("x"), ZeroDivisionError("x"), NotImplementedError("x")),
        ):
            with self.subTest(error), self.assertRaises(ValidationError) as caught:
                domains.parse_domain(Model(error), "[('a', '=', 1)]")
            said = str(caught.exception)
            self.assertIn("This filter cannot be used: [('a', '=', 1)]", said)
            self.assertIn(str(error), said)

    def test_words_of_ours_are_in_the_language_of_the_user(self):
        """And others as they are, also where there are none."""
        env = types.SimpleNamespace(_=lambda text: f"auf Deutsch: {text._source}")
        for text in ("[('nurture_locked_id', '=', 1)]", "[('nurture_unaddressed_id', '=', 1)]"):
            with self.assertRaises(ValueError) as caught:
                domains.read_domain(text)
            self.assertIn("auf Deutsch: Locked value", domains.say(env, caught.exception))
        self.assertEqual(domains.say(env, TypeError("x")), "x")
        self.assertEqual(domains.say(env, TypeError()), "")

    def test_what_is_no_fault_of_the_text_is_not_hidden(self):
        for error in (KeyboardInterrupt(), UserError("elsewhere")):
            with self.assertRaises(type(error)):
                domains.parse_domain(Model(error), "[]")

    def test_people_write_with_their_own_rights(self):
        model = Model()
        domains.check_domain(model, "[]")
        self.assertEqual([searched[0] for searched in model.searched], ["marketer"])

    def test_lost_rights_are_shown_to_people(self):
        self.assertTrue(issubclass(domains.LostRights, UserError))


class TestParts(unittest.TestCase):
    def test_what_has_to_hold(self):
        for domain, parts in (
            (A & B, [A, B]),
            (A & (B & C), [A, B, C]),
            (A, [A]),
            (A | B, [A | B]),
            (A & (B | C), [A, B | C]),
            (Domain.TRUE, []),
            (A & ACTIVE, [A]),
            (ACTIVE, []),
        ):
            with self.subTest(domain):
                self.assertEqual(domains.get_parts(domain), parts)

    def test_of_what_one_has_to_hold(self):
        for domain, parts in (
            (A | B, [A, B]),
            (A | (B | C), [A, B, C]),
            (A | (B & C), [A, B & C]),
            (A, []),
            (A & B, []),
            (Domain.TRUE, []),
        ):
            with self.subTest(domain):
                self.assertEqual(domains.get_alternatives(domain), parts)

    def test_archived_ones_are_found_too(self):
        for domain, expected in (
            (ACTIVE, True),
            (Domain("active", "=", True) | Domain("active", "=", False), True),
            (Domain("active", "=", False) | Domain("active", "in", [True]), True),
            (Domain("active", "=", True), False),
            (Domain("active", "=", False), False),
            (Domain("active", "!=", None), False),
            (Domain("active", "in", [True, False]) | Domain("active", "!=", 5), False),
            (Domain("open", "in", [True, False]), False),
            (ACTIVE | A, False),
            (Domain.TRUE, False),
        ):
            with self.subTest(domain):
                self.assertIs(domains.finds_archived(domain), expected)


class TestNamedIds(unittest.TestCase):
    def test_ids(self):
        for domain, expected in (
            (Domain("stage", "=", 5), {5}),
            (Domain("stage", "in", [5, 6, False]), {5, 6}),
            (Domain("stage", "in", [5, "x"]) | Domain("stage", "=", 7), {5, 7}),
            (Domain("stage", "not in", [5]), set()),
            (Domain("stage", "!=", 5), set()),
            (Domain("team", "=", 5), set()),
            (Domain("stage", "=", 0), set()),
            (Domain("stage", "=", False), set()),
            (Domain.TRUE, set()),
        ):
            with self.subTest(domain):
                self.assertEqual(domains.named_ids(domain, "stage"), expected)


class TestOwn(unittest.TestCase):
    """What looks at nothing but a record's own columns tells nothing of others."""

    def is_own(self, *condition, known=()):
        return domains.is_own(Domain(*condition), FIELDS, known)

    def test_columns(self):
        for operator in ("=", "!=", "<", ">", "<=", ">=", "in", "not in", "ilike", "=like"):
            value = ["x"] if "in" in operator.split() else "x"
            self.assertTrue(self.is_own("name", operator, value), operator)

    def test_others(self):
        for name in ("secret", "counted", "tags", "gone", "partner.name"):
            self.assertFalse(self.is_own(name, "=", 1), name)

    def test_references_by_their_ids_only(self):
        for name in ("partner", "price"):
            for operator, value in (("=", 5), ("!=", 5), ("in", [5, 6]), ("not in", [5, False])):
                self.assertTrue(self.is_own(name, operator, value), (name, operator))
            for operator, value in (("=", "Ann"), ("in", [5, "Ann"]), ("ilike", "Ann")):
                self.assertFalse(self.is_own(name, operator, value), (name, operator))
            self.assertFalse(self.is_own(name, ">", 5), name)

    def test_all_of_it_counts(self):
        domain = Domain("name", "=", "x") & Domain("secret", "=", "x")
        self.assertFalse(domains.is_own(domain, FIELDS))
        self.assertTrue(domains.is_own(Domain.TRUE, FIELDS))

    def test_fields_that_are_known_to_look_at_nothing_else(self):
        self.assertTrue(self.is_own("counted", "=", 1, known=("counted",)))
        self.assertFalse(self.is_own("counted", "any", [("a", "=", 1)], known=("counted",)))
        self.assertFalse(self.is_own("counted", "not any", [("a", "=", 1)], known=("counted",)))

    def test_operators_that_look_elsewhere(self):
        self.assertFalse(self.is_own("name", "any", [("a", "=", 1)]))
