from werkzeug.exceptions import NotFound

from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..tools.leaving import is_token
from ..tools.quotations import LINK
from .pages import RECIPIENT_PAGE, keep_private, speak_to


class NurtureQuotationController(http.Controller):
    """The page on which the recipient of a mail finds the quotation that was refused, as it would
    be today, and asks for it. To look changes nothing: programs look, too."""

    @http.route("/nurture/quotation/<int:mailing_trace_id>/<string:token>", **RECIPIENT_PAGE)
    def nurture_quotation(self, mailing_trace_id, token, **_post):
        mailing_trace_sudo = request.env["mailing.trace"].sudo().browse(mailing_trace_id).exists()
        if (
            not mailing_trace_sudo.nurture_trace_id
            or not is_token(token)
            or not mailing_trace_sudo._nurture_is_quotation_signed(token)
        ):
            raise NotFound()
        speak_to(mailing_trace_sudo.mass_mailing_id, mailing_trace_sudo.res_id)
        # in the language that was just set
        mailing_trace_sudo = mailing_trace_sudo.with_env(request.env(su=True))
        if request.httprequest.method == "POST":
            page = self._nurture_ask(mailing_trace_sudo)
            if page.state == "made":
                return request.redirect(page.order.get_portal_url(), code=303)
        else:
            page = mailing_trace_sudo._nurture_get_quotation_page()
        return self._nurture_show(mailing_trace_sudo, page)

    @http.route(f"/{LINK}", type="http", auth="public", website=True, sitemap=False)
    def nurture_quotation_placeholder(self):
        """Where the link leads in previews and in mails of no sequence."""
        return keep_private(request.render("lost_lead_nurture.quotation_placeholder_page"))

    def _nurture_ask(self, mailing_trace_sudo):
        """Have the quotation made, as by the scheduled action: whoever is on the page is nobody to
        Odoo, and core asks who it is that adds recipients to the messages that come of it. The
        quotation itself is made with the rights of who has set up the step."""
        visitor = request.env.user
        request.update_env(user=SUPERUSER_ID)
        try:
            return mailing_trace_sudo.with_env(request.env)._nurture_ask_for_quotation()
        finally:
            request.update_env(user=visitor)

    def _nurture_show(self, mailing_trace_sudo, page):
        values = {"page": page, "company": page.company, "url": "", "quotation": {}}
        sequence_sudo = mailing_trace_sudo.nurture_trace_id.sequence_id
        if page.state == "open":
            values["quotation"] = sequence_sudo._describe_renewal(page.renewal, page.last_day)
        elif page.order and page.state in ("made", "ordered"):
            values["url"] = page.order.get_portal_url()
        response = keep_private(request.render("lost_lead_nurture.quotation_page", values))
        if page.state not in ("open", "made", "ordered"):
            response.status_code = 410
        return response
