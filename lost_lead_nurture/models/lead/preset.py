from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain

from ...tools.domains import ERRORS, check_domain, parse_domain, read_domain
from ...tools.inside import without_defaults
from ..sequence.sequence import MANY_LEADS
from .lead import MAX_DAYS

#: The conditions on customers, see silent.py.
CUSTOMER_FIELDS = (
    *("silent_days", "quiet_days", "order_count_min", "order_count_max", "amount_average_min"),
    *("amount_total_min", "amount_total_max", "bought_product_ids", "bought_category_ids"),
    *("never_bought_product_ids", "never_bought_category_ids"),
)


class NurturePreset(models.Model):
    """A reusable choice of lost leads, which is also a Favourite Filter of Email Marketing, or of
    silent customers, who become leads."""

    _name = "nurture.preset"
    _description = "Nurture Preset"
    _inherit = ["nurture.guard.mixin", "nurture.results.mixin"]
    _credited_by = "sequence_id.preset_id"
    _order = "position, name, id"
    _authors = {"extra_domain": "author_id"}

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    position = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", index="btree_not_null", help="Empty: for all companies."
    )

    kind = fields.Selection(
        [("leads", "Lost leads"), ("customers", "Silent customers")],
        string="Chooses",
        required=True,
        default="leads",
        help="Silent customers become leads, lost for the reason “Went silent”, once a sequence "
        "that is for them runs.",
    )

    # why
    lost_reason_ids = fields.Many2many(
        "crm.lost.reason",
        "nurture_preset_lost_reason_rel",
        string="Lost Reasons",
        ondelete="restrict",
        context={"active_test": False},
        help="Empty: whatever the reason.",
    )
    excluded_reason_ids = fields.Many2many(
        "crm.lost.reason",
        "nurture_preset_excluded_reason_rel",
        string="Except Reasons",
        ondelete="restrict",
        context={"active_test": False},
        help="For instance duplicates and spam.",
    )
    # when
    lost_min_days = fields.Integer(
        string="Lost at Least (days ago)", default=0, help="0: also those lost today."
    )
    lost_max_days = fields.Integer(
        string="Lost at Most (days ago)", default=365, help="0: no matter how long ago."
    )
    # where in the pipeline
    excluded_stage_ids = fields.Many2many(
        "crm.stage",
        string="Except Stages",
        ondelete="restrict",
        help="Leads that were lost in these stages are left out, for instance those that never "
        "got beyond New.",
    )
    team_ids = fields.Many2many(
        "crm.team",
        string="Sales Teams",
        ondelete="restrict",
        context={"active_test": False},
        help="Empty: all teams.",
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Salespeople",
        ondelete="restrict",
        context={"active_test": False},
        help="Empty: everybody's.",
        domain="[('share', '=', False)]",
    )
    country_ids = fields.Many2many("res.country", string="Countries", help="Empty: anywhere.")
    min_revenue = fields.Float(
        string="Expected Revenue from", help="In the company's currency. 0: any."
    )
    extra_domain = fields.Char(
        string="And", default="[]", help="Anything else, as a filter on leads."
    )
    author_id = fields.Many2one(
        "res.users",
        compute="_compute_authors",
        store=True,
        string="Filter Written By",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Whose rights count, among others, for what the filter looks at.",
    )

    full_domain = fields.Char(
        compute="_compute_full_domain",
        help="The whole choice as a domain on leads, blacklisted addresses excluded. Days are "
        "counted back from the day it is used.",
    )
    matching_count = fields.Integer(
        compute="_compute_matching_count",
        string="Matching Leads",
        help="Right now; counted up to 10,000.",
    )
    mailing_filter_id = fields.Many2one(
        "mailing.filter", string="Favourite Filter", readonly=True, copy=False, ondelete="set null"
    )

    @api.depends(
        "lost_reason_ids",
        "excluded_reason_ids",
        "lost_min_days",
        "lost_max_days",
        "excluded_stage_ids",
        "team_ids",
        "user_ids",
        "country_ids",
        "min_revenue",
        "extra_domain",
        "kind",
    )
    def _compute_full_domain(self):
        for preset in self:
            preset.full_domain = repr(preset._get_domain())

    @api.depends("full_domain", "company_id", "kind", *CUSTOMER_FIELDS)
    @api.depends_context("allowed_company_ids")
    def _compute_matching_count(self):
        # with the rights of the user: a count tells, too
        leads = self.env["crm.lead"]
        for preset in self:
            if preset.kind == "customers":
                preset.matching_count = preset._count_customers()
                continue
            companies = preset.company_id or self.env.companies
            try:
                domain = read_domain(preset.full_domain)
                domain &= Domain("company_id", "in", [*companies.ids, False])
                with self.env.cr.savepoint(flush=False):
                    count = leads.search_count(domain, limit=MANY_LEADS)
            except ERRORS:
                count = 0
            preset.matching_count = count

    @api.model
    @api.readonly
    def web_search_read(self, domain, specification, *args, **kwargs):
        """Lists are shown at once; the numbers of leads follow, see nurture_later_field.js."""
        asked = {name: spec for name, spec in specification.items() if name != "matching_count"}
        result = super().web_search_read(domain, asked, *args, **kwargs)
        if len(asked) < len(specification):
            for row in result["records"]:
                row["matching_count"] = False
        return result

    @api.constrains("lost_min_days", "lost_max_days")
    def _check_period(self):
        for preset in self:
            longest = preset.lost_max_days or MAX_DAYS
            if not 0 <= preset.lost_min_days <= longest <= MAX_DAYS:
                raise ValidationError(
                    self.env._(
                        "Preset “%s”: there is no day in this period. Days are not negative, and "
                        "the second number is not smaller than the first.",
                        preset.name,
                    )
                )

    @api.constrains("company_id")
    def _check_company_allowed(self):
        """Nobody gives others a preset that they have not asked for."""
        user = self.env.user
        for preset in self:
            company = preset.sudo().company_id
            if company - user.company_ids and user.id != SUPERUSER_ID:
                raise ValidationError(
                    self.env._(
                        "You do not work for %s. Choose one of your companies.", company.name
                    )
                )

    @api.constrains("company_id")
    def _check_company_of_sequences(self):
        # also those that the user does not see
        self.filtered("company_id").sudo()._get_steered()._check_preset_companies()

    @api.constrains("extra_domain")
    def _check_extra_domain(self):
        for preset in self:
            check_domain(self.env["crm.lead"], preset.extra_domain)

    @api.model_create_multi
    def create(self, vals_list):
        model = without_defaults(self, ["mailing_filter_id"])
        vals_list = [self._without_filter(vals) for vals in vals_list]
        presets = super(NurturePreset, model).create(vals_list)
        presets._sync_filter()
        return presets

    def write(self, vals):
        result = super().write(self._without_filter(vals))
        if set(vals) - {"position", "mailing_filter_id"}:
            self._sync_filter()
            profiles = self.env["nurture.profile"].sudo().search([("preset_id", "in", self.ids)])
            profiles.sequence_id._note_profiles_changed()
        return result

    @api.model
    def _without_filter(self, vals):
        """Which filter belongs to a preset is its own business: it is changed with all rights."""
        if self.env.su:
            return vals
        return {name: value for name, value in vals.items() if name != "mailing_filter_id"}

    def _check_written(self):
        self._check_extra_domain()

    def _get_steered(self):
        """The sequences that leave out the leads of these presets, or have them in their list of
        profiles."""
        return self.env["nurture.sequence"].search(
            [
                ("active", "in", [True, False]),
                "|",
                ("excluded_preset_ids", "in", self.ids),
                ("profile_ids.preset_id", "in", self.ids),
            ]
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_profiles(self):
        """Sequences and journeys go on saying by which profile leads enter.

        :raise UserError: when one of these is a profile
        """
        # also those that the user does not see
        lines = self.env["nurture.profile"].sudo().search([("preset_id", "in", self.ids)])
        entered = (
            self.env["nurture.participant"].sudo().search([("profile_id", "in", self.ids)], limit=1)
        )
        if used := lines.preset_id or entered.profile_id:
            raise UserError(
                self.env._(
                    "“%s” is, or was, a profile of a sequence. Archive it instead.", used[0].name
                )
            )

    def unlink(self):
        self.mailing_filter_id.sudo().unlink()
        return super().unlink()

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for preset, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", preset.name)
        return vals_list

    def action_view_leads(self):
        """Open the leads that match right now, or the customers."""
        self.ensure_one()
        if self.kind == "customers":
            return self._open_customers()
        return self.env["nurture.sequence"]._open_list(
            "crm.lead", self.name, parse_domain(self.env["crm.lead"], self.full_domain)
        )

    def action_new_mailing(self):
        """Open a new mailing to these leads."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "mailing.mailing",
            "view_mode": "form",
            "context": {
                "default_mailing_type": "mail",
                "default_mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "default_mailing_domain": self.full_domain,
                "default_mailing_filter_id": self.mailing_filter_id.id,
            },
        }

    def action_new_sequence(self):
        """Open the gallery of templates for a new sequence for these leads."""
        self.ensure_one()
        return self.env["nurture.sequence"]._open_gallery(
            {
                "default_preset_id": self.id,
                "default_name": self.name,
                # templates made for them come first
                "default_lost_reason_ids": self.lost_reason_ids.ids,
            }
        )

    @api.model
    def _of_reasons(self, reasons):
        """The preset that chooses the leads lost for ``reasons`` and leaves out none of them,
        whatever their stage or team; it is made when there is none."""
        self.check_access("create")
        presets = self.search(
            [("lost_reason_ids", "in", reasons.ids)]
            if reasons
            else [("lost_reason_ids", "=", False)]
        )
        preset = presets.filtered(
            lambda preset: preset.lost_reason_ids == reasons and not preset._is_narrowed()
        )[:1]
        return preset or self.create(
            {
                "name": ", ".join(reasons.mapped("name")) or self.env._("Lost leads, any reason"),
                "lost_reason_ids": [Command.set(reasons.ids)],
            }
        )

    def _of_product(self, reasons, product):
        """The preset that chooses the leads lost for ``reasons`` for which somebody made a
        quotation with ``product``; it is made when there is none."""
        self.check_access("create")
        asked = repr([("order_ids.order_line.product_id", "=", product.id)])
        for preset in self.search([("extra_domain", "=", asked)]):
            if preset.lost_reason_ids == reasons:
                return preset
        names = [*reasons.mapped("name"), product.display_name]
        return self.create(
            {
                "name": ", ".join(names),
                "lost_reason_ids": [Command.set(reasons.ids)],
                "extra_domain": asked,
            }
        )

    def _is_narrowed(self):
        """Whether something else than reason and period is chosen by, too."""
        self.ensure_one()
        return bool(
            self.kind == "customers"
            or self.excluded_reason_ids
            or self.excluded_stage_ids
            or self.team_ids
            or self.user_ids
            or self.country_ids
            or self.min_revenue
            or not read_domain(self.extra_domain).is_true()
        )

    @api.model
    def _load_default_presets(self):
        """A preset for each of CRM's default lost reasons, as far as they are still there."""
        defaults = [
            ("expensive", "crm.lost_reason_1", self.env._("Lost leads: too expensive"), 10),
            ("skills", "crm.lost_reason_2", self.env._("Lost leads: no people or skills"), 20),
            ("stock", "crm.lost_reason_3", self.env._("Lost leads: not enough stock"), 30),
        ]
        self._load_records(
            [
                {
                    "xml_id": f"lost_lead_nurture.nurture_preset_{key}",
                    "values": {
                        "name": name,
                        "position": position,
                        "lost_reason_ids": [Command.set(reason.ids)],
                    },
                    "noupdate": True,
                }
                for key, xml_id, name, position in defaults
                if (reason := self.env.ref(xml_id, raise_if_not_found=False))
            ]
        )

    def _get_domain(self):
        """The choice as a list, written so that Email Marketing's filter shows it rule by rule."""
        self.ensure_one()
        if self.kind == "customers":
            return self._get_customer_domain()
        domain = self.env["crm.lead"]._nurture_lost_domain() + [("is_blacklisted", "=", False)]
        if self.lost_reason_ids:
            domain.append(("lost_reason_id", "in", self.lost_reason_ids.ids))
        if self.excluded_reason_ids:
            domain.append(("lost_reason_id", "not in", self.excluded_reason_ids.ids))
        if self.lost_max_days:
            domain.append(("days_since_lost", "<=", self.lost_max_days))
        if self.lost_min_days:
            domain.append(("days_since_lost", ">=", self.lost_min_days))
        if self.excluded_stage_ids:
            domain.append(("stage_id", "not in", self.excluded_stage_ids.ids))
        for name in ("team_ids", "user_ids", "country_ids"):
            if self[name]:
                domain.append((name.replace("_ids", "_id"), "in", self[name].ids))
        if self.min_revenue:
            domain.append(("expected_revenue", ">=", self.min_revenue))
        try:
            extra = read_domain(self.extra_domain)
        except ERRORS:
            # shown while it is being typed; saving it is refused
            return domain
        return domain if extra.is_true() else domain + list(extra)

    def _sync_filter(self):
        """Keep the Favourite Filter of each preset as the preset is. Customers are no leads yet:
        Email Marketing has no filter for them."""
        model_id = self.env["ir.model"]._get_id("crm.lead")
        for preset in self:
            if not preset.active or preset.kind == "customers":
                preset.mailing_filter_id.sudo().unlink()
                continue
            vals = {
                "name": preset.name,
                "mailing_domain": preset.full_domain,
                "mailing_model_id": model_id,
            }
            if preset.mailing_filter_id:
                preset.mailing_filter_id.sudo().write(vals)
            else:
                favourite = self.env["mailing.filter"].sudo().create(vals)
                preset.sudo().mailing_filter_id = favourite
