import logging
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.lost_lead_nurture.models.sequence.workers import BATCHES_PER_WORKER
from odoo.addons.queue_job.utils import must_run_without_delay

_logger = logging.getLogger(__name__)

#: How many jobs are at work at one step, where nothing else is set.
PARALLEL_JOBS = 4
PARAMETER = "lost_lead_nurture.parallel_jobs"
#: When jobs have waited for so long, their work is done without them.
PATIENCE = timedelta(minutes=5)


class NurtureSequence(models.Model):
    _inherit = "nurture.sequence"

    @api.model
    def _get_parallel_jobs(self):
        """How many jobs may be at work at one step; 0: the scheduled actions do it all."""
        value = self.env["ir.config_parameter"].sudo().get_param(PARAMETER, "")
        return int(value) if value.isdecimal() else PARALLEL_JOBS

    def _share_due(self, steps):
        """Queue jobs for what is due. When jobs are not started the scheduled action does it."""
        number = self._get_parallel_jobs()
        if not number or must_run_without_delay(self.env):
            return super()._share_due(steps)
        waiting_since = steps and self._get_jobs_waiting_since()
        if waiting_since:
            # no responsible can mend that, and nothing stands still: it is for the administrator
            _logger.warning(
                "Jobs that advance sequences have been waiting since %s (UTC): the job runner does "
                "not run, or the channel root.nurture is too small. The scheduled action does their"
                " work meanwhile.",
                waiting_since,
            )
            return super()._share_due(steps)
        for step in steps:
            batches = self._count_due_batches(step, number * BATCHES_PER_WORKER)
            step._queue_jobs(min(number, 1 + batches // BATCHES_PER_WORKER))
        self.env["ir.cron"]._commit_progress()
        return True

    @api.model
    def _get_jobs_waiting_since(self):
        """Since when a job has been waiting that should have been started long ago, if any."""
        jobs = self.env["nurture.step"]._get_jobs(["pending", "enqueued"])
        dates = [job.eta or job.date_created for job in jobs]
        too_long = [date for date in dates if date < fields.Datetime.now() - PATIENCE]
        return min(too_long, default=None)
