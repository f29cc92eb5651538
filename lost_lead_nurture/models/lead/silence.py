from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class NurtureSilence(models.Model):
    """That a customer orders no more, once for each silence: the lead that was made of it."""

    _name = "nurture.silence"
    _description = "Nurture Silence of a Customer"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    since = fields.Datetime(
        required=True, help="The customer's last order when the silence was noticed."
    )
    lead_id = fields.Many2one("crm.lead", index="btree_not_null", ondelete="set null")
    preset_ids = fields.Many2many(
        "nurture.preset", "nurture_silence_preset_rel", help="Those that have noticed it."
    )

    _once = models.Constraint(
        "UNIQUE (partner_id, company_id, since)", "A silence is noticed once."
    )


class CrmLead(models.Model):
    """Leads of silent customers. They are lost for a reason of their own, and CRM counts them
    neither among the lost ones nor for what its predictions learn from."""

    _inherit = "crm.lead"

    nurture_silent_since = fields.Datetime(
        string="Silent Since",
        readonly=True,
        copy=False,
        help="When the customer had ordered last. The lead was made because nothing came since.",
    )
    nurture_silent_preset_ids = fields.Many2many(
        "nurture.preset",
        string="Silent Customers Of",
        compute="_compute_nurture_silent_preset_ids",
        search="_search_nurture_silent_preset_ids",
        compute_sudo=True,
        help="The presets that have noticed that the customer is silent.",
    )

    @api.depends_context("uid")
    def _compute_nurture_silent_preset_ids(self):
        # nobody finds out here which presets there are beside those that they may see
        silences = self.env["nurture.silence"].search([("lead_id", "in", self._origin.ids)])
        by_lead = silences.grouped("lead_id")
        for lead in self:
            presets = by_lead.get(lead._origin, silences.browse()).preset_ids.with_user(
                self.env.user
            )
            lead.nurture_silent_preset_ids = presets._filtered_access("read").sudo()

    @api.model
    def _search_nurture_silent_preset_ids(self, operator, value):
        """By ids alone: what presets are called is not for everybody who may see leads."""
        if operator != "in" or not all(isinstance(one, int) for one in value):
            return NotImplemented
        ids = tuple(one for one in value if one) or (0,)
        self.env["nurture.silence"].flush_model()

        def to_sql(_model, alias, _query):
            return SQL(
                "EXISTS (SELECT 1 FROM nurture_silence silence"
                " JOIN nurture_silence_preset_rel noticed"
                " ON noticed.nurture_silence_id = silence.id"
                " WHERE silence.lead_id = %s AND noticed.nurture_preset_id IN %s)",
                SQL.identifier(alias, "id"),
                ids,
            )

        return Domain.custom(to_sql=to_sql)

    def _has_field_access(self, field, operation):
        # a lead is what the engine has made it
        if operation == "write" and field.name == "nurture_silent_since" and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    def _pls_increment_frequencies(self, from_state=None, to_state=None):
        deals = self.filtered(lambda lead: not lead.nurture_silent_since)
        return super(CrmLead, deals)._pls_increment_frequencies(from_state, to_state)

    def _pls_get_lead_pls_values(self, domain=None):
        if domain:
            is_deal = Domain("nurture_silent_since", "=", False)
            domain = list(Domain(domain) & (is_deal | Domain("won_status", "=", "pending")))
        return super()._pls_get_lead_pls_values(domain=domain)
