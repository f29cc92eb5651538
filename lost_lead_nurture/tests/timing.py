"""Sending hours, and time that goes by with them."""

from datetime import timedelta

from odoo.fields import Command

from .common import ANN, SequenceMixin


class TimingMixin(SequenceMixin):
    """A sequence in a company whose clock is UTC."""

    def setUp(self):
        super().setUp()
        self.company.partner_id.tz = "UTC"

    def make_hours(self, *hours, days=range(7), **values):
        return self.env["resource.calendar"].create(
            {
                "name": "Sending hours",
                "tz": "UTC",
                "attendance_ids": [Command.clear()]
                + [
                    Command.create(
                        {
                            "name": "Open",
                            "dayofweek": str(day),
                            "hour_from": hour_from,
                            "hour_to": hour_to,
                        }
                    )
                    for day in days
                    for hour_from, hour_to in hours
                ],
                **values,
            }
        )

    def pass_by_the_cron(self, **delta):
        """Let time pass, with the scheduled action every quarter of an hour."""
        end = self.clock + timedelta(**delta)
        while self.clock < end:
            self.advance(minutes=15)

    def make_contact(self, **values):
        return self.env["res.partner"].create({"name": "Ann", "email": ANN, **values})
