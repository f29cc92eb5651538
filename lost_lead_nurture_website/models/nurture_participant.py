from odoo import models


class NurtureParticipant(models.Model):
    _inherit = "nurture.participant"

    def _get_event_words(self):
        return super()._get_event_words() | {"visit": self.env._("looked at a page")}
