from odoo import fields, models

from .results_mixin import GROUPS


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "nurture.results.mixin"]
    _credited_by = "partner_id"

    nurture_lead_count = fields.Integer(groups=GROUPS)
    nurture_quotation_count = fields.Integer(groups=GROUPS)
    nurture_results_currency_id = fields.Many2one(groups=GROUPS)

    # customers by address, for the conditions on orders and meetings
    _nurture_email_index = models.Index("(email_normalized)")
    # those whose mails bounced
    _nurture_bounced_index = models.Index("(email_normalized) WHERE message_bounce > 0")

    def _nurture_get_bouncing(self):
        """A contact's address is that of its leads, too."""
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        bouncing = leads.search([("partner_id", "in", self.ids), ("message_bounce", ">", 0)])
        return [*super()._nurture_get_bouncing(), *bouncing]
