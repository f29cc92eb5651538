"""What the pages have in common that recipients find behind links in mails."""

from odoo.http import request

#: How such a page is reached: GET only shows it, POST does something.
RECIPIENT_PAGE = {
    "type": "http",
    "auth": "public",
    "methods": ["GET", "POST"],
    # the token is what counts: mail programs have no session
    "csrf": False,
    "website": True,
    "sitemap": False,
}


def speak_to(mailing, res_id):
    """Have the page be in the language in which the recipient gets the mails of ``mailing``.

    :param res_id: id of the record that the mail was to; may be None
    """
    code = mailing._nurture_get_recipient_lang(res_id)
    if code and (lang := request.env["res.lang"]._get_data(code=code)):
        request.lang = lang
        request.update_context(lang=code)


def keep_private(response):
    """It is one person's page: nobody keeps it, finds it, or learns where it is."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
