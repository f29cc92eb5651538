from odoo import api, models


class PhoneBlacklist(models.Model):
    """A number on it gets no SMS. The lead stays in its sequences: mails are another matter."""

    _inherit = "phone.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        # core's create also revives archived entries and returns those known already
        entries = super().create(vals_list)
        entries._nurture_recall()
        return entries

    def write(self, vals):
        result = super().write(vals)
        if vals.get("active"):
            self._nurture_recall()
        return result

    def _nurture_recall(self):
        """Cancel the SMS of sequences that wait in the queue for these numbers."""
        numbers = self.filtered("active").mapped("number")
        queued = (
            self.env["sms.sms"]
            .sudo()
            .search(
                [
                    ("state", "=", "outgoing"),
                    ("number", "in", numbers),
                    ("mailing_id.nurture_sequence_id", "!=", False),
                ]
            )
        )
        queued._update_sms_state_and_trackers("canceled", failure_type="sms_blacklist")
