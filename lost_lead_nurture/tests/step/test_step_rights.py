"""What somebody has done by a step is what this person may do: asked when the step is set up, and
again whenever it is done."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL

from ..common import NurtureCase, NurtureHttpCase


class StepRightsMixin:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = new_test_user(
            cls.env,
            "nurture_boss",
            "lost_lead_nurture.group_user,sales_team.group_sale_salesman_all_leads",
        )
        cls.other_company = cls.env["res.company"].create({"name": "Other Company"})

    def setUp(self):
        super().setUp()
        self.ann = self.make_lead("ann@recipient.example.com")
        self.bob = self.make_lead("bob@recipient.example.com", user_id=self.colleague.id)
        self.leads = self.ann | self.bob
        self.sequence = self.make_sequence()

    def values(self, kind, **values):
        return {
            "sequence_id": self.sequence.id,
            "name": "Step",
            "step_type": "action",
            "action_kind": kind,
            **values,
        }

    def set_up(self, user, kind, **values):
        steps = self.env["nurture.step"].with_user(user)
        return steps.create(self.values(kind, **values)).with_env(self.env)

    def forge(self, step, **values):
        """As it was set up before anybody asked."""
        self.env.flush_all()
        for name, value in values.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE nurture_step SET %s = %s WHERE id = %s",
                    SQL.identifier(name),
                    value,
                    step.id,
                )
            )
        self.env.invalidate_all()

    def assert_refused(self, step, *leads):
        for lead in leads:
            trace = self.trace(lead, step)
            self.assertEqual((trace.state, trace.reason), ("error", "not_allowed"))
            self.assertTrue(trace.detail)

    def warnings(self):
        return self.sequence.activity_ids.filtered(lambda one: "may not be done" in one.summary)


@tagged("post_install", "-at_install")
class TestFieldRights(StepRightsMixin, NurtureCase):
    def test_no_way_into_another_record(self):
        """Not even an administrator has a step write the contact, or into it."""
        admin = self.env.ref("base.user_admin")
        for user in (self.marketer, self.boss, admin, self.env.user):
            for name, value in (
                ("partner_id", admin.partner_id.name),
                ("email_from", "mine@evil.example.com"),
                ("phone", "+32 1"),
                ("user_id", admin.name),
                ("team_id", self.team.name),
                ("nurture_score", "5"),
                ("probability", "50"),
                ("partner_is_blacklisted", "no"),
            ):
                with (
                    self.subTest(name, user=user.login),
                    self.assertRaises(ValidationError),
                    self.env.cr.savepoint(),
                ):
                    self.set_up(user, "field", field_name=name, field_value=value)

    def test_takeover_set_up_before(self):
        partner = self.env.ref("base.user_admin").partner_id
        email = partner.email
        self.leads.partner_id = partner
        step = self.set_up(self.boss, "field", field_name="referred", field_value="x")
        self.go_on_with_forged(step, "email_from", "mine@evil.example.com")
        self.assertEqual(partner.email, email)
        self.assert_refused(step, *self.leads)

    def go_on_with_forged(self, step, name, value):
        self.sequence.action_start()
        self.forge(step, field_name=name, field_value=value)
        self.advance()

    def test_offered(self):
        """What is offered are columns of the lead alone."""
        leads = self.env["crm.lead"]
        step = self.set_up(self.boss, "field", field_name="referred", field_value="x")
        offered = step.with_user(self.boss).settable_fields
        self.assertLessEqual({"referred", "country_id", "date_deadline", "priority"}, set(offered))
        for name in offered:
            field = leads._fields[name]
            self.assertTrue(field.store and field.column_type, name)
            self.assertFalse(field.inverse or field.related or field.readonly, name)
        self.assertFalse(
            {"email_from", "phone", "partner_id", "company_id", "active", "nurture_score"}
            & set(offered)
        )
        self.assertFalse(step.with_user(self.marketer).settable_fields)

    def test_who_may_not_change_leads(self):
        with self.assertRaisesRegex(ValidationError, "may not set"):
            self.set_up(self.marketer, "field", field_name="referred", field_value="x")

    def test_field_of_a_group(self):
        self.patch(self.env["crm.lead"]._fields["referred"], "groups", "base.group_system")
        with self.assertRaisesRegex(ValidationError, "may not set"):
            self.set_up(self.boss, "field", field_name="referred", field_value="x")

    def test_right_that_was_lost(self):
        step = self.set_up(self.boss, "field", field_name="referred", field_value="A friend")
        self.sequence.action_start()
        self.boss.group_ids = self.env.ref("lost_lead_nurture.group_user")
        self.advance()
        self.assertFalse(self.ann.referred)
        self.assert_refused(step, *self.leads)
        self.assertIn("may not set", self.trace(self.ann, step).detail)
        self.assertEqual(len(self.warnings()), 1, "not one per lead")
        self.assertEqual(self.warnings().user_id, self.marketer)
        # again, and still one
        self.trace(self.ann, step).action_retry()
        self.advance(hours=1)
        self.assert_refused(step, self.ann)
        self.assertEqual(len(self.warnings()), 1)
        # nobody takes over what they may not do
        with self.assertRaisesRegex(ValidationError, "may not set"):
            step.with_user(self.marketer).action_take_over()
        self.assertEqual(step.author_id, self.boss)
        step.action_take_over()
        self.trace(self.ann, step).action_retry()
        self.advance(hours=1)
        self.assertEqual(self.leads.mapped("referred"), ["A friend", False])

    def test_who_has_left(self):
        step = self.set_up(self.boss, "field", field_name="referred", field_value="A friend")
        self.sequence.action_start()
        self.boss.active = False
        self.advance()
        self.assert_refused(step, *self.leads)
        self.sequence.action_stop()
        with self.assertRaisesRegex(UserError, "not there any more"):
            self.sequence.action_start()

    def test_own_leads_only(self):
        seller = new_test_user(
            self.env,
            "nurture_seller",
            "lost_lead_nurture.group_user,sales_team.group_sale_salesman",
        )
        self.ann.user_id = seller
        step = self.set_up(seller, "field", field_name="referred", field_value="A friend")
        self.start()
        self.assertEqual(self.leads.mapped("referred"), ["A friend", False])
        self.assert_refused(step, self.bob)

    def test_other_company(self):
        step = self.set_up(self.boss, "field", field_name="referred", field_value="A friend")
        self.sequence.action_start()
        self.boss.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        self.advance()
        self.assert_refused(step, *self.leads)

    def test_value_that_the_author_may_not_read(self):
        source = self.env["utm.source"].create({"name": "Secret source"})
        self.env["ir.rule"].create(
            {
                "name": "Secret",
                "model_id": self.env["ir.model"]._get_id("utm.source"),
                "domain_force": "[('name', '!=', 'Secret source')]",
            }
        )
        with self.assertRaisesRegex(ValidationError, "does not fit"), self.env.cr.savepoint():
            self.set_up(self.boss, "field", field_name="source_id", field_value="Secret source")
        source.name = "Open source"
        step = self.set_up(self.boss, "field", field_name="source_id", field_value="Open source")
        self.sequence.action_start()
        source.name = "Secret source"
        self.forge(step, field_value="Secret source")
        self.advance()
        self.assert_refused(step, *self.leads)


@tagged("post_install", "-at_install")
class TestAuthor(StepRightsMixin, NurtureCase):
    def set_up_by_boss(self):
        return self.set_up(self.boss, "field", field_name="referred", field_value="A friend")

    def test_is_not_chosen(self):
        admin = self.env.ref("base.user_admin")
        steps = self.env["nurture.step"].with_user(self.boss)
        values = self.values("score", author_id=admin.id)
        self.assertEqual(steps.create(values).author_id, self.boss)
        forged = steps.with_context(default_author_id=admin.id).create(self.values("score"))
        self.assertEqual(forged.author_id, self.boss)
        with self.assertRaises(AccessError):
            forged.author_id = admin
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.boss).step_ids = [
                Command.update(forged.id, {"author_id": admin.id})
            ]

    def test_follows_what_the_step_does(self):
        step = self.set_up_by_boss()
        mine = step.with_user(self.marketer)
        mine.write({"delay": 3, "field_value": "A friend"})
        self.assertEqual(step.author_id, self.boss, "it does what it did")
        with self.assertRaisesRegex(ValidationError, "may not set"), self.env.cr.savepoint():
            mine.field_value = "Me"
        with self.assertRaisesRegex(ValidationError, "may not set"), self.env.cr.savepoint():
            mine.field_name = "description"
        other = self.make_sequence()
        with self.assertRaisesRegex(ValidationError, "may not set"), self.env.cr.savepoint():
            mine.sequence_id = other
        step.invalidate_recordset()
        self.assertEqual(step.author_id, self.boss)
        step.field_value = "Somebody"
        self.assertEqual(step.author_id, self.env.user)

    def test_author_of_before(self):
        """Where nobody knows yet who set a step up it is who changed it last."""
        step = self.set_up_by_boss()
        self.forge(step, author_id=None, write_uid=self.marketer.id)
        # as core does when a column is new
        self.env.add_to_compute(step._fields["author_id"], step)
        self.assertEqual(step.author_id, self.marketer)

    def test_author_in_a_draft(self):
        """In a form, too, it is who has set the step up, not who changed it last."""
        step = self.set_up_by_boss()
        step.with_user(self.marketer).delay = 3
        self.env.flush_all()
        self.assertEqual(step.new({"delay": 4}, origin=step).author_id, self.boss)

    def test_several_at_once(self):
        step = self.set_up_by_boss()
        score = self.set_up(self.boss, "score", score=1)
        both = (step | score).with_user(self.env.ref("base.user_admin"))
        both.write({"action_kind": "score", "name": "Both"})
        self.assertEqual(score.author_id, self.boss)
        self.assertEqual(step.author_id, both.env.user)
        self.assertEqual(set(both.mapped("name")), {"Both"})

    def test_copies_are_the_copiers(self):
        step = self.set_up_by_boss()
        for copy in (
            step.with_user(self.marketer).copy,
            self.sequence.with_user(self.marketer).copy,
            step.with_user(self.marketer).action_duplicate,
        ):
            with self.assertRaisesRegex(ValidationError, "may not set"), self.env.cr.savepoint():
                copy()
        copied = self.sequence.copy().step_ids
        self.assertEqual(copied.author_id, self.env.user)


@tagged("post_install", "-at_install")
class TestServerActionRights(StepRightsMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.action = self.env["ir.actions.server"].create(
            {
                "name": "Server",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": "records.write({'referred': f'{env.user.login} {env.su}'})",
            }
        )

    def test_as_who_has_set_it_up(self):
        """The code has the rights of who chose it, not the engine's."""
        self.set_up(self.boss, "server", server_action_id=self.action.id)
        self.start()
        self.assertEqual(set(self.leads.mapped("referred")), {"nurture_boss False"})

    def test_no_way_into_another_record(self):
        """An action that a salesperson may run does not change the administrator's address."""
        admin = self.env.ref("base.user_admin")
        email = admin.email
        self.action.code = "record.partner_id.write({'email': 'mine@evil.example.com'})"
        self.leads.partner_id = admin.partner_id
        step = self.set_up(self.boss, "server", server_action_id=self.action.id)
        self.start()
        self.assertEqual(admin.email, email)
        self.assertEqual(self.trace(self.ann, step).state, "error")

    def test_groups(self):
        self.action.group_ids = self.env.ref("sales_team.group_sale_manager")
        with self.assertRaisesRegex(ValidationError, "may not run"), self.env.cr.savepoint():
            self.set_up(self.boss, "server", server_action_id=self.action.id)
        self.boss.group_ids += self.env.ref("sales_team.group_sale_manager")
        step = self.set_up(self.boss, "server", server_action_id=self.action.id)
        self.sequence.action_start()
        self.action.group_ids = self.env.ref("base.group_system")
        self.advance()
        self.assertFalse(self.ann.referred)
        self.assert_refused(step, *self.leads)
        self.assertEqual(len(self.warnings()), 1)

    def test_own_leads_only(self):
        """Core asks for each record, too."""
        seller = new_test_user(
            self.env,
            "nurture_seller",
            "lost_lead_nurture.group_user,sales_team.group_sale_salesman",
        )
        self.ann.user_id = seller
        step = self.set_up(seller, "server", server_action_id=self.action.id)
        self.start()
        self.assertEqual(self.leads.mapped("referred"), ["nurture_seller False", False])
        self.assert_refused(step, self.bob)

    def test_allowed_by_an_administrator(self):
        """Also one that is for few: with all rights, as long as it is allowed."""
        self.action.group_ids = self.env.ref("sales_team.group_sale_manager")
        with self.assertRaisesRegex(ValidationError, "may not run"), self.env.cr.savepoint():
            self.set_up(self.marketer, "server", server_action_id=self.action.id)
        self.action.nurture_allowed = True
        step = self.set_up(self.marketer, "server", server_action_id=self.action.id)
        self.start()
        self.assertTrue(all(name.endswith("True") for name in self.leads.mapped("referred")))
        self.action.nurture_allowed = False
        carl = self.make_lead("carl@recipient.example.com")
        self.advance(hours=1)
        self.assert_refused(step, carl)

    def test_who_allows(self):
        with self.assertRaises(AccessError):
            self.action.with_user(self.boss).nurture_allowed = True
        self.action.nurture_allowed = True
        self.assertFalse(self.action.copy().nurture_allowed)

    def test_choosing(self):
        """A marketer, who may not read server actions, chooses among the allowed ones."""
        self.action.nurture_allowed = True
        self.env["ir.actions.server"].create(
            {"name": "Hidden", "model_id": self.action.model_id.id, "state": "code", "code": ""}
        )
        self.env.invalidate_all()
        steps = self.env["nurture.step"].with_user(self.marketer)
        offered = dict(steps.fields_get(["allowed_action"])["allowed_action"]["selection"])
        self.assertEqual(offered[str(self.action.id)], "Server")
        self.assertNotIn("Hidden", offered.values())
        with Form(steps.with_context(default_sequence_id=self.sequence.id)) as form:
            form.step_type = "action"
            form.action_kind = "server"
            form.allowed_action = str(self.action.id)
        step = self.sequence.step_ids
        self.assertEqual(step.server_action_id, self.action)
        self.assertEqual(step.author_id, self.marketer)

    def test_reading_nothing_more(self):
        """A marketer reads no server action by the steps that run it."""
        step = self.set_up(self.boss, "server", server_action_id=self.action.id)
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            step.with_user(self.marketer).server_action_id.read(["name"])
        self.assertTrue(step.with_user(self.marketer).read())
        self.assertTrue(self.sequence.with_user(self.marketer).workflow)


@tagged("post_install", "-at_install")
class TestOtherCompanies(StepRightsMixin, NurtureHttpCase):
    def test_salesperson(self):
        """A step does not move a lead to the company of its salesperson, or of its team."""
        stranger = self.make_marketer(self.other_company)
        team = self.env["crm.team"].create({"name": "Foreign", "company_id": self.other_company.id})
        for kind, name, value in (
            ("salesperson", "salesperson_id", stranger.id),
            ("team", "team_id", team.id),
        ):
            with self.subTest(kind):
                self.sequence = self.make_sequence()
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    self.set_up(self.boss, kind, **{name: value})
                own = {"salesperson_id": self.colleague.id, "team_id": self.team.id}[name]
                step = self.set_up(self.env.user, kind, **{name: own})
                self.forge(step, **{name: value})
                self.start()
                self.assertEqual(self.leads.company_id, self.company)
                self.assert_refused(step, *self.leads)

    def test_team_that_takes_over(self):
        """Nor does it move when it is won back, and the team's people work for both companies."""
        self.colleague.company_ids += self.other_company
        team = self.env["crm.team"].create(
            {
                "name": "Foreign",
                "company_id": self.other_company.id,
                "member_ids": self.colleague.ids,
            }
        )
        self.sequence.write({"goal_assign": "team", "goal_team_id": team.id})
        self.make_step(self.sequence, subject="First")
        self.start()
        self.answer(self.mail_to("ann@recipient.example.com"))
        self.assertEqual(self.ann.user_id, self.colleague)
        self.assertEqual(self.ann.company_id, self.company)
