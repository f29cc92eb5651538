from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...tools.arguments import check_records
from ...tools.dates import on_day
from ..credit.sale_order import NOT_ORDERED
from .lead import STATUS_GROUPS

#: What a mark is about, one of them.
CURED = ("tag_id", "product_id", "lost_reason_id")
#: What is not changed any more once leads have entered by a mark.
SETTLED = (*CURED, "date", "company_id")


class NurtureCure(models.Model):
    """What leads were lost for, and what a person has marked as possible again: somebody with the
    skill of a tag works here now, a product is made again, the cause of a lost reason is gone. The
    leads that wait for it and were lost before enter the sequences whose entry is that, once for
    each mark."""

    _name = "nurture.cure"
    _description = "Possible Again"
    _order = "date desc, id desc"

    tag_id = fields.Many2one(
        "crm.tag",
        index="btree_not_null",
        ondelete="restrict",
        help="Leads with this tag.",
    )
    product_id = fields.Many2one(
        "product.product",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('sale_ok', '=', True), ('company_id', 'in', [company_id, False])]",
        help="Leads in whose last quotation it was, and that did not order it.",
    )
    lost_reason_id = fields.Many2one(
        "crm.lost.reason",
        index="btree_not_null",
        ondelete="restrict",
        help="Leads lost for this reason.",
    )
    date = fields.Datetime(
        string="Possible Since",
        required=True,
        default=lambda self: fields.Datetime.now(),
        help="Leads that were lost before enter. In the future: they enter when it has come.",
    )
    note = fields.Char(required=True, help="What has changed, for those who see the leads.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    create_uid = fields.Many2one("res.users", string="Marked By", readonly=True)
    participant_ids = fields.One2many("nurture.participant", "cure_id", string="Participants")
    woken_count = fields.Integer(
        compute="_compute_woken_count",
        string="Entered",
        help="Journeys that began because of it.",
    )
    lead_count = fields.Integer(
        compute="_compute_lead_count",
        string="Lost Leads",
        help="Leads that are lost now and were lost before that, because of it.",
    )
    is_waited_for = fields.Boolean(
        compute="_compute_is_waited_for",
        help="Whether a running sequence lets leads enter when something is possible again.",
    )

    _one_cause = models.Constraint(
        "CHECK (num_nonnulls(tag_id, product_id, lost_reason_id) = 1)",
        "Say what is possible again: a tag, a product or a lost reason, one of them.",
    )

    # ------------------------------------------------------------
    # COMPUTES, CONSTRAINTS
    # ------------------------------------------------------------

    @api.depends(*CURED, "date")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for cure in self:
            # whoever sees the mark may not be able to read products
            what = next((cure.sudo()[name].display_name for name in CURED if cure[name]), "")
            cure.display_name = self.env._(
                "%(what)s, since %(date)s", what=what, date=on_day(self.env, cure.date)
            )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_woken_count(self):
        rows = self.env["nurture.participant"]._read_group(
            [("cure_id", "in", self.ids)], ["cure_id"], ["__count"]
        )
        counts = dict(rows)
        for cure in self:
            cure.woken_count = counts.get(cure._origin, 0)

    @api.depends(*CURED, "date", "company_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_lead_count(self):
        leads = self.env["crm.lead"].with_context(active_test=False)
        for cure in self:
            is_known = any(cure[name] for name in CURED)
            cure.lead_count = is_known and leads.search_count(cure._get_lead_domain())

    @api.depends("company_id")
    def _compute_is_waited_for(self):
        waiting = self._get_waiting_sequences()
        for cure in self:
            cure.is_waited_for = any(
                cure.company_id in sequence._get_companies() for sequence in waiting
            )

    @api.constrains("company_id")
    def _check_company_allowed(self):
        """Nobody wakes the leads of others."""
        user = self.env.user
        for cure in self:
            if cure.company_id not in user.company_ids and user.id != SUPERUSER_ID:
                raise ValidationError(
                    self.env._(
                        "You do not work for %s. Choose one of your companies.",
                        cure.sudo().company_id.name,
                    )
                )

    @api.constrains("product_id", "company_id")
    def _check_product_company(self):
        for cure in self.sudo().filtered("product_id.company_id"):
            if cure.product_id.company_id not in cure.company_id.parent_ids:
                raise ValidationError(
                    self.env._(
                        "“%(product)s” is not sold by %(company)s.",
                        product=cure.product_id.display_name,
                        company=cure.company_id.name,
                    )
                )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        cures = super().create(vals_list)
        cures._wake()
        return cures

    def write(self, vals):
        if self._changes(vals):
            self._check_not_woken()
        result = super().write(vals)
        if {"active", *SETTLED} & vals.keys():
            self._wake()
        return result

    def _changes(self, vals):
        """Whether these values say of something else that it is possible, or of another day."""
        return any(
            name in vals
            and (vals[name] or False) != self._fields[name].convert_to_write(cure[name], cure)
            for cure in self
            for name in SETTLED
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_woken(self):
        self._check_not_woken()

    def _check_not_woken(self):
        """Journeys say what they began by: that is not changed afterwards.

        :raise UserError: when leads have entered because of one of these
        """
        # also journeys that the user does not see
        woken = self.env["nurture.participant"].sudo().search([("cure_id", "in", self.ids)])
        if woken:
            raise UserError(
                self.env._(
                    "Leads have entered sequences because of “%s”. Archive it: then it lets nobody "
                    "enter any more.",
                    woken.cure_id[0].display_name,
                )
            )

    # ------------------------------------------------------------
    # WHO ENTERS
    # ------------------------------------------------------------

    @api.model
    def _get_waiting_sequences(self):
        """The running sequences that leads enter when something is possible again."""
        # whoever marks something need not see them: only that there is one is said
        return (
            self.env["nurture.sequence"]
            .sudo()
            .search([("state", "=", "running"), ("entry", "=", "cure")])
        )

    def _wake(self):
        """Have leads enter now, or when it has become possible."""
        if not self._get_waiting_sequences():
            return
        for date in {cure.date for cure in self if cure.active}:
            self.env["nurture.sequence"]._wake_cron(max(date, fields.Datetime.now()))

    @api.model
    def _get_due(self, companies):
        """The marks that count now: by them it is known whether all leads have to be scanned."""
        return self.sudo().search(
            [("company_id", "in", companies.ids), ("date", "<=", fields.Datetime.now())]
        )

    def _get_lead_domain(self):
        """The lost leads that one mark is about."""
        self.ensure_one()
        domain = [
            *self.env["crm.lead"]._nurture_lost_domain(),
            ("date_closed", "<", self.date),
            ("company_id", "in", [self.company_id.id, False]),
        ]
        if self.tag_id:
            return [*domain, ("tag_ids", "in", self.tag_id._origin.ids)]
        if self.lost_reason_id:
            return [*domain, ("lost_reason_id", "=", self.lost_reason_id._origin.id)]
        return [*domain, ("nurture_quoted_product_id", "in", self.product_id._origin.ids)]

    @api.model
    def _sql_cures(self, sequence):
        """SELECT of ``lead_id``, ``id`` and ``date`` of the marks by which leads may enter
        ``sequence`` now, those for their reason, their tags and what was quoted to them, for all
        leads at once. By whatever a lead, or its address, has been inside since is no news."""
        participants = self.env["nurture.participant"]
        since = SQL("(before.entered_date >= cure.date OR before.cure_id = cure.id)")
        counts = SQL(
            """lead.won_status = 'lost' AND cure.active AND cure.date <= %(now)s
               AND cure.date > lead.date_closed
               AND cure.company_id = COALESCE(lead.company_id, %(home)s)
               AND NOT EXISTS (SELECT 1 FROM nurture_participant before
                                WHERE before.sequence_id = %(sequence)s
                                  AND before.lead_id = lead.id AND %(since)s)
               AND NOT EXISTS (SELECT 1 FROM nurture_participant before
                                WHERE before.sequence_id = %(sequence)s
                                  AND before.dedup_key IN %(known)s AND %(since)s)""",
            now=fields.Datetime.now(),
            home=sequence._get_home().id,
            # one that is not saved yet had nobody inside
            sequence=sequence._origin.id or 0,
            known=participants._sql_known_keys(participants._sql_dedup_key(sequence)),
            since=since,
        )
        return SQL(
            """
            SELECT lead.id AS lead_id, cure.id, cure.date
              FROM nurture_cure cure
              JOIN crm_lead lead ON lead.lost_reason_id = cure.lost_reason_id
             WHERE %(counts)s
         UNION ALL
            SELECT lead.id, cure.id, cure.date
              FROM nurture_cure cure
              JOIN crm_tag_rel tagged ON tagged.tag_id = cure.tag_id
              JOIN crm_lead lead ON lead.id = tagged.lead_id
             WHERE %(counts)s
         UNION ALL
            SELECT lead.id, cure.id, cure.date
              FROM nurture_cure cure
              JOIN sale_order_line line ON line.product_id = cure.product_id
                   AND line.display_type IS NULL
              JOIN sale_order so ON so.id = line.order_id AND %(last)s
              JOIN crm_lead lead ON lead.id = so.opportunity_id
             WHERE %(counts)s
            """,
            counts=counts,
            last=self._sql_is_last_quotation(),
        )

    @api.model
    def _sql_is_last_quotation(self):
        """Whether the order ``so`` is the last one of its lead that was not ordered."""
        later = SQL("later.state IN %s", NOT_ORDERED)
        return SQL(
            "so.state IN %s AND %s",
            NOT_ORDERED,
            self.env["sale.order"]._nurture_sql_is_last(later),
        )

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _describe(self):
        """What is possible again, in words."""
        self.ensure_one()
        return self.env._("%(what)s: %(note)s", what=self.display_name, note=self.note)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_leads(self):
        """Open the lost leads that it is about."""
        check_records(self, one=True)
        return self.env["nurture.sequence"]._open_list(
            "crm.lead", self.env._("Lost Leads"), self._get_lead_domain()
        )

    def action_view_woken(self):
        """Open the journeys that began because of it."""
        check_records(self, one=True)
        return self.env["nurture.sequence"]._open_list(
            "nurture.participant",
            self.env._("Entered"),
            [("cure_id", "=", self.id)],
            view_mode="list,kanban,form",
        )


class NurtureCureMixin(models.AbstractModel):
    """What can be marked as possible again."""

    _name = "nurture.cure.mixin"
    _description = "Nurture: What May Be Possible Again"

    #: The field of ``nurture.cure`` that names it.
    _cured_by = None

    def action_nurture_possible(self):
        """Ask since when it is possible again, and what has changed."""
        check_records(self, one=True)
        self.env["nurture.cure"].check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Possible Again"),
            "res_model": "nurture.cure",
            "view_mode": "form",
            "views": [(self.env.ref("lost_lead_nurture.nurture_cure_view_form_dialog").id, "form")],
            "target": "new",
            "context": {
                "dialog_size": "medium",
                f"default_{self._cured_by}": self._nurture_get_cured().id,
            },
        }

    def _nurture_get_cured(self):
        """The record that the mark names."""
        return self


class CrmTag(models.Model):
    _name = "crm.tag"
    _inherit = ["crm.tag", "nurture.cure.mixin"]
    _cured_by = "tag_id"


class CrmLostReason(models.Model):
    _name = "crm.lost.reason"
    _inherit = ["crm.lost.reason", "nurture.cure.mixin"]
    _cured_by = "lost_reason_id"


class ProductProduct(models.Model):
    _name = "product.product"
    _inherit = ["product.product", "nurture.cure.mixin"]
    _cured_by = "product_id"


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["product.template", "nurture.cure.mixin"]
    _cured_by = "product_id"

    def _nurture_get_cured(self):
        # of several variants somebody has to choose
        variants = self.product_variant_ids
        return variants if len(variants) == 1 else variants.browse()


class CrmLead(models.Model):
    """What a lead waits for, and what has let it enter."""

    _inherit = "crm.lead"

    nurture_quoted_product_id = fields.Many2one(
        "product.product",
        string="Product of the Last Lost Quotation",
        compute="_compute_nurture_quoted_product_id",
        search="_search_nurture_quoted_product_id",
        groups=STATUS_GROUPS,
        help="For searches: a quotation may be for several.",
    )
    nurture_cure_note = fields.Text(
        related="lost_reason_id.nurture_cure_note", string="What Would Bring It Back"
    )
    nurture_woken_by = fields.Char(
        compute="_compute_nurture_woken_by",
        compute_sudo=True,
        help="What was missing when the lead was lost, and let it enter its sequence when "
        "somebody marked it as possible again.",
    )

    def _compute_nurture_quoted_product_id(self):
        """There may be several: nobody reads it here."""
        self.nurture_quoted_product_id = False

    def _search_nurture_quoted_product_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.env["sale.order"].flush_model(["opportunity_id", "state", "date_order"])
        self.env["sale.order.line"].flush_model(["order_id", "product_id", "display_type"])
        products = tuple(id_ for id_ in value if id_) or (0,)

        def to_sql(_model, alias, _query):
            return SQL(
                "%s IN (SELECT so.opportunity_id FROM sale_order so JOIN sale_order_line line"
                " ON line.order_id = so.id AND line.display_type IS NULL"
                " WHERE line.product_id IN %s AND so.opportunity_id IS NOT NULL AND %s)",
                SQL.identifier(alias, "id"),
                products,
                self.env["nurture.cure"]._sql_is_last_quotation(),
            )

        return fields.Domain.custom(to_sql=to_sql)

    @api.depends("nurture_journey_id")
    @api.depends_context("lang", "tz")
    def _compute_nurture_woken_by(self):
        for lead in self:
            cure = lead.nurture_journey_id.cure_id
            # no empty record as a text
            lead.nurture_woken_by = bool(cure) and self.env._(
                "Possible again: %s", cure._describe()
            )
