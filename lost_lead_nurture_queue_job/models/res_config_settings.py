from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .nurture_sequence import PARAMETER

MAX_JOBS = 64


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    nurture_parallel_jobs = fields.Integer(
        string="Jobs at Once",
        help="How many jobs work on one step at the same time when much is due. "
        "0: no jobs, scheduled actions do the work.",
    )
    nurture_jobs_waiting_since = fields.Datetime(
        compute="_compute_nurture_jobs_waiting_since",
        help="Jobs that should have been started long ago: does the job runner run?",
    )

    @api.depends("nurture_parallel_jobs")
    def _compute_nurture_jobs_waiting_since(self):
        self.nurture_jobs_waiting_since = self.env["nurture.sequence"]._get_jobs_waiting_since()

    @api.constrains("nurture_parallel_jobs")
    def _check_nurture_parallel_jobs(self):
        for settings in self:
            if not 0 <= settings.nurture_parallel_jobs <= MAX_JOBS:
                raise ValidationError(
                    self.env._("At a step there are from 0 to %s jobs at once.", MAX_JOBS)
                )

    @api.model
    def get_values(self):
        number = self.env["nurture.sequence"]._get_parallel_jobs()
        return {**super().get_values(), "nurture_parallel_jobs": number}

    def set_values(self):  # pylint: disable=missing-return
        # not by config_parameter, which takes 0 for nothing
        super().set_values()
        self.env["ir.config_parameter"].set_param(PARAMETER, str(self.nurture_parallel_jobs))
