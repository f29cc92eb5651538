from odoo import api, models

from ..tools import machines
from ..tools.inside import INSIDE


class MailThread(models.AbstractModel):
    """What arrives at the gateway tells sequences of replies and bounces, whoever runs it."""

    _inherit = "mail.thread"

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        self = self.with_context(nurture_told=INSIDE)
        if machines.is_automatic(message):
            # an out-of-office is not an answer
            self = self.with_context(nurture_ignore_reaction=INSIDE)
        return super()._message_route_process(message, message_dict, routes)

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        self = self.with_context(nurture_told=INSIDE)
        if machines.is_harmless_report(email_message):
            # core takes every report for a bounce, a receipt that the mail was read included
            self = self.with_context(nurture_ignore_reaction=INSIDE)
        return super()._routing_handle_bounce(email_message, message_dict)
