"""Edit a sequence while leads are inside: nothing changes for them before Update, and Update does
what it has shown."""

from datetime import datetime, timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ...tools.inside import INSIDE
from ..common import ANN, BOB, NurtureHttpCase
from ..living import LivingMixin

CAT = "cat@recipient.example.com"
TWO_LINKS = """<div><p>Hello</p><p><a href="https://shop.example.com/one_50%">One</a>
<a href="https://shop.example.com/two?size=40">Two</a></p>
<p><a href="/unsubscribe_from_list">Unsubscribe</a></p></div>"""


class UpdateCase(LivingMixin, NurtureHttpCase):
    def shown(self, **choices):
        """What the wizard of the button shows: ``{(step, kind): (leads, due at once)}``."""
        lines = self.choose(**choices).line_ids._records
        steps = self.env["nurture.step"]
        return {
            (steps.browse(line["step_id"]), line["kind"]): (line["lead_count"], line["due_count"])
            for line in lines
        }

    def choose(self, **choices):
        """The wizard with what is offered of ``choices`` ticked."""
        form = self.press("action_update")
        for name, value in choices.items():
            if form[{"include_completed": "completed_count"}.get(name, "unmatched_count")]:
                form[name] = value
        return form

    def update(self, **choices):
        """Press Update, tick ``choices`` and apply. What was shown has to be what is done."""
        shown = self.shown(**choices)
        before = self.dates()
        self.choose(**choices).save().action_update()
        after = self.dates()
        done = {}
        for key, date in after.items():
            kind = "new" if key not in before else "moved"
            if date != before.get(key, ()):
                lines = done.setdefault((key[1], kind), [0, 0])
                lines[0] += 1
                lines[1] += bool(date and date <= self.clock)
        self.assertEqual({key: tuple(lines) for key, lines in done.items()}, shown)
        self.assertFalse(self.sequence.is_edited)
        self.assertEqual(self.shown(**choices), {}, "twice does nothing")
        return shown

    def dates(self):
        self.env.invalidate_all()
        traces = self.env["nurture.trace"].search([("sequence_id", "=", self.sequence.id)])
        return {(trace.participant_id, trace.step_id): trace.schedule_date for trace in traces}

    def state(self, lead, step):
        trace = self.trace(lead, step)
        return trace.state, trace.schedule_date


@tagged("post_install", "-at_install")
class TestUpdate(UpdateCase):
    # ------------------------------------------------------------
    # NEW STEPS
    # ------------------------------------------------------------

    def test_after(self):
        """A new step is for those, too, who have passed the one before; not before Update."""
        self.start()
        self.advance(days=2)
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        cat = self.make_lead(CAT)
        self.advance(days=1)
        self.assertTrue(self.sequence.is_edited)
        self.assertEqual(self.scheduled(cat, after), self.days(10), "who enters now has it")
        self.advance(days=3)
        self.assertFalse(self.trace(self.ann, after))
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_after_update(self):
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.advance(days=2)
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        then = self.make_step(self.sequence, "after", after, 1, subject="Then")
        self.assertEqual(self.update(), {(after, "new"): (2, 0)})
        self.assertEqual(self.state(self.ann, after), ("scheduled", self.days(7)))
        self.assertFalse(self.trace(self.ann, then))
        self.assertEqual(self.trace(self.ann, after).parent_id, self.trace(self.ann, self.first))
        self.advance(days=5)
        self.advance(days=1)
        self.assertEqual(
            [mail["Subject"] for mail in self.mails_to(ANN)], ["First", "After", "Then"]
        )
        self.assertIn("The step was added", self.trace(self.ann, after).decisions)

    def test_due_already(self):
        """A step whose date has passed is due at once, and that is shown."""
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.advance(days=20)
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        self.assertEqual(self.update(), {(after, "new"): (2, 2)})
        self.advance()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "After")), 1)

    def test_month(self):
        """A month is a calendar month from when the mail left."""
        self.clock = datetime(2026, 1, 31, 9, 0)
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.advance(days=1)
        after = self.make_step(self.sequence, "after", self.first, 1, "months", subject="After")
        self.update()
        self.assertEqual(self.scheduled(self.ann, after), datetime(2026, 2, 28, 9, 0))

    def test_new_beginning(self):
        """A new first step is for all who are inside, from when they entered."""
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.advance(days=2)
        begin = self.make_step(self.sequence, "begin", delay=4, subject="Also")
        self.assertEqual(self.update(), {(begin, "new"): (2, 0)})
        self.assertEqual(self.scheduled(self.ann, begin), self.days(4))
        self.advance(days=2)
        self.assertEqual(len(self.mails_to(ANN, "Also")), 1)

    def test_not_sent_yet(self):
        """Under a mail that is still in the queue the new step waits for it to leave."""
        self.sequence.action_start()
        self.run_cron()
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        open_ = self.make_step(self.sequence, "mail_open", self.first, subject="Open")
        self.assertEqual(self.update(), {(after, "new"): (2, 0), (open_, "new"): (2, 0)})
        for step in (after, open_):
            self.assertEqual(self.state(self.ann, step), ("waiting", False))
        self.clock += timedelta(days=1)
        self.send_mails()
        self.assertEqual(self.scheduled(self.ann, after), self.days(8))
        self.assertEqual(self.trace(self.ann, open_).expire_date, self.days(91))
        self.read_mail(self.mail_to(ANN))
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "Open")), 1)

    def test_opened(self):
        """What the recipient has done counts from when it was done; its opposite is ruled out."""
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.clock += timedelta(days=1)
        self.read_mail(self.mail_to(ANN))
        self.advance(days=1)
        open_ = self.make_step(self.sequence, "mail_open", self.first, 3, subject="Open")
        not_open = self.make_step(self.sequence, "mail_not_open", self.first, 4, subject="Not")
        ignored = self.make_step(self.sequence, "mail_ignored", self.first, 5, subject="Ignored")
        self.assertEqual(
            self.update(),
            {(open_, "new"): (2, 0), (not_open, "new"): (1, 0), (ignored, "new"): (1, 0)},
        )
        self.assertEqual(self.state(self.ann, open_), ("scheduled", self.days(4)))
        self.assertFalse(self.trace(self.ann, not_open) | self.trace(self.ann, ignored))
        self.assertEqual(self.state(self.bob, open_), ("waiting", False))
        self.assertEqual(self.trace(self.bob, open_).expire_date, self.days(90))
        self.assertEqual(self.state(self.bob, not_open), ("scheduled", self.days(4)))
        self.assertEqual(self.state(self.bob, ignored), ("scheduled", self.days(5)))
        self.advance(days=3)
        self.assertEqual([m["Subject"] for m in self.mails_to(ANN)], ["First", "Open"])
        self.assertCountEqual(
            [m["Subject"] for m in self.mails_to(BOB)], ["First", "Not", "Ignored"]
        )

    def test_clicked(self):
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.clock += timedelta(days=1)
        self.click(self.mail_to(ANN))
        self.advance(days=1)
        click = self.make_step(self.sequence, "mail_click", self.first, 2, subject="Click")
        not_click = self.make_step(self.sequence, "mail_not_click", self.first, 5, subject="Not")
        self.update()
        self.assertEqual(self.state(self.ann, click), ("scheduled", self.days(3)))
        self.assertFalse(self.trace(self.ann, not_click))
        self.assertEqual(self.state(self.bob, click), ("waiting", False))
        self.assertEqual(self.state(self.bob, not_click), ("scheduled", self.days(5)))

    def test_chosen_link(self):
        """Of two links only the one that the step is about counts, with or without stars."""
        self.first.mailing_id.write({"body_arch": TWO_LINKS, "body_html": TWO_LINKS})
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.clock += timedelta(days=1)
        self.click(self.mail_to(ANN))  # the first of the links
        clicks = self.env["link.tracker.click"].search(
            [("mailing_trace_id.nurture_trace_id", "=", self.trace(self.ann, self.first).id)]
        )
        self.assertEqual(clicks.link_id.url, "https://shop.example.com/one_50%")
        self.assertEqual(clicks.create_date, self.days(1), "when it hit, not when it was judged")
        self.advance(days=1)
        done, waiting = [], []
        for steps, links in (
            (done, ("https://shop.example.com/one_50%", "*/one_5*", " *one_50% ", "", False)),
            (waiting, ("https://shop.example.com/two*", "*.com/one", "*onex50%")),
        ):
            for link in links:
                steps.append(
                    self.env["nurture.step"]
                    .with_context(tracking_disable=True)
                    .create(
                        {
                            "sequence_id": self.sequence.id,
                            "parent_id": self.first.id,
                            "trigger": "mail_click",
                            "delay": 2,
                            "mailing_id": self.make_mailing(f"Link {link}").id,
                        }
                    )
                )
                # also a link that is not in the mail any more
                self.env.flush_all()
                self.env.cr.execute(
                    "UPDATE nurture_step SET link_url = %s WHERE id = %s",
                    (None if link is False else link, steps[-1].id),
                )
        self.env.invalidate_all()
        self.update()
        for step in done:
            self.assertEqual(self.state(self.ann, step), ("scheduled", self.days(3)), step.link_url)
        for step in waiting:
            self.assertEqual(self.state(self.ann, step), ("waiting", False), step.link_url)

    def test_answered(self):
        """A reply that did not end the journey is an event like others."""
        self.sequence.write({"exit_on_replied": False, "exit_on_restored": False})
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.clock += timedelta(days=1)
        self.answer(self.mail_to(ANN))
        self.advance(days=1)
        reply = self.make_step(self.sequence, "mail_reply", self.first, 3, subject="Reply")
        not_reply = self.make_step(self.sequence, "mail_not_reply", self.first, 3, subject="Not")
        self.update()
        self.assertEqual(self.state(self.ann, reply), ("scheduled", self.days(4)))
        self.assertFalse(self.trace(self.ann, not_reply))
        self.assertEqual(self.state(self.bob, not_reply), ("scheduled", self.days(3)))

    def test_reply_branch(self):
        """Who answered gets nothing more but the branch for answers, a new step in it included."""
        reply = self.make_step(self.sequence, "mail_reply", self.first, 5, subject="Reply")
        self.make_step(self.sequence, "after", reply, 60, subject="Far")
        self.start()
        self.clock += timedelta(days=1)
        self.answer(self.mail_to(ANN))
        self.advance(days=5)
        self.assertEqual(len(self.mails_to(ANN, "Reply")), 1)
        self.assertEqual(self.participant(self.ann).state, "running")
        after = self.make_step(self.sequence, "after", self.first, 1, subject="After")
        begin = self.make_step(self.sequence, "begin", subject="Begin")
        thanks = self.make_step(self.sequence, "after", reply, 2, subject="Thanks")
        self.assertEqual(
            self.update(),
            {(after, "new"): (1, 1), (begin, "new"): (1, 1), (thanks, "new"): (1, 0)},
        )
        self.advance(days=2)
        self.assertEqual([m["Subject"] for m in self.mails_to(ANN)], ["First", "Reply", "Thanks"])

    def test_after_an_activity(self):
        """Steps after something that a colleague does, done or not."""
        call = self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "parent_id": self.first.id,
                "trigger": "after",
                "delay": 1,
                "step_type": "activity",
                "name": "Call",
                "activity_type_id": self.env.ref("mail.mail_activity_data_call").id,
            }
        )
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.advance(days=1)
        activity = self.ann.activity_ids
        activity._action_done()
        self.env.flush_all()
        self.env.cr.execute(  # it is the database's clock otherwise
            "UPDATE mail_activity SET write_date = %s WHERE id = %s", (self.clock, activity.id)
        )
        self.advance(days=1)
        done = self.make_step(self.sequence, "activity_done", call, 3, subject="Done")
        undone = self.make_step(self.sequence, "activity_not_done", call, 3, subject="Not done")
        after = self.make_step(self.sequence, "after", call, 4, subject="After")
        self.update()
        self.assertEqual(self.state(self.ann, done), ("scheduled", self.days(4)))
        self.assertFalse(self.trace(self.ann, undone))
        self.assertEqual(self.trace(self.bob, done).expire_date, self.days(91))
        self.assertEqual(self.state(self.bob, undone), ("scheduled", self.days(4)))
        self.assertEqual(self.state(self.bob, after), ("scheduled", self.days(5)))

    def test_too_late(self):
        """What would have expired by now, or is waited for no more, is not planned."""
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.advance(days=10)
        self.read_mail(self.mail_to(ANN))
        after = self.make_step(self.sequence, "after", self.first, 1, subject="After", expiry=5)
        open_ = self.make_step(self.sequence, "mail_open", self.first, subject="Open", expiry=5)
        self.assertEqual(self.update(), {})
        self.assertFalse(self.trace(self.ann, after) | self.trace(self.ann, open_))

    def test_failed_and_rejected(self):
        """Nothing follows a step that was not done."""
        self.make_step(self.sequence, "begin", delay=60, subject="Far")
        with self.breaking_mail_of(self.ann):
            self.start()
        self.assertEqual(self.trace(self.ann, self.first).state, "error")
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        self.assertEqual(self.update(), {(after, "new"): (1, 0)})
        self.trace(self.ann, self.first).with_user(self.marketer).action_retry()
        self.advance(days=1)
        self.assertEqual(self.scheduled(self.ann, after), self.days(8))

    # ------------------------------------------------------------
    # OTHER DATES
    # ------------------------------------------------------------

    def test_delay(self):
        """Dates move with the delay, counted from where it counted before; not before Update."""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        far = self.make_step(self.sequence, "after", self.first, 50, subject="Far")
        self.start()
        self.advance(days=2)
        second.with_user(self.marketer).delay = 30
        self.assertTrue(self.sequence.is_edited)
        self.assertEqual(self.scheduled(self.ann, second), self.days(7))
        self.assertEqual(self.update(), {(second, "moved"): (2, 0)})
        self.assertEqual(self.scheduled(self.ann, second), self.days(30))
        second.write({"delay": 1, "delay_unit": "days"})
        far.write({"delay": 1, "delay_unit": "months"})
        self.assertEqual(self.update(), {(second, "moved"): (2, 2), (far, "moved"): (2, 0)})
        self.assertEqual(self.scheduled(self.ann, far), datetime(2026, 4, 2, 9, 0))
        self.assertIn("the step was changed", self.trace(self.ann, far).decisions)
        self.advance()
        self.advance(days=40)
        self.assertEqual([m["Subject"] for m in self.mails_to(ANN)], ["First", "Second", "Far"])

    def test_waiting_takes_the_new_delay(self):
        """Who only waits has no date to move; the new delay counts from the event."""
        open_ = self.make_step(self.sequence, "mail_open", self.first, 7, subject="Open")
        self.start()
        open_.delay = 2
        self.assertEqual(self.update(), {})
        self.clock += timedelta(days=1)
        self.read_mail(self.mail_to(ANN))
        self.assertEqual(self.scheduled(self.ann, open_), self.days(3))

    def test_deferred(self):
        """Who was deferred by sending hours or the cap is not brought forward, but may be moved
        later."""
        second = self.make_step(self.sequence, "after", self.first, 2, subject="Second")
        self.start()
        self.sequence.write({"cap_own": True, "cap_number": 1, "cap_days": 10})
        self.advance(days=2)
        self.assertEqual(self.state(self.ann, second), ("scheduled", self.days(10)))
        second.delay = 1
        self.assertEqual(self.update(), {})
        self.assertEqual(self.scheduled(self.ann, second), self.days(10))
        second.delay = 20
        self.assertEqual(self.update(), {(second, "moved"): (2, 0)})
        self.assertEqual(self.scheduled(self.ann, second), self.days(20))
        self.advance(days=18)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_deferred_to_the_sending_hours(self):
        second = self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.start()
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
        self.advance(days=1)
        deferred = self.scheduled(self.ann, second)
        self.assertEqual(deferred.date(), self.days(6).date())
        second.write({"delay": 5, "delay_unit": "hours"})
        self.assertEqual(self.update(), {})
        self.assertEqual(self.scheduled(self.ann, second), deferred)
        second.write({"delay": 9, "delay_unit": "days"})
        self.update()
        self.assertEqual(self.scheduled(self.ann, second), self.days(9))

    def test_resumed(self):
        """Update keeps what starting again has deferred."""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.press("action_stop")
        self.advance(days=10)
        self.start_again("spread", 3)
        dates = self.dates()
        self.make_step(self.sequence, "after", second, 7, subject="Third")
        self.assertEqual(self.update(), {})
        self.assertEqual(self.dates(), dates)

    # ------------------------------------------------------------
    # STEPS THAT GO
    # ------------------------------------------------------------

    def test_delete(self):
        """A branch that somebody is at is archived and its history kept; what nobody has been at
        goes."""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        third = self.make_step(self.sequence, "after", second, 7, subject="Third")
        other = self.make_step(self.sequence, "mail_open", third, 7, subject="Fourth")
        self.make_step(self.sequence, "after", self.first, 20, subject="Far")
        self.start()
        second.with_user(self.marketer).unlink()
        self.assertFalse((third | other).exists())
        self.assertFalse(second.active)
        trace = self.trace(self.ann, second)
        self.assertEqual((trace.state, trace.reason), ("cancelled", "step_archived"))
        self.assertEqual(self.update(), {})
        self.advance(days=20)
        self.assertEqual([m["Subject"] for m in self.mails_to(ANN)], ["First", "Far"])

    def test_delete_from_the_form(self):
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.make_step(self.sequence, "after", second, 7, subject="Third")
        self.start()
        with Form(self.sequence.with_user(self.marketer)) as form:
            form.step_ids.remove(1)
        self.assertEqual(self.sequence.step_ids, self.first)
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_delete_whole_branch(self):
        """Without history all of it goes, also when what follows is older than what it follows."""
        third = self.make_step(self.sequence, "begin", subject="Third")
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        third.write({"parent_id": second.id, "trigger": "after"})
        (second | third).with_user(self.marketer).unlink()
        self.assertFalse((second | third).exists())
        self.assertEqual(self.sequence.step_ids, self.first)

    def test_archived_while_failed(self):
        """A failed step that is archived holds nobody in the sequence."""
        with self.breaking_mail_of(self.ann):
            self.start()
        self.make_step(self.sequence, "begin", delay=90, subject="Other")
        self.first.active = False
        self.assertEqual(self.trace(self.ann, self.first).reason, "step_archived")
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_salesperson_deletes_nothing(self):
        self.start()
        with self.assertRaises(AccessError):
            self.first.with_user(self.salesman).unlink()
        self.assertTrue(self.first.active)

    # ------------------------------------------------------------
    # WHO IS TOUCHED
    # ------------------------------------------------------------

    def test_completed(self):
        """Who is through goes on with what is new only where that is chosen."""
        self.start()
        self.assertEqual(self.participant(self.ann).state, "completed")
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        self.assertEqual(self.press("action_update").completed_count, 2)
        self.assertEqual(self.update(), {})
        self.assertEqual(self.participant(self.ann).state, "completed")
        self.assertEqual(self.update(include_completed=True), {(after, "new"): (2, 0)})
        participant = self.participant(self.ann)
        self.assertEqual(
            (participant.state, participant.exit_reason, participant.exit_date),
            ("running", False, False),
        )
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(ANN, "After")), 1)
        self.assertEqual(self.participant(self.ann).exit_reason, "finished")

    def test_completed_by_being_won_back(self):
        """Who was won back, or has entered again, does not go on with the journey that is over."""
        self.sequence.write({"reentry": "lost"})
        self.make_step(self.sequence, "mail_reply", self.first, 0, subject="Reply")
        self.start()
        self.answer(self.mail_to(ANN))
        self.advance(days=1)
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")
        self.clock += timedelta(days=10)
        self.env.cr.execute("UPDATE nurture_trace SET expire_date = %s", (self.clock,))
        self.env.invalidate_all()
        self.run_cron()
        self.assertEqual(self.participant(self.bob).state, "completed")
        self.bob.with_context(nurture_skip_check=INSIDE).action_restore()
        self.bob.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.bob.date_closed = self.clock
        self.run_cron()
        journeys = self.participant(self.bob)
        self.assertEqual(len(journeys), 2)
        after = self.make_step(self.sequence, "after", self.first, 40, subject="After")
        begin = self.make_step(self.sequence, "begin", delay=30, subject="Begin")
        self.send_mails()
        shown = self.update(include_completed=True)
        self.assertEqual(shown, {(after, "new"): (1, 0), (begin, "new"): (1, 0)})
        self.assertFalse(self.trace(self.ann, after) | self.trace(self.ann, begin))
        self.assertEqual(self.trace(self.bob, begin).participant_id, journeys.sorted("id")[-1:])

    def test_who_left(self):
        """Removed and held-out ones are in no number of Update."""
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        self.start()
        self.participant(self.ann).with_user(self.marketer).action_remove()
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        self.assertEqual(self.update(include_completed=True), {(after, "new"): (1, 0)})

    def test_not_matching(self):
        """Leads that an edited choice leaves out are counted, and leave where that is chosen."""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        with Form(self.sequence.with_user(self.marketer)) as form:
            form.domain = repr([("email_from", "=", ANN)])
        self.assertTrue(self.sequence.is_edited)
        second.delay = 9
        form = self.press("action_update")
        self.assertEqual(form.unmatched_count, 1)
        action = form.save().action_view_unmatched()
        self.assertEqual(
            self.env[action["res_model"]].search(action["domain"]), self.participant(self.bob)
        )
        self.assertEqual(self.shown(), {(second, "moved"): (2, 0)})
        self.assertEqual(
            self.update(remove_unmatched=True), {(second, "moved"): (1, 0)}, "of those who stay"
        )
        participant = self.participant(self.bob)
        self.assertEqual((participant.state, participant.exit_reason), ("exited", "unmatched"))
        self.advance(days=9)
        self.assertFalse(self.mails_to(BOB, "Second"))
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_not_matching_may_stay(self):
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.sequence.domain = repr([("email_from", "=", ANN)])
        self.update()
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)
        self.assertEqual(self.trace(self.bob, second).reason, "done")

    def test_not_matching_and_completed(self):
        """Who is through and does not match any more is not called back."""
        self.start()
        self.sequence.domain = repr([("email_from", "=", ANN)])
        after = self.make_step(self.sequence, "after", self.first, 7, subject="After")
        self.assertEqual(self.press("action_update").completed_count, 1)
        self.assertEqual(self.update(include_completed=True), {(after, "new"): (1, 0)})
        self.assertEqual(self.participant(self.bob).exit_reason, "finished")

    def test_nobody_twice(self):
        """However often a step is changed, moved, updated: everybody gets it once."""
        second = self.make_step(self.sequence, "after", self.first, 3, subject="Second")
        self.start()
        for delay in (1, 5, 2, 4):
            second.delay = delay
            self.make_step(self.sequence, "begin", delay=1, subject="Begin")
            self.update(include_completed=True)
            self.advance(days=1)
        self.advance(days=5)
        subjects = [mail["Subject"] for mail in self.mails_to(ANN)]
        self.assertEqual(subjects.count("Second"), 1)
        self.assertEqual(subjects.count("First"), 1)
        self.assertEqual(subjects.count("Begin"), 4)

    def test_while_stopped(self):
        """Update plans, but nothing leaves; starting again moves the new dates as the others."""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.advance(days=2)
        self.press("action_stop")
        after = self.make_step(self.sequence, "after", self.first, 4, subject="After")
        second.delay = 8
        self.assertEqual(self.update(), {(after, "new"): (2, 0), (second, "moved"): (2, 0)})
        self.assertEqual(self.sequence.state, "stopped")
        self.advance(days=10)
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.start_again("shift")
        self.assertEqual(self.scheduled(self.ann, after), self.days(14))
        self.assertEqual(self.scheduled(self.ann, second), self.days(18))

    # ------------------------------------------------------------
    # THE BANNER
    # ------------------------------------------------------------

    def test_edited(self):
        """The form says so only when somebody is inside or through, and not for what touches
        nobody."""
        self.first.delay = 1
        self.sequence.domain = repr([("lost_reason_id", "=", self.reason_price.id)])
        self.sequence.action_start()
        self.advance()
        self.make_step(self.sequence, "after", self.first, 1)
        self.assertFalse(self.sequence.is_edited, "nobody is inside")
        self.sequence.domain = repr([("lost_reason_id", "=", self.reason_stock.id)])
        self.advance(days=1)
        self.assertFalse(self.sequence.is_edited)
        self.sequence.name = "Another name"
        self.first.position = 3
        self.assertFalse(self.sequence.is_edited)
        self.sequence.participant_ids.with_user(self.marketer).action_remove()
        self.first.delay = 2
        self.assertFalse(self.sequence.is_edited, "all have left")
        self.make_lead(CAT)
        self.advance()
        self.first.with_user(self.marketer).delay = 3
        self.assertTrue(self.sequence.is_edited)

    def test_salesperson(self):
        self.start()
        self.make_step(self.sequence, "after", self.first, 1)
        updates = self.env["nurture.update"].with_user(self.salesman)
        with self.assertRaises(AccessError):
            updates.create({"sequence_id": self.sequence.id})
        update = self.env["nurture.update"].create({"sequence_id": self.sequence.id})
        with self.assertRaises(AccessError):
            update.with_user(self.salesman).action_update()

    def test_many(self):
        """As many queries for many leads as for few."""
        self.make_step(self.sequence, "after", self.first, 60, subject="Far")
        counts = {}
        for size in (4, 40):
            for number in range(size):
                self.make_lead(f"size{size}-{number}@recipient.example.com")
            self.sequence.action_start()
            self.run_cron()
            self.send_mails()
            self.make_step(self.sequence, "after", self.first, size, subject="After")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.sequence._get_changes(True, True)
            self.sequence._apply_changes(True, True)
            self.env.flush_all()
            counts[size] = self.env.cr.sql_log_count - before
        self.assertEqual(counts[4], counts[40], counts)
