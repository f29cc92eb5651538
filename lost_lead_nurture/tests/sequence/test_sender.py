"""From whom, and by which mail server, the mails of a sequence leave."""

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ...tools.dns import NoAnswer
from ..common import ANN, NurtureHttpCase


class Resolver:
    def __init__(self, texts=None):
        self.texts = texts

    def resolve(self, name, _kind):
        if self.texts is None:
            raise NoAnswer
        return self.texts.get(name, [])


@tagged("post_install", "-at_install")
class TestSender(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence)
        self.server = self.env["ir.mail_server"].search([("name", "=", "Catcher")])

    def answer_dns(self, texts=None):
        resolver = Resolver(texts)
        domains = type(self.env["nurture.mail.domain"])
        self.patch(domains, "_get_resolver", lambda _self: resolver)

    def test_all_mails(self):
        """Those that are there, and those that are added later."""
        self.make_lead(ANN)
        self.sequence.write(
            {"email_from": '"Wood" <wood@test.example.com>', "mail_server_id": self.server.id}
        )
        later = self.make_step(self.sequence, "after", self.first, 7)
        for step in (self.first, later):
            self.assertEqual(step.mailing_id.email_from, '"Wood" <wood@test.example.com>')
            self.assertEqual(step.mailing_id.mail_server_id, self.server)
        self.start()
        self.assertIn("wood@test.example.com", self.mail_to(ANN)["From"])

    def test_chatter(self):
        """The sender is nobody to write to, and who may not read it opens the chatter all the
        same."""
        self.sequence.email_from = "wood@test.example.com"
        for user in (self.marketer, self.salesman):
            with self.subTest(user=user.login):
                self.env.invalidate_all()
                sequence = self.sequence.with_user(user)
                suggested = sequence._message_get_suggested_recipients()
                self.assertNotIn("wood@test.example.com", [one["email"] for one in suggested])

    def test_mail(self):
        self.sequence.write(
            {"email_from": "wood@test.example.com", "mail_server_id": self.server.id}
        )
        self.answer_dns(
            {
                "test.example.com": ["v=spf1 mx -all"],
                "k1._domainkey.test.example.com": ["k=rsa; p=MIIB"],
            }
        )
        self.sequence.with_user(self.marketer).action_test_sender()
        message = self.mail_to("marketer@test.example.com")
        self.assertIn("wood@test.example.com", message["From"])
        check = self.sequence.sender_check
        self.assertRegex(check, "SPF .*is there.*DKIM .*is there.*DMARC .*is missing")

    def test_nobody_answers(self):
        for resolver in ("nobody", "silent"):
            self.answer_dns()
            if resolver == "nobody":
                domains = type(self.env["nurture.mail.domain"])
                self.patch(domains, "_get_resolver", lambda _self: None)
            self.assertEqual(self.sequence._say_sender_check("a.example").count("unknown"), 3)

    def test_it_cannot_be_sent(self):
        self.catcher.answers = {"marketer@test.example.com": "550 5.7.1 not from you"}
        with self.assertRaisesRegex(UserError, "could not be sent"):
            self.sequence.with_user(self.marketer).action_test_sender()

    def test_bad_input(self):
        for sender in ("nobody", "a@b.example, c@d.example"):
            with self.assertRaises(ValidationError):
                self.sequence.email_from = sender
