"""Code that has written before calls what people press, in its own transaction: nothing of ours
waits for its caller."""

from contextlib import closing, contextmanager
from datetime import timedelta

from psycopg2.errors import LockNotAvailable

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules import module
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ...tools import sandbox as sandboxes
from ...tools import transaction
from ..common import ANN, BOB, NurtureHttpCase

has_written = transaction.has_written


@tagged("post_install", "-at_install")
class TestCallers(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence(entry="manual")
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.lead = self.make_lead(ANN)
        # as outside of tests: this transaction has written
        self.patch(transaction, "has_written", has_written)

    def test_advance_is_left_to_the_scheduled_action(self):
        self.sequence.action_start()
        self.sequence.enrol(self.lead.ids)
        with self.capture_triggers("lost_lead_nurture.ir_cron_nurture") as woken:
            result = self.sequence.with_user(self.marketer).action_advance()
        self.assertEqual(result, {"entered": 0, "left": 1, "deferred": True})
        self.assertTrue(woken.records)
        self.assertEqual(self.sequence.participant_ids.trace_ids.state, "scheduled")
        self.advance()
        self.assertTrue(self.mail_to(ANN))

    def test_all_leads_are_scanned_afterwards(self):
        """Also those that were lost long ago and have come to match since the last hour's look."""
        self.sequence.entry = "auto"
        old = self.make_lead(BOB, self.reason_price)
        self.clock += timedelta(days=1)
        self.sequence.action_start()
        self.advance()
        old.lost_reason_id = self.reason_stock
        self.advance()
        self.assertFalse(self.mails_to(BOB))
        self.sequence.action_advance()
        self.advance()
        self.assertTrue(self.mail_to(BOB))

    def test_button_says_so(self):
        self.sequence.action_start()
        said = self.sequence.with_user(self.marketer).button_advance()
        self.assertIn("in the background", said["params"]["message"])

    def test_run_now_is_left_to_the_scheduled_action(self):
        self.sequence.action_start()
        self.sequence.enrol(self.lead.ids)
        self.advance()
        traces = self.sequence.participant_ids.trace_ids
        coming = traces.filtered(lambda one: one.state == "scheduled")
        self.assertEqual(coming.step_id, self.second)
        self.assertGreater(coming.schedule_date, self.clock)
        with self.capture_triggers("lost_lead_nurture.ir_cron_nurture") as woken:
            result = coming.with_user(self.marketer).action_run_now()
        self.assertEqual(result, {"done": 0, "deferred": True})
        self.assertTrue(woken.records)
        self.assertEqual((coming.state, coming.reason), ("scheduled", "run_now"))
        self.assertEqual(coming.schedule_date, self.clock)
        self.advance()
        self.assertEqual(coming.state, "processed")


@tagged("post_install", "-at_install")
class TestRealLocks(TransactionCase):
    """With connections of their own, in which a lock is a lock, as outside of tests."""

    def setUp(self):
        super().setUp()
        database = db_connect(self.env.cr.dbname)
        self.patch(type(self.registry), "cursor", lambda *_args, **_options: database.cursor())
        self.patch(module, "current_test", None)
        self.patch(transaction, "LOCK_TIMEOUT", "100ms")

    @contextmanager
    def real(self):
        with closing(self.registry.cursor()) as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    @contextmanager
    def caller(self):
        """An environment that has locked a record and has not committed yet."""
        with self.real() as env:
            self.assertFalse(transaction.has_written(env.cr))
            env.cr.execute("SELECT id FROM res_lang ORDER BY id FOR UPDATE")
            self.assertTrue(transaction.has_written(env.cr))
            yield env

    def test_reading_is_not_writing(self):
        with self.real() as env:
            env["crm.lead"].search([], limit=1).mapped("name")
            self.assertFalse(transaction.has_written(env.cr))

    @mute_logger("odoo.sql_db")
    def test_a_second_transaction_does_not_wait_for_ever(self):
        with (
            self.caller() as env,
            self.assertRaises(LockNotAvailable),
            transaction.own_transaction(env) as second,
        ):
            second.cr.execute("SELECT id FROM res_lang ORDER BY id FOR UPDATE")

    def test_nobody_else_inherits_the_timeout(self):
        """Connections are used again."""
        with self.real() as env:
            env.cr.execute("SHOW lock_timeout")
            (usual,) = env.cr.fetchone()
            with transaction.own_transaction(env) as second:
                cr = second.cr
                cr.execute("SHOW lock_timeout")
                self.assertEqual(cr.fetchone(), ("100ms",))
                backend = cr._cnx.get_backend_pid()
            again = []
            for _number in range(3):
                with self.real() as other:
                    other.cr.execute("SHOW lock_timeout")
                    again.append((other.cr._cnx.get_backend_pid(), *other.cr.fetchone()))
            self.assertIn((backend, usual), again)

    @mute_logger("odoo.sql_db")
    def test_a_test_says_that_somebody_is_changing_its_records(self):
        self.patch(sandboxes, "LOCK_TIMEOUT", "100ms")
        with (
            self.caller() as env,
            self.assertRaisesRegex(UserError, "Try again in a moment"),
            sandboxes.sandbox(env) as second,
        ):
            second.cr.execute("SELECT id FROM res_lang ORDER BY id FOR UPDATE")
