from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from odoo.addons.mass_mailing.controllers.main import MassMailController

from ..models.mail.mailing_trace import HONEYPOT
from ..tools import bots
from ..tools.inside import INSIDE


class NurtureMailController(MassMailController):
    def _mailing_unsubscribe_from_document(self, mailing, document_id, email, hash_token):
        # core turns the request into a blacklist entry: remember that the recipient asked for it
        request.update_context(nurture_unsubscribed=INSIDE)
        self._nurture_note_unsubscribed(mailing, document_id, email, hash_token)
        return super()._mailing_unsubscribe_from_document(mailing, document_id, email, hash_token)

    def _mailing_unsubscribe_from_list(self, mailing, document_id, email, hash_token):
        self._nurture_note_unsubscribed(mailing, document_id, email, hash_token)
        return super()._mailing_unsubscribe_from_list(mailing, document_id, email, hash_token)

    def _nurture_note_unsubscribed(self, mailing, document_id, email, hash_token):
        """Keep in which mail it was; core has checked the token. It lets colleagues do without."""
        if hash_token:
            request.env["mailing.trace"].sudo()._nurture_note_unsubscribed(
                [
                    ("mass_mailing_id", "=", mailing.id),
                    ("res_id", "=", int(document_id)),
                    ("email", "=", email),
                ]
            )

    @http.route()
    def mailing_unsubscribe_oneclick(
        self, mailing_id, document_id=None, email=None, hash_token=None, **_post
    ):
        # what mail programs post (RFC 8058) says nothing more; core passes it on to a page that
        # does not know it, and warns of that
        return super().mailing_unsubscribe_oneclick(
            mailing_id, document_id=document_id, email=email, hash_token=hash_token
        )

    # ------------------------------------------------------------
    # PEOPLE AND BOTS: both get what they ask for, only people count
    # ------------------------------------------------------------

    @http.route()
    def track_mail_open(self, mail_id, token, **post):
        self._nurture_describe_request()
        return super().track_mail_open(mail_id, token, **post)

    @http.route()
    def full_url_redirect(self, code, mailing_trace_id, **post):
        self._nurture_describe_request(post.get("n") or "")
        return super().full_url_redirect(code, mailing_trace_id, **post)

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
