from odoo import models


class MailThreadBlacklist(models.AbstractModel):
    """Core counts on a record how many mails bounced from its address, and goes on counting when
    somebody writes another address there: that one bounces not."""

    _inherit = "mail.thread.blacklist"

    def write(self, vals):
        before = {}
        if self._primary_email in vals:
            before = {one: one.email_normalized for one in self._nurture_get_bouncing()}
        result = super().write(vals)
        for record, address in before.items():
            if record.email_normalized != address:
                record.message_bounce = 0
        return result

    def _nurture_get_bouncing(self):
        """The records with the address of ``self`` from which mails bounced."""
        return list(self.filtered("message_bounce"))
