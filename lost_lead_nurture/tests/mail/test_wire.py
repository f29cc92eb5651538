"""What mails are on the wire: the bytes of their headers, never a decoded view of them."""

import re
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged

from ...tools.wire import clean, clean_address, is_blank
from ..common import ANN, BOB, NurtureHttpCase, TwoLeadsMixin

UNSUBSCRIBE = re.compile(
    rb"List-Unsubscribe: <(https?://[!-;=?-~]+/mailing/\d+/unsubscribe_oneclick\?[!-;=?-~]+)>"
)


def header(raw, name):
    """The lines of a header, as they were received."""
    lines = raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    begin = name.lower().encode() + b":"
    found = []
    for line in lines:
        if line.lower().startswith(begin) or (found and found[-1] and line[:1] in b" \t"):
            found.append(line)
        elif found:
            break
    return found


class WireCase(TwoLeadsMixin, NurtureHttpCase):
    def send_mailing(self, *leads, **values):
        """Send a mailing of its own to these leads."""
        values = {"subject": "Spring", **values}
        mailing = self.make_mailing(**values)
        mailing._action_send_mail([lead.id for lead in leads])
        self.send_mails()
        return mailing

    def raw_to(self, address):
        """The bytes of the one mail to ``address``."""
        message = self.mail_to(address)
        return self.catcher.envelopes[self.catcher.messages.index(message)][1]


@tagged("post_install", "-at_install")
class TestListUnsubscribe(WireCase):
    def check(self, address):
        raw = self.raw_to(address)
        lines = header(raw, "List-Unsubscribe")
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], rb"^" + UNSUBSCRIBE.pattern + rb"$")
        self.assertEqual(
            header(raw, "List-Unsubscribe-Post"),
            [b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"],
        )
        self.assertNotIn(b"=?", lines[0])
        return UNSUBSCRIBE.match(lines[0])[1].decode()

    def test_step(self):
        self.start()
        for address in (ANN, BOB):
            self.assertTrue(self.check(address).startswith(self.base_url()))

    def test_mailing(self):
        self.send_mailing(self.ann)
        self.check(ANN)

    def test_long_address(self):
        long = "ann.of.green.gables+offers@a-very-long-name-of-a-host.recipient.example.com"
        self.ann.email_from = f'"Gables, Ann of Green" <{long}>'
        self.send_mailing(self.ann)
        self.check(long)

    def test_host_that_is_not_ascii(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "https://bücher.example")
        self.send_mailing(self.ann)
        self.assertTrue(self.check(ANN).startswith("https://xn--bcher-kva.example/"))

    def test_one_click_unsubscribes(self):
        """What a mail program does for its button (RFC 8058)."""
        self.make_step(self.sequence, "after", self.first, 3)
        self.start()
        url = self.check(ANN)
        with self.assertNoLogs("odoo.http", "WARNING"):
            response = self.url_open(url, data={"List-Unsubscribe": "One-Click"})
        self.assertEqual(response.status_code, 200)
        self.env.invalidate_all()
        self.assertTrue(self.ann.is_blacklisted)
        self.assertFalse(self.bob.is_blacklisted)
        self.assertEqual(self.participant(self.ann).exit_reason, "unsubscribed")

    def test_one_click_of_a_mailing(self):
        self.send_mailing(self.ann)
        self.url_open(self.check(ANN), data={"List-Unsubscribe": "One-Click"})
        self.env.invalidate_all()
        self.assertTrue(self.ann.is_blacklisted)


@tagged("post_install", "-at_install")
class TestHeaders(WireCase):
    def setUp(self):
        super().setUp()
        self.first.mailing_id.subject = "For {{object.contact_name ||| you}}: {{object.name}}"

    def check(self, address, subject):
        raw = self.raw_to(address)
        head = raw.split(b"\r\n\r\n", 1)[0]
        for line in head.split(b"\r\n"):
            self.assertLessEqual(len(line), 998)
            self.assertTrue(line.isascii(), line)
            self.assertNotRegex(line, rb"[\x00-\x08\x0a-\x1f\x7f]")
        self.assertEqual(self.trace(self.ann, self.first).state, "processed")
        self.assertEqual(self.mail_to(address)["Subject"], subject)
        for name in ("To", "From", "Reply-To"):
            # exactly one address, whatever stands in its name
            self.assertEqual(len(self.mail_to(address)[name].addresses), 1, name)
        self.assertEqual(self.mail_to(address)["To"].addresses[0].addr_spec, address)
        return raw

    def test_line_breaks(self):
        self.ann.name = "Desk\nBcc: x@evil.example\r\n\r\nbody"
        self.ann.contact_name = "Ann\x0b\u2028Smith\x85"
        self.start()
        raw = self.check(ANN, "For Ann Smith : Desk Bcc: x@evil.example body")
        self.assertEqual(header(raw, "Bcc"), [])

    def test_tabs_and_controls(self):
        self.ann.name = "Desk\t\x01\x1b[31m red\x7f"
        self.ann.contact_name = "\u202eAnn"
        self.start()
        self.check(ANN, "For Ann: Desk [31m red")

    def test_quotes_and_other_scripts(self):
        self.ann.name = 'Tisch "Größe 2", שולחן 桌子'
        self.start()
        self.check(ANN, 'For Ann: Tisch "Größe 2", שולחן 桌子')

    def test_long(self):
        self.ann.name = "N" * 5000
        self.start()
        self.check(ANN, "For Ann: " + "N" * 240 + "…")

    def test_name_of_contact(self):
        """The name goes before the address."""
        contact = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        contact.name = 'Bücher, x@evil.example "und"\n Söhne, ' + "sehr lange Namen " * 12
        self.ann.partner_id = contact
        self.first.mailing_id.subject = "Spring"
        self.start()
        raw = self.check(ANN, "Spring")
        self.assertNotIn(b"evil.example", b"".join(header(raw, "To")))

    def test_name_of_sender(self):
        self.first.mailing_id.write(
            {
                "email_from": "{{object.user_id.name}} <shop@test.example.com>",
                "reply_to_mode": "new",
                "reply_to": '"{{object.user_id.name}}" <shop@test.example.com>',
            }
        )
        self.salesman.name = "Sam\nSeller"
        self.start()
        self.check(ANN, "For Ann: Desk for ann@recipient.example.com")
        self.assertEqual(self.mail_to(ANN)["From"].addresses[0].display_name, "Sam Seller")

    def test_long_names_of_the_company(self):
        """A comma in a long name that is not ASCII parts no address."""
        name = "Müller, Schmidt & Partner Rechtsanwälte und Steuerberater mbB, Köln"
        self.first.mailing_id.email_from = f'"{name}" <shop@test.example.com>'
        self.start()
        raw = self.check(ANN, "For Ann: Desk for ann@recipient.example.com")
        sender = b" ".join(line.strip() for line in header(raw, "From"))
        self.assertRegex(sender, rb"^From: (=\?utf-8\?[bq]\?[^? ,]+\?= )+<[!-=?-~]+>$")

    def test_mailing(self):
        self.ann.name = "Desk\nand chair"
        self.send_mailing(self.ann, subject="{{object.name}}")
        self.assertEqual(header(self.raw_to(ANN), "Subject"), [b"Subject: Desk and chair"])

    def test_queued_before(self):
        """A mail that waits in the queue leaves, too."""
        self.sequence.action_start()
        self.run_cron()
        self.trace(self.ann, self.first).mailing_trace_ids.mail_mail_id.subject = "Two\nlines"
        self.send_mails()
        self.assertEqual(header(self.raw_to(ANN), "Subject"), [b"Subject: Two lines"])


@tagged("post_install", "-at_install")
class TestBlankNames(WireCase):
    """A name of blanks is none: what a text says then is written."""

    def setUp(self):
        super().setUp()
        self.ann.contact_name = " \u00a0\u200b "
        self.first.mailing_id.write(
            {
                "subject": "For {{object.contact_name ||| you}}",
                "preview": "Dear {{object.contact_name ||| recipient}}",
            }
        )

    def test_mail(self):
        self.sequence.action_start()
        self.advance()
        html = self.html_of(self.mail_to(ANN, "For you"))
        self.assertIn("Hello there,", html)
        self.assertIn("Dear recipient", html)
        self.assertIn("Hello Ann,", self.html_of(self.mail_to(BOB, "For Ann")))
        self.assertEqual(self.ann.contact_name, " \u00a0\u200b ")

    def test_mailing(self):
        body = '<p>Hi <t t-out="object.partner_id.name or object.contact_name">you</t></p>'
        self.send_mailing(self.ann, subject="{{object.contact_name or 'Spring'}}", body=body)
        self.assertIn("Hi you", self.html_of(self.mail_to(ANN, "Spring")))

    def test_preview(self):
        with patch.object(type(self.sequence), "_find_recipient", lambda _self: self.ann):
            preview = self.first.get_preview()
        self.assertEqual(preview["subject"], "For you")
        self.assertIn("Hello there,", preview["html"])

    def test_note_and_activity(self):
        self.assertEqual(
            self.ann._nurture_render("Call {{object.contact_name ||| them}}"),
            {self.ann.id: "Call them"},
        )
        self.assertEqual(
            self.ann._nurture_render('<p><t t-out="object.contact_name">They</t></p>', html=True),
            {self.ann.id: "<p>They</p>"},
        )

    def test_what_is_being_written(self):
        """What was not saved yet is saved as it is."""
        self.ann.contact_name = "  "
        self.assertEqual(
            self.ann._nurture_render("{{object.contact_name ||| you}}"), {self.ann.id: "you"}
        )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.ann.contact_name, "  ")


@tagged("post_install", "-at_install")
class TestClean(TransactionCase):
    def test_clean(self):
        self.assertEqual(clean("a\r\nb\x00\x1fc"), "a b c")
        self.assertEqual(clean("  ", 10), "")
        self.assertEqual(clean(False), False)
        self.assertEqual(clean("x" * 20, 10), "x" * 9 + "…")

    def test_clean_address(self):
        for text, cleaned in (
            ("a@b.example", "a@b.example"),
            ('"  " <a@b.example>', "a@b.example"),
            ('"A\n\x00B" <a@b.example>', '"A B" <a@b.example>'),
            ("", ""),
        ):
            self.assertEqual(clean_address(text), cleaned)

    def test_is_blank(self):
        for text in ("", None, False, " ", "\t\n", "\u00a0", "\u200b\ufeff"):
            self.assertTrue(is_blank(text), repr(text))
        for text in (".", " a ", "桌"):
            self.assertFalse(is_blank(text), repr(text))


@tagged("post_install", "-at_install")
class TestFeedback(WireCase):
    """The headers by which mail providers count complaints, and report them."""

    def test_of_a_sequence(self):
        self.start()
        (line,) = header(self.raw_to(ANN), "Feedback-ID")
        expected = f"step{self.first.id}:sequence{self.sequence.id}:nurture:".encode()
        self.assertIn(expected, line)
        self.assertEqual(line.count(b":"), 4)
        self.assertFalse(header(self.raw_to(ANN), "CFBL-Address"), "it is a choice")

    def test_reports_are_asked_for(self):
        self.company.nurture_feedback_address = "bounce@test.example.com"
        self.start()
        (line,) = header(self.raw_to(BOB), "CFBL-Address")
        self.assertEqual(line, b"CFBL-Address: bounce@test.example.com; report=arf")

    def test_plain_mailing(self):
        self.send_mailing(self.ann)
        self.assertFalse(header(self.raw_to(ANN), "Feedback-ID"))

    def test_no_address(self):
        for address in ("nobody", "a@b.example, c@d.example", "a@b.example\nX-Evil: yes"):
            with self.assertRaises(ValidationError):
                self.company.nurture_feedback_address = address
