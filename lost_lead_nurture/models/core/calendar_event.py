from odoo import api, models


class CalendarEvent(models.Model):
    """A meeting that is booked is an outcome, and a goal of sequences."""

    _inherit = "calendar.event"

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        self.env["nurture.outcome"]._note_meetings(events.filtered("opportunity_id"))
        events._nurture_check_goals()
        return events

    def write(self, vals):
        result = super().write(vals)
        if {"opportunity_id", "active"} & vals.keys():
            self.env["nurture.outcome"]._note_meetings(self)
        if {"opportunity_id", "partner_ids", "active"} & vals.keys():
            self._nurture_check_goals()
        return result

    def _nurture_check_goals(self):
        participants = self.env["nurture.participant"].sudo()
        if participants._is_idle():
            return
        events = self.sudo()
        leads = events.opportunity_id
        participants._check_goals(leads | leads._nurture_leads_of(events.partner_ids))
