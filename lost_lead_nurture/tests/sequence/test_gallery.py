"""The gallery: sequences from templates, templates from sequences."""

import re
from datetime import datetime, timezone

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ...hooks import uninstall_hook
from ...tools.mail_texts import fill_html, fill_text, read_text
from ...tools.triggers import TRIGGERS
from ..common import NurtureCase, NurtureHttpCase

LINK = "https://www.test.example.com"


class GalleryMixin:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.website = LINK
        # some are for customers, whom only those choose who may see orders
        cls.marketer.group_ids |= cls.env.ref("sales_team.group_sale_salesman_all_leads")
        cls.templates = (
            cls.env["nurture.sequence"]
            .with_context(active_test=False)
            .search([("is_template", "=", True)])
            ._get_built_in()
        )

    def create_from(self, template, user=None, **values):
        """What the dialog of the gallery does, as the marketer."""
        user = user or self.marketer
        wizards = self.env["nurture.sequence.new"].with_user(user)
        form = Form(wizards.with_context(default_template_id=template.id, lang=user.lang))
        for name, value in values.items():
            if name == "lost_reason_ids":
                form.lost_reason_ids.clear()
                for reason in value:
                    form.lost_reason_ids.add(reason)
            else:
                form[name] = value
        made = form.save().action_create()["infos"]["sequence_id"]
        return self.env["nurture.sequence"].with_user(user).browse(made)

    def card(self, name, user=None):
        """The card of that name in the gallery."""
        sequences = self.env["nurture.sequence"].with_user(user or self.marketer)
        cards = [card for group in sequences.get_gallery()["groups"] for card in group["templates"]]
        return next((card for card in cards if card["name"] == name), None)


@tagged("post_install", "-at_install")
class TestGallery(GalleryMixin, NurtureHttpCase):
    def test_cards(self):
        """All groups are there, with templates that say what they do."""
        gallery = self.env["nurture.sequence"].with_user(self.marketer).get_gallery()
        groups = {group["key"]: group["templates"] for group in gallery["groups"]}
        self.assertGreaterEqual(set(groups), {"reason", "win_back", "last_chance", "hand_over"})
        cards = [card for templates in groups.values() for card in templates]
        self.assertGreaterEqual(len(cards), 8)
        for card in cards:
            with self.subTest(card["name"]):
                self.assertTrue(card["summary"] and card["steps"] and card["mails"])
                self.assertFalse(card["own"])
                self.assertFalse([step for step in card["steps"] if "{{" in step["name"]])

    def test_days(self):
        """A card shows on which day a step is due, counted from the beginning."""
        card = self.card("Last Chance with a Discount")
        self.assertEqual([step["day"] for step in card["steps"]], [0, 7, 13])
        self.assertEqual((card["mails"], card["days"]), (3, 13))

    def test_templates_are_no_sequences(self):
        """Whoever looks for sequences does not find templates, and nobody runs one."""
        self.assertFalse(self.env["nurture.sequence"].search([("is_template", "=", True)]))
        action = self.env.ref("lost_lead_nurture.nurture_sequence_action")
        self.assertIn("is_template", action.domain)
        template = self.templates[0]
        with self.assertRaisesRegex(UserError, "It is a template"):
            template.action_start()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            template.active = True
            template.flush_recordset()

    def test_each_can_be_started(self):
        """Every template gives a sequence in draft that can be started as it is."""
        self.make_lead("ann@recipient.example.com")
        self.assertTrue(self.templates)
        for template in self.templates:
            with self.subTest(template.name):
                sequence = self.create_from(template)
                self.assertEqual(sequence.state, "draft")
                self.assertTrue(sequence.active)
                self.assertFalse(sequence.is_template)
                self.assertEqual(sequence.company_id, self.company)
                self.assertEqual(sequence.user_id, self.marketer)
                self.assertEqual(len(sequence.step_ids), len(template.step_ids))
                self.assertFalse(sequence._get_problems())
                for step in sequence.step_ids:
                    parent = step.parent_id.step_type or "root"
                    self.assertTrue(TRIGGERS[step.trigger].offered_by(parent))
                sequence.action_start()
                self.assertEqual(sequence.state, "running")
                sequence.action_stop()

    def test_each_mail_reads_well(self):
        """With and without a name: nothing is left of a placeholder, and the exit conditions are
        there."""
        known = self.make_lead("ann@recipient.example.com", contact_name="Ann Recipient")
        unknown = self.make_lead("x@recipient.example.com", contact_name=False, user_id=False)
        self.assertTrue(self.templates)
        for template in self.templates:
            sequence = self.create_from(template)
            self.assertTrue(sequence.step_ids.mailing_id, template.name)
            for mailing in sequence.step_ids.mailing_id:
                with self.subTest(mailing.subject):
                    bodies = mailing._render_field("body_html", (known | unknown).ids)
                    subjects = mailing._render_field("subject", (known | unknown).ids)
                    self.assertIn("Hello Ann Recipient,", bodies[known.id])
                    self.assertIn(self.salesman.name, bodies[known.id])
                    self.assertIn("Hello there,", bodies[unknown.id])
                    for body in bodies.values():
                        self.assertIn('/unsubscribe_from_list"', body)
                        self.assertIn(self.company.name, body)
                        self.assertNotIn("data-value", body)
                        self.assertNotIn("t-out", body)
                        self.assertNotIn("example.com/your", body)
                    for subject in subjects.values():
                        self.assertNotRegex(subject, r"\{\{|\|\|\||False")
                        self.assertLessEqual(len(subject), 60, "cut off on a phone")
                    self.assertTrue(mailing.preview)

    def test_mails_are_for_the_editor(self):
        """The text is in the blocks of Email Marketing's editor, and goes out in tables."""
        mailings = self.templates.with_context(active_test=False)._get_mailings()
        self.assertTrue(mailings)
        for mailing in mailings:
            self.assertIn("o_mail_wrapper_td", mailing.body_arch)
            self.assertIn('data-snippet="s_text_block"', mailing.body_arch)
            self.assertIn('role="presentation"', mailing.body_html)
            self.assertNotIn("o_mail_wrapper", mailing.body_html)
            words = [
                " ".join(re.sub(r"<[^>]+>", " ", str(body)).split())
                for body in (mailing.body_arch, mailing.body_html)
            ]
            self.assertEqual(*words)

    def test_sent(self):
        """From the gallery to the recipient: filled in, tracked, with a link to unsubscribe."""
        sequence = self.create_from(
            self.env.ref("lost_lead_nurture.template_restock"),
            lost_reason_ids=self.reason_stock,
        )
        lead = self.make_lead("ann@recipient.example.com")
        lead.date_closed = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        sequence.action_start()
        self.advance()
        message = self.mail_to("ann@recipient.example.com")
        self.assertEqual(message["Subject"], "It is back in stock, Ann")
        self.assertIn("nurture_marketer", message["From"])
        html = self.html_of(message)
        self.assertIn("confirm_unsubscribe", html)
        self.assertEqual(len(self.links_of(message)), 1, "the button is tracked")

    def test_restock_campaign(self):
        """From the gallery through three weeks: a mail to all, in the second week one to those who
        ignored it and another to those who looked, in the third a last one to whoever is left."""
        self.clock = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        self.company.nurture_cap_number = 2
        names = (
            *("ignores", "opens", "clicks", "late", "afterwards"),
            *("answers", "restored", "leaves"),
        )
        leads = {name: self.make_lead(f"{name}@recipient.example.com") for name in names}
        card = self.card("Back in Stock")
        self.assertEqual((card["mails"], card["days"]), (4, 16))
        sequence = self.create_from(
            self.env["nurture.sequence"].browse(card["id"]), lost_reason_ids=self.reason_stock
        )
        sequence.action_start()
        acts = {
            (1, "clicks"): self.click,
            (1, "leaves"): self.unsubscribe,
            (2, "opens"): self.read_mail,
            (3, "answers"): self.answer,
            (6, "late"): self.read_mail,
            (9, "afterwards"): self.read_mail,
            (10, "restored"): lambda _mail: leads["restored"].action_restore(),
        }
        start, got = self.clock, {name: [] for name in names}
        for day in range(29):
            self.advance(days=min(day, 1))
            self.assertEqual((self.clock - start).days, day)
            for name in names:
                mails = self.mails_to(f"{name}@recipient.example.com")
                got[name] += [(day, mail["Subject"]) for mail in mails[len(got[name]) :]]
                for mail in mails:
                    self.assertIn("confirm_unsubscribe", self.html_of(mail))
                if act := acts.get((day, name)):
                    act(mails[0])
        back, last = (0, "It is back in stock, Ann"), (16, "Ann: 20% off before it is gone")
        keep, still = (7, "Shall we keep one for you?"), "There is still time, Ann"
        self.assertEqual(
            got,
            {
                "ignores": [back, keep, last],
                "opens": [back, (9, still), last],
                "clicks": [back, (8, still), last],
                "late": [back, (13, still), last],
                "afterwards": [back, keep, last],
                "answers": [back],
                "restored": [back, keep],
                "leaves": [back],
            },
        )

    def test_without_website(self):
        """A mail never leads nowhere: no website, no button, and the dialog says so."""
        self.company.website = False
        restock = self.env.ref("lost_lead_nurture.template_restock")
        sequence = self.create_from(restock)
        for mailing in sequence.step_ids.mailing_id:
            self.assertFalse(mailing._nurture_get_links())
            self.assertIn("/unsubscribe_from_list", mailing.body_html)
        wizard = self.env["nurture.sequence.new"].create({"template_id": restock.id})
        self.assertFalse(wizard.has_website)

    def test_in_the_name_of_the_company(self):
        """Name, colours and address are those of the company that sends."""
        self.company.write({"name": "Chairs & Co", "email_secondary_color": "#123456"})
        self.company.street = "Long Street 5"
        sequence = self.create_from(self.env.ref("lost_lead_nurture.template_discount"))
        body = sequence.step_ids[0].mailing_id.body_html
        for text in ("Chairs &amp; Co", "#123456", "Long Street 5"):
            self.assertIn(text, body)

    def test_own_mails(self):
        """Two sequences of one template share no mail, and the template keeps its own."""
        template = self.templates[0]
        one, other = self.create_from(template), self.create_from(template)
        one.step_ids[0].mailing_id.subject = "Changed"
        self.assertNotEqual(other.step_ids[0].mailing_id.subject, "Changed")
        self.assertNotEqual(template.step_ids[0].mailing_id.subject, "Changed")
        mailings = one.step_ids.mailing_id
        self.assertTrue(all(mailings.mapped("active")))
        self.assertFalse(any(mailings.mapped("favorite")))
        self.assertEqual(mailings.mapped("state"), ["draft"] * len(mailings))

    def test_to_check(self):
        """What to look at before the start is in the chatter."""
        sequence = self.create_from(self.env.ref("lost_lead_nurture.template_discount"))
        self.assertIn("May you grant the 10%", sequence.message_ids.sorted("id")[-1:].body)

    def test_preview(self):
        """The mails as they are read, in the order of the flow."""
        template = self.env.ref("lost_lead_nurture.template_restock").with_user(self.marketer)
        mails = template.get_template_mails()
        self.assertEqual([mail["day"] for mail in mails], [0, 7, 7, 16])
        self.assertEqual(mails[0]["subject"], "It is back in stock, and we thought of you")
        self.assertIn("Hello there,", mails[0]["body"])
        self.assertNotIn("<t ", mails[0]["body"])

    # ------------------------------------------------------------
    # WHOM IT IS FOR
    # ------------------------------------------------------------

    def test_preset_of_reasons(self):
        """The preset for the reasons is found, or made once."""
        template = self.env.ref("lost_lead_nurture.template_why")
        reasons = self.reason_stock | self.reason_price
        one = self.create_from(template, lost_reason_ids=reasons)
        self.assertEqual(one.preset_id.lost_reason_ids, reasons)
        self.assertEqual(one.domain, one.preset_id.full_domain)
        other = self.create_from(template, lost_reason_ids=reasons)
        self.assertEqual(other.preset_id, one.preset_id)

    def test_narrow_preset_is_not_taken(self):
        """A preset that leaves out some of the leads is not what was asked for."""
        narrow = self.env["nurture.preset"].create(
            {"name": "Big ones", "lost_reason_ids": self.reason_stock.ids, "min_revenue": 1000}
        )
        sequence = self.create_from(
            self.env.ref("lost_lead_nurture.template_restock"),
            lost_reason_ids=self.reason_stock,
        )
        self.assertNotEqual(sequence.preset_id, narrow)

    def test_chosen_preset(self):
        preset = self.env["nurture.preset"].create({"name": "Mine", "min_revenue": 7})
        template = self.env.ref("lost_lead_nurture.template_why")
        sequence = self.create_from(template, audience="preset", preset_id=preset)
        self.assertEqual(sequence.preset_id, preset)
        self.assertEqual(sequence.domain, preset.full_domain)

    def test_reason_of_the_template(self):
        """A template for one lost reason proposes it; CRM's own may have been deleted."""
        restock = self.env.ref("lost_lead_nurture.template_restock")
        restock.template_reason_ids = self.reason_stock
        form = Form(self.env["nurture.sequence.new"].with_context(default_template_id=restock.id))
        self.assertEqual(form.lost_reason_ids[:], self.reason_stock)
        self.assertEqual(form.name, "Back in Stock")
        self.assertEqual(self.env["nurture.sequence"]._find_reasons("crm.no_such_reason")[0][2], [])

    def test_live_count(self):
        self.clock = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        self.make_lead("a@recipient.example.com")
        self.make_lead("b@recipient.example.com")
        self.make_lead("c@recipient.example.com", self.reason_price)
        template = self.env.ref("lost_lead_nurture.template_why")
        form = Form(self.env["nurture.sequence.new"].with_context(default_template_id=template.id))
        form.lost_reason_ids.add(self.reason_stock)
        self.assertEqual(form.matching_count, 2)
        form.lost_reason_ids.add(self.reason_price)
        self.assertEqual(form.matching_count, 3)

    # ------------------------------------------------------------
    # WHO MAY
    # ------------------------------------------------------------

    def test_salesperson_makes_none(self):
        template = self.templates[0]
        wizards = self.env["nurture.sequence.new"].with_user(self.salesman)
        with self.assertRaises(AccessError):
            template.with_user(self.salesman).get_gallery()
        with self.assertRaises(AccessError):
            wizards.create({"template_id": template.id}).action_create()
        with self.assertRaises(AccessError):
            template.with_user(self.salesman)._create_from_template({"name": "Mine"})
        with self.assertRaises(AccessError):
            self.env["nurture.preset"].with_user(self.salesman)._of_reasons(self.reason_stock)

    def test_texts_are_chosen_by_add_ons(self):
        """A view is rendered with all rights: nobody has one of their choice rendered."""
        view = self.env.ref("web.login")
        for step_type in ("email", "activity"):
            with self.assertRaisesRegex(AccessError, "text_view_id"):
                self.env["nurture.step"].with_user(self.marketer).create(
                    {
                        "sequence_id": self.make_sequence().id,
                        "step_type": step_type,
                        "text_view_id": view.id,
                    }
                )

    def test_foreign_sequences_tell_nothing(self):
        """The dialogs do not say what is in a sequence of another company."""
        other = self.env["res.company"].create({"name": "Other Company"})
        stranger = self.make_marketer(other)
        ours = self.make_sequence(name="Ours", template_check="Our secret")
        spec = {"name": {}, "template_check": {}, "lost_reason_ids": {}}
        for model, name, fields in (
            ("nurture.sequence.new", "template_id", spec),
            ("nurture.template.save", "sequence_id", {"name": {}}),
        ):
            wizards = self.env[model].with_user(stranger)
            self.env.invalidate_all()
            with self.assertRaises(AccessError):
                wizards.onchange({name: ours.id}, [name], fields)
            with self.assertRaises(AccessError):
                wizards.create({name: ours.id})

    def test_built_in_stay(self):
        with self.assertRaisesRegex(UserError, "came with the add-on"):
            self.templates[0].with_user(self.marketer).unlink()
        template = self.templates[0].with_user(self.marketer)
        for change in (
            lambda: template.write({"is_template": False}),
            lambda: template.write({"company_id": self.company.id}),
            lambda: template.with_context(active_test=False).step_ids[0].unlink(),
        ):
            with self.assertRaisesRegex(UserError, "came with the add-on"):
                change()

    def test_companies(self):
        """A sequence belongs to the company in which it is made; own templates stay there."""
        other = self.env["res.company"].create({"name": "Other Company"})
        colleague = new_test_user(
            self.env,
            "nurture_other",
            "lost_lead_nurture.group_user",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
            email="other@test.example.com",
        )
        sequence = self.create_from(self.templates[0], user=colleague)
        self.assertEqual(sequence.company_id, other)
        self.assertIn("Other Company", sequence.step_ids[0].mailing_id.body_html)
        mine = self.make_sequence(name="Ours")
        self.make_step(mine)
        mine.with_user(self.marketer)._save_as_template({"template_name": "Ours"})
        self.assertTrue(self.card("Ours"))
        self.assertFalse(self.card("Ours", user=colleague))


@tagged("post_install", "-at_install")
class TestOwnTemplates(GalleryMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence(name="Mine", cap_own=True, cap_number=3)
        first = self.make_step(self.sequence, subject="One {{object.contact_name ||| more}}")
        self.make_step(self.sequence, "mail_click", first, 2, subject="Two")
        self.make_step(
            self.sequence,
            "after",
            first,
            1,
            "weeks",
            step_type="action",
            mailing_id=False,
            action_kind="score",
            score=5,
        )

    def save(self, **values):
        wizards = self.env["nurture.template.save"].with_user(self.marketer)
        form = Form(wizards.with_context(**self.sequence.action_save_as_template()["context"]))
        for name, value in values.items():
            form[name] = value
        form.save().action_save()
        return self.env["nurture.sequence"].search(
            [("is_template", "=", True), ("active", "=", False)], order="id desc", limit=1
        )

    def test_round_trip(self):
        """What comes out of an own template is what was saved."""
        template = self.save(name="My template", template_summary="Does it")
        self.sequence.step_ids[0].mailing_id.subject = "Changed since"
        card = self.card("My template")
        self.assertTrue(card["own"])
        self.assertEqual(card["summary"], "Does it")
        self.assertEqual([step["name"] for step in card["steps"]], ["One more", "Two", "Action"])
        again = self.create_from(template, name="Again")
        self.assertEqual((again.name, again.cap_own, again.cap_number), ("Again", True, 3))
        self.assertEqual(again.domain, self.sequence.domain, "the template chose these leads")
        self.assertEqual(
            [
                (step.step_type, step.trigger, step.delay, step.delay_unit, step.score)
                for step in again.step_ids.sorted("id")
            ],
            [
                ("email", "begin", 0, "days", 0),
                ("email", "mail_click", 2, "days", 0),
                ("action", "after", 1, "weeks", 5),
            ],
        )
        mailing = again.step_ids.sorted("id")[0].mailing_id
        self.assertEqual(mailing.subject, "One {{object.contact_name ||| more}}")
        self.assertEqual(mailing.email_from, "shop@test.example.com", "the sender is kept")
        again.action_start()

    def test_nothing_is_wrong_with_it(self):
        """That its mails are archived, as they are to be, is no problem to mend."""
        steps = self.save().with_context(active_test=True).step_ids
        self.assertEqual(len(steps), 3)
        self.assertFalse(steps._get_problems())

    def test_other_leads(self):
        """The leads that the template chooses may be exchanged for others."""
        template = self.save()
        again = self.create_from(template, keep_domain=False, lost_reason_ids=self.reason_price)
        self.assertEqual(again.preset_id.lost_reason_ids, self.reason_price)
        self.assertEqual(again.domain, again.preset_id.full_domain)

    def test_delete(self):
        """The mails go with the template; sequences made from it stay."""
        template = self.save()
        mailings = template._get_mailings()
        again = self.create_from(template)
        template.with_user(self.marketer).unlink()
        self.assertFalse(template.exists())
        self.assertFalse(mailings.exists())
        self.assertEqual(len(again.step_ids.mailing_id.exists()), 2)
        self.assertTrue(self.sequence.step_ids[0].mailing_id.exists())

    def test_running_one_is_not_disturbed(self):
        self.sequence.action_start()
        template = self.save()
        self.assertEqual((template.state, self.sequence.state), ("draft", "running"))
        self.assertFalse(template.start_date)


@tagged("post_install", "-at_install")
class TestEmailMarketing(GalleryMixin, NurtureCase):
    def favorites(self, user=None, lang=None):
        mailings = self.env["mailing.mailing"].with_user(user or self.marketer)
        lead_model = self.env["ir.model"]._get_id("crm.lead")
        return mailings.with_context(lang=lang).action_fetch_favorites(
            [("mailing_model_id", "=", lead_model)]
        )

    def test_offered(self):
        """Every mail of a template can be chosen for a mailing to leads."""
        mails = self.templates.with_context(active_test=False)._get_mailings()
        self.assertGreaterEqual(len(mails), 16)
        found = {favorite["id"]: favorite for favorite in self.favorites()}
        self.assertLessEqual(set(mails.ids), set(found))
        for mailing in mails:
            self.assertNotIn("{{", found[mailing.id]["subject"])
            self.assertIn("s_text_block", found[mailing.id]["body_arch"])
        listed = self.env["mailing.mailing"].search([("id", "in", mails.ids)])
        self.assertFalse(listed, "not among the mailings to send")

    def test_edited(self):
        """A text that somebody changed counts, in the gallery and in Email Marketing."""
        template = self.env.ref("lost_lead_nurture.template_why")
        step = template.step_ids.filtered(lambda step: step.trigger == "begin")
        mailing = step.mailing_id.with_user(self.marketer)
        mailing.write({"subject": "Ours", "body_html": "<p>Ours</p>", "body_arch": "<p>Ours</p>"})
        self.assertEqual(self.card("Why Did We Lose You?")["steps"][0]["name"], "Ours")
        self.assertIn("Ours", [favorite["subject"] for favorite in self.favorites()])
        sequence = self.create_from(template)
        self.assertIn("Ours", sequence.step_ids.sorted("id")[0].mailing_id.body_html)

    def test_offered_to_mailing_users(self):
        """Who only uses Email Marketing chooses from them, too."""
        mailer = new_test_user(self.env, "nurture_mailer", "mass_mailing.group_mass_mailing_user")
        mails = self.templates.with_context(active_test=False)._get_mailings()
        found = {favorite["id"] for favorite in self.favorites(mailer)}
        self.assertLessEqual(set(mails.ids), found)

    def test_translated(self):
        """Names, texts and mails speak the language of whoever looks."""
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("lost_lead_nurture.template_why")
        template.with_context(lang="fr_FR").template_name = "Pourquoi pas nous ?"
        view = self.env.ref("lost_lead_nurture.text_why_ask")
        view.update_field_translations(
            "arch_db",
            {"fr_FR": {"I read every answer. Thank you.": "Je lis chaque réponse. Merci."}},
        )
        self.marketer.lang = "fr_FR"
        bodies = [favorite["body_arch"] for favorite in self.favorites(lang="fr_FR")]
        self.assertTrue([body for body in bodies if "Je lis chaque réponse" in body])
        sequence = self.create_from(template)
        self.assertEqual(sequence.name, "Pourquoi pas nous ?")
        body = sequence.step_ids.sorted("id")[0].mailing_id.body_html
        self.assertIn("Je lis chaque réponse", body)

    def test_uninstalled(self):
        """Built-in templates go with their mails; own ones and all sequences keep theirs."""
        own = self.create_from(self.templates[0])._save_as_template({"template_name": "Own"})
        mails = self.templates.with_context(active_test=False)._get_mailings()
        uninstall_hook(self.env)
        self.assertFalse(mails.exists())
        self.assertFalse(self.templates.exists())
        self.assertTrue(own.exists()._get_mailings())


@tagged("post_install", "-at_install")
class TestMailTexts(TransactionCase):
    """The tools on their own."""

    def test_read(self):
        text = read_text(
            "<div><h1> Hello {{object.name ||| you}} &amp; me</h1><h2>See</h2>"
            '<main>A &lt; B<p>Dear <span data-value="object.name">x &amp; y</span></p>'
            '<p style="margin: 0;"><span data-fill="company">?</span></p></main></div>',
            {"company": "Chairs & Co"},
        )
        self.assertEqual(text.subject, "Hello {{object.name ||| you}} & me")
        self.assertEqual(text.preview, "See")
        self.assertEqual(
            text.body,
            'A &lt; B<p style="margin: 0 0 16px;">Dear <t t-out="object.name">x &amp; y</t></p>'
            '<p style="margin: 0;">Chairs &amp; Co</p>',
        )

    def test_fill(self):
        text = "{{object.name ||| You}}, hello {{object.user_id}}!"
        self.assertEqual(fill_text(text), "You, hello !")
        self.assertEqual(fill_text(False), "")
        self.assertEqual(
            fill_html('<p>Dear <t t-out="object.name">you</t>, <t t-out="object.x"/>hi</p>'),
            "<p>Dear you, hi</p>",
        )
