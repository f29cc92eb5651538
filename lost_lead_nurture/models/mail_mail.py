import re

from odoo import models


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
            for values in email_list:
                if body := values["body"]:
                    values["body"] = body.__class__(stat._nurture_set_trap(str(body)))
        return email_list

    def write(self, vals):
        if vals.get("state") == "outgoing" and (unwanted := self._nurture_get_unwanted()):
            # whoever retries all that failed does not know who has left meanwhile
            unwanted.write(
                {
                    "state": "cancel",
                    "failure_reason": self.env._("Its sequence does not send it any more."),
                }
            )
            self -= unwanted
        result = super().write(vals)
        if vals.get("state") == "cancel":
            self._nurture_get_stats().set_canceled()
        return result

    def unlink(self):
        stats = self.filtered(lambda mail: mail.state == "outgoing")._nurture_get_stats()
        result = super().unlink()
        stats.set_canceled()
        return result

    def _nurture_get_unwanted(self):
        """The mails of sequences that are stopped, and to those who are not in theirs any more."""
        return self.filtered(
            lambda mail: any(
                trace.sequence_id.state != "running"
                or trace.participant_id.state != "running"
                or trace.state not in ("processed", "error")
                for trace in mail.sudo()._nurture_get_stats().nurture_trace_id
            )
        )

    def _nurture_get_stats(self):
        return self.mailing_trace_ids.filtered("nurture_trace_id")
