import re

from odoo import models
from odoo.tools.mail import append_content_to_html


class MailMail(models.Model):
    """A mail of a sequence has signed links and a trap for machines. When it is taken out of the
    queue by hand it says so to its sequence."""

    _inherit = "mail.mail"

    def _prepare_outgoing_body(self):
        body = super()._prepare_outgoing_body()
        stat = self._nurture_get_stats()[:1]
        if not (body and stat):
            return body

        # as a parameter, which core does not mind: the link works without the add-on, too
        def sign(link):
            return f"{link[0]}?n={stat._nurture_token(link[1])}"

        return body.__class__(re.sub(rf"/r/([^/\s\"'<>]+)/m/{stat.id}(?![\w/?])", sign, str(body)))

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        email_list = super()._prepare_outgoing_list(mail_server, doc_to_followers)
        if stat := self._nurture_get_stats()[:1]:
            # Without a text there is nothing to see, to hear or to hit, in any mail program and
            # style, and nothing hidden that a spam filter could find fault with. Those who collect
            # the links of a mail find it. The plain text, where it would show, does not have it.
            trap = f'<a href="{stat._nurture_trap_url()}" aria-hidden="true" tabindex="-1"></a>'
            for values in email_list:
                values["body"] = append_content_to_html(values["body"], trap, plaintext=False)
        return email_list

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") == "cancel":
            self._nurture_get_stats().set_canceled()
        return result

    def unlink(self):
        stats = self.filtered(lambda mail: mail.state == "outgoing")._nurture_get_stats()
        result = super().unlink()
        stats.set_canceled()
        return result

    def _nurture_get_stats(self):
        return self.mailing_trace_ids.filtered("nurture_trace_id")
