from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    # customers by address, for the conditions on orders and meetings
    _nurture_email_index = models.Index("(email_normalized)")
    # those whose mails bounced
    _nurture_bounced_index = models.Index("(email_normalized) WHERE message_bounce > 0")

    def _nurture_get_bouncing(self):
        """A contact's address is that of its leads, too."""
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        bouncing = leads.search([("partner_id", "in", self.ids), ("message_bounce", ">", 0)])
        return [*super()._nurture_get_bouncing(), *bouncing]
