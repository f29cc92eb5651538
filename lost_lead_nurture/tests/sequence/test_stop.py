"""Stop and start again, do a step now, retry, duplicate: what people do with a running sequence."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...tools.bots import HOLD
from ...tools.inside import INSIDE
from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin
from ..living import LivingMixin
from ..smtp import SMTP_LOGGERS


@tagged("post_install", "-at_install")
class TestStop(SecondStepMixin, LivingMixin, NurtureHttpCase):
    def test_mails_in_the_queue_are_recalled(self):
        """Nothing leaves any more; what is started again is sent once, and what follows counts from
        then."""
        self.sequence.action_start()
        self.run_cron()
        self.press("action_stop")
        self.send_mails()
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("scheduled", "recalled"))
        self.assertEqual(self.trace(self.ann, self.second).state, "cancelled")
        self.advance(days=3)
        self.assertFalse(self.catcher.messages)
        self.start_again("shift")
        self.advance()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(10))
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)
        self.assertEqual(self.participant(self.ann).exit_reason, "finished")

    def test_recalled_and_skipped(self):
        """Who was not sent the first mail is through, not left waiting for what follows it."""
        self.sequence.action_start()
        self.run_cron()
        self.press("action_stop")
        self.advance(days=3)
        self.start_again("skip")
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "unreachable"))
        self.assertEqual(self.trace(self.ann, self.first).reason, "stopped")
        self.advance(days=10)
        self.assertFalse(self.catcher.messages)

    def test_recalled_and_cancelled_by_hand(self):
        self.sequence.action_start()
        self.run_cron()
        self.press("action_stop")
        self.trace(self.ann, self.first).with_user(self.marketer).action_cancel()
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_shift(self):
        """As if it had not been stopped: what was two days away still is."""
        open_ = self.make_step(self.sequence, "mail_open", self.first, 1, subject="Open")
        self.start()
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(7))
        self.advance(days=5)
        self.press("action_stop")
        self.assertEqual(self.sequence.stop_date, self.days(5))
        self.advance(days=10)
        self.assertEqual(self.sequence.overdue_count, 2)
        self.assertFalse(self.mails_to(ANN, "Second"))
        waits_until = self.trace(self.ann, open_).expire_date
        self.assertEqual(waits_until, self.days(90))
        self.start_again("shift")
        self.assertFalse(self.sequence.stop_date)
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(17))
        self.assertEqual(self.trace(self.ann, open_).expire_date, self.days(100))
        self.advance()
        self.assertFalse(self.mails_to(ANN, "Second"), "not poured out at once")
        self.advance(days=2)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_spread(self):
        """What fell due is done in the next days, not at once; what is to come keeps its date."""
        later = self.make_step(self.sequence, "after", self.first, 30, subject="Later")
        for number in range(30):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.start()
        self.press("action_stop")
        self.advance(days=10)
        self.start_again("spread", 3)
        traces = self.env["nurture.trace"].search([("step_id", "=", self.second.id)])
        dates = traces.mapped("schedule_date")
        self.assertEqual(len(dates), 32)
        self.assertTrue(all(self.days(10) <= date < self.days(13) for date in dates), dates)
        by_day = {day: sum(self.days(day) <= date for date in dates) for day in (11, 12)}
        self.assertTrue(12 < by_day[11] < 29 and 3 < by_day[12] < 20, by_day)
        self.assertEqual(self.scheduled(self.ann, later), self.days(30))
        self.advance()
        self.assertLess(len(self.mails_to("", "Second")), 3)
        for _day in range(3):
            self.advance(days=1)
        self.assertEqual(len(self.mails_to("", "Second")), 32)

    def test_skip(self):
        """What fell due is not done, and says so; the rest goes on."""
        later = self.make_step(self.sequence, "after", self.first, 30, subject="Later")
        after = self.make_step(self.sequence, "after", self.second, 1, subject="After second")
        self.start()
        self.press("action_stop")
        self.advance(days=10)
        self.start_again("skip")
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("rejected", "stopped"))
        self.assertEqual(self.scheduled(self.ann, later), self.days(30))
        self.advance(days=20)
        self.assertFalse(self.trace(self.ann, after))
        self.assertEqual([mail["Subject"] for mail in self.mails_to(ANN)], ["First", "Later"])
        self.assertEqual(self.participant(self.ann).exit_reason, "finished")

    def test_nothing_fell_due(self):
        """Then nothing is asked and no date moves."""
        self.start()
        self.press("action_stop")
        self.advance(days=3)
        self.assertIsNone(self.press("action_resume"))
        self.assertEqual(self.sequence.state, "running")
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(7))

    def test_stop_twice_start_twice(self):
        """The second time does nothing: neither is the pause shorter, nor are dates moved again."""
        self.start()
        self.advance(days=5)
        self.press("action_stop")
        self.advance(days=6)
        self.press("action_stop")
        self.assertEqual(self.sequence.stop_date, self.days(5))
        self.start_again("shift")
        self.sequence.action_start()
        self.sequence.action_start("skip")
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(13))
        self.press("action_stop")
        self.clock += timedelta(days=1)
        self.sequence.action_start()
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(14), "another pause")

    def test_stop_a_draft(self):
        self.press("action_stop")
        self.assertEqual(self.sequence.state, "draft")

    def test_over_rpc(self):
        """What integrators call: the choice is a word, a wrong one is refused in words."""
        self.start()
        self.sequence.action_stop()
        self.advance(days=10)
        sequence = self.sequence.with_user(self.marketer)
        choices = r"none of: .* \(shift\); Do it in the next days \(spread\); .* \(skip\)"
        with self.assertRaisesRegex(UserError, choices):
            sequence.action_start("unlink")
        for days in (0, 10**9):
            with self.assertRaisesRegex(UserError, "no whole number from 1 to 3650"):
                sequence.action_start("spread", days)
        self.assertEqual(sequence.state, "stopped")
        self.assertIs(sequence.action_start(overdue="spread", days=2), True)
        self.assertTrue(self.days(10) <= self.scheduled(self.ann, self.second) < self.days(12))

    def test_salesperson(self):
        self.start()
        self.sequence.action_stop()
        self.advance(days=10)
        sequence = self.sequence.with_user(self.salesman)
        for forbidden in (
            sequence.action_stop,
            sequence.action_start,
            lambda: sequence.action_start("skip"),
            lambda: (
                self.env["nurture.resume"]
                .with_user(self.salesman)
                .create({"sequence_id": sequence.id})
            ),
        ):
            with self.assertRaises(AccessError):
                forbidden()

    def test_events_while_stopped(self):
        """What recipients do while it is stopped is handled, and followed once it runs again."""
        open_ = self.make_step(self.sequence, "mail_open", self.first, 1, subject="Open")
        ignored = self.make_step(self.sequence, "mail_ignored", self.first, 3, subject="Ignored")
        cat = self.make_lead("cat@recipient.example.com")
        self.start()
        self.press("action_stop")
        self.advance(days=2)
        self.read_mail(self.mail_to(ANN))
        self.assertEqual(self.scheduled(self.ann, open_), self.days(3))
        self.assertEqual(self.trace(self.ann, ignored).reason, "opposite")
        self.answer(self.mail_to("cat@recipient.example.com"))
        self.assertEqual(self.participant(cat).exit_reason, "replied")
        self.advance(days=2)
        self.assertEqual(len(self.mails_to(ANN) + self.mails_to(BOB)), 2)
        self.start_again("shift")
        # a day after it was opened, of which none has passed; what was opened was held for a while
        self.assertEqual(self.scheduled(self.ann, open_), self.days(5) + HOLD)
        self.assertEqual(self.scheduled(self.bob, ignored), self.days(7) + HOLD)
        self.advance(days=1)
        self.assertEqual(len(self.mails_to(ANN, "Open")), 1)
        self.advance(days=2)
        self.assertEqual(len(self.mails_to(BOB, "Ignored")), 1)
        self.assertEqual(len(self.mails_to("cat@recipient.example.com")), 1)

    def test_time_stands_still(self):
        """Nothing expires while it is stopped, however long that is."""
        open_ = self.make_step(
            self.sequence, "mail_open", self.first, subject="Open", expiry=5, expiry_unit="days"
        )
        self.start()
        self.advance(days=2)
        self.press("action_stop")
        other = self.make_sequence(name="Other", domain="[('id', '=', 0)]")
        self.make_step(other)
        other.action_start()
        self.advance(days=30)
        self.assertEqual(self.trace(self.ann, open_).state, "waiting")
        self.start_again("shift")
        self.advance(days=2)
        self.read_mail(self.mail_to(ANN))
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "Open")), 1)
        self.advance(days=2)
        self.assertEqual(self.trace(self.bob, open_).reason, "no_reaction")

    def test_problem_on_starting_again(self):
        """What keeps it from running is said before anything moves."""
        self.start()
        self.press("action_stop")
        self.advance(days=10)
        self.first.mailing_id.active = False
        for start in (self.sequence.action_resume, lambda: self.sequence.action_start("skip")):
            with self.assertRaisesRegex(UserError, "is archived"):
                start()
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(7))

    def test_archived(self):
        """Archiving stops; an archived sequence is not started before it is taken back."""
        self.start()
        self.sequence.with_user(self.marketer).action_archive()
        self.assertEqual(self.sequence.state, "stopped")
        self.advance(days=10)
        for start in (self.sequence.action_resume, self.sequence.action_start):
            with self.assertRaisesRegex(UserError, "It is archived"):
                start()
        self.sequence.with_user(self.marketer).action_unarchive()
        self.assertEqual(self.sequence.state, "stopped")
        self.start_again("shift")
        self.advance()
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_several_at_once(self):
        """A selection: each has its own pause."""
        other = self.make_sequence(name="Other")
        self.make_step(other, subject="Other first")
        both = self.sequence | other
        both.action_start()
        self.advance()
        self.sequence.action_stop()
        self.advance(days=10)
        other.action_stop()
        self.clock += timedelta(days=1)
        both.with_user(self.marketer).action_start()
        self.assertEqual(set(both.mapped("state")), {"running"})
        self.assertEqual(self.scheduled(self.ann, self.second), self.days(18))


@tagged("post_install", "-at_install")
class TestRunNow(LivingMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()

    def run_now(self, records):
        records.with_user(self.marketer).action_run_now()
        self.send_mails()

    def test_one(self):
        """Whatever the delay; nobody else's, and not again when it would have been due."""
        self.run_now(self.trace(self.ann, self.second))
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)
        self.assertFalse(self.mails_to(BOB, "Second"))
        log = self.trace(self.ann, self.second).decision_log
        self.assertIn("run_now", [entry["reason"] for entry in log])
        self.advance(days=8)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)

    def test_participants(self):
        """The next step of each, whichever it is; the one after that in its time."""
        third = self.make_step(self.sequence, "after", self.second, 2, subject="Third")
        other = self.make_sequence(name="Other")
        self.make_step(other, delay=5, subject="Other first")
        other.action_start()
        self.advance()
        journeys = self.sequence.participant_ids | other.participant_ids
        self.assertEqual(len(journeys), 4)
        self.run_now(journeys)
        for address in (ANN, BOB):
            subjects = [mail["Subject"] for mail in self.mails_to(address)]
            self.assertCountEqual(subjects, ["First", "Second", "Other first"])
        self.assertEqual(self.scheduled(self.ann, third), self.days(2))

    def test_not_outside_hours_of_recipients_only(self):
        """Sending hours do not hold up what somebody wants now, consent does."""
        self.sequence.calendar_id = self.env["resource.calendar"].create(
            {
                "name": "Sundays",
                "tz": "UTC",
                "attendance_ids": [
                    Command.clear(),
                    Command.create(
                        {"name": "Sunday", "dayofweek": "6", "hour_from": 9, "hour_to": 17}
                    ),
                ],
            }
        )
        self.env["mail.blacklist"].create({"email": BOB})
        self.sequence.participant_ids.invalidate_recordset()
        self.assertEqual(self.trace(self.bob, self.second).state, "cancelled")
        self.run_now(self.trace(self.ann, self.second) | self.trace(self.bob, self.second))
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)
        self.assertFalse(self.mails_to(BOB, "Second"))

    def test_consent_without_leaving(self):
        self.sequence.exit_on_blacklisted = False
        self.env["mail.blacklist"].create({"email": BOB})
        self.run_now(self.trace(self.bob, self.second))
        self.assertFalse(self.mails_to(BOB, "Second"))
        trace = self.trace(self.bob, self.second)
        self.assertEqual((trace.state, trace.reason), ("rejected", "blacklisted"))

    def test_cap(self):
        """The frequency cap holds: it is deferred to when the address may get one again."""
        self.sequence.write({"cap_own": True, "cap_number": 1, "cap_days": 5})
        self.run_now(self.trace(self.ann, self.second))
        self.assertFalse(self.mails_to(ANN, "Second"))
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.reason, trace.schedule_date), ("cap", self.days(5)))
        self.advance(days=5)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_filter(self):
        self.second.filter_domain = "[('expected_revenue', '>', 1000)]"
        self.run_now(self.trace(self.ann, self.second))
        self.assertEqual(self.trace(self.ann, self.second).reason, "filtered")

    def test_who_left(self):
        self.participant(self.ann).with_user(self.marketer).action_remove()
        both = self.trace(self.ann, self.second) | self.trace(self.bob, self.second)
        self.run_now(both)
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)
        with self.assertRaisesRegex(UserError, "Only what is scheduled"):
            self.run_now(self.participant(self.ann))

    def test_no_longer_lost(self):
        """Won back without a word to the sequence: it leaves instead."""
        self.ann.with_context(nurture_skip_check=INSIDE).action_restore()
        self.run_now(self.trace(self.ann, self.second))
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.assertEqual(self.participant(self.ann).exit_reason, "restored")

    def test_stopped(self):
        """Of a selection only what runs is done."""
        other = self.make_sequence(name="Other")
        self.make_step(other, delay=5, subject="Other first")
        other.action_start()
        self.advance()
        self.sequence.action_stop()
        with self.assertRaisesRegex(UserError, "Only what is scheduled in a running"):
            self.run_now(self.trace(self.ann, self.second))
        self.run_now((self.sequence | other).participant_ids)
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.assertEqual(len(self.mails_to(ANN, "Other first")), 1)

    def test_done_meanwhile(self):
        """The cron was quicker: it is not done twice, and is still done."""
        trace = self.trace(self.ann, self.second)
        self.advance(days=7)
        self.assertEqual(trace.state, "processed")
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_args: 1):
            trace._run_now()
        self.assertEqual((trace.state, trace.reason), ("processed", "done"))
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_salesperson(self):
        journey = self.participant(self.ann).with_user(self.salesman)
        for forbidden in (
            journey.action_run_now,
            journey.trace_ids.action_run_now,
            journey.action_retry,
            journey.trace_ids.action_cancel,
            self.participant(self.bob).browse().with_user(self.salesman).action_run_now,
        ):
            with self.assertRaises(AccessError):
                forbidden()

    def test_retry_participants(self):
        """Failed steps of a selection of participants; those without one do not matter."""
        with self.breaking_mail_of(self.ann), mute_logger(*SMTP_LOGGERS):
            self.advance(days=7)
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("error", "failed"))
        self.sequence.participant_ids.with_user(self.marketer).action_retry()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)
        with self.assertRaisesRegex(UserError, "nothing to retry"):
            self.sequence.participant_ids.with_user(self.marketer).action_retry()


@tagged("post_install", "-at_install")
class TestDuplicate(LivingMixin, NurtureHttpCase):
    def test_settings_but_no_state(self):
        """A duplicate has all that somebody has set, and nothing of what has happened."""
        calendar = self.env["resource.calendar"].create({"name": "Hours", "tz": "UTC"})
        tag = self.env["crm.tag"].create({"name": "Back"})
        preset = self.env["nurture.preset"].create(
            {"name": "Never", "lost_reason_ids": self.reason_price.ids}
        )
        chosen = {
            "entry": "date",
            "entry_field_id": self.env["ir.model.fields"]._get("crm.lead", "date_closed").id,
            "entry_offset": 3,
            "entry_yearly": True,
            "entry_per": "lead",
            "reentry": "days",
            "reentry_days": 33,
            "exclude_customers": False,
            "exclude_open_deals": False,
            "exclude_other_sequences": True,
            "exclude_bounced": False,
            "excluded_preset_ids": [Command.set(preset.ids)],
            "exit_on_bounced": False,
            "exit_on_meeting": False,
            "exit_on_unmatched": True,
            "goal_link": "https://shop.example.com/*",
            "silent_limit": 4,
            "silent_days": 9,
            "goal_restore": False,
            "goal_assign": "user",
            "goal_user_id": self.salesman.id,
            "goal_activity_summary": "Call",
            "goal_tag_ids": [Command.set(tag.ids)],
            "calendar_id": calendar.id,
            "cap_own": True,
            "cap_number": 5,
            "cap_days": 11,
            # who is held out is drawn by the sequence's number: somebody has to be inside
            "holdout_percent": 0.01,
            "window_days": 44,
        }
        self.sequence.write(chosen)
        of_step = {
            "delay": 2,
            "delay_unit": "months",
            "expiry": 6,
            "expiry_unit": "weeks",
            "filter_domain": "[('expected_revenue', '>', 1)]",
            "link_url": "https://shop.example.com/limited",
            "over_cap": "skip",
            "retry_count": 2,
            "retry": 3,
            "retry_unit": "days",
            "position": 7,
        }
        step = self.make_step(self.sequence, "mail_click", self.first, **of_step)
        server = self.env["ir.mail_server"].search([], limit=1)
        step.mail_server_id = server
        gone = self.make_step(self.sequence, "after", self.first, subject="Gone")
        gone.active = False
        self.sequence.write({"entry": "auto"})
        self.start()
        self.make_step(self.sequence, "after", self.first, subject="New")
        self.sequence.action_stop()
        self.assertTrue(self.sequence.is_edited and self.sequence.stop_date)

        duplicate = self.sequence.with_user(self.marketer).copy()
        for name in chosen.keys() - {"entry"}:
            self.assertEqual(duplicate[name], self.sequence[name], name)
        copied = duplicate.step_ids.filtered(lambda one: one.trigger == "mail_click")
        for name in (*of_step, "mail_server_id"):
            self.assertEqual(copied[name], step[name], name)
        self.assertEqual(len(duplicate.with_context(active_test=False).step_ids), 3)
        self.assertEqual(
            (duplicate.state, duplicate.start_date, duplicate.stop_date, duplicate.is_edited),
            ("draft", False, False, False),
        )
        self.assertFalse(duplicate.participant_ids)
        self.assertFalse(self.env["nurture.trace"].search([("sequence_id", "=", duplicate.id)]))

    def test_by_the_button_and_run(self):
        """A duplicate runs on its own; whoever is in the first one is not counted in it."""
        self.start()
        duplicate = self.sequence.with_user(self.marketer).copy()
        self.assertNotEqual(duplicate.step_ids.mailing_id, self.first.mailing_id)
        duplicate.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "First")), 2)
        self.assertEqual((self.sequence.sent_count, duplicate.sent_count), (2, 2))
