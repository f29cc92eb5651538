from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.reasons import IN_QUEUE
from ..tools.zones import midnight

#: What a day has: the traces that are so, and the date that says on which day.
_STATES = {
    "done": (
        Domain("state", "=", "processed") & Domain("reason", "not in", IN_QUEUE),
        "processed_date",
    ),
    "to_come": (
        (
            Domain("state", "=", "scheduled")
            # in the queue, where it waits for a mail provider, or for what the recipient wants
            | (Domain("state", "=", "processed") & Domain("reason", "in", IN_QUEUE))
        )
        & Domain("sequence_id.state", "=", "running"),
        "schedule_date",
    ),
}


class NurtureComing(models.Model):
    """What was done and what is to come, by day: one record for all leads for which a step was done
    or is scheduled on a day, so that a calendar can show thousands. Made of the traces that the
    user may see."""

    _name = "nurture.coming"
    _description = "Step of a Day"
    _auto = False
    _order = "date, state, sequence_id, step_id"

    date = fields.Date(readonly=True, help="In your time zone. What is due already is of today.")
    state = fields.Selection([("done", "Done"), ("to_come", "To Come")], readonly=True)
    sequence_id = fields.Many2one("nurture.sequence", readonly=True)
    step_id = fields.Many2one("nurture.step", readonly=True)
    step_type = fields.Selection(related="step_id.step_type", string="Type")
    lead_count = fields.Integer("Leads", readonly=True)

    _depends = {
        "nurture.trace": [
            *("participant_id", "processed_date", "reason", "schedule_date", "sequence_id"),
            *("state", "step_id"),
        ],
        "nurture.sequence": ["state"],
    }

    @property
    def _table_query(self):
        return SQL(" UNION ALL ").join(SQL("(%s)", self._select_days(state)) for state in _STATES)

    def _select_days(self, state):
        """The days of what is ``state``, with how many leads each step has on them."""
        domain, date = _STATES[state]
        traces = self.env["nurture.trace"]._search(domain)
        columns = {
            name: SQL.identifier(traces.table, name)
            for name in ("id", "sequence_id", "step_id", date)
        }
        moment = columns[date]
        if state == "to_come":
            moment = SQL("GREATEST(%s, %s)", moment, fields.Datetime.now())
        traces.groupby = SQL("3, 4, 5")
        return traces.select(
            SQL("min(%s) AS id", columns["id"]),
            SQL("%s AS state", state),
            SQL("%s AS sequence_id", columns["sequence_id"]),
            SQL("%s AS step_id", columns["step_id"]),
            SQL("timezone(%s, timezone('UTC', %s))::date AS date", self.env.tz.zone, moment),
            SQL("count(*) AS lead_count"),
        )

    @api.depends("lead_count", "state", "step_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for coming in self:
            values = {"number": coming.lead_count, "step": coming.step_id.name}
            if coming.state == "done" and coming.lead_count == 1:
                coming.display_name = self.env._("✓ 1 lead: %(step)s", **values)
            elif coming.state == "done":
                coming.display_name = self.env._("✓ %(number)s leads: %(step)s", **values)
            elif coming.lead_count == 1:
                coming.display_name = self.env._("1 lead: %s", coming.step_id.name)
            else:
                coming.display_name = self.env._("%(number)s leads: %(step)s", **values)

    def action_view_traces(self):
        """Open the leads for which the step was done, or is scheduled, on the day."""
        self.ensure_one()
        begin, end = (
            midnight(day, self.env.tz) for day in (self.date, self.date + timedelta(days=1))
        )
        states, date = _STATES[self.state]
        domain = states & Domain("step_id", "=", self.step_id.id) & Domain(date, "<", end)
        # what is due already is of today
        if self.state == "done" or begin > fields.Datetime.now():
            domain &= Domain(date, ">=", begin)
        return self.sequence_id._open_list("nurture.trace", self.display_name, domain)
