from odoo import api, models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        # An out-of-office is not an answer. RFC 3834: whatever is sent by a machine says so in
        # Auto-Submitted, with any value but "no".
        if message.get("Auto-Submitted", "no").strip().lower() != "no":
            self = self.with_context(nurture_ignore_reaction=True)
        return super()._message_route_process(message, message_dict, routes)
