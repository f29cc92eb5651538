from datetime import timedelta

from odoo import models


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _nurture_trigger_once(self, date):
        """Have it run at the first full minute after ``date``. Who asks for that once a mail does
        not fill the list of its calls."""
        date = date.replace(second=0, microsecond=0) + timedelta(minutes=1)
        calls = self.env["ir.cron.trigger"].sudo()
        if not calls.search_count([("cron_id", "=", self.id), ("call_at", "=", date)], limit=1):
            self._trigger(date)
