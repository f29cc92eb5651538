from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from odoo.addons.mass_mailing.controllers.main import MassMailController

from ..models.mail.mailing_trace import HONEYPOT
from ..tools import bots
from ..tools.leaving import read_id
from ..tools.quotations import LINK, is_link, shows_quotation


class NurtureMailController(MassMailController):
    # ------------------------------------------------------------
    # PEOPLE AND BOTS: both get what they ask for, only people count
    # ------------------------------------------------------------

    @http.route()
    def track_mail_open(self, mail_id, token, **post):
        self._nurture_describe_request()
        return super().track_mail_open(mail_id, token, **post)

    @http.route()
    def full_url_redirect(self, code, mailing_trace_id, **post):
        token = post.get("n") or ""
        self._nurture_describe_request(token)
        response = super().full_url_redirect(code, mailing_trace_id, **post)
        if is_link(response.location):
            return self._nurture_redirect_to_quotation(response, code, mailing_trace_id, token)
        return response

    @http.route()
    def mailing_view_in_browser(
        self, mailing_id, email=None, document_id=None, hash_token=None, **kwargs
    ):
        response = super().mailing_view_in_browser(
            mailing_id, email=email, document_id=document_id, hash_token=hash_token, **kwargs
        )
        body = response.qcontext.get("body")
        if body and hash_token and shows_quotation(str(body)):
            # core has checked whose mail it is
            mailing = request.env["mailing.mailing"].sudo().browse(mailing_id)
            domain = mailing._nurture_sent_to(read_id(document_id), email)
            mailing_trace = request.env["mailing.trace"].sudo()._nurture_find(domain)[:1]
            if mailing_trace:
                url = mailing_trace._nurture_get_quotation_url()
                response.qcontext["body"] = body.replace(f'"/{LINK}"', f'"{url}"')
        return response

    def _nurture_redirect_to_quotation(self, response, code, mailing_trace_id, token):
        """The link is the same in all mails: who comes by one of them is led to the recipient's own
        page, where the link is signed; numbers of mails can be made up."""
        mailing_traces = request.env["mailing.trace"].sudo()
        mailing_trace = mailing_traces._nurture_find([("id", "=", mailing_trace_id)])
        if not mailing_trace or not mailing_trace._nurture_is_signed(code, token):
            return response
        url = mailing_trace._nurture_get_quotation_url()
        return request.redirect(url, code=302, local=False)

    @http.route("/nurture/t/<int:mailing_trace_id>/<string:token>", type="http", auth="public")
    def nurture_honeypot(self, mailing_trace_id, token):
        """The link that nobody sees: whoever follows it gets an empty page."""
        mailing_traces = request.env["mailing.trace"].sudo()
        mailing_trace = mailing_traces._nurture_find([("id", "=", mailing_trace_id)])
        if not mailing_trace or not mailing_trace._nurture_is_signed(HONEYPOT, token):
            raise NotFound()
        request.env["nurture.hit"].sudo()._note(mailing_trace, "honeypot", bots.Request())
        return request.make_response("", status=204)

    def _nurture_describe_request(self, token=""):
        """Let those who count opens and clicks of a sequence's mails see who asks."""
        headers = request.httprequest.headers
        request.update_context(
            nurture_request=bots.Request(
                method=request.httprequest.method,
                user_agent=headers.get("User-Agent") or "",
                prefetch=bots.is_prefetch(headers),
                token=token,
            )
        )
