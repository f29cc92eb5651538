from datetime import timedelta

from odoo import models


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _nurture_trigger_once(self, date):
        """Have it run at the first full minute that is not before ``date``. Who asks for that once
        a mail does not fill the list of its calls."""
        last_moment = date + timedelta(minutes=1) - timedelta.resolution
        date = last_moment.replace(second=0, microsecond=0)
        calls = self.env["ir.cron.trigger"].sudo()
        if not calls.search_count([("cron_id", "=", self.id), ("call_at", "=", date)], limit=1):
            self._trigger(date)
