"""Building SMS steps: the dialog, its checks, who may."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import TEXT, SmsCase

UNSAFE = "Hello {{ object.env['res.users'].search_count([]) }}"


@tagged("post_install", "-at_install")
class TestStep(SmsCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.first = self.make_sms_step(self.sequence)

    def test_marketer_builds(self):
        """In the dialog, with no right but the group's: the text makes the mailing."""
        ann = self.make_lead("ann@recipient.example.com", phone="+32456001101")
        steps = self.env["nurture.step"].with_user(self.marketer)
        with Form(steps.with_context(default_sequence_id=self.sequence.id)) as form:
            form.parent_id = self.first
            form.step_type = "sms"
            form.trigger = "sms_click"
            form.sms_text = "Still there, {{object.contact_name}}?"
        step = form.record
        mailing = step.mailing_id
        self.assertEqual(step.name, "Still there, …?")
        self.assertEqual(
            (mailing.mailing_type, mailing.mailing_model_name, mailing.body_plaintext),
            ("sms", "crm.lead", "Still there, {{object.contact_name}}?"),
        )
        self.assertEqual(mailing.nurture_sequence_id, self.sequence)
        with Form(step) as form:
            form.sms_text = "Are you there, {{object.contact_name}}?"
            form.sms_allow_unsubscribe = True
        self.assertEqual(step.mailing_id, mailing)
        self.assertIn("Are you there", mailing.body_plaintext)
        self.assertTrue(mailing.sms_allow_unsubscribe)
        self.sequence.with_user(self.marketer).action_start()
        self.advance()
        self.follow(self.sms_to(ann)[0])
        self.advance()
        self.assertIn("Are you there, Ann?", self.sms_to(ann)[1]["text"])
        with self.assertRaises(UserError):
            mailing.with_user(self.marketer).action_launch()
        with self.assertRaises(UserError):
            mailing.with_user(self.marketer).action_send_sms(ann.ids)

    def test_card_of_the_workflow(self):
        self.make_lead("ann@recipient.example.com", phone="+32456001101", contact_name="Ann")
        sequence = self.sequence.with_user(self.marketer)
        self.assertEqual(
            sequence.workflow["types"]["sms"],
            {"label": "SMS", "icon": "fa-mobile", "message": True},
        )
        (card,) = sequence.workflow["steps"]
        self.assertEqual((card["type"], card["kind"]), ("sms", "time"))
        offered = [offer["value"] for offer in sequence.workflow["offers"]["sms"]]
        self.assertEqual(offered, ["after", "sms_click", "sms_not_click", "sms_bounce"])
        self.assertIn("Hello Ann, the desk is back", self.first.get_preview()["html"])
        self.assertFalse(self.provider.messages)

    def test_template(self):
        template = self.env["sms.template"].create(
            {
                "name": "Back in stock",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body": "Back in stock, {{object.contact_name}}",
            }
        )
        with Form(self.first.with_user(self.marketer)) as form:
            form.sms_template_id = template
            self.assertEqual(form.sms_text, template.body)
            form.sms_text += "!"
        mailing = self.first.mailing_id
        self.assertEqual(mailing.sms_template_id, template)
        self.assertEqual(mailing.body_plaintext, "Back in stock, {{object.contact_name}}!")

    def test_choose_a_mailing(self):
        """A finished SMS mailing can be taken instead; one mailing belongs to one step."""
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Ready",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body_plaintext": "Ready made",
            }
        )
        with Form(self.env["nurture.step"].with_context(default_sequence_id=self.sequence.id)) as f:
            f.step_type = "sms"
            f.mailing_id = mailing
            self.assertEqual(f.sms_text, "Ready made")
        self.assertEqual((f.record.mailing_id, f.record.name), (mailing, "Ready"))

    def test_type_and_mailing_fit(self):
        mail = self.make_mailing("A mail")
        with self.assertRaises(ValidationError):
            self.make_sms_step(self.sequence, mailing_id=mail.id)
        with self.assertRaises(ValidationError):
            self.make_step(self.sequence, mailing_id=self.first.mailing_id.copy().id)
        step = self.make_step(self.sequence)
        with Form(step) as form:
            form.step_type = "sms"
            self.assertFalse(form.mailing_id)
            form.sms_text = TEXT
        self.assertEqual(step.mailing_id.mailing_type, "sms")
        with self.assertRaises(ValidationError):
            self.first.mailing_id.mailing_type = "mail"

    def test_triggers_offered(self):
        """Those of an SMS after an SMS, and nowhere else."""
        after_sms = {"after", "sms_click", "sms_not_click", "sms_bounce"}
        steps = self.env["nurture.step"]
        values = {"sequence_id": self.sequence.id, "step_type": "sms"}
        self.assertEqual(
            set(steps.new({**values, "parent_id": self.first.id}).allowed_triggers), after_sms
        )
        mail = self.make_step(self.sequence)
        for parent in (mail, steps):
            offered = steps.new({**values, "parent_id": parent.id}).allowed_triggers
            self.assertFalse(set(offered) & (after_sms - {"after"}))
        with self.assertRaises(ValidationError):
            self.make_sms_step(self.sequence, "sms_click", mail)
        with self.assertRaises(ValidationError):
            self.make_step(self.sequence, "mail_click", self.first)

    def test_empty_text(self):
        """Nothing empty is sent: neither at the start nor later."""
        self.first.sms_text = "  "
        self.assertProblem("is empty", self.sequence.action_start)
        self.first.sms_text = TEXT
        self.sequence.action_start()
        self.assertProblem("is empty", lambda: self.first.write({"sms_text": False}))
        self.assertProblem("has no SMS", lambda: self.make_sms_step(self.sequence, sms_text=False))
        self.assertTrue(self.make_sms_step(self.sequence).mailing_id, "complete when it is added")

    def test_offer(self):
        """There is no place for a table in an SMS."""
        self.first.sms_text = "For you: {{object.nurture_offer}}"
        self.assertProblem("only words", self.sequence.action_start)

    def test_link_that_counts(self):
        """A click on one link only: it has to be in the text."""
        ann = self.make_lead("ann@recipient.example.com", phone="+32456001101")
        follower = self.make_sms_step(
            self.sequence, "sms_click", self.first, link_url="https://shop.example.com/sale"
        )
        self.assertProblem("has no such link", self.sequence.action_start)
        self.first.sms_text = "https://shop.example.com/sale or https://shop.example.com/new"
        self.sequence.action_start()
        self.advance()
        sale, new = self.sms_to(ann)[0]["text"].split(" or ")
        self.follow({"text": new})
        self.assertTrace(ann, follower, "waiting")
        self.follow({"text": sale})
        self.assertTrace(ann, follower, "scheduled")

    def assertProblem(self, words, act):  # noqa: N802
        with self.assertRaises(UserError) as caught:
            act()
        self.assertIn(words, str(caught.exception))

    def test_placeholders(self):
        """The text is filled in with all rights: only who may write templates writes any code."""
        for write in (
            lambda: self.first.with_user(self.marketer).write({"sms_text": UNSAFE}),
            lambda: self.make_sms_step(self.sequence.with_user(self.marketer), sms_text=UNSAFE),
        ):
            with self.assertRaises(AccessError):
                write()
        editor = new_test_user(
            self.env,
            "nurture_editor",
            "lost_lead_nurture.group_user,mail.group_mail_template_editor",
        )
        self.first.with_user(editor).sms_text = UNSAFE

    def test_copy(self):
        """A duplicated sequence has SMS of its own."""
        copied = self.sequence.with_user(self.marketer).copy().step_ids
        self.assertEqual((copied.step_type, copied.sms_text), ("sms", TEXT))
        self.assertNotEqual(copied.mailing_id, self.first.mailing_id)

    def test_salesperson_reads(self):
        self.assertEqual(self.first.with_user(self.salesman).sms_text, TEXT)

    def test_sandbox(self):
        """The test of a sequence shows the text, offers what can happen to an SMS, and sends
        nothing."""
        ann = self.make_lead("ann@recipient.example.com", phone="+32456001101")
        self.make_sms_step(self.sequence, "sms_click", self.first)
        sms_count = self.env["sms.sms"].search_count([])
        test = (
            self.env["nurture.test"]
            .with_user(self.marketer)
            .create({"sequence_id": self.sequence.id, "lead_id": ann.id})
        )
        test.action_play("run")
        (first,) = (line for line in test.timeline["lines"] if line["step"] == self.first.id)
        self.assertIn(
            "SMS to +32456001101: Hello Ann, the desk is back: https://shop.example.com/limited",
            first["texts"],
        )
        self.assertEqual(first["offers"], ["click", "bounce"])
        test.action_play("click", self.first.id, first["links"][0])
        test.action_play("run")
        self.assertEqual(test.timeline["lines"][-1]["state"], "processed", test.timeline)
        self.assertFalse(self.provider.messages)
        self.assertEqual(self.env["sms.sms"].search_count([]), sms_count)

    def test_uninstall(self):
        """History stays; who is inside comes to an end."""
        ann = self.make_lead("ann@recipient.example.com", phone="+32456001101")
        clicked = self.make_sms_step(self.sequence, "sms_click", self.first)
        beside = self.make_step(self.sequence)
        self.sequence.action_start()
        self.run_cron()
        self.first._retire_sms()
        self.assertFalse(self.first.active or clicked.active)
        self.assertTrue(beside.active)
        self.assertEqual((self.first.step_type, clicked.trigger), ("action", "after"))
        self.send_mails()
        self.send_sms()
        self.assertFalse(self.sms_to(ann))
        self.assertEqual(self.participant(ann).state, "completed")
