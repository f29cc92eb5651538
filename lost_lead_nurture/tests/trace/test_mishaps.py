"""Mishaps: something is retried, deleted, emptied or stopped at the wrong moment."""

from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import ForeignKeyViolation, SerializationFailure

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ...hooks import uninstall_hook
from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin


class MishapCase(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def make_action(self, kind, **values):
        return self.make_step(
            self.sequence, step_type="action", action_kind=kind, mailing_id=False, **values
        )


@tagged("post_install", "-at_install")
class TestNoMailAfterTheEnd(MishapCase):
    def fail_to_send(self):
        """The mail server is down when the first mails are to leave."""
        self.sequence.action_start()
        self.run_cron()
        mails = self.env["mail.mail"].search([("state", "=", "outgoing")])
        down = patch.object(
            type(self.env["ir.mail_server"]), "send_email", side_effect=OSError("down")
        )
        with down, mute_logger("odoo.addons.mail.models.mail_mail"):
            self.send_mails()
        self.env.invalidate_all()
        self.assertEqual(mails.mapped("state"), ["exception"] * 2)
        return mails

    def test_retry_of_all_that_failed(self):
        """An admin retries in core's list of mails, where nobody sees who has left."""
        mails = self.fail_to_send()
        self.participant(self.ann).action_remove()
        mails.action_retry()
        self.send_mails()
        self.assertFalse(self.mails_to(ANN))
        self.assertEqual(self.trace(self.ann, self.second).state, "cancelled")
        self.mail_to(BOB)
        self.assertEqual(self.trace(self.bob, self.first).state, "processed")
        self.assertEqual(self.trace(self.bob, self.second).state, "scheduled")

    def test_retry_while_stopped(self):
        mails = self.fail_to_send()
        self.sequence.action_stop()
        mails.action_retry()
        self.send_mails()
        self.assertFalse(self.catcher.messages)
        self.assertEqual(set(mails.mapped("state")), {"cancel"})
        self.sequence.action_start()
        self.participant(self.ann).action_retry()
        self.advance()
        self.mail_to(ANN)

    def test_left_while_the_mail_was_leaving(self):
        """What the mail's failure had stopped does not start again."""
        mails = self.fail_to_send()
        self.participant(self.ann).action_remove()
        mails.mailing_trace_ids.set_sent()
        self.assertEqual(self.trace(self.ann, self.second).state, "cancelled")

    def test_stopped_between_two_batches(self):
        self.env["ir.config_parameter"].set_param("mail.batch_size", 1)
        self.sequence.action_start()
        traces = type(self.env["nurture.trace"])
        run = traces._run_batch

        def run_and_stop(batch, *args):
            left = run(batch, *args)
            batch.env["nurture.sequence"].browse(self.sequence.id).action_stop()
            return left

        with patch.object(traces, "_run_batch", run_and_stop):
            self.run_cron()
        self.send_mails()
        self.assertFalse(self.catcher.messages)
        due = self.env["nurture.trace"].search([("step_id", "=", self.first.id)])
        self.assertEqual(due.mapped("state"), ["scheduled"] * 2)

    def test_uninstalled(self):
        self.sequence.action_start()
        self.run_cron()
        uninstall_hook(self.env)
        self.send_mails()
        self.assertFalse(self.catcher.messages)

    def test_lead_that_cannot_be_restored(self):
        """Whoever answers gets no more mails, whatever another add-on has against restoring."""
        self.sequence.action_start()
        self.advance()
        refusing = patch.object(
            type(self.env["crm.lead"]), "action_restore", side_effect=UserError("<b>No</b>")
        )
        with (
            refusing,
            mute_logger("odoo.addons.lost_lead_nurture.models.participant.goals"),
        ):
            self.answer(self.mail_to(ANN))
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")
        self.assertEqual(self.ann.won_status, "lost")
        activity = self.sequence.activity_ids
        self.assertEqual(activity.user_id, self.marketer)
        self.assertIn("&lt;b&gt;No", activity.note)
        self.advance(days=8)
        self.mail_to(ANN)


@tagged("post_install", "-at_install")
class TestSomethingIsGone(MishapCase):
    def test_hours_emptied(self):
        calendar = self.env["resource.calendar"].create({"name": "Sending hours", "tz": "UTC"})
        self.sequence.calendar_id = calendar
        self.sequence.action_start()
        hours = calendar.attendance_ids.copy_data()
        calendar.attendance_ids.unlink()
        self.advance()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("scheduled", "sending_hours"))
        self.assertEqual(trace.schedule_date, self.clock + timedelta(days=1))
        calendar.attendance_ids.create([line | {"calendar_id": calendar.id} for line in hours])
        self.advance(days=1)
        self.mail_to(ANN)

    def test_date_deleted(self):
        """A field that is deleted takes no sequence with it."""
        date = self.env["ir.model.fields"].create(
            {
                "name": "x_anniversary",
                "field_description": "Anniversary",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "ttype": "date",
            }
        )
        self.sequence.write({"entry": "date", "entry_field_id": date.id})
        self.sequence.action_start()
        date.unlink()
        self.env.invalidate_all()
        self.assertTrue(self.sequence.exists())
        entry = "odoo.addons.lost_lead_nurture.models.sequence.entry"
        with mute_logger(entry):
            self.advance()
        self.assertIn("on which date", self.sequence.last_error)
        with self.assertRaises(UserError):
            self.sequence.explain(self.ann.id)

    def test_deleted_while_a_step_needs_it(self):
        """An action without its team would take the leads' team away."""
        team = self.env["crm.team"].create({"name": "Rescue"})
        user = new_test_user(self.env, "nurture_temp", "sales_team.group_sale_salesman")
        tag = self.env["crm.tag"].create({"name": "Second try"})
        self.make_action("team", team_id=team.id)
        self.make_action("salesperson", salesperson_id=user.id)
        self.make_action("add_tags", tag_ids=tag.ids)
        for record in (team, user, tag):
            with (
                self.subTest(record),
                self.assertRaises(ForeignKeyViolation),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                record.unlink()

    def test_message_that_never_left(self):
        """A mail of a mailing that somebody deleted from the queue does not count for the cap for
        ever."""
        self.company.write({"nurture_cap_number": 1, "nurture_cap_days": 7})
        self.env["mailing.trace"].create(
            {
                "mass_mailing_id": self.make_mailing("News").id,
                "model": "crm.lead",
                "res_id": self.ann.id,
                "email": ANN,
                "trace_type": "mail",
                "trace_status": "outgoing",
            }
        )
        self.sequence.action_start()
        self.advance()
        self.mail_to(ANN)

    def test_test_of_a_lead_with_another_address(self):
        self.sequence.action_test()
        test = self.env["nurture.test"].search([("sequence_id", "=", self.sequence.id)])
        test.write({"lead_id": self.ann.id, "email_to": "tester@test.example.com"})
        self.ann.email_from = "tester@test.example.com"
        with self.assertRaises(ValidationError):
            test.action_play("run")
        self.assertFalse(self.catcher.messages)


@tagged("post_install", "-at_install")
class TestOddities(MishapCase):
    def test_error_with_half_a_character(self):
        self.sequence.action_start()
        sending = type(self.env["mailing.mailing"])
        with patch.object(sending, "_action_send_mail", side_effect=ValueError("bad \udcff")):
            self.run_cron()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.detail), ("error", "ValueError: bad ?"))

    def test_conflict_while_expiring(self):
        """What is due does not wait because somebody is at what expires."""
        self.sequence.action_start()
        traces = type(self.env["nurture.trace"])
        for address, name in (ANN, "_expire"), ("new@recipient.example.com", "_retry_failed"):
            with self.subTest(name):
                if address != ANN:
                    self.make_lead(address)
                with patch.object(traces, name, side_effect=SerializationFailure) as conflict:
                    self.advance()
                self.assertTrue(conflict.called)
                self.mail_to(address)

    def test_numbers_out_of_range(self):
        with self.assertRaises(ValidationError):
            self.company.nurture_cap_days = 2**31 - 1
        date = self.env["ir.model.fields"]._get("crm.lead", "date_closed")
        with self.assertRaises(ValidationError):
            self.sequence.write({"entry_field_id": date.id, "entry_offset": -(2**31)})

    def test_forms(self):
        """Who may read a record can open its form."""
        self.sequence.write(
            {
                "calendar_id": self.company.resource_calendar_id.id,
                "entry_field_id": self.env["ir.model.fields"]._get("crm.lead", "date_closed").id,
                "excluded_preset_ids": [fields.Command.create({"name": "Spam"})],
                "goal_user_id": self.salesman.id,
            }
        )
        self.make_action("add_tags", tag_ids=self.env["crm.tag"].create({"name": "Again"}).ids)
        self.sequence.action_start()
        self.advance()
        journeys = self.participant(self.ann)
        records = [self.sequence, journeys, journeys.trace_ids, self.sequence.step_ids, self.ann]
        for user in (self.marketer, self.salesman):
            for record in (one for some in records for one in some):
                with self.subTest(f"{record} {user.login}"):
                    self.env.invalidate_all()
                    form = Form(record.with_user(user))
                    self.assertEqual(form.record.id, record.id)
