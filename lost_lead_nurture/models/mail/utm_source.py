from odoo import models

from ...tools.mail_texts import fill_text


class UtmSource(models.Model):
    _inherit = "utm.source"

    def _generate_name(self, record, content):
        """A mailing's source is named by its subject, and its statistics by the source: as somebody
        reads it of whom nothing is known."""
        if content and record._name == "mailing.mailing":
            content = fill_text(content).strip() or "…"
        return super()._generate_name(record, content)
