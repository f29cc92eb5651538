from odoo import api, models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        if self._nurture_is_automatic(message):
            self = self.with_context(nurture_ignore_reaction=True)
        return super()._message_route_process(message, message_dict, routes)

    @api.model
    def _nurture_is_automatic(self, message):
        """Whether a machine wrote the message: an out-of-office is not an answer.

        RFC 3834: it says so in Auto-Submitted, with any value but “no”. Older programs use one of
        the other headers.
        """

        def header(name):
            return (message.get(name) or "").strip().lower()

        return (
            header("Auto-Submitted") not in ("", "no")
            or header("Precedence") in ("auto_reply", "bulk", "junk")
            or bool(header("X-Autoreply") or header("X-Autorespond"))
        )
