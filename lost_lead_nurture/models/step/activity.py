from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .step import MAX_DELAY


class NurtureStep(models.Model):
    """Steps of the type Activity: something for a person to do."""

    _inherit = "nurture.step"

    step_type = fields.Selection(
        selection_add=[("activity", "Activity")], ondelete={"activity": "cascade"}
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        domain="[('res_model', 'in', [False, 'crm.lead'])]",
        ondelete="restrict",
    )
    activity_summary = fields.Char(
        string="Summary", help="With placeholders such as {{object.contact_name}}."
    )
    activity_note = fields.Html(string="Description", sanitize="email_outgoing")
    activity_due_days = fields.Integer(
        string="Due in (days)", default=2, help="Days from the day the step is done."
    )
    activity_who = fields.Selection(
        [
            ("salesperson", "The lead's salesperson"),
            ("leader", "The leader of the sales team"),
            ("user", "Somebody else"),
        ],
        string="For",
        default="salesperson",
        help="When nobody is there who works for the lead's company, the responsible of the "
        "sequence.",
    )
    activity_user_id = fields.Many2one(
        "res.users", string="Assigned to", domain="[('share', '=', False)]"
    )

    @api.constrains("activity_due_days")
    def _check_activity_due_days(self):
        for step in self:
            if not 0 <= step.activity_due_days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._(
                        "Step “%s”: an activity is due today at the earliest, and in ten years at "
                        "the latest.",
                        step.name,
                    )
                )

    @api.model
    def _get_activity_fields(self):
        return ["activity_type_id", "activity_who", "activity_user_id"]

    def _get_activity_problems(self):
        problems = []
        for step in self.filtered(lambda step: step.step_type == "activity"):
            if not step.activity_type_id:
                problems.append(self.env._("Step “%s” has no type of activity.", step.name))
            elif step.activity_who == "user" and not step.activity_user_id:
                problems.append(self.env._("Step “%s” does not say who it is for.", step.name))
        return problems

    def _do_activity(self, traces):
        trace_by_lead = {trace.participant_id.lead_id: trace for trace in traces}
        leads = self.sequence_id._offering(traces.participant_id.lead_id)
        summaries = leads._nurture_render(self.activity_summary)
        notes = leads._nurture_render(self.activity_note, html=True)
        deadline = fields.Date.add(fields.Date.context_today(self), days=self.activity_due_days)
        model_id = self.env["ir.model"]._get_id("crm.lead")
        self.env["mail.activity"].create(
            [
                {
                    "activity_type_id": self.activity_type_id.id,
                    "date_deadline": deadline,
                    "automated": True,
                    "note": notes[lead.id],
                    "nurture_trace_id": trace_by_lead[lead].id,
                    "res_id": lead.id,
                    "res_model_id": model_id,
                    "summary": summaries[lead.id],
                    "user_id": self._get_assignee(lead).id,
                }
                for lead in leads
            ]
        )

    def _get_assignee(self, lead):
        wanted = {
            "salesperson": lead.user_id,
            "leader": lead.team_id.user_id,
            "user": self.activity_user_id,
        }[self.activity_who]
        candidates = wanted | self.sequence_id.user_id
        return candidates._nurture_at_work(lead.company_id)[:1] or self.env.user
