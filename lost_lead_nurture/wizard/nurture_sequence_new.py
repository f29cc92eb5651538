from odoo import api, fields, models
from odoo.fields import Command, Domain

from ..models.sequence.sequence import MANY_LEADS
from ..tools.domains import get_parts, parse_domain, read_domain


class NurtureSequenceNew(models.TransientModel):
    """Make a sequence from a template: how it is called, and whom it is for."""

    _name = "nurture.sequence.new"
    _description = "New Nurture Sequence from a Template"

    template_id = fields.Many2one(
        "nurture.sequence",
        required=True,
        ondelete="cascade",
        domain="[('is_template', '=', True), ('active', '=', False)]",
        context={"active_test": False},
    )
    # what a template says is shown with the rights of the user, here and below
    template_check = fields.Text(related="template_id.template_check", related_sudo=False)
    name = fields.Char(
        compute="_compute_name",
        compute_sudo=False,
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    audience = fields.Selection(
        [
            ("reasons", "Leads lost for these reasons"),
            ("preset", "Leads of a preset"),
        ],
        string="For",
        required=True,
        compute="_compute_audience",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    takes_lost = fields.Boolean(
        compute="_compute_is_choosy", help="Whether it is for lost leads, as nearly all are."
    )
    is_choosy = fields.Boolean(
        compute="_compute_is_choosy", help="The template says itself whom it is for."
    )
    keep_domain = fields.Boolean(
        string="The leads that the template chooses",
        compute="_compute_audience",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    lost_reason_ids = fields.Many2many(
        "crm.lost.reason",
        string="Lost Reasons",
        compute="_compute_lost_reason_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="Empty: whatever the reason. The preset it takes is made when there is none.",
    )
    preset_id = fields.Many2one("nurture.preset", ondelete="cascade")
    matching_count = fields.Integer(
        compute="_compute_matching_count",
        string="Matching Leads",
        help="Right now; counted up to 10,000. Of customers, those who are silent.",
    )
    has_website = fields.Boolean(compute="_compute_has_website")

    @api.depends("template_id")
    def _compute_name(self):
        for wizard in self:
            wizard.name = wizard.name or wizard.template_id.display_name

    @api.depends("template_id")
    def _compute_is_choosy(self):
        lost = get_parts(Domain(self.env["crm.lead"]._nurture_lost_domain()))
        for wizard in self:
            domain = wizard.template_id.domain
            wizard.takes_lost = wizard.template_id._takes_lost()
            has_profiles = wizard.template_id.profile_mode not in (False, "one")
            wizard.is_choosy = (
                has_profiles
                or not wizard.takes_lost
                or (bool(domain) and get_parts(read_domain(domain)) != lost)
            )

    @api.depends("template_id")
    def _compute_lost_reason_ids(self):
        for wizard in self:
            proposed = wizard.template_id.template_reason_ids
            wizard.lost_reason_ids = wizard.lost_reason_ids or proposed

    @api.depends("template_id")
    def _compute_audience(self):
        for wizard in self:
            asked = wizard.preset_id or wizard.env.context.get("default_lost_reason_ids")
            # presets and reasons are of lost leads
            wizard.keep_domain = wizard.is_choosy and not (asked and wizard.takes_lost)
            wizard.audience = "preset" if wizard.preset_id else "reasons"

    @api.depends("audience", "keep_domain", "lost_reason_ids", "preset_id", "template_id")
    def _compute_matching_count(self):
        # with the rights of the user: a count tells, too
        leads = self.env["crm.lead"].with_context(active_test=False)
        for wizard in self:
            customers = wizard._get_customer_presets()
            if customers:
                wizard.matching_count = sum(
                    preset._count_customers(self.env.company) for preset in customers
                )
            else:
                wizard.matching_count = leads.search_count(
                    wizard._get_matching_domain(), limit=MANY_LEADS
                )

    @api.depends("template_id")
    @api.depends_context("company")
    def _compute_has_website(self):
        self.has_website = bool(self.env.company.website)

    def _get_customer_presets(self):
        """The presets of customers that it is for, as far as the user may see them."""
        draft = self.env["nurture.sequence"].new(
            {"domain": self._get_domain(), "company_id": self.env.company.id}
        )
        presets = self.env["nurture.preset"].browse(draft._get_customer_presets().ids)
        return presets._filtered_access("read")

    def _get_matching_domain(self):
        """The chosen leads, as far as the sequence may take them."""
        companies = Domain("company_id", "in", [self.env.company.id, False])
        template = self.template_id
        if self.keep_domain and (template.profile_mode != "one" or not template._takes_lost()):
            return companies & template._get_status_domain() & template._get_choice()
        return companies & parse_domain(self.env["crm.lead"], self._get_domain())

    def _get_domain(self):
        """The chosen leads, as a domain."""
        self.ensure_one()
        if self.keep_domain:
            return self.template_id.domain
        if self.audience == "preset":
            return self.preset_id.full_domain
        reasons = [Command.set(self.lost_reason_ids.ids)]
        return self.env["nurture.preset"].new({"lost_reason_ids": reasons}).full_domain

    def action_view_leads(self):
        """Open the leads that match right now."""
        self.ensure_one()
        self.check_access("read")
        if customers := self._get_customer_presets()[:1]:
            return customers.action_view_leads()
        domain = self._get_matching_domain()
        if self.template_id.profile_mode != "one":
            # what others may see cannot be asked for from outside
            leads = self.env["crm.lead"].with_context(active_test=False)
            domain = [("id", "in", leads.search(domain, limit=MANY_LEADS).ids)]
        return self.env["nurture.sequence"]._open_list(
            "crm.lead", self.env._("Matching Leads"), domain
        )

    def action_create(self):
        """Make the sequence, and tell the gallery which one it is."""
        self.ensure_one()
        self.env["nurture.sequence"].check_access("create")
        values = {"name": self.name}
        if not self.keep_domain and self.takes_lost:
            preset = self.preset_id
            if self.audience == "reasons":
                preset = preset._of_reasons(self.lost_reason_ids)
            values.update(preset_id=preset.id, domain=preset.full_domain)
            values.update(profile_mode="one", profile_ids=[])
        sequence = self.template_id._create_from_template(values)
        # the gallery opens it in its own place
        return {"type": "ir.actions.act_window_close", "infos": {"sequence_id": sequence.id}}
