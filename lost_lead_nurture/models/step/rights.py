from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ...tools.arguments import check_records
from ...tools.values import can_parse

#: Fields of a lead that no step sets: who may see it, what it belongs to and where it stands, and
#: the contact, which the lead's address is written into.
PROTECTED_FIELDS = {
    *models.MAGIC_COLUMNS,
    "active",
    "company_id",
    "lost_reason_id",
    "partner_id",
    "probability",
    # there are actions for these, which leave a lead in its company
    "team_id",
    "user_id",
    "won_status",
}
#: What makes a step do something else: whoever changes one of these has set it up.
SET_UP = (
    "action_kind",
    "field_name",
    "field_value",
    "sequence_id",
    "server_action_id",
    "step_type",
)


class NurtureStep(models.Model):
    """Who has set a step up, and what this person may have done by it.

    The engine has all rights, and what most steps do is its own. Where people choose freely what is
    done (any field, any server action) it is done with the rights of who chose it, which are asked
    for when it is set up and again whenever it is done.
    """

    _inherit = "nurture.step"

    author_id = fields.Many2one(
        "res.users",
        compute="_compute_author_id",
        store=True,
        string="Set Up By",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Who has decided what the step does, last. A field is set and a server action is run "
        "with the rights of this person.",
    )
    settable_fields = fields.Json(
        compute="_compute_settable_fields",
        exportable=False,
        help="The fields of leads that you may have set by a step.",
    )

    def _compute_author_id(self):
        """Who had set a step up was not kept: whoever was there last. From then on it is
        written. A draft has the author of what is saved."""
        for step in self:
            step.author_id = step._origin.author_id or (step.write_uid if step.id else False)

    @api.depends("sequence_id")
    @api.depends_context("uid")
    def _compute_settable_fields(self):
        for step in self:
            leads = step._with_rights_of(self.env.user, self.env["crm.lead"])
            step.settable_fields = sorted(self._get_settable_fields(leads))

    # ------------------------------------------------------------
    # WHO
    # ------------------------------------------------------------

    def _get_set_up_by(self, vals):
        """Those of these steps that whoever writes ``vals`` sets up.

        :raise AccessError: when the values name the author
        """
        if "author_id" not in vals:
            return self.filtered(lambda step: step._is_changed_by(vals, SET_UP))
        if not self.env.su:
            raise AccessError(self.env._("Who has set a step up is not chosen."))
        return self.browse()

    def action_take_over(self):
        """Answer for what the step does, in place of who has set it up.

        :raise UserError: when the user may not have it done
        """
        check_records(self)
        self.check_access("write")
        with self.env.cr.savepoint():
            # who is asked about is whom it would be
            self.sudo().author_id = self.env.user
            self._check_allowed()
        return True

    def _with_rights_of(self, user, records):
        """``records`` with the rights that ``user`` has in the companies of the sequence."""
        companies = self.sequence_id.sudo()._get_companies()
        if user.id != SUPERUSER_ID:
            companies &= user.sudo().company_ids
            if not companies:
                # core would take all of the user's
                user = self.env.ref("base.public_user")
                companies = user.sudo().company_id
        return records.with_user(user).with_context(allowed_company_ids=companies.ids)

    def _as_author(self, records):
        return self._with_rights_of(self.author_id, records)

    # ------------------------------------------------------------
    # WHAT
    # ------------------------------------------------------------

    @api.model
    def _get_settable_fields(self, leads):
        """Names of the fields that a step may set with the rights of ``leads``: columns of the lead
        that are written as they are. Through an inverse another record would be written."""
        if not leads.has_access("write"):
            return []
        return [
            name
            for name, field in leads._fields.items()
            if field.store
            and field.column_type
            and not (field.readonly or field.inverse or field.related or field.inherited)
            and name not in PROTECTED_FIELDS
            and not name.startswith("nurture_")
            and can_parse(field)
            and leads._has_field_access(field, "write")
        ]

    @api.constrains(*SET_UP)
    def _check_set_up(self):
        # mails and discounts are set up before somebody of Sales takes over what they promise
        for step in self.filtered(lambda step: step.step_type == "action"):
            if step.action_kind != "discount":
                step._check_allowed()

    def _check_allowed(self):
        """Ask whether the step may do what it does.

        :raise ValidationError: when who has set it up may not, or not any more
        """
        for step in self:
            if step.step_type == "email":
                step._check_allowed_quotation()
            if step.step_type != "action":
                continue
            check = getattr(step, f"_check_allowed_{step.action_kind}", None)
            if check:
                check()

    def _check_author(self):
        author = self.author_id.sudo()
        if not author.active and author.id != SUPERUSER_ID:
            raise ValidationError(
                self.env._(
                    "Step “%s”: who has set it up is not there any more. Somebody has to take it "
                    "over.",
                    self.name,
                )
            )

    def _check_allowed_field(self):
        if self.field_name:
            self._check_author()
            self._get_field_values()

    def _check_allowed_server(self):
        """As core asks before it runs a server action, unless an administrator has allowed it for
        sequences."""
        action = self.server_action_id.sudo()
        if not action:
            return
        if action.model_id.model != "crm.lead":
            raise ValidationError(
                self.env._("The server action “%s” is not made for leads.", action.name)
            )
        if action.nurture_allowed:
            return
        self._check_author()
        if action.group_ids:
            groups = self.author_id.sudo().all_group_ids
            may_run = self.author_id.id == SUPERUSER_ID or action.group_ids & groups
        else:
            may_run = self._as_author(self.env["crm.lead"]).has_access("write")
        if not may_run:
            raise ValidationError(
                self.env._(
                    "Step “%(step)s”: %(user)s may not run the server action “%(action)s”. Ask an "
                    "administrator to set it up, or to allow the action for sequences.",
                    step=self.name,
                    user=self.author_id.sudo().name,
                    action=action.name,
                )
            )

    def _get_rights_problems(self):
        problems = []
        for step in self:
            try:
                step._check_allowed()
            except ValidationError as error:
                problems.append(str(error))
        return problems

    # ------------------------------------------------------------
    # FOR WHOM
    # ------------------------------------------------------------

    def _get_refused(self, leads):
        """The leads for which the step may not be done.

        :return: ``{why, in words: leads}``
        """
        if not leads:
            return {}
        shows_quotation = self._shows_quotation()
        if self.step_type != "action" and not shows_quotation:
            return {}
        try:
            self._check_allowed()
        except UserError as error:
            return {str(error): leads}
        if shows_quotation:
            return self._refuse_quotation(leads)
        sort_out = getattr(self, f"_refuse_{self.action_kind}", None)
        return sort_out(leads) if sort_out else {}

    def _refuse_field(self, leads):
        writable = self._as_author(leads)._filtered_access("write").with_env(self.env)
        words = self.env._(
            "%s, who has set the step up, may not change this lead.", self.author_id.sudo().name
        )
        return {words: leads - writable} if leads - writable else {}

    def _refuse_server(self, leads):
        action = self.server_action_id.sudo()
        if action.nurture_allowed or action.group_ids:
            return {}
        return self._refuse_field(leads)

    def _refuse_salesperson(self, leads):
        """Core would move a lead to a company that its salesperson works for."""
        companies = self.salesperson_id.sudo().company_ids
        foreign = leads.filtered(lambda lead: not self._get_lead_companies(lead) & companies)
        words = self.env._(
            "%s does not work for the company of this lead.", self.salesperson_id.sudo().name
        )
        return {words: foreign} if foreign else {}

    def _refuse_team(self, leads):
        """Core would move a lead to the company of its team."""
        company = self.team_id.sudo().company_id
        if not company:
            return {}
        foreign = leads.filtered(lambda lead: company not in self._get_lead_companies(lead))
        words = self.env._("The team “%s” belongs to another company.", self.team_id.sudo().name)
        return {words: foreign} if foreign else {}

    def _get_lead_companies(self, lead):
        return lead.company_id or self.sequence_id._get_companies()

    def _notify_refused(self, refused):
        """Notify the responsible, once, for which reasons leads are refused the step.

        :param refused: see :meth:`_get_refused`
        """
        if not refused:
            return
        summary = self.env._("A step may not be done: %s", self.name)
        note = Markup().join(Markup("<p>%s</p>") % why for why in refused)
        self.sequence_id._warn_once(summary, note)
