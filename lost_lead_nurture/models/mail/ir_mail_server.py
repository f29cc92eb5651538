from odoo import models

from ...tools.sandbox import is_sandbox
from ...tools.wire import WIRE


class IrMailServer(models.Model):
    """In a sandbox no mail leaves, whoever sends it. The header of a mailing arrives as it is
    written."""

    _inherit = "ir.mail_server"

    def _connect__(self, *args, **kwargs):
        if is_sandbox(self.env):
            return None
        return super()._connect__(*args, **kwargs)

    def _build_email__(self, *args, **kwargs):
        message = super()._build_email__(*args, **kwargs)
        if "List-Unsubscribe" in message:
            message.policy = WIRE
        return message

    def send_email(self, message, *args, **kwargs):
        if is_sandbox(self.env):
            self.env.cr.suppressed.append(("mail", message["To"]))
            return message["Message-Id"]
        return super().send_email(message, *args, **kwargs)
