from odoo import fields, models


class MailingMailingScheduleDate(models.TransientModel):
    _inherit = "mailing.mailing.schedule.date"

    def action_schedule_date(self):
        mailing = self.mass_mailing_id
        mailing._check_not_nurture()
        if question := mailing._nurture_ask(
            "action_schedule_date", schedule_date=self.schedule_date or fields.Datetime.now()
        ):
            return question
        return super(
            MailingMailingScheduleDate, self.with_context(nurture_ask=False)
        ).action_schedule_date()
