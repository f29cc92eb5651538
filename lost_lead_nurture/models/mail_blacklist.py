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
        """Whoever does not want mails leaves all sequences at once."""
        participants = (
            self.env["nurture.participant"]
            .sudo()
            .search(
                [
                    ("state", "=", "running"),
                    ("sequence_id.exit_on_blacklisted", "=", True),
                    "|",
                    ("email", "in", self.mapped("email")),
                    ("lead_id.email_normalized", "in", self.mapped("email")),
                ]
            )
        )
        asked = self.env.context.get("nurture_exit_reason") == "unsubscribed"
        participants._leave("unsubscribed" if asked else "blacklisted")
