"""Entry, time, batches, and what a sequence does besides sending."""

import traceback
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import file_path

from ..common import NurtureHttpCase, SequenceMixin


@tagged("post_install", "-at_install")
class TestEngine(SequenceMixin, NurtureHttpCase):
    def test_only_lost_leads_enter(self):
        """Whatever the domain says, leads that are not lost never enter."""
        self.sequence.domain = "[]"
        lost = self.make_lead("lost@recipient.example.com")
        open_lead = self.make_lead("open@recipient.example.com", lost=False)
        won = self.make_lead("won@recipient.example.com", lost=False)
        won.action_set_won()
        without = self.make_lead(False)
        self.sequence.action_start()
        self.advance()
        entered = self.sequence.participant_ids.lead_id
        self.assertIn(lost, entered)
        self.assertFalse(entered & (open_lead | won | without))

    def test_snapshot(self):
        self.make_step(self.sequence, "after", self.first, 1)
        lead = self.make_lead("ann@recipient.example.com", name="40 standing desks")
        self.sequence.action_start()
        self.advance()
        participant = self.participant(lead)
        self.assertEqual(participant.display_name, "40 standing desks")
        self.assertEqual(participant.lost_reason_id, self.reason_stock)
        self.assertEqual(participant.date_lost, lead.date_closed)
        self.assertEqual(participant.email, "ann@recipient.example.com")
        self.assertEqual(participant.user_id, self.salesman)
        self.assertEqual(participant.team_id, self.team)
        self.assertEqual(participant.expected_revenue, 100)
        self.assertEqual(participant.company_id, self.company)
        self.assertEqual((participant.state, participant.enrolment_number), ("running", 1))
        self.assertEqual(participant.entered_date, self.clock)

    def test_new_matches_enter_automatically(self):
        self.sequence.action_start()
        self.advance()
        lead = self.make_lead("ann@recipient.example.com")
        self.advance(days=3)
        self.assertEqual(self.participant(lead).entered_date, self.clock)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com")), 1)

    def test_holdout(self):
        """Held-out leads get nothing, and it is the same leads however often it is drawn."""
        self.sequence.holdout_percent = 30
        leads = [self.make_lead(f"lead{number}@recipient.example.com") for number in range(60)]
        self.sequence.action_start()
        self.advance()
        held_out = self.sequence.participant_ids.filtered(lambda one: one.state == "holdout")
        self.assertTrue(8 <= len(held_out) <= 28, f"{len(held_out)} of 60 at 30 %")
        self.assertEqual(set(held_out.mapped("exit_reason")), {"holdout"})
        self.assertFalse(held_out.trace_ids)
        reached = {message["To"] for message in self.catcher.messages}
        self.assertEqual(len(reached), len(leads) - len(held_out))
        emails = set(held_out.mapped("email"))
        self.sequence.participant_ids.unlink()
        self.advance()
        again = self.sequence.participant_ids.filtered(lambda one: one.state == "holdout")
        self.assertEqual(set(again.mapped("email")), emails)

    def test_mail_is_personal(self):
        self.make_lead("ann@recipient.example.com", contact_name="Ann")
        self.make_lead("bob@recipient.example.com", contact_name=False)
        self.first.mailing_id.subject = "Back, {{object.contact_name ||| friend}}"
        self.sequence.action_start()
        self.advance()
        ann = self.mail_to("ann@recipient.example.com")
        self.assertEqual(ann["Subject"], "Back, Ann")
        self.assertIn("Hello Ann", self.html_of(ann))
        self.assertIn(
            "mailing/%s/unsubscribe_oneclick" % self.first.mailing_id.id, ann["List-Unsubscribe"]
        )
        bob = self.mail_to("bob@recipient.example.com")
        self.assertEqual(bob["Subject"], "Back, friend")
        self.assertIn("Hello there", self.html_of(bob))

    def test_small_batches_are_queued_not_sent(self):
        self.make_lead("ann@recipient.example.com")
        self.sequence.action_start()
        with self.capture_triggers("mail.ir_cron_mail_scheduler_action") as mail_queue:
            self.run_cron()
        self.assertFalse(self.catcher.messages)
        self.assertTrue(mail_queue.records, "the mail queue is woken")

    def test_many_batches(self):
        """More leads than a batch takes, in one run."""
        self.env["ir.config_parameter"].set_param("mail.batch_size", "4")
        for number in range(10):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.action_start()
        sizes = []
        traces = type(self.env["nurture.trace"])
        original = traces._execute

        def execute(records):
            sizes.append(len(records))
            return original(records)

        with patch.object(traces, "_execute", execute):
            self.advance()
        self.assertEqual(sizes, [4, 4, 2])
        self.assertEqual(len(self.catcher.messages), 10)

    def test_few_calls_to_the_one_method(self):
        """Five methods at most are to be read from whoever asks to where a trace is executed."""
        self.make_lead("ann@recipient.example.com")
        self.sequence.action_start()
        traces = type(self.env["nurture.trace"])
        here = Path(file_path("lost_lead_nurture"))
        helper = self.env.ref("lost_lead_nurture.ir_cron_nurture_2")
        chains = []

        def execute(_records):
            stack = traceback.extract_stack()[:-1]
            files = [(Path(frame.filename), frame.name) for frame in stack]
            chains.append([name for file, name in files if file.is_relative_to(here)])

        # nothing is done, so that it stays due
        with patch.object(traces, "_execute", execute):
            self.sequence.sudo()._enrol_matching()
            waiting = self.sequence.participant_ids.trace_ids
            for ask in (
                self.env["nurture.sequence"]._cron_advance,
                self.env["nurture.sequence"].with_context(cron_id=helper.id)._cron_help,
                self.sequence.with_user(self.marketer).button_advance,
                waiting.with_user(self.marketer).action_run_now,
            ):
                with (
                    self.subTest(ask.__name__),
                    patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_, **__: 0),
                ):
                    ask()
                    calls = chains.pop()
                    calls = calls[calls.index(ask.__name__) :]
                    self.assertLessEqual(len(calls), 5, calls)

    def test_time_runs_out(self):
        """A scheduled action at the end of its time stops after a batch and is called again."""
        self.env["ir.config_parameter"].set_param("mail.batch_size", "2")
        for number in range(5):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.action_start()
        cron = type(self.env["ir.cron"])
        with (
            patch.object(cron, "_commit_progress", lambda *_args, **_kwargs: 0),
            self.capture_triggers("lost_lead_nurture.ir_cron_nurture") as woken,
        ):
            self.sequence.sudo()._advance()
        self.assertEqual(
            len(
                self.env["mailing.trace"].search(
                    [("nurture_trace_id.sequence_id", "=", self.sequence.id)]
                )
            ),
            2,
        )
        self.assertTrue(woken.records)
        self.advance()
        self.assertEqual(len(self.catcher.messages), 5)

    def test_advance_now(self):
        self.make_lead("ann@recipient.example.com")
        self.sequence.action_start()
        result = self.sequence.with_user(self.marketer).action_advance()
        self.assertEqual(result, {"entered": 1, "left": 0, "deferred": False})
        self.send_mails()
        self.assertEqual(len(self.catcher.messages), 1)

    def test_same_mailing_address_in_two_sequences(self):
        """Sequences do not disturb each other."""
        lead = self.make_lead("ann@recipient.example.com")
        other = self.make_sequence(name="Other")
        self.make_step(other, subject="Other mail")
        (self.sequence | other).action_start()
        self.advance()
        self.assertEqual(
            {mail["Subject"] for mail in self.mails_to("ann@recipient.example.com")},
            {"First", "Other mail"},
        )
        self.assertEqual(len(self.participant(lead)), 2)

    def test_duplicate(self):
        """A duplicate is a draft with a workflow and mails of its own, and nobody in it."""
        second = self.make_step(self.sequence, "mail_open", self.first, 2, subject="Second")
        self.make_step(self.sequence, "after", second, 1, "weeks", subject="Third")
        self.make_lead("ann@recipient.example.com")
        self.sequence.action_start()
        self.advance()
        duplicate = self.sequence.with_user(self.marketer).copy()
        self.assertEqual((duplicate.state, duplicate.name), ("draft", "Restock (copy)"))
        self.assertFalse(duplicate.participant_ids)
        shape = [
            (step.name, step.trigger, step.delay, step.delay_unit, step.parent_id.name)
            for step in duplicate.step_ids.sorted("id")
        ]
        self.assertEqual(
            shape,
            [
                ("First", "begin", 0, "days", False),
                ("Second", "mail_open", 2, "days", "First"),
                ("Third", "after", 1, "weeks", "Second"),
            ],
        )
        self.assertFalse(duplicate.step_ids.mailing_id & self.sequence.step_ids.mailing_id)
        duplicate.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to("ann@recipient.example.com")), 2)

    def test_cancel_one_step(self):
        lead = self.make_lead("ann@recipient.example.com")
        second = self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.sequence.action_start()
        self.advance()
        trace = self.trace(lead, second)
        trace.with_user(self.marketer).action_cancel()
        self.assertEqual((trace.state, trace.reason), ("cancelled", "by_hand"))
        self.advance(days=2)
        self.assertFalse(self.mails_to("ann@recipient.example.com", "Second"))
        self.assertEqual(self.participant(lead).state, "completed")

    def test_archived_step(self):
        """An archived step is planned for nobody any more."""
        lead = self.make_lead("ann@recipient.example.com")
        second = self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        second.active = False
        self.sequence.action_start()
        self.advance()
        self.assertFalse(self.trace(lead, second))
        self.assertEqual(self.participant(lead).state, "completed")

    def test_lost_again_while_inside(self):
        """A lead that enters and leaves by hand: restored it left, lost again it does not enter
        twice."""
        lead = self.make_lead("ann@recipient.example.com")
        self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.sequence.action_start()
        self.advance()
        lead.action_restore()
        lead.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.advance(days=3)
        self.assertEqual(len(self.participant(lead)), 1)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com")), 1)

    def test_due_steps_in_order(self):
        """The most overdue step goes first."""
        late = self.make_step(self.sequence, "begin", delay=1, unit="hours", subject="Late")
        self.make_lead("ann@recipient.example.com")
        self.sequence.action_start()
        self.run_cron()
        traces = self.env["nurture.trace"]
        self.assertFalse(traces._due_steps(self.sequence))
        traces.search([("step_id", "=", self.first.id)]).write(
            {"state": "scheduled", "schedule_date": self.clock + timedelta(hours=2)}
        )
        self.clock += timedelta(hours=3)
        self.assertEqual(traces._due_steps(self.sequence), late | self.first)
