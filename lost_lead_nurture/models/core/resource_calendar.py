from datetime import timedelta

from odoo import fields, models

from ...tools.sending_hours import SendingHours

#: How long before the end of the sending hours the last messages are planned: the scheduled action
#: happens every quarter of an hour.
SLACK = timedelta(minutes=15)


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def _nurture_sending_hours(self):
        """The working hours as the hours in which mails are sent. Days off count by the recipient's
        clock: whatever is closed on 25 December here is not written to on 25 December there."""
        self.ensure_one()
        hours = [
            (
                int(line.dayofweek),
                line.hour_from,
                line.hour_to,
                int(line.week_type) if self.two_weeks_calendar and line.week_type else None,
            )
            for line in self.attendance_ids
            if not line.display_type and line.day_period != "lunch"
        ]
        here = self.with_context(tz=self.tz)
        holidays = [
            tuple(
                fields.Datetime.context_timestamp(here, moment).replace(tzinfo=None)
                for moment in (leave.date_from, leave.date_to)
            )
            for leave in self._nurture_get_holidays()
        ]
        return SendingHours(hours, holidays, SLACK)

    def _nurture_get_holidays(self):
        """Days off of everybody: of this calendar, and of all of its company."""
        return self.env["resource.calendar.leaves"].search(
            [
                ("resource_id", "=", False),
                ("calendar_id", "in", [self.id, False]),
                ("company_id", "in", [self.company_id.id, False]),
                ("date_to", ">=", fields.Datetime.now()),
            ]
        )
