"""What is done in a sandbox never happened."""

import contextlib
import types
import unittest
from unittest import mock

from psycopg2.errors import LockNotAvailable

from odoo.exceptions import UserError

from . import pure

sandbox = pure.load("sandbox")


class Cursor:
    """A cursor that notes what reaches the database."""

    def __init__(self, row=None):
        self.done, self.row = [], row

    def execute(self, query, params=(), log_exceptions=True):
        # savepoints are known by what is done with them
        self.done.append(str(query).partition(' "')[0])
        return len(self.done)

    def dictfetchone(self):
        return self.row

    def rollback(self):
        self.done.append("rollback")

    def commit(self):
        raise AssertionError("Nothing of a sandbox is ever committed.")

    def close(self):
        self.done.append("close")


class TestCursor(unittest.TestCase):
    def setUp(self):
        self.below = Cursor({"a": 1})
        self.cursor = sandbox.SandboxCursor(self.below)

    def test_a_commit_ends_a_part_and_nothing_more(self):
        self.cursor.execute("UPDATE")
        self.cursor.execute("DELETE")
        self.cursor.commit()
        self.cursor.execute("INSERT")
        self.assertEqual(
            self.below.done,
            ["SAVEPOINT", "UPDATE", "DELETE", "RELEASE SAVEPOINT", "SAVEPOINT", "INSERT"],
        )

    def test_a_rollback_takes_back_what_came_after_the_last_commit(self):
        self.cursor.execute("UPDATE")
        self.cursor.rollback()
        self.cursor.rollback()
        self.assertEqual(
            self.below.done,
            ["SAVEPOINT", "UPDATE", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"],
        )

    def test_what_waits_for_a_commit_waits_in_vain(self):
        ran = []
        for name in ("postcommit", "prerollback", "postrollback"):
            getattr(self.cursor, name).add(lambda name=name: ran.append(name))
        self.cursor.commit()
        self.cursor.rollback()
        self.assertEqual(ran, [])

    def test_what_waits_for_a_rollback_is_done(self):
        ran = []
        for name in ("postcommit", "prerollback", "postrollback"):
            getattr(self.cursor, name).add(lambda name=name: ran.append(name))
        self.cursor.rollback()
        self.assertEqual(ran, ["prerollback", "postrollback"])
        self.cursor.commit()
        self.assertEqual(ran, ["prerollback", "postrollback"])

    def test_in_the_end_all_is_taken_back(self):
        self.cursor.execute("UPDATE")
        self.cursor.commit()
        self.cursor.close()
        self.assertEqual(self.below.done[-2:], ["rollback", "close"])

    def test_also_when_the_end_fails(self):
        def fail():
            raise ZeroDivisionError

        self.cursor.prerollback.add(fail)
        with self.assertRaises(ZeroDivisionError):
            self.cursor.close()
        self.assertEqual(self.below.done[-2:], ["rollback", "close"])

    def test_all_else_is_the_cursor_s_below(self):
        self.assertEqual(self.cursor.dictfetchone(), {"a": 1})
        self.assertEqual(self.cursor.row, {"a": 1})
        self.assertEqual(self.cursor.execute("SELECT"), 2)

    def test_time_goes_on_after_each_part(self):
        for end in (self.cursor.commit, self.cursor.rollback):
            self.cursor._now = "then"
            end()
            self.assertIsNone(self.cursor._now)


class TestPast(unittest.TestCase):
    """A sandbox in which it is another time."""

    def setUp(self):
        self.below = Cursor()
        self.cursor = sandbox.PastCursor(self.below)

    def test_it_is_as_late_as_its_clock_says(self):
        self.cursor._now = "what the database says"
        self.assertEqual(self.cursor.now(), "what the database says", "until it has a clock")
        self.cursor.clock = types.SimpleNamespace(now="then")
        self.assertEqual(self.cursor.now(), "then")

    def test_from_then_on_nothing_is_written(self):
        """The database refuses it, until all is taken back: no end of a part takes that back."""
        self.cursor.execute("INSERT")
        self.cursor.refuse_writing()
        self.cursor.rollback()
        self.assertEqual(
            self.below.done,
            ["SAVEPOINT", "INSERT", "RELEASE SAVEPOINT", "SET TRANSACTION READ ONLY"],
        )

    def test_who_is_in_the_past_knows(self):
        for cursor, is_past in ((self.cursor, True), (sandbox.SandboxCursor(self.below), False)):
            env = types.SimpleNamespace(cr=cursor)
            self.assertIs(sandbox.is_past(env), is_past)
            self.assertTrue(sandbox.is_sandbox(env))


class TestSandbox(unittest.TestCase):
    def setUp(self):
        self.below = Cursor()
        self.registry = types.SimpleNamespace(
            cursor=lambda: self.below, cache_invalidated={"default"}, reset=[]
        )
        self.registry.reset_changes = self.reset
        self.env = types.SimpleNamespace(registry=self.registry, _=pure.Env()._)
        environment = mock.patch.object(
            sandbox.api, "Environment", lambda cr, uid, context: (cr, uid, context)
        )
        environment.start()
        self.addCleanup(environment.stop)

    def reset(self):
        """As the registry does."""
        self.registry.reset.append(set(self.registry.cache_invalidated))
        self.registry.cache_invalidated.clear()

    def test_with_all_rights_and_an_empty_context(self):
        with sandbox.sandbox(self.env) as (cr, uid, context):
            self.assertIsInstance(cr, sandbox.SandboxCursor)
            self.assertEqual((uid, context), (sandbox.api.SUPERUSER_ID, {}))
            self.assertEqual(cr.suppressed, [])
        self.assertEqual(self.below.done[-2:], ["rollback", "close"])
        self.assertTrue(self.registry.reset)

    def test_somebody_holds_what_it_needs(self):
        with (
            self.assertRaisesRegex(UserError, "Somebody is changing the same records"),
            sandbox.sandbox(self.env),
        ):
            raise LockNotAvailable
        self.assertEqual(self.below.done[-2:], ["rollback", "close"])

    def test_caches_are_as_before_whatever_happens(self):
        with contextlib.suppress(ZeroDivisionError), sandbox.sandbox(self.env):
            self.registry.cache_invalidated.add("templates")
            raise ZeroDivisionError
        self.assertEqual(self.registry.reset, [{"default", "templates"}])
        self.assertEqual(self.registry.cache_invalidated, {"default"}, "what was due before is")

    def test_who_is_in_one_knows(self):
        with sandbox.sandbox(self.env) as (cr, _uid, _context):
            self.assertTrue(sandbox.is_sandbox(types.SimpleNamespace(cr=cr)))
        self.assertFalse(sandbox.is_sandbox(types.SimpleNamespace(cr=self.below)))

    def test_it_waits_for_nobody_longer_than_others_do(self):
        with sandbox.sandbox(self.env):
            pass
        self.assertEqual(
            self.below.done[:3],
            ["SAVEPOINT", "SELECT set_config('lock_timeout', %s, true)", "RELEASE SAVEPOINT"],
        )
