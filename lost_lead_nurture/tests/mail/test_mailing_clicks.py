"""Where people click: the numbers on the links of a mail, by requests as people and bots make
them."""

from datetime import timedelta

import lxml.html

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import ANN, BOB, UNSUBSCRIBE
from ..hits import BotCase

ITEM, ALL = "https://shop.example.com/limited", "https://shop.example.com/all"
#: A button, a picture, and the button once more; it is said whose mail it is.
BODY = f"""<div><p>Hello <t t-out="object.contact_name">there</t>,</p>
<p><a href="{ITEM}">See it</a> <a href="{ALL}"><img src="/logo.png" alt="All"/></a></p>
<p><a href="{ITEM}">See it</a></p><script>alert()</script>{UNSUBSCRIBE}</div>"""


class ClicksCase(BotCase):
    def setUp(self):
        super().setUp()
        self.mailing = self.first.mailing_id
        self.mailing.write({"body_arch": BODY, "body_html": BODY})

    def get_clicks(self, user=None, mailing=None):
        self.env.flush_all()
        self.env.invalidate_all()
        return (mailing or self.mailing).with_user(user or self.marketer).get_nurture_clicks()

    def numbers(self, clicks):
        """``{address: (places, people, clicks, bots)}``"""
        return {
            link["url"]: (link["places"], link["clicked"], link["clicks"], link["bots"])
            for link in clicks["links"]
        }

    def found(self, link, user=None, mailing=None):
        """What opens behind the number of a link."""
        mailing = (mailing or self.mailing).with_user(user or self.marketer)
        action = mailing.action_view_nurture_link(link["ids"])
        records = self.env[action["res_model"]].with_user(mailing.env.user)
        return records.with_context(active_test=False).search(action["domain"])


@tagged("post_install", "-at_install")
class TestMailingClicks(ClicksCase):
    def test_numbers_and_their_lists(self):
        """Ann clicks the button at both places and the picture, Bob the button, and a program
        follows both links of his mail."""
        self.start()
        item, picture, again = self.links_of(self.mail)
        self.assertEqual(item, again, "core has one link for both")
        for url in (item, again, picture):
            self._take_time(self.mail, url)
            self.clock += timedelta(minutes=5)
        mail = self.mail_to(BOB, "First")
        self._take_time(mail, self.links_of(mail)[0])
        self.clock += timedelta(minutes=5)
        for url in self.links_of(mail)[:2]:
            self._get(url, user_agent="curl/8.5.0")
        self.believe()
        clicks = self.get_clicks()
        self.assertEqual(self.numbers(clicks), {ITEM: (2, 2, 3, 1), ALL: (1, 1, 1, 1)})
        self.assertEqual((clicks["delivered"], clicks["clicked"]), (2, 2))
        self.assertEqual([link["rate"] for link in clicks["links"]], [100.0, 50.0])
        self.assertTrue(clicks["is_judged"])
        for link, leads in zip(clicks["links"], (self.ann | self.bob, self.ann), strict=True):
            self.assertEqual(self.found(link), leads)

    def test_page(self):
        """Each place of a link is marked; nothing of it leads anywhere or counts."""
        self.start()
        clicks = self.get_clicks()
        page = lxml.html.document_fromstring(clicks["html"])
        marks = [node.get("data-nurture-link") for node in page.xpath("//a")]
        self.assertEqual(marks, ["0", "1", "0", None])
        self.assertEqual([link["url"] for link in clicks["links"]], [ITEM, ALL])
        self.assertFalse(page.xpath("//@href | //script"))
        self.assertTrue(page.xpath("//img/@src"))
        for address in ("/r/", "/mail/track/", "/nurture/t/"):
            self.assertNotIn(address, clicks["html"])
        self.assertFalse(self.env["nurture.hit"].search([]))
        self.assertIn(clicks["recipient"], (self.ann | self.bob).mapped("display_name"))

    def test_text_changed_later(self):
        """What was sent and is not in the text any more is listed all the same."""
        self.start()
        self._take_time(self.mail, self.links_of(self.mail)[1])
        self.mailing.body_html = BODY.replace(ALL, "https://shop.example.com/new")
        clicks = self.get_clicks()
        self.assertEqual(self.numbers(clicks), {ITEM: (2, 0, 0, 0), ALL: (0, 1, 1, 0)})
        self.assertEqual(clicks["links"][1]["label"], "")

    def test_labels_with_names(self):
        """One button, though core has a link for each label."""
        self.mailing.body_html = (
            f'<p><a href="{ITEM}"><t t-out="object.email_from"/></a></p>{UNSUBSCRIBE}'
        )
        self.start()
        for address in (ANN, BOB):
            mail = self.mail_to(address, "First")
            self._take_time(mail, self.links_of(mail)[0])
        (link,) = self.get_clicks()["links"]
        self.assertEqual((len(link["ids"]), link["places"], link["clicked"]), (2, 1, 2))

    def test_plain_mailing(self):
        """Odoo counts each click at once, whoever makes it."""
        mailing = self.make_mailing("Plain", BODY, mailing_domain=f"[('id', '=', {self.bob.id})]")
        self.bob.action_restore()
        mailing.action_send_mail()
        self.send_mails()
        self._get(self.links_of(self.mail_to(BOB, "Plain"))[0], user_agent="curl/8.5.0")
        clicks = self.get_clicks(mailing=mailing)
        self.assertEqual(self.numbers(clicks), {ITEM: (2, 1, 1, 0), ALL: (1, 0, 0, 0)})
        self.assertFalse(clicks["is_judged"])
        self.assertEqual(self.found(clicks["links"][0], mailing=mailing), self.bob)

    def test_rights(self):
        """Whoever may read the mailing sees the numbers; of whom they are, who may see these."""
        self.start()
        self._take_time(self.mail, self.links_of(self.mail)[0])
        mailer = new_test_user(self.env, "mailer", "mass_mailing.group_mass_mailing_user")
        clicks = self.get_clicks(mailer)
        self.assertEqual(clicks["links"][0]["clicked"], 1)
        self.assertFalse(clicks["recipient"])
        self.assertIn("Hello there", clicks["html"])
        self.assertEqual(self.found(clicks["links"][0], mailer), self.mailing_trace)
        for user in (self.salesman, self.employee):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.get_clicks(user)
        for nonsense in ("all", [0], [True], None):
            with self.subTest(nonsense), self.assertRaises(UserError):
                self.mailing.with_user(self.marketer).action_view_nurture_link(nonsense)
        with self.assertRaises(UserError):
            self.env["mailing.mailing"].get_nurture_clicks()

    def test_versions_and_languages(self):
        """From the mail of a step one gets to its others."""
        self.assertFalse(self.get_clicks()["mails"])
        self.first.action_add_variant()
        mails = self.get_clicks()["mails"]
        self.assertEqual([mail["name"] for mail in mails], ["Version A", "Version B"])
        self.assertEqual(mails[0]["id"], self.mailing.id)
