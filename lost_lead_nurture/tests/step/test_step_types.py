"""Steps that are not mails: what they do to the leads, and only to those who are there."""

from datetime import timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..common import NurtureHttpCase


@tagged("post_install", "-at_install")
class TestStepTypes(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead("ann@recipient.example.com", contact_name="Ann <b>B</b>")
        self.bob = self.make_lead("bob@recipient.example.com")
        self.leads = self.ann | self.bob
        self.sequence = self.make_sequence()

    def act(self, kind, **values):
        """Let both leads go through one step that does ``kind``."""
        step = self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "name": "Step",
                "step_type": "action",
                "action_kind": kind,
                **values,
            }
        )
        self.sequence.action_start()
        self.advance()
        return step

    def test_restore(self):
        self.act("restore")
        self.assertEqual(set(self.leads.mapped("won_status")), {"pending"})
        self.assertEqual(self.participant(self.ann).exit_reason, "restored")
        self.assertFalse(self.participant(self.ann).won_back_date, "nobody reacted to anything")

    def test_stage(self):
        stage = self.env["crm.stage"].create({"name": "Second chance"})
        self.act("stage", stage_id=stage.id)
        self.assertEqual(self.leads.stage_id, stage)
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_salesperson_and_team(self):
        team = self.env["crm.team"].create({"name": "Win Back"})
        self.act("salesperson", salesperson_id=self.colleague.id)
        self.assertEqual(self.leads.user_id, self.colleague)
        self.sequence = self.make_sequence()
        self.act("team", team_id=team.id)
        self.assertEqual(self.leads.team_id, team)

    def test_add_and_remove_tags(self):
        old, new = self.env["crm.tag"].create([{"name": "Old (test)"}, {"name": "New (test)"}])
        self.leads.tag_ids = [Command.link(old.id)]
        self.act("add_tags", tag_ids=new.ids)
        self.assertEqual(self.ann.tag_ids, old | new)
        self.sequence = self.make_sequence()
        self.act("remove_tags", tag_ids=old.ids)
        self.assertEqual(self.bob.tag_ids, new)

    def test_priority_and_score(self):
        self.act("priority", priority="2")
        self.assertEqual(set(self.leads.mapped("priority")), {"2"})
        self.ann.nurture_score = 5
        self.sequence = self.make_sequence()
        self.act("score", score=10)
        self.assertEqual(self.leads.mapped("nurture_score"), [15, 10])

    def test_field(self):
        values = {
            "referred": "A friend",
            "expected_revenue": "12.5",
            "date_deadline": "2026-12-31",
            "country_id": "Belgium",
            "priority": "High",
        }
        for name, value in values.items():
            with self.subTest(name):
                self.sequence = self.make_sequence()
                self.act("field", field_name=name, field_value=value)
                found = self.ann[name]
                shown = found.name if name == "country_id" else found
                self.assertIn(str(shown), (value, "2"))

    def test_field_that_does_not_fit(self):
        for name, value in (
            ("expected_revenue", "a lot"),
            ("date_deadline", "tomorrow"),
            ("country_id", "Atlantis"),
            ("priority", "Urgent!"),
        ):
            with self.subTest(name), self.assertRaisesRegex(ValidationError, "does not fit"):
                self.act("field", field_name=name, field_value=value)
        for name in (
            "no_such_field",
            "won_status",
            "company_id",
            "create_date",
            "active",
            "tag_ids",
        ):
            with self.subTest(name), self.assertRaisesRegex(ValidationError, "can be set"):
                self.act("field", field_name=name, field_value="1")

    def test_note(self):
        self.act("note", note='<p>For <t t-out="object.contact_name">nobody</t></p>')
        note = self.ann.message_ids[0]
        self.assertIn("For Ann &lt;b&gt;B&lt;/b&gt;", note.body, "names are text, not HTML")
        self.assertFalse(self.catcher.messages, "customers do not get it")

    def test_harmful_placeholder(self):
        with self.assertRaisesRegex(ValidationError, "placeholder"):
            self.act("note", note='<p><t t-out="object.env.user.password"/></p>')
        with self.assertRaisesRegex(ValidationError, "placeholder"):
            self.make_activity(activity_summary="{{ object.env['res.users'].search([]) }}")

    def test_blacklist(self):
        self.act("blacklist")
        self.assertTrue(self.ann.is_blacklisted and self.bob.is_blacklisted)
        self.assertEqual(self.participant(self.ann).exit_reason, "blacklisted")

    def make_server_action(self, code):
        return self.env["ir.actions.server"].create(
            {
                "name": "Server",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": code,
            }
        )

    def test_server_action(self):
        """It runs once, on all leads of the batch."""
        action = self.make_server_action("records.write({'referred': '%s leads' % len(records)})")
        self.act("server", server_action_id=action.id)
        self.assertEqual(self.leads.mapped("referred"), ["2 leads", "2 leads"])

    def test_server_action_that_fails_for_one(self):
        action = self.make_server_action(
            f"if {self.ann.id} in records.ids: raise UserError('not Ann')\n"
            "records.write({'referred': 'done'})"
        )
        step = self.act("server", server_action_id=action.id)
        self.assertEqual(self.leads.mapped("referred"), [False, "done"])
        trace = self.trace(self.ann, step)
        self.assertEqual((trace.state, trace.reason), ("error", "failed"))
        self.assertIn("not Ann", trace.detail)

    def test_server_action_needs_rights(self):
        """A marketer who may not change leads does not get it done by a server action."""
        action = self.make_server_action("pass")
        values = {
            "sequence_id": self.sequence.id,
            "name": "Step",
            "step_type": "action",
            "action_kind": "server",
            "server_action_id": action.id,
        }
        steps = self.env["nurture.step"]
        with self.assertRaisesRegex(ValidationError, "may not run"):
            steps.with_user(self.marketer).create(values)
        boss = new_test_user(
            self.env,
            "nurture_boss",
            "lost_lead_nurture.group_user,sales_team.group_sale_salesman_all_leads",
        )
        steps.with_user(boss).create(values)
        action.group_ids = self.env.ref("base.group_system")
        with self.assertRaisesRegex(ValidationError, "may not run"):
            steps.with_user(boss).create(values)

    def make_activity(self, **values):
        return self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "name": "Call",
                "step_type": "activity",
                "activity_type_id": self.env.ref("mail.mail_activity_data_call").id,
                **values,
            }
        )

    def test_activity(self):
        self.ann.user_id = False
        self.make_activity(
            activity_summary="Call {{object.contact_name}}",
            activity_note='<p>Lost: <t t-out="object.name"/></p>',
            activity_due_days=3,
        )
        self.sequence.action_start()
        self.advance()
        activity = self.bob.activity_ids
        self.assertEqual(activity.summary, "Call Ann")
        self.assertIn(f"Lost: {self.bob.name}", activity.note)
        self.assertEqual(activity.user_id, self.salesman)
        self.assertTrue(activity.automated)
        self.assertEqual(self.ann.activity_ids.user_id, self.marketer, "nobody else is there")

    def test_activity_for(self):
        self.make_activity(activity_who="leader")
        self.make_activity(activity_who="user", activity_user_id=self.marketer.id)
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.ann.activity_ids.user_id, self.team.user_id | self.marketer)

    def test_activity_in_another_company(self):
        """Who does not work for the lead's company could not even open it."""
        other = self.env["res.company"].create({"name": "Other Company"})
        self.marketer.company_ids = [Command.link(other.id)]
        self.sequence.company_id = False
        carl = self.make_lead(
            "carl@recipient.example.com", company_id=other.id, user_id=False, team_id=False
        )
        self.make_activity(activity_who="user", activity_user_id=self.colleague.id)
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.ann.activity_ids.user_id, self.colleague)
        self.assertEqual(carl.activity_ids.user_id, self.marketer)

    def test_after_a_mail(self):
        """Actions and mails follow each other; an action's children count from the action."""
        first = self.make_step(self.sequence, subject="First")
        self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "name": "Opened: score",
                "parent_id": first.id,
                "trigger": "mail_open",
                "step_type": "action",
                "action_kind": "score",
                "score": 3,
            }
        )
        score = self.sequence.step_ids.filtered(lambda step: step.step_type == "action")
        last = self.make_step(self.sequence, "after", score, 2, subject="Last")
        self.sequence.action_start()
        self.advance()
        self.read_mail(self.mail_to("ann@recipient.example.com"))
        self.advance(hours=1)
        self.assertEqual(self.leads.mapped("nurture_score"), [3, 0])
        self.assertEqual(self.trace(self.ann, last).schedule_date, self.clock + timedelta(days=2))
        self.advance(days=2)
        self.assertTrue(self.mails_to("ann@recipient.example.com", "Last"))
        self.assertFalse(self.mails_to("bob@recipient.example.com", "Last"))

    def test_mail_trigger_after_an_action(self):
        step = self.make_activity()
        with self.assertRaisesRegex(ValidationError, "not possible after “Call”"):
            self.make_step(self.sequence, "mail_open", step)

    def test_start_incomplete(self):
        for values, message in (
            ({"step_type": "action"}, "does not say what to do"),
            ({"step_type": "action", "action_kind": "stage"}, "does not say what to do"),
            ({"step_type": "activity"}, "no type of activity"),
        ):
            sequence = self.make_sequence()
            self.env["nurture.step"].create({"sequence_id": sequence.id, "name": "Step", **values})
            with self.subTest(values), self.assertRaisesRegex(UserError, message):
                sequence.action_start()
