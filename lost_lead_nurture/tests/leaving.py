"""A recipient on the page behind the link to unsubscribe."""

import re
from urllib.parse import parse_qsl, urlsplit

from odoo import fields

from .common import ANN


class PageMixin:
    """To be used with :class:`~common.NurtureHttpCase`, with a first mail that has arrived."""

    def path_of(self, url):
        """An absolute address of a mail as the tests' client takes it."""
        parts = urlsplit(url.replace("&amp;", "&"))
        return f"{parts.path}?{parts.query}"

    def link_of(self, message):
        """The link to unsubscribe in the HTML of a mail."""
        (link,) = set(re.findall(r'href="([^"]+confirm_unsubscribe[^"]+)"', self.html_of(message)))
        return self.path_of(link)

    def parameters_of(self, message):
        """What the link to unsubscribe consists of."""
        return dict(parse_qsl(urlsplit(self.link_of(message)).query))

    def fill_in(self, message, choice, topics=None, **fields_):
        """Open the page and choose something there.

        :param topics: ids of the topics that are ticked, where it is about topics
        :return: the response
        """
        if topics is not None:
            fields_["topic"] = topics
        return self.post(message, choice=choice, **fields_)

    def post(self, message, **fields_):
        """Post the form of the page with these fields, whether it offers them or not.

        :return: the response
        """
        page = self.url_open(self.link_of(message)).text
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        form |= fields_
        response = self.url_open("/mailing/confirm_unsubscribe", data=form)
        self.env.invalidate_all()
        return response

    def preferences(self, address=ANN):
        """What is noted of an address, oldest first."""
        return self.env["nurture.preference"].search([("email", "=", address)], order="id")

    def day(self, **delta):
        """A day from today on."""
        return fields.Date.add(self.clock.date(), **delta)
