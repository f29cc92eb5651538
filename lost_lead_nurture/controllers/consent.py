from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import content_disposition, request
from odoo.tools import html2plaintext

from .pages import RECIPIENT_PAGE, keep_private
from .results import CONTENT_TYPE, choose_companies

#: Records that have a history, by their name in addresses.
_MODELS = {"lead": "crm.lead", "contact": "res.partner"}


class NurtureConsentController(http.Controller):
    @http.route("/nurture/consent/<int:request_id>/<string:token>", **RECIPIENT_PAGE)
    def nurture_consent(self, request_id, token, **_post):
        """Whoever was asked for consent confirms. To look changes nothing: programs look, too."""
        consent_sudo = request.env["nurture.consent"].sudo().browse(request_id).exists()
        if not consent_sudo.email or not consent_sudo._is_signed(token):
            raise NotFound()
        request.update_context(lang=consent_sudo.lang or request.env.lang)
        # in the language that was just set
        consent_sudo = consent_sudo.with_env(request.env(su=True))
        values = {"consent": consent_sudo, "lang": request.env.lang}
        question = request.env["ir.qweb"]._render("lost_lead_nurture.consent_question", values)
        confirmed_sudo = consent_sudo._get_confirmation()
        if request.httprequest.method == "POST":
            confirmed_sudo = consent_sudo._confirm(
                # without the token, which is as good as a signature
                f"{request.httprequest.host_url}nurture/consent/{request_id}",
                html2plaintext(question),
            )
        values |= {"confirmed": confirmed_sudo, "question": question}
        response = keep_private(request.render("lost_lead_nurture.consent_page", values))
        if not (confirmed_sudo or consent_sudo._is_open()):
            response.status_code = 410
        return response

    @http.route(
        "/nurture/consent/<string:kind>/<int:record_id>/history.xlsx", type="http", auth="user"
    )
    def nurture_consent_history(self, kind, record_id, cids=""):
        """All that happened to the consent of a lead or contact, as a workbook.

        :param cids: as in :meth:`nurture_results`
        """
        if kind not in _MODELS:
            raise request.not_found()
        records = choose_companies(request.env[_MODELS[kind]], cids)
        record = records.with_context(active_test=False).browse(record_id).exists()
        if not record or not record.has_access("read") or not record._nurture_may_see_consent():
            # whether it exists is nobody else's business
            raise request.not_found()
        return request.make_response(
            record._nurture_make_consent_workbook(),
            headers=[
                ("Content-Type", CONTENT_TYPE),
                ("Content-Disposition", content_disposition(record._nurture_get_file_name())),
            ],
        )
