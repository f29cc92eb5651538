"""Bad input: a clear message at the moment of saving or starting, and nothing changed."""

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..common import NurtureCase, SequenceMixin


@tagged("post_install", "-at_install")
class TestBadInput(SequenceMixin, NurtureCase):
    def test_domain(self):
        for domain in (
            "not a domain",
            "[('lost_reason_id', '=', ]",
            "[('no_such_field', '=', 1)]",
            "[('email_from', 'no such operator', 1)]",
            "[1, 2]",
            "__import__('os')",
            # what is worked out from all filters
            "[('nurture_locked_id', 'in', [1])]",
            "[('partner_id.opportunity_ids', 'any', [('nurture_unaddressed_id', 'in', [1])])]",
        ):
            with (
                self.subTest(domain),
                self.assertRaisesRegex(ValidationError, "cannot be used"),
                self.env.cr.savepoint(),
            ):
                self.sequence.domain = domain
            self.assertIn("lost_reason_id", self.sequence.domain)

    def test_preset_domain(self):
        with self.assertRaisesRegex(ValidationError, "cannot be used"):
            self.env["nurture.preset"].create({"name": "Broken", "extra_domain": "[('x'"})

    def test_preset_period(self):
        for first, last in ((30, 10), (-1, 10), (0, -1)):
            with self.assertRaisesRegex(ValidationError, "no day in this period"):
                self.env["nurture.preset"].create(
                    {"name": "Empty", "lost_min_days": first, "lost_max_days": last}
                )

    def test_numbers_of_a_sequence(self):
        for values in ({"holdout_percent": 100}, {"holdout_percent": -1}, {"window_days": 0}):
            with self.assertRaises(ValidationError):
                self.make_sequence(**values)

    def test_parent_of_another_sequence(self):
        other = self.make_sequence(name="Other")
        with self.assertRaisesRegex(ValidationError, "belongs to the sequence “Restock”"):
            self.make_step(other, "after", self.first)

    def test_step_moved_away_from_children(self):
        other = self.make_sequence(name="Other")
        self.make_step(self.sequence, "after", self.first)
        with self.assertRaisesRegex(ValidationError, "belongs to the sequence “Other”"):
            self.first.sequence_id = other

    def test_cycle(self):
        second = self.make_step(self.sequence, "after", self.first)
        third = self.make_step(self.sequence, "after", second)
        with self.assertRaisesRegex(ValidationError, "cannot follow itself"):
            self.first.write({"parent_id": third.id, "trigger": "after"})

    def test_negative_delay(self):
        with self.assertRaisesRegex(ValidationError, "cannot be negative"):
            self.make_step(self.sequence, "after", self.first, delay=-1)

    def test_trigger_in_the_wrong_place(self):
        with self.assertRaisesRegex(ValidationError, "not possible after “First”"):
            self.make_step(self.sequence, "begin", self.first)
        with self.assertRaisesRegex(ValidationError, "not possible at the beginning"):
            self.make_step(self.sequence, "mail_open")

    def test_start_without_steps(self):
        empty = self.make_sequence(name="Empty")
        with self.assertRaisesRegex(UserError, "no step to begin with"):
            empty.action_start()
        self.assertEqual(empty.state, "draft")
        with self.assertRaisesRegex(UserError, "no step to begin with"):
            empty.state = "running"

    def test_start_with_empty_mail(self):
        for body in (False, "<p><br></p>"):
            self.first.mailing_id.body_html = body
            with self.assertRaisesRegex(UserError, "mail of step “First” is empty"):
                self.sequence.action_start()
            self.assertEqual(self.sequence.state, "draft")

    def test_start_with_missing_or_archived_mail(self):
        second = self.make_step(self.sequence, "after", self.first, name="Second")
        second.mailing_id.active = False
        with self.assertRaisesRegex(UserError, "is archived"):
            self.sequence.action_start()
        second.mailing_id = False
        with self.assertRaisesRegex(UserError, "has no mail"):
            self.sequence.action_start()

    def test_mail_for_other_recipients(self):
        mailing = self.make_mailing(
            "For contacts", mailing_model_id=self.env["ir.model"]._get_id("res.partner")
        )
        with self.assertRaisesRegex(ValidationError, "not written for leads"):
            self.first.mailing_id = mailing

    def test_mail_sent_on_its_own(self):
        mailing = self.make_mailing("Newsletter")
        mailing.state = "done"
        with self.assertRaisesRegex(ValidationError, "mailing of its own"):
            self.first.mailing_id = mailing

    def test_mail_of_a_step_is_not_sent_otherwise(self):
        mailing = self.first.mailing_id
        for action in ("action_launch", "action_schedule", "action_put_in_queue"):
            with self.assertRaisesRegex(UserError, "is a step of the sequence “Restock”"):
                getattr(mailing, action)()
        self.make_lead("ann@recipient.example.com")
        self.assertFalse(mailing._get_remaining_recipients())

    def test_running_without_a_first_step(self):
        """It would run and do nothing, whichever way the last step that begins it goes."""
        self.sequence.action_start()
        for inside in (False, True):
            if inside:
                self.make_lead("ann@recipient.example.com")
                self.run_cron()
            for context in ({}, {"active_test": False}):
                step = self.first.with_context(**context)
                for act in (
                    step.unlink,
                    lambda step=step: step.write({"active": False}),
                    lambda step=step: step.mailing_id.write(
                        {"nurture_step_ids": [Command.delete(step.id)]}
                    ),
                    lambda step=step: step.sequence_id.write(
                        {"step_ids": [Command.delete(step.id)]}
                    ),
                ):
                    with (
                        self.subTest(inside=inside, context=context),
                        self.assertRaisesRegex(UserError, "no step to begin with"),
                        self.env.cr.savepoint(),
                    ):
                        act()
                    self.env.invalidate_all()
                    self.assertTrue(self.first.active)
        self.sequence.action_stop()
        self.first.unlink()
        for context in ({}, {"active_test": False}):
            with self.assertRaisesRegex(UserError, "no step to begin with"):
                self.sequence.with_context(**context).action_start()

    def test_other_words_for_no(self):
        """Whatever a client sends to archive it."""
        self.make_lead("ann@recipient.example.com")
        second = self.make_step(self.sequence, "after", self.first, 7)
        self.sequence.action_start()
        self.advance()
        for no in (0, None, ""):
            second.write({"active": no})
            traces = self.env["nurture.trace"].search([("step_id", "=", second.id)])
            self.assertEqual(traces.state, "cancelled")
            second.active = True
            self.sequence.write({"active": no})
            self.assertEqual(self.sequence.state, "stopped")
            self.sequence.active = True
            self.sequence.action_start()

    def test_deleting_a_sequence_with_history(self):
        self.make_lead("ann@recipient.example.com")
        self.sequence.action_start()
        self.advance()
        with self.assertRaisesRegex(UserError, "Archive it"):
            self.sequence.unlink()

    def test_advance_draft(self):
        with self.assertRaisesRegex(UserError, "Start it first"):
            self.sequence.action_advance()

    def test_form_corrects_trigger(self):
        """Choosing a parent in the form leaves no trigger that it does not offer."""
        with Form(
            self.env["nurture.step"].with_context(default_sequence_id=self.sequence.id)
        ) as step:
            self.assertEqual(step.trigger, "begin")
            self.assertEqual(step.allowed_triggers, ["begin", "silent"])
            step.parent_id = self.first
            self.assertIn("mail_ignored", step.allowed_triggers)
            self.assertNotIn("begin", step.allowed_triggers)
            self.assertEqual(step.trigger, "after")
            step.mailing_id = self.make_mailing("Second")
            self.assertEqual(step.name, "Second")
