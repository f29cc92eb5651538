from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureHttpCase
from odoo.addons.queue_job.job import Job
from odoo.addons.queue_job.tests.common import trap_jobs

from ..hooks import uninstall_hook
from ..models import nurture_sequence, nurture_step


@tagged("post_install", "-at_install")
class TestJobs(NurtureHttpCase):
    """What is due is done by jobs, and without them when there is nobody to start them."""

    def setUp(self):
        super().setUp()
        # batches of two: with eight due there is work for a second job
        self.env["ir.config_parameter"].set_param("mail.batch_size", "2")
        self.set_jobs(3)
        self.sequence = self.make_sequence()
        self.step = self.make_step(self.sequence)

    def set_jobs(self, number):
        self.env["res.config.settings"].create({"nurture_parallel_jobs": number}).execute()

    def make_due(self, leads):
        for number in range(leads):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.action_start()

    def jobs(self):
        return self.env["queue.job"].search([("model_name", "=", "nurture.step")], order="id")

    def start(self, job, date=None):
        """What the runner does before it runs a job."""
        started = Job.load(self.env, job.uuid)
        started.set_started()
        started.date_started = date or self.clock
        started.store()

    # ------------------------------------------------------------
    # HANDING OVER
    # ------------------------------------------------------------

    def test_a_job_does_what_is_due(self):
        self.make_due(5)
        with trap_jobs() as jobs:
            self.run_cron()
            self.assertEqual(len(self.sequence.participant_ids), 5)
            self.assertEqual(self.processed(), 0)
            jobs.assert_jobs_count(1)
            jobs.perform_enqueued_jobs()
            jobs.assert_jobs_count(0)
        self.env.invalidate_all()
        self.assertEqual(self.processed(), 5)
        self.send_mails()
        addresses = sorted(message["To"] for message in self.catcher.messages)
        self.assertEqual(len(set(addresses)), 5)
        self.assertEqual(len(addresses), 5)

    def test_how_a_job_is_queued(self):
        self.make_due(1)
        self.run_cron()
        job = self.jobs()
        self.assertEqual(job.channel, "root.nurture")
        self.assertEqual(job.records, self.step)
        self.assertEqual(job.name, f"Restock: {self.step.display_name}")
        self.assertTrue(job.job_function_id.allow_commit, "batches are committed one by one")

    def test_nothing_due_queues_nothing(self):
        self.make_due(0)
        self.run_cron()
        self.assertFalse(self.jobs())

    def test_as_many_jobs_as_have_work(self):
        for due, number in ((7, 1), (8, 2), (20, 3), (40, 3)):
            with self.subTest(due=due), trap_jobs() as jobs:
                self.env["crm.lead"].with_context(active_test=False).search(
                    [("lost_reason_id", "=", self.reason_stock.id)]
                ).unlink()
                self.make_due(due)
                self.run_cron()
                jobs.assert_jobs_count(number)

    def test_two_jobs_share_a_step(self):
        self.make_due(8)
        with trap_jobs() as jobs:
            self.run_cron()
            jobs.assert_jobs_count(2)
            jobs.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual(self.processed(), 8)
        self.send_mails()
        self.assertEqual(len(self.catcher.messages), 8)

    def test_no_jobs_wanted(self):
        self.set_jobs(0)
        self.make_due(3)
        self.run_cron()
        self.assertFalse(self.jobs())
        self.assertEqual(self.processed(), 3)

    def test_advance_now_needs_no_job(self):
        self.make_due(3)
        self.sequence.with_user(self.marketer).action_advance()
        self.assertFalse(self.jobs())
        self.assertEqual(self.processed(), 3)

    # ------------------------------------------------------------
    # ONCE
    # ------------------------------------------------------------

    def test_a_job_that_waits_is_not_queued_again(self):
        self.make_due(1)
        self.run_cron()
        self.run_cron()
        self.assertEqual(len(self.jobs()), 1)

    def test_a_job_at_work_is_not_queued_again(self):
        self.make_due(1)
        self.run_cron()
        self.start(self.jobs())
        self.run_cron()
        self.assertEqual(len(self.jobs()), 1)

    def test_a_job_that_was_killed_holds_nobody_up(self):
        """Killed jobs stay started until the runner sees it, if it ever does."""
        self.make_due(1)
        self.run_cron()
        self.start(self.jobs(), self.clock - nurture_step.LIFE - timedelta(seconds=1))
        self.run_cron()
        self.assertEqual(self.jobs().mapped("state"), ["started", "pending"])

    def test_a_job_ends_in_time(self):
        """What it does not manage is for another one."""
        self.make_due(5)
        with trap_jobs() as jobs, patch.object(nurture_step, "JOB_SECONDS", 0):
            self.run_cron()
            for done in (2, 4, 5):
                jobs.assert_jobs_count(1)
                jobs.perform_enqueued_jobs()
                self.env.invalidate_all()
                self.assertEqual(self.processed(), done)
            jobs.perform_enqueued_jobs()
            jobs.assert_jobs_count(0)

    def test_stop_means_stop(self):
        self.make_due(3)
        with trap_jobs() as jobs:
            self.run_cron()
            self.sequence.action_stop()
            self.env.flush_all()
            jobs.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual(self.processed(), 0)

    def test_the_step_was_deleted(self):
        with trap_jobs() as jobs:
            self.step._queue_job(0)
            self.step.unlink()
            jobs.perform_enqueued_jobs()
        self.assertEqual(self.processed(), 0)

    # ------------------------------------------------------------
    # NOBODY STARTS THE JOBS
    # ------------------------------------------------------------

    def wait_for_the_runner(self):
        """A job that was queued too long ago."""
        self.run_cron()
        long_ago = self.clock - nurture_sequence.PATIENCE - timedelta(seconds=1)
        # the ORM lets nobody write it
        self.env.cr.execute("UPDATE queue_job SET date_created = %s", (long_ago,))
        self.env.invalidate_all()

    def test_the_scheduled_action_steps_in(self):
        self.make_due(3)
        self.wait_for_the_runner()
        self.assertEqual(self.processed(), 0)
        with self.assertLogs(nurture_sequence._logger, "WARNING") as logs:
            self.run_cron()
        self.assertIn("the job runner does not run", logs.output[0])
        self.assertEqual(self.processed(), 3)
        self.assertTrue(self.env["res.config.settings"].create({}).nurture_jobs_waiting_since)

    def test_the_runner_is_back(self):
        self.make_due(3)
        self.wait_for_the_runner()
        job = Job.load(self.env, self.jobs().uuid)
        job.perform()
        job.set_done()
        job.store()
        self.assertFalse(self.env["res.config.settings"].create({}).nurture_jobs_waiting_since)
        self.make_lead("late@recipient.example.com")
        self.run_cron()
        self.assertEqual(self.jobs().mapped("state"), ["done", "pending"])

    def test_a_job_that_is_deferred_is_not_late(self):
        self.make_due(3)
        self.wait_for_the_runner()
        self.jobs().eta = self.clock + timedelta(minutes=1)
        self.run_cron()
        self.assertEqual(self.processed(), 0)

    # ------------------------------------------------------------
    # ERRORS
    # ------------------------------------------------------------

    def test_one_bad_lead_fails_no_job(self):
        self.make_due(3)
        bad = self.make_lead("bad@recipient.example.com")
        with trap_jobs() as jobs, self.breaking_mail_of(bad):
            self.run_cron()
            jobs.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual(self.processed(), 3)
        self.assertEqual(self.trace(bad, self.step).state, "error")

    def test_a_job_that_fails_is_seen_on_the_sequence(self):
        self.make_due(1)
        self.run_cron()
        Job.load(self.env, self.jobs().uuid).on_fail({"exc_message": "the disk is full"})
        self.assertEqual(self.sequence.last_error, "A job failed: the disk is full")
        self.jobs().state = "failed"
        self.run_cron()
        self.assertEqual(self.jobs().mapped("state"), ["failed", "pending"])

    def test_conflicts_are_tried_again(self):
        """A worker to whom others were too quick tries again."""
        self.make_due(1)
        traces = type(self.env["nurture.trace"])
        with trap_jobs() as jobs:
            self.run_cron()
            with patch.object(traces, "_process_due", lambda *_args, **_kwargs: False):
                jobs.perform_enqueued_jobs()
            jobs.assert_jobs_count(1)
            jobs.perform_enqueued_jobs()
        self.env.invalidate_all()
        self.assertEqual(self.processed(), 1)

    # ------------------------------------------------------------
    # SETTINGS
    # ------------------------------------------------------------

    def test_settings(self):
        for number in (0, 1, 64):
            self.set_jobs(number)
            settings = self.env["res.config.settings"].create({})
            self.assertEqual(settings.nurture_parallel_jobs, number)
        for number in (-1, 65):
            with self.assertRaises(ValidationError):
                self.set_jobs(number)

    def test_default_settings(self):
        self.env["ir.config_parameter"].search([("key", "=", nurture_sequence.PARAMETER)]).unlink()
        self.assertEqual(self.env["res.config.settings"].create({}).nurture_parallel_jobs, 4)

    def test_uninstalling_cancels_what_waits(self):
        self.make_due(1)
        self.run_cron()
        uninstall_hook(self.env)
        self.assertEqual(self.jobs().state, "cancelled")
