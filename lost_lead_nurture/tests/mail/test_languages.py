"""Mails in the language of the lead."""

from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import NurtureHttpCase


@tagged("post_install", "-at_install")
class TestLanguages(NurtureHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for code in ("fr_FR", "de_DE"):
            cls.env["res.lang"]._activate_lang(code)
        cls.french = cls.env["res.lang"]._get_data(code="fr_FR").id

    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="Back in stock")
        self.bonjour = self.make_mailing("De retour")
        self.first.translation_ids = [
            Command.create({"lang_id": self.french, "mailing_id": self.bonjour.id})
        ]

    def make_leads(self):
        """One who reads French, one German, one of whom nothing is known."""
        langs = {"francoise": "fr_FR", "dieter": "de_DE", "sam": False}
        return {
            name: self.make_lead(
                f"{name}@recipient.example.com",
                lang_id=code and self.env["res.lang"]._get_data(code=code).id,
            )
            for name, code in langs.items()
        }

    def test_each_in_the_own_language(self):
        leads = self.make_leads()
        self.make_step(self.sequence, "mail_click", self.first, subject="Clicked")
        self.sequence.action_start()
        self.advance()
        mail = self.mail_to("francoise@recipient.example.com", "De retour")
        self.assertEqual(len(self.mails_to("dieter@recipient.example.com", "Back in stock")), 1)
        self.assertEqual(len(self.mails_to("sam@recipient.example.com", "Back in stock")), 1)
        self.assertEqual(len(self.catcher.messages), 3)
        self.assertEqual(self.sequence.sent_count, 3, "all languages count")
        self.click(mail)
        self.assertEqual(self.sequence.clicked_count, 1)
        self.advance()
        self.assertEqual(len(self.mails_to("francoise@recipient.example.com", "Clicked")), 1)
        self.assertEqual(
            self.trace(leads["francoise"], self.first).mailing_trace_ids.mass_mailing_id,
            self.bonjour,
        )

    def test_placeholders_in_the_lead_s_language(self):
        country = self.env.ref("base.de")
        country.with_context(lang="fr_FR").name = "Allemagne"
        self.make_lead(
            "francoise@recipient.example.com", lang_id=self.french, country_id=country.id
        )
        self.bonjour.subject = "De {{object.country_id.name}}"
        self.sequence.action_start()
        self.advance()
        self.mail_to("francoise@recipient.example.com", "De Allemagne")

    def test_mail_of_a_translation_is_a_step_s(self):
        self.assertEqual(self.bonjour.nurture_sequence_id, self.sequence)
        with self.assertRaisesRegex(UserError, "is a step of the sequence"):
            self.bonjour.action_launch()
        found = self.env["mailing.mailing"].search([("nurture_sequence_id", "=", False)])
        self.assertNotIn(self.bonjour, found)

    def test_bad_translations(self):
        with self.assertRaisesRegex(ValidationError, "Lead/Opportunity"):
            self.bonjour.mailing_model_id = self.env["ir.model"]._get_id("res.partner")
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self.first.translation_ids = [
                Command.create(
                    {"lang_id": self.french, "mailing_id": self.make_mailing("Encore").id}
                )
            ]
        with self.assertRaisesRegex(ValidationError, "already belongs to a step"):
            self.make_step(self.sequence, mailing_id=self.bonjour.id)
        self.bonjour.body_html = False
        with self.assertRaisesRegex(UserError, "is empty"):
            self.sequence.action_start()

    def test_duplicate(self):
        duplicate = self.sequence.copy()
        translation = duplicate.step_ids.translation_ids
        self.assertEqual(translation.lang_id.id, self.french)
        self.assertEqual(translation.mailing_id.subject, "De retour")
        self.assertNotEqual(translation.mailing_id, self.bonjour)
