from odoo import http
from odoo.http import request

from odoo.addons.lost_lead_nurture.tools import bots
from odoo.addons.mass_mailing_sms.controllers.main import MailingSMSController


class NurtureSmsController(MailingSMSController):
    @http.route()
    def sms_short_link_redirect(self, code, sms_id_int, **post):
        # as for the links of mails: people and bots get what they ask for, only people count
        headers = request.httprequest.headers
        request.update_context(
            nurture_request=bots.Request(
                method=request.httprequest.method,
                user_agent=headers.get("User-Agent") or "",
                prefetch=bots.is_prefetch(headers),
                token=post.get("n") or "",
            )
        )
        return super().sms_short_link_redirect(code, sms_id_int, **post)

    @http.route()
    def blacklist_number(self, mailing_id, trace_code, **post):
        number = post.get("sms_number", "").strip(" ")
        request.env["mailing.trace"].sudo()._nurture_note_unsubscribed(
            [
                ("trace_type", "=", "sms"),
                ("mass_mailing_id", "=", mailing_id),
                ("sms_code", "=", trace_code),
                ("sms_number", "=", number),
            ]
        )
        return super().blacklist_number(mailing_id, trace_code, **post)
