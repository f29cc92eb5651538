from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.zones import midnight


class NurtureComing(models.Model):
    """What is to come, by day: one record for all leads for which a step is scheduled on a day, so
    that a calendar can show thousands. Made of the traces that the user may see."""

    _name = "nurture.coming"
    _description = "Coming Step"
    _auto = False
    _order = "date, sequence_id, step_id"

    date = fields.Date(readonly=True, help="In your time zone. What is due already is of today.")
    sequence_id = fields.Many2one("nurture.sequence", readonly=True)
    step_id = fields.Many2one("nurture.step", readonly=True)
    step_type = fields.Selection(related="step_id.step_type", string="Type")
    lead_count = fields.Integer("Leads", readonly=True)

    _depends = {
        "nurture.trace": ["participant_id", "schedule_date", "sequence_id", "state", "step_id"],
        "nurture.sequence": ["state"],
    }

    @property
    def _table_query(self):
        traces = self.env["nurture.trace"]._search(
            [("state", "=", "scheduled"), ("sequence_id.state", "=", "running")]
        )
        columns = {
            name: SQL.identifier(traces.table, name)
            for name in ("id", "sequence_id", "step_id", "schedule_date")
        }
        columns["date"] = SQL(
            "timezone(%s, timezone('UTC', GREATEST(%s, %s)))::date",
            self.env.tz.zone,
            columns["schedule_date"],
            fields.Datetime.now(),
        )
        traces.groupby = SQL("2, 3, 4")
        return traces.select(
            SQL("min(%s) AS id", columns["id"]),
            SQL("%s AS sequence_id", columns["sequence_id"]),
            SQL("%s AS step_id", columns["step_id"]),
            SQL("%s AS date", columns["date"]),
            SQL("count(*) AS lead_count"),
        )

    @api.depends("lead_count", "step_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for coming in self:
            step = coming.step_id.name
            if coming.lead_count == 1:
                coming.display_name = self.env._("1 lead: %s", step)
            else:
                coming.display_name = self.env._(
                    "%(number)s leads: %(step)s", number=coming.lead_count, step=step
                )

    def action_view_traces(self):
        """Open the leads for which the step is scheduled on the day."""
        self.ensure_one()
        begin, end = (
            midnight(day, self.env.tz) for day in (self.date, self.date + timedelta(days=1))
        )
        domain = [
            ("step_id", "=", self.step_id.id),
            ("state", "=", "scheduled"),
            ("schedule_date", "<", end),
        ]
        if begin > fields.Datetime.now():
            # what is due already is of today
            domain.append(("schedule_date", ">=", begin))
        return self.sequence_id._open_list("nurture.trace", self.display_name, domain)
