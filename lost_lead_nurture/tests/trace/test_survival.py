"""What is left when a process ends, a server hangs up or code misbehaves in the middle of it, as
far as one process can show it. ``./dev faults`` does it with real processes."""

import smtplib
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from psycopg2 import OperationalError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tests.test_cursor import TestCursor
from odoo.tools import SQL, mute_logger

from ..common import ANN, BOB, NurtureCase, NurtureHttpCase, TwoLeadsMixin
from ..smtp import RELAY_DENIED


class Killed(BaseException):
    """The process is not there any more."""


@tagged("post_install", "-at_install")
class TestSending(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.run_cron()

    def send_mails(self):
        """As the scheduled action does it, which commits after each mail."""
        self.env.flush_all()
        with self.registry.cursor() as cr:
            mails = self.env(cr=cr)["mail.mail"].search([("state", "=", "outgoing")], order="id")
            try:
                with mute_logger("odoo.addons.mail.models.mail_mail"):
                    mails.send(auto_commit=True)
            except (Killed, smtplib.SMTPServerDisconnected, OperationalError):
                cr.rollback()
        self.env.invalidate_all()

    def queue_behind(self, model, values):
        """What somebody else commits while a batch that nobody can see yet queues its mails."""
        records = model.sudo()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id IN %s",
                SQL.identifier(model._table),
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()
                ),
                tuple(records.ids),
            )
        )
        self.env.invalidate_all(flush=False)

    def test_stopped_while_a_batch_queued(self):
        """Stop means stop: a mail that was queued behind its back waits for the next start."""
        self.queue_behind(self.sequence, {"state": "stopped"})
        self.send_mails()
        self.assertFalse(self.catcher.messages)
        traces = self.sequence.participant_ids.trace_ids
        self.assertEqual(set(traces.mapped("state")), {"scheduled", "cancelled"})
        self.sequence.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)
        self.assertEqual(len(self.mails_to(BOB, "First")), 1)

    def test_left_while_a_batch_queued(self):
        participant = self.sequence.participant_ids.filtered(lambda one: one.lead_id == self.ann)
        self.queue_behind(participant, {"state": "exited", "exit_reason": "restored"})
        self.send_mails()
        self.assertFalse(self.mails_to(ANN, "First"))
        self.assertEqual(len(self.mails_to(BOB, "First")), 1)
        self.assertEqual(self.trace(self.ann, self.first).reason, "recalled")

    @contextmanager
    def breaking(self, name, error, after=True):
        """Let the connection to the mail server break once, at the command ``name``."""
        command = getattr(smtplib.SMTP, name)
        errors = [error]

        def break_off(session, *args, **kwargs):
            answer = command(session, *args, **kwargs) if after else None
            if errors:
                session.close()
                raise errors.pop()
            return answer

        with patch.object(smtplib.SMTP, name, break_off):
            yield

    @contextmanager
    def failing_once(self, model, name, error):
        method, errors = getattr(model, name), [error]

        def fail(*args, **kwargs):
            if errors:
                raise errors.pop()
            return method(*args, **kwargs)

        with patch.object(model, name, fail):
            yield

    def mail(self, lead):
        return self.env["mailing.trace"].search(
            [("nurture_trace_id", "=", self.trace(lead, self.first).id)]
        )

    def put_in_doubt(self):
        """The connection is lost after the first mail was handed over, before the answer."""
        with self.breaking("data", smtplib.SMTPServerDisconnected("gone")):
            self.send_mails()
        return self.trace(self.ann, self.first)

    def test_killed_after_the_mail_left(self):
        with self.breaking("data", Killed()):
            self.send_mails()
        trace = self.trace(self.ann, self.first)
        self.assertEqual(trace.state, "processed")
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertEqual((trace.state, trace.reason), ("error", "mail_in_doubt"))
        self.assertIn("may have arrived", trace.detail)
        self.assertFalse(trace.retry_date)
        self.assertEqual(self.mail(self.ann).mail_mail_id.state, "exception")
        self.mail_to(BOB)

    def test_only_one_is_being_sent(self):
        """That a mail is being sent is kept by the commit of the one before it."""
        leads = [self.make_lead(f"{number}@recipient.example.com") for number in range(6)]
        self.run_cron()
        commits = []
        commit = TestCursor.commit

        def count(cr):
            commits.append(cr)
            return commit(cr)

        with patch.object(TestCursor, "commit", count):
            self.send_mails()
        mails = len(self.catcher.messages)
        self.assertEqual(mails, len(leads) + 2)
        # the first note, and that the sequence is notified in the end
        self.assertLessEqual(len(commits), mails + 3)
        self.assertFalse(any(self.mail(lead).nurture_sending_date for lead in leads))

    def test_not_true_any_more_when_it_is_the_next(self):
        """It was noted with the mail before it that it leaves, and the mail after it with it: that
        one leaves nevertheless."""
        last = self.make_lead("last@recipient.example.com")
        self.run_cron()
        outdated = self.trace(self.bob, self.first)
        traces = type(self.env["nurture.trace"])
        self.patch(traces, "_sql_may_be_outdated", lambda _self: SQL("true"))
        self.patch(
            traces,
            "_find_outdated",
            lambda one: dict.fromkeys((one & outdated).participant_id.ids, "unmatched"),
        )
        self.send_mails()
        self.assertFalse(self.mails_to(BOB))
        self.assertEqual(self.participant(self.bob).exit_reason, "unmatched")
        for lead in (self.ann, last):
            self.assertEqual(len(self.mails_to(lead.email_normalized)), 1)
            self.assertEqual(self.trace(lead, self.first).state, "processed")

    def test_killed_at_the_second(self):
        """The one after it was not handed over: it is not in doubt, and goes."""
        last = self.make_lead("last@recipient.example.com")
        self.run_cron()
        data = smtplib.SMTP.data
        answers = []

        def die(session, message):
            answers.append(data(session, message))
            if len(answers) == 2:
                session.close()
                raise Killed
            return answers[-1]

        with patch.object(smtplib.SMTP, "data", die):
            self.send_mails()
        self.assertEqual(len(self.catcher.messages), 2)
        self.send_mails()
        self.assertEqual(self.trace(self.bob, self.first).reason, "mail_in_doubt")
        self.assertEqual(len(self.mails_to(last.email_normalized)), 1)
        self.run_cron()
        for lead in (self.ann, last):
            self.assertEqual(self.trace(lead, self.first).state, "processed")
            self.assertEqual(self.trace(lead, self.second).state, "scheduled")

    def test_killed_before_the_sequence_was_notified(self):
        """The scheduled action tells what the queue could not, an answer does before."""
        mails = type(self.env["mail.mail"])
        with patch.object(mails, "_nurture_handle_sent", side_effect=Killed):
            self.send_mails()
        self.assertEqual(self.trace(self.ann, self.second).state, "waiting")
        self.send_mails()
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")
        self.assertFalse(self.mail(self.ann).nurture_pending)
        self.run_cron()
        self.assertEqual(self.trace(self.bob, self.second).state, "scheduled")

    def test_killed_and_then_the_server_is_down(self):
        """It is still in doubt, not one that has failed."""
        with self.breaking("data", Killed()):
            self.send_mails()
        servers = type(self.env["ir.mail_server"])
        with patch.object(servers, "_connect__", side_effect=OSError("down")):
            self.send_mails()
        self.assertEqual(self.trace(self.ann, self.first).reason, "mail_in_doubt")
        self.assertEqual(self.trace(self.bob, self.first).reason, "mail_failed")

    def test_connection_lost_after_the_text(self):
        trace = self.put_in_doubt()
        self.assertEqual((trace.state, trace.reason), ("error", "mail_in_doubt"))
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.mail_to(BOB)
        trace.with_user(self.marketer).action_retry()
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN)), 2)
        self.assertEqual(trace.state, "processed")
        self.assertEqual(self.trace(self.ann, self.second).state, "scheduled")

    def test_doubt_is_never_retried_automatically(self):
        self.first.write({"retry_count": 3, "retry": 1, "retry_unit": "hours"})
        trace = self.put_in_doubt()
        self.advance(days=1)
        self.assertEqual(trace.state, "error")
        with self.assertRaises(UserError):
            self.first.mailing_id.action_retry_failed()

    def test_answer_to_a_mail_in_doubt(self):
        """Whoever answers has got it, and leaves as always."""
        trace = self.put_in_doubt()
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")
        self.assertEqual((trace.state, trace.reason), ("processed", "done"))
        self.assertTrue(self.mail(self.ann).sent_datetime)

    def test_somebody_knows_that_it_arrived(self):
        trace = self.put_in_doubt()
        trace.with_user(self.marketer).action_mark_sent()
        self.send_mails()
        self.mail_to(ANN)
        self.assertEqual(trace.state, "processed")
        self.assertEqual(self.mail(self.ann).trace_status, "sent")
        self.assertEqual(self.trace(self.ann, self.second).state, "scheduled")
        with self.assertRaises(UserError):
            trace.with_user(self.marketer).action_mark_sent()

    def test_connection_lost_before_the_text(self):
        """It has not left for sure: it stays in the queue, and goes with the rest of it."""
        with (
            self.breaking("mail", smtplib.SMTPServerDisconnected("gone"), after=False),
            self.capture_triggers("mail.ir_cron_mail_scheduler_action") as queue,
        ):
            self.send_mails()
        self.assertEqual(self.mail(self.ann).mail_mail_id.state, "outgoing")
        self.assertTrue(queue.records)
        self.send_mails()
        self.mail_to(ANN)
        self.mail_to(BOB)
        self.assertEqual(self.trace(self.ann, self.second).state, "scheduled")

    def test_error_after_the_mail_was_accepted(self):
        """The server said that it has it: whatever fails afterwards does not send it again."""
        traces = type(self.env["mailing.trace"])
        for error in (OperationalError("gone"), ValueError("bad add-on")):
            with self.subTest(error), self.failing_once(traces, "set_sent", error):
                self.send_mails()
        self.send_mails()
        self.mail_to(ANN)
        self.mail_to(BOB)
        for lead in (self.ann, self.bob):
            self.assertEqual(self.trace(lead, self.first).state, "processed")
            self.assertEqual(self.trace(lead, self.second).state, "scheduled")

    def test_refused_by_the_server(self):
        # whoever it is for: not the address's fault
        self.catcher.answers = {ANN: RELAY_DENIED}
        self.send_mails()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
        self.assertIn("554", trace.detail)
        self.mail_to(BOB)
        self.catcher.answers.clear()
        trace.with_user(self.marketer).action_retry()
        self.send_mails()
        self.mail_to(ANN)


@tagged("post_install", "-at_install")
class TestActing(TwoLeadsMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.first.unlink()

    def make_server_action(self, code):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Of an integrator",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": code,
            }
        )
        self.step = self.make_step(
            self.sequence,
            step_type="action",
            mailing_id=False,
            action_kind="server",
            server_action_id=action.id,
        )
        self.sequence.action_start()

    def run_crons(self, times, culprit=None):
        """Run the scheduled action; a process that executes ``culprit`` is not there any more."""
        traces = type(self.env["nurture.trace"])
        execute = traces._execute

        def execute_or_die(batch):
            at_culprit = culprit and culprit.id in batch.participant_id.lead_id.ids
            if at_culprit and batch.step_id == self.step:
                raise Killed
            return execute(batch)

        self.env.flush_all()
        with patch.object(traces, "_execute", execute_or_die):
            for _run in range(times):
                with self.registry.cursor() as cr:
                    try:
                        self.env(cr=cr)["nurture.sequence"]._cron_advance()
                    except Killed:
                        cr.rollback()
                self.env.invalidate_all()

    def states(self):
        traces = self.env["nurture.trace"].search([("step_id", "=", self.step.id)])
        return {trace.lead_id: trace.state for trace in traces}

    def test_action_that_ends_the_transaction(self):
        for code in ("env.cr.commit()", "env.cr.rollback()"):
            with self.subTest(code):
                sequence = self.sequence = self.make_sequence(name=code)
                self.make_server_action(f"records.write({{'referred': 'x'}})\n{code}")
                self.run_crons(1)
                self.assertEqual(set(self.states().values()), {"error"})
                self.assertIn("must not", sequence.participant_ids.trace_ids[0].detail)
                self.assertFalse(self.ann.referred)

    def test_action_that_hides_an_error_of_the_database(self):
        self.make_server_action(
            "try:\n    env.cr.execute('SELECT nonsense')\nexcept Exception:\n    pass"
        )
        with mute_logger("odoo.sql_db"):
            self.run_crons(1)
        self.assertEqual(set(self.states().values()), {"error"})
        self.assertIn("did not report", self.sequence.participant_ids.trace_ids[0].detail)

    def test_process_that_ends_at_a_lead(self):
        """It is found, marked and does not stand in the way of the others."""
        others = [self.make_lead(f"lead{number}@recipient.example.com") for number in range(4)]
        self.make_server_action("records.write({'referred': 'x'})")
        self.run_crons(12, culprit=self.bob)
        states = self.states()
        self.assertEqual(states.pop(self.bob), "error")
        self.assertEqual(states, dict.fromkeys([self.ann, *others], "processed"))
        trace = self.trace(self.bob, self.step)
        self.assertEqual((trace.reason, trace.retry_date), ("interrupted", False))
        self.assertIn("ended", trace.detail)
        self.assertFalse(self.env["nurture.batch"].search([]))
        trace.with_user(self.marketer).action_retry()
        self.run_crons(1)
        self.assertEqual(trace.state, "processed")

    def test_two_processes_are_enough(self):
        """No more of them end than it takes to know at whom."""
        self.make_server_action("records.write({'referred': 'x'})")
        self.run_crons(3, culprit=self.bob)
        trace = self.trace(self.bob, self.step)
        self.assertEqual((trace.state, trace.reason), ("error", "interrupted"))
        self.assertIn("ended 2 times", trace.detail)

    def test_to_quarantine_is_work(self):
        """Core does not count such a run as one that led to nothing: it disables actions after
        some of these."""
        self.make_server_action("records.write({'referred': 'x'})")
        self.run_crons(1, culprit=self.bob)
        done = []
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda _cron, count=0: done.append(count)
        ):
            self.env["nurture.batch"]._take_over()
        self.assertEqual(done, [1])
        self.assertEqual(self.env["nurture.batch"].search([]).mapped("quarantined"), [True] * 2)

    def test_no_time_left_for_what_is_quarantined(self):
        """It is left to the next run, and whoever asks is answered that there was no time."""
        self.make_server_action("records.write({'referred': 'x'})")
        self.run_crons(1, culprit=self.bob)
        traces = type(self.env["nurture.trace"])
        with self.registry.cursor() as cr:
            env = self.env(cr=cr)
            batches, sequence = env["nurture.batch"], self.sequence.with_env(env)
            batches._take_over()
            with patch.object(traces, "_run_batch", lambda *_args, **_options: False):
                self.assertFalse(batches._run_quarantined(sequence))
            self.assertEqual(len(batches.search([])), 1)
            self.assertTrue(batches._run_quarantined(sequence))
            self.assertFalse(batches.search([]))

    def test_other_steps_go_first(self):
        """What ended a process waits until all else is done."""
        self.make_server_action("records.write({'referred': 'x'})")
        self.run_crons(1, culprit=self.bob)
        later = self.make_sequence(name="Another one")
        step = self.make_step(later, subject="Hello")
        later.action_start()
        self.run_crons(1, culprit=self.bob)
        self.assertEqual(self.trace(self.bob, step).state, "processed")

    def test_process_that_ended_for_a_reason_of_its_own(self):
        self.make_server_action("records.write({'referred': 'x'})")
        self.run_crons(1, culprit=self.bob)
        self.run_crons(1)
        self.assertEqual(set(self.states().values()), {"processed"})
        self.assertFalse(self.env["nurture.batch"].search([]))

    def test_quarantined_and_deferred(self):
        """What was quarantined is not done before its new date."""
        self.make_server_action("records.write({'referred': 'x'})")
        self.run_crons(1, culprit=self.bob)
        self.trace(self.ann, self.step)._defer(
            {self.trace(self.ann, self.step).id: (self.clock + timedelta(days=1), "sending_hours")}
        )
        self.run_crons(1)
        self.assertEqual(self.states(), {self.ann: "scheduled", self.bob: "processed"})

    def test_disk_full(self):
        """What did not fit on the disk does not keep the step from being done later."""
        self.make_server_action(
            "env['ir.attachment'].create([{'name': 'offer.txt', 'raw': lead.name * 1000,"
            " 'res_model': 'crm.lead', 'res_id': lead.id} for lead in records])"
        )

        def fill(path, _mode):
            """As `open`: what is written fits in part."""
            Path(path).write_bytes(b"as much as fits")
            raise OSError(28, "No space left on device")

        with (
            patch("odoo.addons.base.models.ir_attachment.open", fill, create=True),
            mute_logger("odoo.addons.base.models.ir_attachment"),
        ):
            self.run_crons(1)
        self.assertEqual(set(self.states().values()), {"error"})
        self.assertIn("No space left", self.trace(self.ann, self.step).detail)
        self.sequence.participant_ids.trace_ids.with_user(self.marketer).action_retry()
        self.run_crons(1)
        self.assertEqual(set(self.states().values()), {"processed"})
