from odoo import api, models


class MailBlacklist(models.Model):
    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        # core's create also revives archived entries and returns those known already
        entries = super().create(vals_list)
        entries._nurture_leave()
        return entries

    def write(self, vals):
        result = super().write(vals)
        if vals.get("active"):
            self._nurture_leave()
        return result

    def _nurture_leave(self):
        """Whoever does not want mails leaves the sequences that take heed of it, at once, and gets
        none of the mails in the queue of the others."""
        addresses = self.mapped("email")
        participants = (
            self.env["nurture.participant"]
            .sudo()
            .search(
                [
                    ("state", "=", "running"),
                    "|",
                    ("email", "in", addresses),
                    ("lead_id.email_normalized", "in", addresses),
                ]
            )
        )
        leaving = participants.filtered("sequence_id.exit_on_blacklisted")
        asked = self.env.context.get("nurture_exit_reason") == "unsubscribed"
        leaving._leave("unsubscribed" if asked else "blacklisted")
        queued = (
            self.env["mailing.trace"]
            .sudo()
            ._nurture_queued([("participant_id", "in", (participants - leaving).ids)])
            .filtered(lambda mail: mail.trace_type == "mail" and mail.email in addresses)
        )
        queued.nurture_trace_id._set_state("rejected", "blacklisted")
        queued._nurture_cancel_queued()
