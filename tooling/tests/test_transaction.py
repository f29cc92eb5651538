"""Transactions beside that of a caller, and code of others inside one of ours."""

import contextlib
import types
import unittest

import psycopg2
from psycopg2.errors import InFailedSqlTransaction

from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from . import pure

transaction = pure.load("transaction")


class Cursor:
    """A cursor that notes what is asked of it, in order."""

    def __init__(self, answer=None, broken=False):
        self.done, self.answer, self.broken = [], answer, broken

    def execute(self, query, params=()):
        if self.broken and query.startswith("RESET"):
            raise psycopg2.OperationalError("The connection is gone")
        self.done.append(query % tuple(map(repr, params)) if params else query)

    def fetchone(self):
        return (self.answer,)

    def commit(self):
        self.done.append("commit")

    def rollback(self):
        self.done.append("rollback")

    @contextlib.contextmanager
    def savepoint(self):
        self.done.append("savepoint")
        yield
        self.done.append("release")


class Environment:
    """An environment whose registry opens one more cursor."""

    def __init__(self, cr, other=None):
        self.cr = cr
        self.registry = types.SimpleNamespace(cursor=lambda: contextlib.nullcontext(other))
        self._ = pure.Env()._

    def __call__(self, cr):
        return Environment(cr)


class TestHasWritten(unittest.TestCase):
    def test_what_postgresql_says(self):
        for answer in (True, False):
            self.assertIs(transaction.has_written(Cursor(answer)), answer)


class TestOwnTransaction(unittest.TestCase):
    WAIT = "SELECT set_config('lock_timeout', '5s', false)"

    def test_it_commits_what_it_does_and_leaves_the_caller_s_alone(self):
        caller, own = Cursor(), Cursor()
        with transaction.own_transaction(Environment(caller, own)) as env:
            self.assertIs(env.cr, own)
            own.execute("UPDATE")
        self.assertEqual(caller.done, [])
        self.assertEqual(own.done[:4], [self.WAIT, "commit", "UPDATE", "commit"])

    def test_others_find_the_connection_as_it_was(self):
        own = Cursor()
        with transaction.own_transaction(Environment(Cursor(), own)):
            pass
        self.assertEqual(own.done[-3:], ["rollback", "RESET lock_timeout", "commit"])

    def test_what_fails_is_not_kept(self):
        own = Cursor()
        with (
            self.assertRaises(ZeroDivisionError),
            transaction.own_transaction(Environment(Cursor(), own)),
        ):
            own.execute("UPDATE")
            raise ZeroDivisionError
        self.assertEqual(own.done[2:], ["UPDATE", "rollback", "RESET lock_timeout", "commit"])

    def test_a_connection_that_is_gone_hides_nothing(self):
        own = Cursor(broken=True)
        with (
            self.assertRaises(ZeroDivisionError),
            transaction.own_transaction(Environment(Cursor(), own)),
        ):
            raise ZeroDivisionError


class TestOneTransaction(unittest.TestCase):
    def test_code_that_keeps_to_it(self):
        cursor = Cursor()
        with transaction.one_transaction(Environment(cursor)):
            cursor.execute("UPDATE")
        self.assertEqual(cursor.done, ["savepoint", "UPDATE", "release"])
        cursor.commit()
        self.assertEqual(cursor.done[-1], "commit", "afterwards it can be ended again")

    def test_code_that_ends_it(self):
        for name in ("commit", "rollback"):
            cursor = Cursor()
            with (
                self.assertRaisesRegex(UserError, "commits or rolls back"),
                transaction.one_transaction(Environment(cursor)),
            ):
                getattr(cursor, name)()
            self.assertNotIn(name, cursor.done)
            getattr(cursor, name)()
            self.assertIn(name, cursor.done)

    def test_code_that_hides_an_error_of_the_database(self):
        with (
            self.assertRaisesRegex(UserError, "went on after an error"),
            transaction.one_transaction(Environment(Cursor())),
        ):
            raise InFailedSqlTransaction


class TestAttempt(unittest.TestCase):
    def setUp(self):
        self.cr, self.errors = Cursor(), []

    def attempt(self, error=None, on_error=None):
        with transaction.attempt(Environment(self.cr), on_error or self.errors.append):
            if error:
                raise error

    def test_all_is_well(self):
        self.attempt()
        self.assertEqual((self.cr.done, self.errors), (["savepoint", "release"], []))

    def test_error(self):
        """It is handed over, and whoever called goes on."""
        error = ValueError("No")
        self.attempt(error)
        self.assertEqual((self.cr.done, self.errors), (["savepoint"], [error]))

    def test_conflict(self):
        """Whoever began the transaction tries again: it has to know."""
        for conflict in PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            with self.assertRaises(conflict):
                self.attempt(conflict())
        self.assertEqual(self.errors, [])

    def test_raised_all_the_same(self):
        def on_error(error):
            raise error

        with self.assertRaisesRegex(ValueError, "No"):
            self.attempt(ValueError("No"), on_error)
