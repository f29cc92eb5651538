from urllib.parse import urlencode

from werkzeug.exceptions import BadRequest, MethodNotAllowed, NotFound, Unauthorized

from odoo import http
from odoo.exceptions import ValidationError
from odoo.http import request

from odoo.addons.mass_mailing.controllers.main import MassMailController

from ..models.mail.preference import MAX_TEXT, SOURCE_KEY
from ..tools import leaving
from ..tools.inside import Inside
from .pages import speak_to

#: How many lists somebody may choose from in one request.
_MAX_LISTS = 1000


class NurtureLeavingController(MassMailController):
    """Core's pages to unsubscribe. To look at one changes nothing, as programs follow links, too:
    what is posted does. They offer more than all or nothing, in the language of the recipient, and
    what was chosen is noted with the words that were shown. What comes with a request is read
    before anything is looked up; an unknown mailing and a wrong token are answered alike."""

    def _check_mailing_email_token(
        self, mailing_id, document_id, email, hash_token, required_mailing_id=False
    ):
        for value, fits in (
            (mailing_id, leaving.read_id),
            (document_id, leaving.read_id),
            (email, leaving.is_address),
            (hash_token, leaving.is_token),
        ):
            # what is missing is core's to judge
            if value and not fits(value):
                raise NotFound()
        if type(mailing_id) is str:
            mailing_id = leaving.read_id(mailing_id)
        return super()._check_mailing_email_token(
            mailing_id, document_id, email, hash_token, required_mailing_id=required_mailing_id
        )

    # ------------------------------------------------------------
    # PAGES
    # ------------------------------------------------------------

    @http.route()
    def mailing_confirm_unsubscribe(
        self, mailing_id, document_id=None, email=None, hash_token=None, **_others
    ):
        # unknown parameters, which mail programs and web sites add to links, say nothing
        mailing = self._nurture_authorize(mailing_id, document_id, email, hash_token)
        speak_to(mailing, leaving.read_id(document_id))
        response = super().mailing_confirm_unsubscribe(
            mailing_id, document_id=document_id, email=email, hash_token=hash_token
        )
        if self._nurture_offers_choice(mailing, hash_token):
            response.qcontext.update(self._nurture_prepare_page(mailing, email))
        return response

    @http.route()
    def mailing_confirm_unsubscribe_post(
        self, mailing_id=None, document_id=None, email=None, hash_token=None, **form
    ):
        self._nurture_check_posted()
        mailing = self._nurture_authorize(mailing_id, document_id, email, hash_token)
        if not (form.get("choice") and self._nurture_offers_choice(mailing, hash_token)):
            return super().mailing_confirm_unsubscribe_post(
                mailing.id, document_id=document_id, email=email, hash_token=hash_token
            )
        speak_to(mailing, leaving.read_id(document_id))
        preferences = request.env["nurture.preference"].sudo()
        form["topics"] = request.httprequest.form.getlist("topic")
        form = {name: _read_field(name, value) for name, value in form.items()}
        try:
            wording = preferences._choose_on_page(
                mailing, leaving.read_id(document_id), email, form
            )
        except ValidationError as error:
            response = self.mailing_confirm_unsubscribe(
                mailing.id, document_id=document_id, email=email, hash_token=hash_token
            )
            return self._nurture_ask_again(response, form, error.args[0])
        parameters = urlencode(
            {"email": email, "document_id": document_id, "hash_token": hash_token}
        )
        return request.render(
            "mass_mailing.page_mailing_has_unsubscribed",
            {
                "settings_url": f"/mailing/{mailing.id}/unsubscribe?{parameters}",
                "nurture_done": wording,
            },
        )

    @http.route()
    def mailing_unsubscribe(
        self, mailing_id, document_id=None, email=None, hash_token=None, **others
    ):
        mailing = self._nurture_authorize(mailing_id, document_id, email, hash_token)
        if request.httprequest.method == "POST":
            return super().mailing_unsubscribe(
                mailing_id, document_id=document_id, email=email, hash_token=hash_token
            )
        email_found, token_found = self._fetch_user_information(email, hash_token)
        listed = request.env["mail.blacklist"].sudo().search([("email", "=", email_found)], limit=1)
        if mailing.mailing_on_mailing_list or listed:
            speak_to(mailing, leaving.read_id(document_id))
            values = self._prepare_mailing_subscription_values(
                mailing, document_id, email_found, token_found
            )
            return request.render("mass_mailing.page_mailing_unsubscribe", values)
        return self.mailing_confirm_unsubscribe(
            mailing_id, document_id=document_id, email=email, hash_token=hash_token, **others
        )

    @http.route()
    def mailing_unsubscribe_oneclick(
        self, mailing_id, document_id=None, email=None, hash_token=None, **_post
    ):
        self._nurture_check_posted()
        # what mail programs post (RFC 8058) says nothing more; core passes it on to a page that
        # does not know it, and warns of that
        request.update_context(**{SOURCE_KEY: Inside("one_click")})
        return super().mailing_unsubscribe_oneclick(
            mailing_id, document_id=document_id, email=email, hash_token=hash_token
        )

    def _mailing_unsubscribe_from_document(self, mailing, document_id, email, hash_token):
        # core turns the request into a blacklist entry: remember that the recipient asked for it
        source = request.env.context.get(SOURCE_KEY) or Inside("page")
        request.update_context(**{SOURCE_KEY: source})
        self._nurture_note_unsubscribed(mailing, document_id, email, hash_token)
        preferences = request.env["nurture.preference"].sudo()
        preferences._note_everything(mailing, leaving.read_id(document_id), email, str(source))
        return super()._mailing_unsubscribe_from_document(mailing, document_id, email, hash_token)

    def _mailing_unsubscribe_from_list(self, mailing, document_id, email, hash_token):
        self._nurture_note_unsubscribed(mailing, document_id, email, hash_token)
        return super()._mailing_unsubscribe_from_list(mailing, document_id, email, hash_token)

    # ------------------------------------------------------------
    # WHAT THE PAGE OF SUBSCRIPTIONS ASKS THE SERVER FOR
    # ------------------------------------------------------------

    @http.route()
    def mail_blocklist_add(
        self, mailing_id=None, document_id=None, email=None, hash_token=None, **_others
    ):
        request.update_context(**{SOURCE_KEY: Inside("page")})
        return super().mail_blocklist_add(
            mailing_id=mailing_id, document_id=document_id, email=email, hash_token=hash_token
        )

    @http.route()
    def mail_blocklist_remove(
        self, mailing_id=None, document_id=None, email=None, hash_token=None, **_others
    ):
        request.update_context(**{SOURCE_KEY: Inside("page")})
        return super().mail_blocklist_remove(
            mailing_id=mailing_id, document_id=document_id, email=email, hash_token=hash_token
        )

    @http.route()
    def mailing_update_list_subscription(
        self,
        mailing_id=None,
        document_id=None,
        email=None,
        hash_token=None,
        lists_optin_ids=None,
        **_others,
    ):
        ids = lists_optin_ids or []
        if not isinstance(ids, list) or len(ids) > _MAX_LISTS or not all(map(leaving.read_id, ids)):
            return "error"
        return super().mailing_update_list_subscription(
            mailing_id=mailing_id,
            document_id=document_id,
            email=email,
            hash_token=hash_token,
            lists_optin_ids=[leaving.read_id(one) for one in ids],
        )

    @http.route()
    def mailing_send_feedback(
        self,
        mailing_id=None,
        document_id=None,
        email=None,
        hash_token=None,
        last_action=None,
        opt_out_reason_id=False,
        feedback=None,
        **_others,
    ):
        reasons = request.env["mailing.subscription.optout"].sudo()
        reason = reasons.browse(leaving.read_id(opt_out_reason_id) or ()).exists()
        if not reason:
            return "error"
        return super().mailing_send_feedback(
            mailing_id=mailing_id,
            document_id=document_id,
            email=email,
            hash_token=hash_token,
            last_action=leaving.read_text(last_action, MAX_TEXT),
            opt_out_reason_id=reason.id,
            feedback=leaving.read_text(feedback, MAX_TEXT),
        )

    # ------------------------------------------------------------
    # OURS
    # ------------------------------------------------------------

    def _nurture_check_posted(self):
        """Odoo lets OPTIONS through to pages that are only posted to, and does not ask it whether
        it comes from our own form.

        :raise MethodNotAllowed: for whatever is not posted
        """
        if request.httprequest.method != "POST":
            raise MethodNotAllowed()

    def _nurture_authorize(self, mailing_id, document_id, email, hash_token):
        """The mailing of a request, with all rights.

        :raise Unauthorized: when the token is wrong, or there is no such mailing: nobody finds out
            which mailings there are
        """
        if not leaving.read_id(mailing_id):
            raise Unauthorized() if mailing_id else BadRequest()
        email_found, token_found = self._fetch_user_information(email, hash_token)
        try:
            return self._check_mailing_email_token(
                leaving.read_id(mailing_id),
                document_id,
                email_found,
                token_found,
                required_mailing_id=True,
            )
        except NotFound as error:
            raise Unauthorized() from error

    def _nurture_offers_choice(self, mailing, hash_token):
        """Whether the recipient has more to choose from than core's page offers: mailing lists have
        one of their own."""
        return bool(hash_token) and not mailing.mailing_on_mailing_list

    def _nurture_prepare_page(self, mailing, email):
        """What the page shows, in the language of the recipient."""
        preferences = request.env["nurture.preference"].sudo()
        return {
            "nurture_options": preferences._get_options(mailing, email),
            "nurture_is_listed": preferences._is_blacklisted(preferences._read_address(email)),
            "nurture_current": preferences._get_current_words(email),
            "nurture_numbers": preferences._get_numbers(),
            "nurture_days": preferences._get_pause_days(),
            "nurture_topics": preferences._get_topics(mailing),
            "nurture_topics_left": preferences._get_topics_left(email),
            "opt_out_reasons": request.env["mailing.subscription.optout"].sudo().search([]),
            "nurture_form": {"choice": "everything"},
        }

    def _nurture_ask_again(self, response, form, problem):
        """The page once more, filled in as it was sent, with what was wrong about that: to save it
        once more must not mean something else."""
        response.qcontext |= {"nurture_problem": problem, "nurture_form": form}
        response.status_code = 400
        return response

    def _nurture_note_unsubscribed(self, mailing, document_id, email, hash_token):
        """Keep in which mail it was; core has checked the token. It lets colleagues do without."""
        if hash_token:
            mailing_traces = request.env["mailing.trace"].sudo()
            document_id = leaving.read_id(document_id)
            mailing_traces._nurture_note_unsubscribed(mailing._nurture_sent_to(document_id, email))


def _read_field(name, value):
    """A field of the form as the model takes it."""
    if name == "topics":
        return [leaving.read_id(one) for one in value]
    if name in ("number", "opt_out_reason_id"):
        return leaving.read_id(value)
    if name == "until":
        return leaving.read_date(value)
    return leaving.read_text(value, MAX_TEXT)
