from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command

from ...tools.inside import INSIDE
from ...tools.values import parse_value

#: A lead has so many points at most, or so many less than none.
MAX_SCORE = 1_000_000
#: What has to be filled in for each kind of action.
NEEDED = {
    "stage": "stage_id",
    "salesperson": "salesperson_id",
    "team": "team_id",
    "add_tags": "tag_ids",
    "remove_tags": "tag_ids",
    "priority": "priority",
    "field": "field_name",
    "note": "note",
    "server": "server_action_id",
}


class NurtureStep(models.Model):
    """Steps of the type Action: something is done with the leads, with or without code.

    Each kind of action is one method ``_act_<kind>``, called once per batch with its leads.
    """

    _inherit = "nurture.step"

    step_type = fields.Selection(
        selection_add=[("action", "Action")], ondelete={"action": "cascade"}
    )
    action_kind = fields.Selection(
        [
            ("restore", "Restore the lead"),
            ("stage", "Change stage"),
            ("salesperson", "Change salesperson"),
            ("team", "Change sales team"),
            ("add_tags", "Add tags"),
            ("remove_tags", "Remove tags"),
            ("priority", "Change priority"),
            ("field", "Set a field"),
            ("score", "Add to the score"),
            ("note", "Post a note"),
            ("blacklist", "Blacklist the address"),
            ("server", "Run a server action"),
        ],
        string="Action",
        help="What is done with the lead.",
    )
    stage_id = fields.Many2one("crm.stage", ondelete="restrict")
    salesperson_id = fields.Many2one(
        "res.users", domain="[('share', '=', False)]", ondelete="restrict"
    )
    team_id = fields.Many2one("crm.team", string="Sales Team", ondelete="restrict")
    tag_ids = fields.Many2many("crm.tag", string="Tags", ondelete="restrict")
    priority = fields.Selection(
        selection=lambda self: (
            self.env["crm.lead"]._fields["priority"]._description_selection(self.env)
        )
    )
    field_name = fields.Char(string="Field", help="Technical name of the lead's field.")
    field_value = fields.Char(
        string="Value",
        help="The new value. Dates as 2026-12-31, yes or no for a box, the name of the record "
        "for a link. Empty: the field is emptied.",
    )
    score = fields.Integer(string="Points", help="Added to the lead's score; negative: taken away.")
    note = fields.Html(
        sanitize="email_outgoing", help="Posted on the lead, for your colleagues only."
    )
    server_action_id = fields.Many2one(
        "ir.actions.server",
        domain="[('model_name', '=', 'crm.lead'), ('usage', '=', 'ir_actions_server')]",
        ondelete="restrict",
        help="Runs once per batch, on all its leads, with the rights of who has set the "
        "step up; with all rights when an administrator has allowed it for sequences.",
    )
    allowed_action = fields.Selection(
        "_selection_allowed_action",
        compute="_compute_allowed_action",
        readonly=False,
        string="Allowed Server Action",
        help="The server actions that an administrator has allowed for sequences.",
    )

    @api.model
    def _selection_allowed_action(self):
        # marketers may not read server actions, which may keep secrets: the names they may
        allowed = (
            self.env["ir.actions.server"]
            .sudo()
            .search([("nurture_allowed", "=", True), ("model_name", "=", "crm.lead")])
        )
        return [(str(action.id), action.name) for action in allowed]

    @api.depends("server_action_id")
    def _compute_allowed_action(self):
        for step in self:
            action = step.server_action_id.sudo()
            fits = action.nurture_allowed and action.model_name == "crm.lead"
            step.allowed_action = fits and str(action.id)

    @api.onchange("allowed_action")
    def _onchange_allowed_action(self):
        self.server_action_id = int(self.allowed_action) if self.allowed_action else False

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("score")
    def _check_score(self):
        for step in self:
            if abs(step.score) > MAX_SCORE:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s”: nobody gets more than %(most)s points at once.",
                        step=step.name,
                        most=MAX_SCORE,
                    )
                )

    @api.constrains("note", "activity_note", "activity_summary")
    def _check_placeholders(self):
        leads = self.env["crm.lead"]
        for step in self:
            for template, html in (
                (step.note, True),
                (step.activity_note, True),
                (step.activity_summary, False),
            ):
                if not leads._nurture_can_render(template, html):
                    raise ValidationError(
                        self.env._(
                            "Step “%s”: a placeholder can only name a field of the lead that is "
                            "shown, such as {{object.contact_name}}.",
                            step.name,
                        )
                    )

    @api.model
    def _get_action_fields(self):
        return ["action_kind", *NEEDED.values()]

    def _get_action_problems(self):
        problems = []
        for step in self.filtered(lambda step: step.step_type == "action"):
            needed = NEEDED.get(step.action_kind)
            if not step.action_kind or (needed and not step[needed]):
                problems.append(self.env._("Step “%s” does not say what to do.", step.name))
        return problems

    def _get_action(self):
        """What an action does, in words."""
        self.ensure_one()
        kinds = dict(self._fields["action_kind"]._description_selection(self.env))
        label = kinds.get(self.action_kind, "")
        field = self._fields.get(NEEDED.get(self.action_kind))
        if not field or field.type == "html":
            return label
        value = field.convert_to_export(self[field.name], self)
        return self.env._("%(what)s: %(value)s", what=label, value=value)

    def _action_ends_journey(self):
        ends = {
            "restore": self.sequence_id.exit_on_restored,
            "blacklist": True,  # no message is sent any more
        }
        return ends.get(self.action_kind, False)

    # ------------------------------------------------------------
    # DO
    # ------------------------------------------------------------

    def _do_action(self, traces):
        leads = traces.participant_id.lead_id
        getattr(self, f"_act_{self.action_kind}")(leads)

    def _act_restore(self, leads):
        leads.action_restore()

    def _act_stage(self, leads):
        leads.write({"stage_id": self.stage_id.id})

    def _act_salesperson(self, leads):
        leads.write({"user_id": self.salesperson_id.id})

    def _act_team(self, leads):
        leads.write({"team_id": self.team_id.id})

    def _act_add_tags(self, leads):
        leads.write({"tag_ids": [Command.link(tag.id) for tag in self.tag_ids]})

    def _act_remove_tags(self, leads):
        leads.write({"tag_ids": [Command.unlink(tag.id) for tag in self.tag_ids]})

    def _act_priority(self, leads):
        leads.write({"priority": self.priority})

    def _act_field(self, leads):
        self._as_author(leads).write(self._get_field_values())

    def _act_score(self, leads):
        by_score = leads.grouped("nurture_score")
        for score, same in by_score.items():
            same.nurture_score = max(-MAX_SCORE, min(score + self.score, MAX_SCORE))

    def _act_note(self, leads):
        bodies = self.sequence_id._offering(leads)._nurture_render(self.note, html=True)
        leads._message_log_batch(bodies=bodies, message_type="notification")

    def _act_blacklist(self, leads):
        # one call for the batch; who is on the list leaves all sequences
        self.env["mail.blacklist"].create(
            [{"email": address} for address in set(leads.mapped("email_normalized")) if address]
        )

    def _act_server(self, leads):
        action = self.server_action_id
        if action.sudo().nurture_allowed:
            action = action.sudo().with_context(nurture_allowed=INSIDE)
        else:
            action = self._as_author(action)
        action.with_context(
            active_model="crm.lead", active_ids=leads.ids, active_id=leads[:1].id
        ).run()

    def _get_field_values(self):
        """The field and its new value, to write on leads.

        :raise ValidationError: when there is no such field, its author may not set it, or the value
            does not fit it
        """
        self.ensure_one()
        leads = self._as_author(self.env["crm.lead"])
        if self.field_name not in self._get_settable_fields(leads):
            raise ValidationError(self._say_not_settable())
        field = leads._fields[self.field_name]
        try:
            value = parse_value(leads.env, field, self.field_value)
            if field.required and value is False:
                raise ValueError(self.field_value)
            return {field.name: value}
        except ValueError as error:
            raise ValidationError(
                self.env._(
                    "Step “%(step)s”: “%(value)s” does not fit the field %(field)s.",
                    step=self.name,
                    value=self.field_value,
                    field=field._description_string(self.env),
                )
            ) from error

    def _say_not_settable(self):
        """Why the field is not set, in words."""
        if self.field_name not in self._get_settable_fields(self.env["crm.lead"].sudo()):
            return self.env._(
                "Step “%(step)s”: “%(field)s” is not a field of leads that can be set.",
                step=self.name,
                field=self.field_name,
            )
        return self.env._(
            "Step “%(step)s”: %(user)s may not set the field “%(field)s” of leads.",
            step=self.name,
            user=self.author_id.sudo().name,
            field=self.field_name,
        )
