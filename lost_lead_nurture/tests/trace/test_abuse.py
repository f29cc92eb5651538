"""Things done in the wrong order, by the wrong people, or by bots posing as recipients."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ...tools import transaction
from ..common import ANN, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..smtp import RELAY_DENIED, SMTP_LOGGERS


@tagged("post_install", "-at_install")
class TestEventsAreNeverLost(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    """What goes wrong in the sequence reaches neither the gateway nor the mail queue."""

    def failing_once(self):
        traces = type(self.env["nurture.trace"])
        return patch.object(traces, "_handle", side_effect=SerializationFailure)

    def test_reply(self):
        self.start()
        with self.failing_once():
            self.answer(self.mail_to(ANN))
        self.assertIn("please call me", self.ann.message_ids[0].body, "the reply is there")
        self.assertEqual(self.ann.won_status, "lost")
        self.run_cron()
        self.assertEqual(self.ann.won_status, "pending", "handled with the next run")
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")

    def test_sent(self):
        """A mail that has left is not sent again."""
        self.sequence.action_start()
        self.run_cron()
        with self.failing_once():
            self.send_mails()
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertEqual(self.trace(self.ann, self.second).state, "waiting")
        self.run_cron()
        self.assertEqual(self.trace(self.ann, self.second).state, "scheduled")

    def test_several_events(self):
        opened = self.make_step(self.sequence, "mail_open", self.first, 1)
        clicked = self.make_step(self.sequence, "mail_click", self.first, 1)
        self.start()
        with self.failing_once():
            self.click(self.mail_to(ANN))
        clicked_on = self.trace(self.ann, self.first).mailing_trace_ids.links_click_datetime
        self.assertTrue(clicked_on)
        self.advance(hours=2)
        for step in (opened, clicked):
            trace = self.trace(self.ann, step)
            self.assertEqual(trace.state, "scheduled", step.trigger)
            self.assertEqual(trace.schedule_date, clicked_on + timedelta(days=1), step.trigger)

    def test_never_handled(self):
        """The responsible is notified once of what fails again and again, and it is tried on."""
        self.start()
        summary = "Something that happened on mails cannot be taken in"

        def warnings():
            return self.sequence.activity_ids.filtered(lambda one: one.summary == summary)

        traces = type(self.env["nurture.trace"])
        with patch.object(traces, "_handle", side_effect=ValueError("no such branch")):
            self.answer(self.mail_to(ANN))
            self.assertFalse(warnings(), "the next run may tell it")
            for _run in range(3):
                self.run_cron()
        self.assertIn("no such branch", warnings().note)
        self.assertEqual(len(warnings()), 1)
        self.run_cron()
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")

    def test_error_that_postgresql_cannot_store(self):
        self.sequence.action_start()
        mailings = type(self.env["mailing.mailing"])
        with patch.object(mailings, "_action_send_mail", side_effect=ValueError("a\x00b")):
            self.run_cron()
        self.assertEqual(self.trace(self.ann, self.first).detail, "ValueError: ab")


@tagged("post_install", "-at_install")
class TestStopMeansStop(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def refuse_first(self):
        self.sequence.action_start()
        self.catcher.answers = {ANN: RELAY_DENIED}
        with mute_logger(*SMTP_LOGGERS):
            self.advance()
        self.catcher.answers = {}
        return self.trace(self.ann, self.first)

    def test_retry_after_leaving(self):
        trace = self.refuse_first()
        self.env["mail.blacklist"]._add(ANN)
        self.assertEqual((trace.state, trace.reason), ("cancelled", "left"))
        with self.assertRaisesRegex(UserError, "nothing to retry"):
            trace.action_retry()
        with self.assertRaisesRegex(UserError, "nothing to retry"):
            self.first.mailing_id.action_retry_failed()
        self.advance()
        self.assertFalse(self.mails_to(ANN))

    def test_retry_while_stopped(self):
        trace = self.refuse_first()
        self.sequence.action_stop()
        with self.assertRaisesRegex(UserError, "nothing to retry"):
            trace.action_retry()

    def test_failure_that_nobody_retries(self):
        trace = self.refuse_first()
        self.advance(days=self.sequence.window_days)
        self.assertEqual((trace.state, trace.reason), ("cancelled", "mail_failed"))
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_branch_added_later(self):
        """A branch for replies is for those who are in it: others leave when they reply."""
        self.start()
        self.make_step(self.sequence, "mail_reply", self.first, 1, subject="Thanks")
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")
        self.advance(days=30)
        self.assertFalse(self.mails_to(ANN, "Second"))

    def test_branch_cancelled_by_hand(self):
        branch = self.make_step(self.sequence, "mail_bounce", self.first, 1)
        self.start()
        self.trace(self.ann, branch).action_cancel()
        self.bounce(self.mail_to(ANN))
        self.assertEqual(self.participant(self.ann).exit_reason, "bounced")

    def test_forged_click_on_a_queued_mail(self):
        """/r/<code>/m/<id> is unsigned: a click on a mail that was not sent counts for nothing and
        does not keep the mail from being recalled."""
        self.sequence.action_start()
        self.run_cron()
        mailing_trace = self.trace(self.ann, self.first).mailing_trace_ids
        code = (
            self.env["link.tracker"]
            .search([("mass_mailing_id", "=", self.first.mailing_id.id)], limit=1)
            .code
        )
        self._get(f"/r/{code}/m/{mailing_trace.id}")
        self.env["mail.blacklist"]._add(ANN)
        self.sequence.action_stop()
        self.send_mails()
        self.assertFalse(self.catcher.messages)
        self.assertEqual((self.sequence.opened_count, self.sequence.clicked_count), (0, 0))

    def test_state_written_over_rpc(self):
        self.sequence.action_start()
        self.run_cron()
        with self.assertRaisesRegex(UserError, "by its buttons"):
            self.sequence.with_user(self.marketer).write({"state": "stopped"})
        self.assertEqual(self.sequence.state, "running")
        # whoever has all rights may; then it is as stopped as by its button
        self.sequence.write({"state": "stopped"})
        self.send_mails()
        self.assertFalse(self.catcher.messages)

    def test_reply_takes_the_lead_out_of_all_sequences(self):
        self.start()
        other = self.make_sequence(name="Other")
        self.make_step(other, subject="Other mail")
        other.action_start()
        self.run_cron()
        self.answer(self.mail_to(ANN))
        self.send_mails()
        self.assertFalse(self.mails_to(ANN, "Other mail"))
        journeys = self.participant(self.ann)
        self.assertEqual(
            {journey.sequence_id.name: journey.exit_reason for journey in journeys},
            {"Restock": "replied", "Other": "restored"},
        )
        self.assertEqual(journeys.filtered("won_back_date").sequence_id, self.sequence)

    def test_won_in_the_branch_for_replies(self):
        self.make_step(self.sequence, "mail_reply", self.first, subject="Thanks")
        self.start()
        self.answer(self.mail_to(ANN))
        self.run_cron()
        self.ann.action_set_won()
        self.send_mails()
        self.assertFalse(self.mails_to(ANN, "Thanks"))
        self.assertEqual(self.participant(self.ann).exit_reason, "won")

    def test_queued_mail_cancelled_or_deleted_by_hand(self):
        self.sequence.action_start()
        self.run_cron()
        mails = {
            lead: self.trace(lead, self.first).mailing_trace_ids.mail_mail_id
            for lead in (self.ann, self.bob)
        }
        mails[self.ann].cancel()
        mails[self.bob].unlink()
        for lead in (self.ann, self.bob):
            trace = self.trace(lead, self.first)
            self.assertEqual((trace.state, trace.reason), ("rejected", "mail_cancelled"))
            self.assertEqual(self.trace(lead, self.second).reason, "parent_failed")
            self.assertEqual(self.participant(lead).exit_reason, "unreachable")

    def test_archived_step(self):
        self.start()
        self.second.active = False
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("cancelled", "step_archived"))
        self.advance(days=7)
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_address_of_another_participant(self):
        """Two leads that come to share an address: it gets each step once."""
        self.start()
        self.env["ir.config_parameter"].set_param("mail.batch_size", "1")
        self.bob.email_from = ANN
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)
        self.assertEqual(self.trace(self.bob, self.second).reason, "duplicate")

    def test_older_autoresponders(self):
        self.start()
        for header in ("X-Autoreply: yes", "Precedence: auto_reply", "X-Autorespond: x"):
            self.answer(self.mail_to(ANN), header, headers=f"{header}\n")
        self.assertEqual(self.ann.won_status, "lost")
        self.assertEqual(self.sequence.replied_count, 0)


@tagged("post_install", "-at_install")
class TestRunningWorkflow(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def test_what_cannot_be_changed(self):
        """A step that somebody is at stays what it is."""
        self.start()
        other = self.make_sequence(name="Other")
        for values in (
            {"trigger": "mail_click"},
            {"parent_id": False, "trigger": "begin"},
            {"sequence_id": other.id},
            {"step_type": "action"},
        ):
            with self.subTest(values), self.assertRaisesRegex(UserError, "Archive it"):
                self.second.write(values)
        self.second.write({"trigger": "after", "delay": 9, "name": "Renamed"})

    def test_what_would_keep_it_from_running(self):
        self.start()
        mailing = self.second.mailing_id
        for change in (
            lambda: self.second.write({"mailing_id": False}),
            lambda: self.first.write({"active": False}),
            lambda: mailing.write({"active": False}),
            lambda: mailing.write({"body_html": ""}),
            lambda: self.env["nurture.step"].create({"sequence_id": self.sequence.id}),
        ):
            with (
                self.assertRaisesRegex(UserError, "cannot run yet|cannot be changed"),
                self.env.cr.savepoint(),
            ):
                change()

    def test_recipients_of_a_step(self):
        with self.assertRaisesRegex(ValidationError, "not written for leads"):
            self.first.mailing_id.mailing_model_id = self.env["ir.model"]._get("res.partner")

    def test_start_archived(self):
        self.sequence.active = False
        with self.assertRaisesRegex(UserError, "It is archived"):
            self.sequence.action_start()

    def test_too_long(self):
        for model, values in (
            (self.sequence, {"window_days": 9999999}),
            (self.second, {"delay": 121, "delay_unit": "months"}),
            (self.second, {"expiry": 2147483647}),
        ):
            with self.assertRaisesRegex(ValidationError, "ten years"), self.env.cr.savepoint():
                model.write(values)

    def test_advance_before_the_commit(self):
        """Made, started and advanced at one go, as a script does: what the script has not
        committed is left to the scheduled action."""
        self.patch(transaction, "has_written", lambda _cr: True)
        self.sequence.action_start()
        with self.capture_triggers(self.cron.id) as woken:
            done = self.sequence.action_advance()
        self.assertEqual(done, {"entered": 0, "left": 0, "deferred": True})
        self.assertTrue(woken.records)
        self.assertFalse(self.sequence.participant_ids)
        self.advance()
        self.assertEqual(self.sequence.participant_ids.lead_id, self.ann | self.bob)
        self.assertEqual(self.trace(self.ann, self.first).state, "processed")

    def test_advance_while_it_is_deleted(self):
        """Somebody else was faster: there is nothing to do any more, and nothing breaks."""
        self.sequence.action_start()
        own_transaction = transaction.own_transaction

        @contextmanager
        def late(env):
            with own_transaction(env) as own:
                self.sequence.with_env(own).sudo().unlink()
                yield own

        with patch.object(transaction, "own_transaction", late):
            done = self.sequence.action_advance()
        self.assertEqual(done, {"entered": 0, "left": 0, "deferred": False})
        self.assertFalse(self.sequence.exists())
        self.assertFalse(self.participant(self.ann))


@tagged("post_install", "-at_install")
class TestMerge(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.answer(self.mail_to(ANN))

    def order(self, lead, **values):
        partner = self.env["res.partner"].create({"name": "Ann"})
        product = self.env["product.product"].create({"name": "Desk"})
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "opportunity_id": lead.id,
                "date_order": self.clock,
                "order_line": [Command.create({"product_id": product.id})],
                **values,
            }
        )

    def test_credit_follows(self):
        order = self.order(self.ann)
        head = self.make_lead("head@recipient.example.com", lost=False, probability=99)
        journey = self.participant(self.ann)
        merged = (head | self.ann).merge_opportunity()
        self.assertEqual(journey.lead_id, merged)
        self.assertEqual(self.journey_of(order), journey)
        self.assertEqual(self.sequence.quotation_count, 1)

    def test_two_journeys_become_one(self):
        carl = self.make_lead("carl@recipient.example.com")
        self.advance(days=1)
        journeys = self.participant(self.bob) | self.participant(carl)
        merged = (self.bob | carl).merge_opportunity()
        self.assertEqual(journeys.lead_id, merged)
        self.assertEqual(sorted(journeys.mapped("state")), ["exited", "running"])
        self.assertIn("merged", journeys.mapped("exit_reason"))

    def test_old_quotation_earns_nothing(self):
        old = self.order(self.ann, date_order=self.clock - timedelta(days=300))
        self.assertFalse(self.journey_of(old))


@tagged("post_install", "-at_install")
class TestPeople(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def test_mailing_user(self):
        """Somebody who only uses Email Marketing is not disturbed, and cannot send a step."""
        mailer = new_test_user(self.env, "nurture_mailer", "mass_mailing.group_mass_mailing_user")
        partner_model = self.env["ir.model"]._get("res.partner")
        env = self.env(user=mailer)
        mailing = env["mailing.mailing"].create(
            {"subject": "Plain", "mailing_model_id": partner_model.id, "body_html": "<p>Hi</p>"}
        )
        with Form(mailing) as form:
            form.subject = "Plainer"
        mailing.action_put_in_queue()
        self.assertEqual(mailing.state, "in_queue")
        self.assertFalse(mailing.ignored)
        with self.assertRaisesRegex(UserError, "is a step of the sequence “Restock”"):
            self.first.mailing_id.with_user(mailer).action_put_in_queue()

    def test_stranger_does_not_launch(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        stranger = self.make_marketer(other)
        with self.assertRaisesRegex(UserError, "is a step of the sequence"):
            self.first.mailing_id.with_user(stranger).action_launch()

    def test_companies_of_a_sequence(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        foreign = self.make_lead(
            "foreign@recipient.example.com", company_id=other.id, team_id=False, user_id=False
        )
        mine = self.sequence.with_user(self.marketer)
        with (
            self.assertRaisesRegex(ValidationError, "do not work for"),
            self.env.cr.savepoint(),
        ):
            mine.company_id = other
        self.make_sequence(name="Made by a script", company_id=other.id)
        mine.company_id = False
        self.start()
        self.assertFalse(self.participant(foreign), "no company: those of the responsible")
        self.assertEqual(self.participant(self.ann).company_id, self.company)
        with self.assertRaisesRegex(UserError, "stays with its company"):
            mine.company_id = self.company

    def test_counting_what_one_may_not_see(self):
        """A filter finds with the rights of who writes it: counts tell, too."""
        domain = "[('partner_id.invoice_ids.amount_total', '>', 100)]"
        with self.assertRaisesRegex(ValidationError, "cannot be used"):
            self.sequence.with_user(self.marketer).domain = domain

    def test_odd_domains(self):
        for domain in (
            "[('id', 5, 1)]",
            "-" * 3000 + "1",
        ):
            with (
                self.subTest(domain[:30]),
                self.assertRaisesRegex(ValidationError, "cannot be used"),
                self.env.cr.savepoint(),
            ):
                self.sequence.domain = domain
        for domain in (
            "[('days_since_lost', '<=', 99999999)]",
            "[('days_since_lost', '=', 0)]",
            "[('days_since_lost', 'in', [0, 1, False])]",
            "[('days_since_lost', '!=', False)]",
        ):
            self.sequence.domain = domain

    def test_salesperson_of_today(self):
        """A lead that was handed over while it was lost stays with its new salesperson."""
        self.start()
        self.ann.user_id = self.colleague
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.ann.user_id, self.colleague)
        self.assertEqual(self.ann.activity_ids.user_id, self.colleague)

    def test_salesperson_who_changed_company(self):
        """Winning a lead back does not move it to another company."""
        self.start()
        other = self.env["res.company"].create({"name": "Other Company"})
        self.ann.user_id = False
        self.salesman.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        self.answer(self.mail_to(ANN))
        self.assertNotEqual(self.ann.company_id, other)
        self.assertEqual(self.ann.user_id, self.team.user_id)

    def test_reply_after_the_window(self):
        """The lead is won back all the same, but nobody earned it."""
        self.sequence.window_days = 10
        self.start()
        self.advance(days=7)
        self.advance(days=30)
        self.answer(self.mail_to(ANN, "Second"))
        self.assertEqual(self.ann.won_status, "pending")
        participant = self.participant(self.ann)
        self.assertEqual(participant.exit_reason, "replied")
        self.assertFalse(participant.won_back_date or participant.credited_step_id)

    def test_preset_of_archived_records(self):
        """Archiving what a preset chooses does not make it choose everything."""
        self.make_lead("price@recipient.example.com", self.reason_price)
        preset = self.env["nurture.preset"].create(
            {"name": "Stock", "lost_reason_ids": self.reason_stock.ids}
        )
        self.reason_stock.active = False
        preset.invalidate_recordset()
        self.assertIn(str(self.reason_stock.ids), preset.full_domain)

    def test_filter_of_somebody_else(self):
        favourite = self.env["mailing.filter"].create(
            {
                "name": "Theirs",
                "mailing_domain": "[]",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )
        preset = (
            self.env["nurture.preset"]
            .with_user(self.marketer)
            .create({"name": "Mine", "mailing_filter_id": favourite.id})
        )
        self.assertNotEqual(preset.mailing_filter_id, favourite)
        self.assertEqual(favourite.name, "Theirs")

    def test_exit_reason_from_outside(self):
        self.start()
        for person, reason in ((self.ann, "won"), (self.bob, "unsubscribed")):
            blacklist = self.env["mail.blacklist"].with_context(nurture_exit_reason=reason)
            blacklist._add(person.email_normalized)
            self.assertEqual(self.participant(person).exit_reason, "blacklisted")

    def test_participants_are_not_made_by_hand(self):
        with self.assertRaises(AccessError):
            self.env["nurture.participant"].with_user(self.marketer).create(
                {"sequence_id": self.sequence.id, "email": ANN, "entered_date": self.clock}
            )
