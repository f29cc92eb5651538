"""A salesperson sees the journeys of own leads, a marketer all of the company's, others none."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import UNSUBSCRIBE, NurtureCase

MODELS = (
    "nurture.preset",
    "nurture.sequence",
    "nurture.step",
    "nurture.participant",
    "nurture.trace",
)


@tagged("post_install", "-at_install")
class TestAccess(NurtureCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other Company"})

    def setUp(self):
        super().setUp()
        self.own = self.make_lead("own@recipient.example.com")
        self.others = self.make_lead("others@recipient.example.com", user_id=self.colleague.id)
        self.nobodys = self.make_lead("nobodys@recipient.example.com", user_id=False)
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence)
        self.make_step(self.sequence, "after", self.first, 7)
        self.sequence.action_start()
        self.run_cron()

    def seen_by(self, user):
        participants = self.env["nurture.participant"].with_user(user).search([])
        traces = self.env["nurture.trace"].with_user(user).search([])
        self.assertEqual(participants, traces.participant_id)
        return participants.sudo().lead_id

    def test_salesperson(self):
        self.assertEqual(self.seen_by(self.salesman), self.own)
        self.assertEqual(self.participant(self.own).with_user(self.salesman).exit_reason, False)
        with self.assertRaises(AccessError):
            self.participant(self.others).with_user(self.salesman).read(["state"])
        self.assertTrue(self.sequence.with_user(self.salesman).name)
        self.others.user_id = self.salesman
        self.assertEqual(self.seen_by(self.salesman), self.own | self.others, "handed over")

    def test_all_fields_can_be_read(self):
        """As an integration does that names none."""
        preset = self.env["nurture.preset"].create({"name": "Spam"})
        self.sequence.excluded_preset_ids = preset
        participant = self.participant(self.own)
        for user in (self.salesman, self.marketer):
            for records in (self.sequence, self.first, participant, participant.trace_ids):
                self.assertTrue(records.with_user(user).read())

    def test_all_fields_of_mailings_can_be_read(self):
        """Email Marketing is for people who see no sequences, too."""
        mailer = new_test_user(
            self.env, "nurture_mailer", "base.group_user,mass_mailing.group_mass_mailing_user"
        )
        partners = self.env["ir.model"]._get_id("res.partner")
        plain = self.make_mailing("Plain", mailing_model_id=partners)
        self.env.invalidate_all()
        self.assertTrue(plain.with_user(mailer).read())
        mailing = self.first.mailing_id
        found = mailing.with_user(mailer).search([("nurture_sequence_id", "=", self.sequence.id)])
        self.assertIn(mailing, found)
        (read,) = mailing.with_user(self.marketer).read()
        self.assertEqual(read["nurture_step_ids"], self.first.ids)

    def test_mail_of_a_running_sequence(self):
        """Who sees no sequences keeps theirs running all the same."""
        mailer = new_test_user(
            self.env, "nurture_mailer", "base.group_user,mass_mailing.group_mass_mailing_user"
        )
        partners = self.env["ir.model"]._get_id("res.partner")
        for values, message in (
            ({"active": False}, "is archived"),
            ({"body_html": ""}, "is empty"),
            ({"mailing_model_id": partners}, "not written for leads"),
        ):
            with self.assertRaisesRegex(UserError, message), self.env.cr.savepoint():
                self.env.invalidate_all()
                self.first.mailing_id.with_user(mailer).write(values)

    def test_salesperson_after_deletion(self):
        participant = self.participant(self.own)
        self.own.unlink()
        seen = self.env["nurture.participant"].with_user(self.salesman).search([])
        self.assertEqual(seen, participant)

    def test_salesperson_changes_nothing(self):
        participant = self.participant(self.own).with_user(self.salesman)
        sequence = self.sequence.with_user(self.salesman)
        for forbidden in (
            sequence.action_stop,
            sequence.action_start,
            sequence.action_advance,
            participant.action_remove,
            participant.trace_ids.action_cancel,
            participant.trace_ids.action_retry,
            lambda: participant.write({"state": "completed"}),
            lambda: sequence.write({"name": "Mine"}),
            lambda: self.first.with_user(self.salesman).write({"delay": 1}),
            lambda: self.env["nurture.preset"].with_user(self.salesman).search([]),
        ):
            with self.assertRaises(AccessError):
                forbidden()

    def test_salesperson_opens_the_lead(self):
        lead = self.own.with_user(self.salesman)
        self.assertEqual((lead.nurture_state, lead.nurture_status), ("running", "Running"))
        self.assertEqual(lead.action_view_nurture()["res_id"], self.participant(self.own).id)

    def test_all_documents(self):
        boss = new_test_user(self.env, "nurture_boss", "sales_team.group_sale_salesman_all_leads")
        self.assertEqual(self.seen_by(boss), self.own | self.others | self.nobodys)

    def test_marketer(self):
        self.assertEqual(self.seen_by(self.marketer), self.own | self.others | self.nobodys)
        sequence = self.sequence.with_user(self.marketer)
        self.assertEqual(sequence.get_audience()["matching"], 3)
        action = sequence.action_view_matching_leads()
        found = (
            self.env["crm.lead"]
            .with_user(self.marketer)
            .with_context(**action["context"])
            .search(action["domain"])
        )
        self.assertEqual(found, self.own | self.others | self.nobodys)
        sequence.action_advance()
        self.participant(self.own).with_user(self.marketer).action_remove()
        with self.assertRaises(AccessError):
            self.own.with_user(self.marketer).write({"name": "Mine"})
        with self.assertRaises(AccessError):
            self.participant(self.others).with_user(self.marketer).write({"state": "completed"})

    def test_marketer_builds(self):
        """All a marketer needs to make and start a sequence, with no right but the group's."""
        env = self.env(user=self.marketer)
        preset = env["nurture.preset"].create(
            {"name": "Mine", "lost_reason_ids": self.reason_stock.ids}
        )
        self.assertEqual(preset.matching_count, 3)
        mailing = env["mailing.mailing"].create(
            {
                "subject": "Mine",
                "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
                "body_html": "<p>Hello</p>" + UNSUBSCRIBE,
            }
        )
        # these leads are in another sequence already
        sequence = env["nurture.sequence"].create(
            {"name": "Mine", "preset_id": preset.id, "exclude_other_sequences": False}
        )
        env["nurture.step"].create({"sequence_id": sequence.id, "mailing_id": mailing.id})
        sequence.action_start()
        self.run_cron()
        self.assertEqual(sequence.participant_count, 3)
        sequence.action_stop()
        sequence.copy()

    def test_employee(self):
        for model in MODELS:
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.employee).search([])

    def test_companies(self):
        """Nobody sees, and no sequence writes to, leads of another company."""
        foreign = self.make_lead(
            "foreign@recipient.example.com",
            company_id=self.other_company.id,
            team_id=False,
            user_id=False,
        )
        shared = self.make_lead("shared@recipient.example.com", company_id=False)
        self.advance()
        self.assertFalse(self.participant(foreign))
        self.assertTrue(self.participant(shared))
        stranger = new_test_user(
            self.env,
            "nurture_stranger",
            "lost_lead_nurture.group_user,sales_team.group_sale_salesman_all_leads",
            company_id=self.other_company.id,
            company_ids=[self.other_company.id],
        )
        self.assertFalse(self.seen_by(stranger))
        self.assertNotIn(self.sequence, self.env["nurture.sequence"].with_user(stranger).search([]))

    def test_dialogs_on_foreign_sequences(self):
        """A dialog about a sequence tells nobody of it who may not read it."""
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self.make_marketer(other)
        sequence = self.make_sequence()
        self.make_step(sequence)
        sequence.action_start()
        sequence.action_stop()
        self.env.flush_all()
        for model in (
            *("nurture.resume", "nurture.start", "nurture.update", "nurture.dry.run"),
            *("nurture.test", "nurture.template.save", "nurture.explain", "nurture.enrol"),
            "nurture.replay.choose",
        ):
            dialogs = self.env[model].with_user(stranger)
            by_context = dialogs.with_context(default_sequence_id=sequence.id)
            with self.subTest(model), self.assertRaisesRegex(AccessError, "what you may see"):
                dialogs.create({"sequence_id": sequence.id})
            with self.subTest(model), self.assertRaisesRegex(AccessError, "what you may see"):
                by_context.create({})

    def test_engine_is_not_for_rpc(self):
        """What executes steps cannot be called from outside."""
        for model in MODELS:
            public = {
                name
                for name in dir(type(self.env[model]))
                if not name.startswith("_")
                and getattr(getattr(type(self.env[model]), name), "__module__", "").startswith(
                    "odoo.addons.lost_lead_nurture"
                )
                and not getattr(getattr(type(self.env[model]), name), "_api_private", False)
            }
            self.assertFalse(
                {name for name in public if not name.startswith(("action_", "button_"))}
                - {"create", "write", "unlink", "copy", "copy_data", "name_search"}
                - {"web_search_read"}
                - {
                    "enrol",
                    "explain",
                    "explain_customer",
                    "export_results",
                    "get_audience",
                    "get_preview",
                    "get_gallery",
                }
                - {"get_ab_test", "get_dashboard", "replay"}
                - {"get_filter_audience", "get_lift", "get_template_mails", "get_timeline"},
                model,
            )
