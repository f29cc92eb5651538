from odoo import models


class MailMail(models.Model):
    """A mail that is taken out of the queue by hand says so to its sequence."""

    _inherit = "mail.mail"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") == "cancel":
            self._nurture_get_stats().set_canceled()
        return result

    def unlink(self):
        stats = self.filtered(lambda mail: mail.state == "outgoing")._nurture_get_stats()
        result = super().unlink()
        stats.set_canceled()
        return result

    def _nurture_get_stats(self):
        return self.mailing_trace_ids.filtered("nurture_trace_id")
