import time
from datetime import timedelta

from odoo import api, fields, models

#: After so long a job makes room for others and queues another one for the rest. Odoo ends
#: requests, and with them jobs, that take longer than its limits of time.
JOB_SECONDS = 20
#: A job that was started longer ago was killed, and holds nobody up.
LIFE = timedelta(seconds=6 * JOB_SECONDS)
#: States of jobs that somebody is going to start.
QUEUED = ("wait_dependencies", "pending", "enqueued")


class NurtureStep(models.Model):
    _inherit = "nurture.step"

    @api.model
    def _get_jobs(self, states):
        """Our jobs in one of these states."""
        return (
            self.env["queue.job"]
            .sudo()
            .search(
                [
                    ("model_name", "=", self._name),
                    ("method_name", "=", "_job_advance"),
                    ("state", "in", states),
                ]
            )
        )

    def _queue_jobs(self, number):
        """Queue jobs for what is due, up to ``number`` of them waiting or at work at once."""
        self.ensure_one()
        jobs = self._get_jobs([*QUEUED, "started"])
        since = fields.Datetime.now() - LIFE
        alive = jobs.filtered(
            lambda job: job.state != "started" or (job.date_started and job.date_started > since)
        )
        taken = set(alive.mapped("identity_key"))
        for place in range(number):
            if self._get_job_key(place) not in taken:
                self._queue_job(place)

    def _get_job_key(self, place):
        return f"{self._name},{self.id},{place}"

    def _queue_job(self, place):
        """Queue a job, unless one waits in its place."""
        self.with_delay(
            identity_key=self._get_job_key(place),
            description=self.env._(
                "%(sequence)s: %(step)s",
                sequence=self.sequence_id.name,
                step=self.display_name,
            ),
        )._job_advance(place)

    def _job_advance(self, place):
        """The job: process what is due, batch by batch, for a while. Other jobs and scheduled
        actions may be at the same step: each takes batches that nobody holds.

        :param place: which of the step's jobs this is, of those at work at once
        """
        if not self.exists():
            return self.env._("The step was deleted.")
        if self.env["nurture.trace"]._process_due(self, end=time.monotonic() + JOB_SECONDS):
            return self.env._("Nothing is left to do.")
        self._queue_job(place)
        return self.env._("Its time was up; another job does the rest.")

    def _job_failed(self, exc_message=None, **_values):
        """Show on the sequence what went wrong in a job. The scheduled action queues another."""
        for sequence in self.exists().sequence_id:
            sequence.last_error = self.env._("A job failed: %s", exc_message)
