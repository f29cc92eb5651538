from odoo import api, fields, models
from odoo.fields import Domain

#: What lists ask for once they are shown.
LATER = {
    *("nurture_currency_id", "nurture_lost_count", "nurture_lost_revenue"),
    *("nurture_sequence_count", "nurture_won_back_count", "nurture_won_back_revenue"),
}


#: What would bring back a lead that was lost for a reason.
CURES = [
    ("stock", "A product is in stock"),
    ("price", "A lower price"),
    ("skill", "Somebody with the skill or the capacity"),
    ("time", "Time"),
    ("other", "Something else"),
]
#: CRM's own lost reasons.
CURES_OF_CORE = {
    "crm.lost_reason_1": "price",
    "crm.lost_reason_2": "skill",
    "crm.lost_reason_3": "stock",
}


class CrmLostReason(models.Model):
    _name = "crm.lost.reason"
    _inherit = ["crm.lost.reason", "nurture.results.mixin"]
    _credited_by = "lost_reason_id"

    nurture_cure = fields.Selection(
        CURES,
        string="What Would Cure It",
        help="What has to change before leads lost for this reason can be won. Templates made for "
        "it are offered first, and records that contradict the reason are looked for by it.",
    )
    nurture_cure_note = fields.Text(
        string="For Salespeople",
        translate=True,
        help="Shown to whoever loses a lead for this reason, and on the lead.",
    )
    nurture_preset_ids = fields.Many2many(
        "nurture.preset",
        "nurture_preset_lost_reason_rel",
        string="Nurture Presets",
        groups="lost_lead_nurture.group_user",
        help="Presets that choose leads lost for this reason.",
    )
    nurture_currency_id = fields.Many2one(
        "res.currency", compute="_compute_nurture_currency_id", string="Currency"
    )
    nurture_lost_count = fields.Integer(
        compute="_compute_nurture_lost", string="Lost", help="Leads that are lost for it now."
    )
    nurture_lost_revenue = fields.Monetary(
        compute="_compute_nurture_lost",
        currency_field="nurture_currency_id",
        string="Expected Revenue Lost",
        help="Expected revenue of the leads that are lost for it now.",
    )
    nurture_sequence_count = fields.Integer(
        compute="_compute_nurture_sequence_count",
        string="Running Sequences",
        groups="lost_lead_nurture.group_user",
        help="Running sequences whose preset chooses this reason.",
    )
    nurture_won_back_count = fields.Integer(
        compute="_compute_nurture_won_back",
        string="Won Back",
        groups="lost_lead_nurture.group_user",
        help="Leads lost for it that were won back after a mail of a sequence.",
    )
    nurture_won_back_revenue = fields.Monetary(
        compute="_compute_nurture_won_back",
        currency_field="nurture_currency_id",
        string="Revenue Won Back",
        groups="lost_lead_nurture.group_user",
        help="Untaxed total of the paid invoices, less refunds, of the quotations made for them.",
    )

    @api.depends_context("company")
    def _compute_nurture_currency_id(self):
        self.nurture_currency_id = self.env.company.currency_id

    @api.depends_context("allowed_company_ids", "uid")
    def _compute_nurture_lost(self):
        self.nurture_lost_count = 0
        self.nurture_lost_revenue = 0.0
        today = fields.Date.context_today(self)
        for reason, company, count, revenue in (
            self.env["crm.lead"]
            .with_context(active_test=False)
            ._read_group(
                self._nurture_lost_domain(),
                ["lost_reason_id", "company_id"],
                ["__count", "expected_revenue:sum"],
            )
        ):
            currency = (company or self.env.company).sudo().currency_id
            reason.nurture_lost_count += count
            reason.nurture_lost_revenue += currency._convert(
                revenue or 0.0, self.env.company.currency_id, self.env.company, today
            )

    @api.depends_context("allowed_company_ids", "uid")
    def _compute_nurture_sequence_count(self):
        sequences = self.env["nurture.sequence"].search(self._nurture_sequence_domain())
        meant = [sequence.sudo()._get_presets().lost_reason_ids for sequence in sequences]
        for reason in self:
            reason.nurture_sequence_count = sum(reason in reasons for reasons in meant)

    @api.depends_context("allowed_company_ids", "uid")
    def _compute_nurture_won_back(self):
        self.nurture_won_back_count = 0
        self.nurture_won_back_revenue = 0.0
        for reason, count in self.env["nurture.participant"]._read_group(
            self._nurture_won_back_domain(), ["lost_reason_id"], ["__count"]
        ):
            reason.nurture_won_back_count = count
        for reason in self:
            reason.nurture_won_back_revenue = reason.nurture_invoiced

    @api.model
    @api.readonly
    def web_search_read(self, domain, specification, *args, **kwargs):
        """Lists are shown at once; the statistics follow, see nurture_later_field.js."""
        later = LATER & specification.keys()
        specification = {name: spec for name, spec in specification.items() if name not in later}
        result = super().web_search_read(domain, specification, *args, **kwargs)
        for row in result["records"]:
            row.update(dict.fromkeys(later, False))
        return result

    def _nurture_lost_domain(self):
        lost = self.env["crm.lead"]._nurture_lost_domain()
        return Domain(lost) & Domain("lost_reason_id", "in", self.ids)

    def _nurture_sequence_domain(self):
        # not everybody sees the profiles of a sequence, but that it is about a lost reason
        profiles = self.env["nurture.profile"].sudo()
        lines = profiles.search(
            [
                ("preset_id.lost_reason_ids", "in", self.ids),
                ("excludes", "=", False),
                ("sequence_id.profile_mode", "!=", "one"),
            ]
        )
        return [
            ("state", "=", "running"),
            *("|", ("preset_id.lost_reason_ids", "in", self.ids)),
            ("id", "in", lines.sequence_id.ids),
        ]

    def _nurture_won_back_domain(self):
        return [("lost_reason_id", "in", self.ids), ("won_back_date", "!=", False)]

    @api.model
    def _nurture_set_cures(self):
        """Say of CRM's own lost reasons what would cure them, where nobody has."""
        for xml_id, cure in CURES_OF_CORE.items():
            reason = self.env.ref(xml_id, raise_if_not_found=False)
            if reason and not reason.nurture_cure:
                reason.nurture_cure = cure

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_nurture_lost(self):
        """Open the leads that are lost for this reason."""
        return self.env["nurture.sequence"]._open_list(
            "crm.lead", self.env._("Lost Leads"), self._nurture_lost_domain()
        )

    def action_nurture_sequences(self):
        """Open the running sequences of which a preset chooses this reason."""
        return self.env["nurture.sequence"]._open_list(
            "nurture.sequence",
            self.env._("Running Sequences"),
            self._nurture_sequence_domain(),
            view_mode="list,kanban,form",
        )

    def action_nurture_won_back(self):
        """Open the journeys of those who were won back."""
        return self.env["nurture.sequence"]._open_list(
            "nurture.participant",
            self.env._("Won Back"),
            self._nurture_won_back_domain(),
            view_mode="list,kanban,graph,pivot,form",
        )

    def action_nurture_invoices(self):
        """Open the paid invoices behind the revenue won back."""
        # it tells how many there are, which not everybody may know
        self._check_field_access(self._fields["nurture_won_back_revenue"], "read")
        return self.env["nurture.credit"]._open(
            "invoices", self.env._("Invoiced (Paid)"), self._nurture_get_credits_domain()
        )

    def action_nurture(self):
        """Open the gallery of templates for the leads lost for this reason."""
        return self.env["nurture.sequence"]._open_gallery(
            {
                "default_lost_reason_ids": self.ids,
                "default_name": ", ".join(self.mapped("name")),
            }
        )

    def get_nurture_preset(self):
        """The preset that chooses the leads lost for these reasons; made when there is none.

        :return: its id
        """
        return self.env["nurture.preset"]._of_reasons(self).id
