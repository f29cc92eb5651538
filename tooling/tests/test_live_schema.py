"""Tables of others are changed while people work with them: briefly and patiently."""

import logging
import types
import unittest
from unittest import mock

import psycopg2.errors

from odoo.exceptions import UserError

from . import pure

live_schema = pure.load("live_schema")

LOCKED = psycopg2.errors.LockNotAvailable


class Database:
    """A database that knows which tables and indexes it has, and what it was asked to do.

    :param busy: (part of a statement, how often somebody holds what it needs)
    """

    def __init__(self, tables=(), indexes=(), busy=("", 0), error=LOCKED):
        self.tables, self.indexes = {"crm_lead", *tables}, set(indexes)
        self.busy, self.times = busy
        self.error = error
        self.done, self.autocommit, self.committed, self.open = [], False, 0, 0
        self.connection = self
        self.cr = types.SimpleNamespace(commit=self.commit)
        self.registry = types.SimpleNamespace(cursor=self.cursor)
        self._ = pure.Env()._

    def commit(self):
        assert not self.open, "nothing of ours waits for what the installation has locked"
        self.committed += 1

    def cursor(self):
        self.open += 1
        return self

    def close(self):
        self.open -= 1

    def execute(self, query, params=None, log_exceptions=True):
        text = query if isinstance(query, str) else query.code
        params = params or getattr(query, "params", ())
        if "pg_class" in text:
            self.found = [(name,) for name in self.tables if name in params[0]]
        elif "pg_indexes" in text:
            self.rowcount = int(params[0] in self.indexes)
        else:
            assert self.autocommit, "each statement is a transaction of its own"
            self.done.append(text % tuple(map(repr, params)) if params else text)
            if self.busy and self.busy in text and self.times:
                assert not log_exceptions, "that a lock that is held is no error"
                self.times -= 1
                raise self.error

    def fetchall(self):
        return self.found

    def __iter__(self):
        return iter(self.done)


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class TestLiveSchema(unittest.TestCase):
    def setUp(self):
        self.clock = Clock()
        patch = mock.patch.object(live_schema, "time", self.clock)
        patch.start()
        self.addCleanup(patch.stop)

    def prepare(self, *changes, **state):
        database = Database(**state)
        try:
            live_schema.prepare(database, changes)
        finally:
            self.assertEqual(database.committed, 1)
            self.assertEqual(database.open, 0, "the cursor goes back")
            self.assertIs(database.autocommit, False, "as others know it")
            self.assertEqual(database.done[-1], "RESET lock_timeout")
        return database.done[:-1]

    def test_nothing_to_change(self):
        self.assertEqual(self.prepare(), [])

    def test_a_column(self):
        done = self.prepare(live_schema.Column("crm_lead", "lost_on", "date"))
        self.assertEqual(done[0], "SET lock_timeout = '500ms'")
        self.assertEqual(
            " ".join(done[1].split()),
            'ALTER TABLE "crm_lead" ADD COLUMN IF NOT EXISTS "lost_on" date',
        )

    def test_a_column_with_what_its_rows_have(self):
        (_wait, alter) = self.prepare(live_schema.Column("crm_lead", "tries", "int4", 0))
        self.assertIn("int4 DEFAULT 0", alter)
        (_wait, alter) = self.prepare(live_schema.Column("crm_lead", "tries", "int4", False))
        self.assertIn("DEFAULT False", alter)

    def test_a_column_that_refers_to_a_table_of_ours(self):
        column = live_schema.Column("crm_lead", "step_id", "int4", target="nurture_step")
        make, _wait, alter = self.prepare(column)
        self.assertEqual(make, 'CREATE TABLE "nurture_step" (id SERIAL PRIMARY KEY)')
        self.assertIn('REFERENCES "nurture_step" ON DELETE SET NULL', alter)
        self.assertEqual(len(self.prepare(column, tables=["nurture_step"])), 2)

    def test_a_reference_from_a_table_of_ours(self):
        make, _wait, alter = self.prepare(
            live_schema.Reference("nurture_trace", "lead_id", "crm_lead", "cascade")
        )
        self.assertIn('"nurture_trace"', make)
        self.assertIn('ALTER TABLE "nurture_trace" ADD COLUMN IF NOT EXISTS "lead_id" int4', alter)
        self.assertIn('REFERENCES "crm_lead" ON DELETE cascade', alter)

    def test_a_relation(self):
        relation = live_schema.Relation("rel", "step_id", "nurture_step", "tag_id", "crm_tag")
        make, _wait, create = self.prepare(relation)
        self.assertIn('"nurture_step"', make)
        self.assertIn('CREATE TABLE "rel"', create)
        self.assertIn('PRIMARY KEY ("step_id", "tag_id")', create)
        self.assertEqual(self.prepare(relation, tables=["rel"]), [])

    def test_an_index(self):
        index = live_schema.Index.of_field("crm_lead", "step_id")
        wait, create = self.prepare(index)
        self.assertEqual(wait, "SET lock_timeout = '20s'")
        self.assertIn("CREATE INDEX CONCURRENTLY", create)
        self.assertIn('("step_id") WHERE "step_id" IS NOT NULL', create)
        self.assertEqual(self.prepare(index, indexes=[index.name]), [])

    def test_an_index_by_which_odoo_knows_its_own(self):
        model_index = types.SimpleNamespace(_index_definition="(a) WHERE b LIKE 'x%'")
        index = live_schema.Index.of_model("crm_lead", "_by_a", model_index)
        self.assertEqual(index.name, "crm_lead_by_a")
        _wait, create, comment = self.prepare(index)
        self.assertIn("(a) WHERE b LIKE 'x%", create)
        self.assertEqual(
            comment, 'COMMENT ON INDEX "crm_lead_by_a" IS "INDEX (a) WHERE b LIKE \'x%\'"'
        )

    def test_old_transactions_keep_an_index_from_being_made(self):
        """Odoo makes it then; no half of one is left."""
        index = live_schema.Index("crm_lead", "by_a", "(a)", "INDEX (a)")
        with self.assertLogs(live_schema._logger, logging.INFO):
            done = self.prepare(index, busy=("CONCURRENTLY", 1))
        self.assertEqual(done[2:], ['DROP INDEX IF EXISTS "by_a"'])

    def test_addresses_in_one_spelling(self):
        spelling = live_schema.Spelling("mail_blacklist", "email")
        for statement, count in ((None, 0), ("UPDATE", 2)):
            with mock.patch.object(live_schema, "sql_respell", return_value=statement):
                self.assertEqual(len(self.prepare(spelling)), count)

    def test_somebody_holds_it_for_a_while(self):
        errors = (LOCKED, psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure)
        for error in errors:
            done = self.prepare(
                live_schema.Column("crm_lead", "x", "date"), busy=("ALTER", 3), error=error
            )
            self.assertEqual(len([text for text in done if "ALTER" in text]), 4)

    def test_others_pass_meanwhile(self):
        start = self.clock.now
        self.prepare(live_schema.Column("crm_lead", "x", "date"), busy=("ALTER", 3))
        self.assertEqual(self.clock.now - start, 1.5)

    def test_somebody_holds_it_all_the_time(self):
        """A minute later whoever installs reads so, with the name of the table."""
        start = self.clock.now
        with self.assertRaisesRegex(UserError, "“crm_lead” is in use all the time"):
            self.prepare(live_schema.Column("crm_lead", "x", "date"), busy=("ALTER", 9999))
        self.assertEqual(self.clock.now - start, 60.5)
        start = self.clock.now
        reference = live_schema.Reference("nurture_trace", "lead_id", "crm_lead", "cascade")
        with self.assertRaisesRegex(UserError, "“crm_lead”"):
            self.prepare(reference, busy=("ALTER", 9999))

    def test_what_is_no_matter_of_patience(self):
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            self.prepare(
                live_schema.Column("gone", "x", "date"),
                busy=("ALTER", 1),
                error=psycopg2.errors.UndefinedTable,
            )
        self.assertEqual(self.clock.now, 1000)
