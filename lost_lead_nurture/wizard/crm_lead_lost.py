from odoo import api, fields, models


class CrmLeadLost(models.TransientModel):
    """Losing leads offers the sequence that is meant for the reason. Nothing chosen, nothing is
    different from what core does."""

    _inherit = "crm.lead.lost"

    nurture_available = fields.Boolean(
        compute="_compute_nurture_available", help="Whether a sequence is running."
    )
    nurture_automatic = fields.Text(
        compute="_compute_nurture_offer", help="The sequences that take the leads automatically."
    )
    nurture_offer_id = fields.Many2one(
        "nurture.sequence",
        compute="_compute_nurture_offer",
        help="The running sequence that fits the reason best.",
    )
    nurture_sequence_id = fields.Many2one(
        "nurture.sequence",
        string="Nurture With",
        domain="[('state', '=', 'running')]",
        help="The sequence that will try to win the lead back.",
    )
    nurture_cure_note = fields.Text(
        related="lost_reason_id.nurture_cure_note", string="What Would Bring It Back"
    )
    nurture_preview = fields.Char(compute="_compute_nurture_preview")
    nurture_exclusion_reason = fields.Text(compute="_compute_nurture_preview")

    @api.depends_context("uid")
    def _compute_nurture_available(self):
        self.nurture_available = self.env["nurture.sequence"]._is_any_running()

    @api.depends("lost_reason_id", "lead_ids")
    @api.depends_context("lang", "tz", "uid")
    def _compute_nurture_offer(self):
        for wizard in self:
            wizard.nurture_automatic = wizard.nurture_offer_id = False
            leads, reason = wizard._nurture_leads(), wizard.lost_reason_id
            if not (leads and reason):
                continue
            fitting = self.env["nurture.sequence"]._get_fitting(leads, reason)
            fitting = fitting.filtered(lambda one: one.entry in ("auto", "cure", "manual"))
            taking = [wizard._nurture_describe_taking(one) for one in fitting]
            wizard.nurture_automatic = "\n".join(filter(None, taking))
            wizard.nurture_offer_id = fitting._pick_offer(leads, losing=True)

    @api.onchange("lost_reason_id")
    def _onchange_lost_reason_id(self):
        """Offer the sequence that fits, unless there is one that takes the leads anyway. Only to
        people: code that loses leads has not chosen it."""
        offer = self.nurture_offer_id
        is_offered = offer.entry == "manual" and not self.nurture_automatic
        self.nurture_sequence_id = is_offered and self._nurture_can_enter(offer) and offer

    @api.depends("nurture_sequence_id", "nurture_offer_id", "lead_ids")
    @api.depends_context("lang", "tz", "uid")
    def _compute_nurture_preview(self):
        for wizard in self:
            wizard.nurture_preview = wizard.nurture_exclusion_reason = False
            leads = wizard._nurture_leads()
            sequence = wizard.nurture_sequence_id or wizard.nurture_offer_id
            if not (leads and sequence):
                continue
            preview = sequence._preview_entry(leads, losing=True)
            wizard.nurture_exclusion_reason = sequence._describe_excluded(preview)
            if wizard.nurture_sequence_id:
                wizard.nurture_preview = sequence._describe_entry(preview)

    def _nurture_leads(self):
        return self.lead_ids._origin

    def _nurture_can_enter(self, sequence):
        return sequence._can_enter(sequence._preview_entry(self._nurture_leads(), losing=True))

    def _nurture_describe_taking(self, sequence):
        """What a sequence that leads enter automatically does with these, in words; False when it
        takes none of them."""
        if sequence.entry == "cure":
            return self._nurture_describe_waiting(sequence)
        if sequence.entry != "auto":
            return False
        chosen = sequence._get_chosen(self._nurture_leads(), self.lost_reason_id)
        description = sequence._describe_entry(sequence._preview_entry(chosen, losing=True))
        if not description:
            return False
        return self.env._(
            "“%(sequence)s” takes over automatically. %(description)s",
            sequence=sequence.name,
            description=description,
        )

    def _nurture_describe_waiting(self, sequence):
        """That a sequence takes over later, in words; False when it chooses none of these."""
        if not sequence._get_chosen(self._nurture_leads(), self.lost_reason_id):
            return False
        return self.env._(
            "“%s” takes over once what is missing now is marked as possible again.", sequence.name
        )

    def action_lost_reason_apply(self):
        result = super().action_lost_reason_apply()
        if not self.nurture_sequence_id:
            return result
        enrolled = self.nurture_sequence_id.enrol(self.lead_ids.ids)
        return self.nurture_sequence_id._enrol_notification(enrolled)
