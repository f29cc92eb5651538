"""Where the links of mails lead: those a mail brings along, and those that are no pages."""

import re
from html import unescape

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...tools.links import (
    UNSUBSCRIBE,
    VIEW,
    fill_placeholders,
    has_placeholder,
)
from ..common import ANN, BOB, NurtureHttpCase, TwoLeadsMixin

URLS = {UNSUBSCRIBE: "https://a.example/u?x=1&y=2", VIEW: "https://a.example/v?x=1&y=2"}
OWN = ("https://a.example/", "https://b.example/shop")


@tagged("post_install", "-at_install")
class TestPlaceholders(TwoLeadsMixin, NurtureHttpCase):
    def send_body(self, body):
        """Have the first mail of the sequence sent with this text."""
        self.first.mailing_id.write({"body_arch": body, "body_html": body})
        self.sequence.action_start()
        self.advance()

    def bodies(self, address=ANN):
        message = self.mail_to(address)
        return [message.get_body((kind,)).get_content() for kind in ("html", "plain")]

    def check(self, base_url):
        """Both texts lead to the page to unsubscribe on this host, and the page works."""
        for text in map(unescape, self.bodies()):
            self.assertNotIn("unsubscribe_from_list", text)
            (link,) = set(re.findall(r"https?://[^\s\"'<>]+/confirm_unsubscribe[^\s\"'<>]+", text))
            self.assertTrue(link.startswith(f"{base_url}/mailing/"), link)
            self.assertIn(
                "Unsubscribe", self.url_open(self.base_url() + link[len(base_url) :]).text
            )

    def test_text_part(self):
        self.sequence.action_start()
        self.advance()
        self.check(self.base_url())

    def test_base_url_with_slash(self):
        self.env["ir.config_parameter"].set_param("web.base.url", self.base_url() + "/")
        self.sequence.action_start()
        self.advance()
        self.check(self.base_url())

    def give_website(self, company, domain):
        """Give a company a website of its own. Without Odoo's Website the leads of the company say
        so themselves, as they do with it: all that is asked for is ``get_base_url``."""
        if "website" in self.env:
            website = self.env["website"].create({"name": domain, "company_id": company.id})
            website.domain = domain
            company.website_id = website
            return
        leads = type(self.ann)
        others = leads.get_base_url
        self.patch(
            leads,
            "get_base_url",
            lambda lead: domain if lead.company_id == company else others(lead),
        )

    def check_home(self, address, base_url, honeypot=True):
        """All that a mail brings along is on this website: what a mail program posts to, what is
        read and what is loaded, in both texts.

        :param honeypot: whether there is a link in it that only bots find
        """
        message = self.mail_to(address)
        self.assertTrue(message["List-Unsubscribe"].startswith(f"<{base_url}/mailing/"))
        ours = ["mailing/", "r/", "mail/track/", "web/image/"]
        for kind, text in zip(("html", "plain"), map(unescape, self.bodies(address)), strict=True):
            urls = re.findall(r"https?://[^\s\"'<>\])]+", text)
            found = {
                path: {url.partition(f"/{path}")[0] for url in urls if f"/{path}" in url}
                for path in [*ours, "nurture/t/"]
            }
            honeypots = found.pop("nurture/t/")
            self.assertEqual(honeypots, {base_url} if honeypot and kind == "html" else set())
            self.assertEqual(found, {path: {base_url} for path in ours}, kind)
            self.assertIn("/confirm_unsubscribe", text)
            self.assertIn("/view?", text)
            self.assertEqual(len({url for url in urls if "/r/" in url}), 2)

    def test_website_of_the_company(self):
        """Two companies with a website each: the links of a lead's mail lead to that of its own, in
        mails of sequences and in a plain mailing to leads of both."""
        body = (
            '<p><a href="https://shop.example.com/limited">Item</a> <a href="/shop">Shop</a>'
            ' <img src="/web/image/1"/> <a href="/view">Look</a>'
            ' <a href="/unsubscribe_from_list">Unsubscribe</a></p>'
        )
        sites = {ANN: "https://one.example", BOB: "https://two.example"}
        self.env["ir.config_parameter"].set_param("lost_lead_nurture.honeypot", True)
        other = self.env["res.company"].create({"name": "Other Company"})
        other.alias_domain_id = self.alias_domain
        self.bob.write({"user_id": False, "team_id": False})
        self.bob.company_id = other
        theirs = self.make_sequence(company_id=other.id, user_id=False)
        mail = self.make_step(theirs, subject="Theirs").mailing_id
        for company, domain in zip(self.company | other, sites.values(), strict=True):
            self.give_website(company, domain)
        (mail | self.first.mailing_id).write({"body_arch": body, "body_html": body})
        (self.sequence | theirs).action_start()
        self.advance()
        for address, domain in sites.items():
            with self.subTest("sequence", address=address):
                self.check_home(address, domain)
        self.catcher.clear()
        self.make_mailing("Once", body=body)._action_send_mail((self.ann | self.bob).ids)
        self.send_mails()
        for address, domain in sites.items():
            with self.subTest("plain mailing", address=address):
                self.check_home(address, domain, honeypot=False)

    def test_as_it_was_written(self):
        for link in (
            "/unsubscribe_from_list/",
            "unsubscribe_from_list",
            "https://old.example/unsubscribe_from_list",
            "http://old.example:8069//unsubscribe_from_list?utm=1",
            "https://old.example/de/unsubscribe_from_list/#end",
        ):
            with self.subTest(link=link):
                mailing = self.make_mailing("Once", body=f"<p><a href='{link}'>Leave</a></p>")
                self.catcher.clear()
                mailing._action_send_mail(self.ann.ids)
                self.send_mails()
                self.check(self.base_url())

    def test_view(self):
        self.send_body(
            '<p><a href="/view">Look</a> <a href="/unsubscribe_from_list">Unsubscribe</a>'
            ' <a href="https://other.example/view">Other</a></p>'
        )
        for text in map(unescape, self.bodies()):
            self.assertRegex(
                text, re.escape(self.base_url()) + r"/mailing/\d+/view\?\S+hash_token="
            )
            self.assertIn("https://other.example/view", text)

    @mute_logger("odoo.addons.mail.models.mail_mail")
    def test_not_sent(self):
        """A placeholder that nobody can fill: the mail stays here, and it is said why."""
        self.send_body(
            '<p><a href="/unsubscribe_from_list">Unsubscribe</a> <a href="https://other.example/'
            '?next=%2Funsubscribe_from_list">or here</a></p>'
        )
        self.assertFalse(self.mails_to(ANN))
        trace = self.trace(self.ann, self.first)
        self.assertEqual(trace.state, "error")
        self.assertIn("/unsubscribe_from_list", trace.detail)
        self.assertIn("was not sent", trace.detail)

    def test_patterns(self):
        unsubscribe = "https://a.example/u?x=1&amp;y=2"
        view = "https://a.example/v?x=1&amp;y=2"
        for text, filled in (
            ('href="/unsubscribe_from_list"', f'href="{unsubscribe}"'),
            (
                "href='https:&#x2F;&#x2F;c.example&#47;unsubscribe_from_list'",
                f"href='{unsubscribe}'",
            ),
            ('href="/unsubscribe_from_listing"', 'href="/unsubscribe_from_listing"'),
            ('href="//c.example/unsubscribe_from_list"', f'href="{unsubscribe}"'),
            ("to https://c.example/unsubscribe_from_list.", f"to {unsubscribe}."),
            ('href="/view"', f'href="{view}"'),
            ('href="https://a.example/view/"', f'href="{view}"'),
            ('href="https://b.example/shop/view"', f'href="{view}"'),
            ('href="https://a.example/view/123"', 'href="https://a.example/view/123"'),
            ('href="https://a.example/viewings"', 'href="https://a.example/viewings"'),
            ('href="https://a.example/shop/view"', 'href="https://a.example/shop/view"'),
            ('href="https://c.example/view"', 'href="https://c.example/view"'),
            ("a point of /view", "a point of /view"),
        ):
            self.assertEqual(fill_placeholders(text, URLS, OWN), filled)
        self.assertTrue(has_placeholder("?u=%2Funsubscribe_from_list"))
        self.assertFalse(has_placeholder("https://a.example/unsubscribe_from_listing"))

    def test_big_text(self):
        """A picture in the text, which is one long word, is read once."""
        picture = "A" * 3_000_000
        text = f'<img src="data:image/png;base64,{picture}"/><a href="/unsubscribe_from_list">x</a>'
        self.assertIn(picture, fill_placeholders(text, URLS, OWN))


@tagged("post_install", "-at_install")
class TestShortening(TwoLeadsMixin, NurtureHttpCase):
    def hrefs(self, body, **values):
        mailing = self.make_mailing("Links", body=body, **values)
        mailing._action_send_mail(self.ann.ids)
        self.send_mails()
        return mailing, re.findall(r'href="([^"]*)"', self.html_of(self.mail_to(ANN, "Links")))

    def test_no_pages(self):
        """Anchors, addresses and empty links stay as they are."""
        links = [
            "#part",
            "#",
            "mailto:shop@test.example.com",
            "MAILTO:shop@test.example.com",
            "tel:+3225551234",
            "sms:+3225551234",
            "whatsapp:send",
            "",
        ]
        body = "".join(f'<p><a href="{link}">Link</a></p>' for link in links)
        mailing, hrefs = self.hrefs(body)
        self.assertEqual(hrefs, links)
        trackers = self.env["link.tracker"].search([("mass_mailing_id", "=", mailing.id)])
        self.assertFalse(trackers)

    def test_base_url_with_slash(self):
        self.env["ir.config_parameter"].set_param("web.base.url", self.base_url() + "/")
        _mailing, hrefs = self.hrefs('<p><a href="#part">Down</a></p>')
        self.assertEqual(hrefs, ["#part"])

    def test_pages(self):
        """All that is a page is counted as before."""
        links = ["https://shop.example.com/a#part", "/shop", "?x=1", "localhost:8069/shop"]
        body = "".join(f'<p><a href="{link}">Link</a></p>' for link in links)
        mailing, hrefs = self.hrefs(body)
        trackers = self.env["link.tracker"].search([("mass_mailing_id", "=", mailing.id)])
        self.assertEqual(len(trackers), len(links))
        for href in hrefs:
            self.assertIn("/r/", href)

    def test_step(self):
        body = '<p id="part"><a href="#part">Down</a> <a href="/unsubscribe_from_list">Out</a></p>'
        self.first.mailing_id.write({"body_arch": body, "body_html": body})
        self.sequence.action_start()
        self.advance()
        html = self.html_of(self.mail_to(ANN))
        self.assertIn('href="#part"', html)
        self.assertNotIn("/r/", html)
