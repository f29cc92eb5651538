import re

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.models.mail.mailing_trace import registered_by_core

#: Characters that sign a short link.
TOKEN_SIZE = 6


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    # who has had an SMS, and when
    _nurture_sms = models.Index("(sms_number, mass_mailing_id) WHERE sms_number IS NOT NULL")

    def _nurture_token(self, code):
        token = super()._nurture_token(code)
        # a text has few characters, and one guess in 16 million makes one click
        return token[:TOKEN_SIZE] if self.trace_type == "sms" else token

    def _nurture_sign(self, text, sms_id):
        """Sign the short links in the text of this SMS."""

        def sign(found):
            return f"{found[0]}?n={self._nurture_token(found[1])}"

        return re.sub(rf"/r/([^/\s]+)/s/{sms_id}(?![\w/?])", sign, text or "")

    @registered_by_core
    def set_opened(self, domain=None):
        # Who follows the link has the SMS: the provider's report that it has left may come later.
        at_provider = self.filtered(
            lambda one: one.nurture_trace_id and one.trace_status == "process"
        )
        if at_provider:
            at_provider.write({"trace_status": "pending", "sent_datetime": fields.Datetime.now()})
            at_provider._nurture_date_back("sent_datetime")
            at_provider._nurture_handle("sent")
        return super().set_opened(domain)

    @api.model
    def _nurture_get_queued_domain(self):
        self.env["sms.sms"].flush_model(["state"])
        outgoing = SQL("(SELECT id FROM sms_sms WHERE state = 'outgoing')")
        return super()._nurture_get_queued_domain() | Domain("sms_id_int", "in", outgoing)

    def _nurture_cancel_queued(self):
        result = super()._nurture_cancel_queued()
        self._nurture_get_sms("outgoing").action_set_canceled()
        return result

    def _nurture_get_kept(self):
        if self.trace_type != "sms":
            return super()._nurture_get_kept()
        # core deletes an SMS some time after it has left
        sms = self.env["sms.sms"].sudo().search([("id", "=", self.sms_id_int)])
        if not sms:
            return None
        return {
            "subject": self.env._("SMS to %s", sms.number),
            "html": self.env["nurture.step"]._make_sms_page(sms.body),
            "note": self._nurture_get_kept_note(),
        }

    def _nurture_forget(self):
        self.filtered("sms_number").sms_number = False
        self._nurture_get_sms("sent", "pending", "error", "canceled").number = False
        return super()._nurture_forget()

    def _nurture_get_texts(self):
        texts = super()._nurture_get_texts()
        for sms in self._nurture_get_sms("outgoing"):
            # short links are rolled back: tell the long ones
            body, links = sms.body, []
            for short in re.finditer(rf"http\S+/r/([^/\s]+)/s/{sms.id}\?n=\w+", sms.body):
                codes = self.env["link.tracker.code"].sudo()
                links.append(codes.search([("code", "=", short[1])]).link_id.url)
                body = body.replace(short[0], links[-1])
            text = self.env._("SMS to %(number)s: %(text)s", number=sms.number, text=body)
            texts.append((text, links))
        return texts

    def _nurture_pretend_sent(self):
        self._nurture_get_sms("outgoing").write({"state": "pending"})
        return super()._nurture_pretend_sent()

    def _nurture_get_sms(self, *states):
        """The SMS of ``self`` that are in one of ``states``."""
        sms_ids = self.filtered(lambda one: one.trace_type == "sms").mapped("sms_id_int")
        return self.env["sms.sms"].sudo().search([("id", "in", sms_ids), ("state", "in", states)])
