from odoo import fields, models

from odoo.addons.lost_lead_nurture.models.sequence.money import COST_GROUPS
from odoo.addons.lost_lead_nurture.tools.prices import PRICE_DIGITS


class NurtureSequence(models.Model):
    """What the SMS of a sequence cost."""

    _inherit = "nurture.sequence"

    sms_cost = fields.Float(
        string="Cost per SMS",
        digits=PRICE_DIGITS,
        compute="_compute_message_prices",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        groups=COST_GROUPS,
        help="What each SMS costs that leaves, however long. A new sequence takes it from the "
        "settings.",
    )

    def _compute_message_prices(self):  # pylint: disable=missing-return
        super()._compute_message_prices()
        for sequence in self:
            company = sequence.company_id or self.env.company
            sequence.sms_cost = company.nurture_sms_cost

    def _get_price_fields(self):
        return {**super()._get_price_fields(), "sms": "sms_cost"}
