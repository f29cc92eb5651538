from odoo import api, fields, models

from ..tools.arguments import check_records, read_choice


class NurtureReach(models.TransientModel):
    """The question before a mailing of its own goes to open and won leads."""

    _name = "nurture.reach"
    _description = "Send to Open and Won Leads, Too?"

    mailing_ids = fields.Many2many("mailing.mailing", required=True, readonly=True)
    method = fields.Selection(
        [
            ("action_launch", "Send"),
            ("action_schedule", "Schedule"),
            ("action_schedule_date", "Schedule for a date"),
            ("action_put_in_queue", "Put in the queue"),
            ("action_send_mail", "Send now"),
            ("action_select_as_winner", "Send as winner"),
            ("action_send_winner_mailing", "Send the winner"),
        ],
        required=True,
        readonly=True,
        help="What the user wanted to do with the mailing.",
    )
    schedule_date = fields.Datetime(readonly=True)
    open_count = fields.Integer(string="Open Leads", readonly=True)
    won_count = fields.Integer(string="Won Leads", readonly=True)
    lost_count = fields.Integer(string="Lost Leads", readonly=True)
    is_partial = fields.Boolean(readonly=True, help="There may be more, whom the user may not see.")
    ab_testing_pc = fields.Integer(
        compute="_compute_ab_testing_pc", help="The share that an A/B test draws of them."
    )
    subject = fields.Char(compute="_compute_subject")

    @api.depends("mailing_ids.display_name")
    def _compute_subject(self):
        for question in self:
            question.subject = ", ".join(question.mailing_ids.mapped("display_name"))

    @api.depends("mailing_ids.ab_testing_pc", "method")
    def _compute_ab_testing_pc(self):
        for question in self:
            tests = question.mailing_ids.filtered("ab_testing_enabled")
            winner = question.method in ("action_select_as_winner", "action_send_winner_mailing")
            question.ab_testing_pc = tests[:1].ab_testing_pc if tests and not winner else 100

    def action_view_leads(self):
        """Open leads that it would reach; the context key ``nurture_status`` says which: those that
        are ``pending``, ``won`` or ``lost``.

        :raise UserError: when it is none of them
        """
        check_records(self, one=True)
        self.check_access("read")
        names = {
            "pending": self.env._("Open Leads"),
            "won": self.env._("Won Leads"),
            "lost": self.env._("Lost Leads"),
        }
        status = self.env.context.get("nurture_status")
        name = read_choice(self.env, status, names)
        reached, _is_partial = self.mailing_ids._nurture_find_reached()
        return self.env["nurture.sequence"]._open_documents(name, reached[status])

    def action_confirm(self):
        """Do what was wanted."""
        self.ensure_one()
        mailings = self.mailing_ids._nurture_asked()
        if self.method == "action_schedule_date":
            for mailing in mailings:
                self.env["mailing.mailing.schedule.date"].with_context(nurture_ask=False).create(
                    {"mass_mailing_id": mailing.id, "schedule_date": self.schedule_date}
                ).action_schedule_date()
            result = None
        else:
            result = getattr(mailings, self.method)()
        if isinstance(result, dict):
            return result
        return {"type": "ir.actions.act_window_close"}
