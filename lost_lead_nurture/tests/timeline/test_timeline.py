"""The timeline of a participant: what happened, why, and what is to come, for whom it is meant."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import ANN, TWO_LINKS, UNSUBSCRIBE, NurtureHttpCase
from ..living import LivingMixin
from ..timelines import TimelineMixin
from ..timing import TimingMixin

PERSON = {"minutes": 5}


@tagged("post_install", "-at_install")
class TestTimeline(LivingMixin, TimelineMixin, NurtureHttpCase):
    # ------------------------------------------------------------
    # IN
    # ------------------------------------------------------------

    def test_entered_automatically(self):
        self.sequence.preset_id = self.env["nurture.preset"].create(
            {"name": "Stock", "lost_reason_ids": self.reason_stock.ids}
        )
        self.sequence.holdout_percent = 0.01
        self.start()
        self.assertEqual(
            self.why(self.ann, "entered"),
            "automatically; matched the preset “Stock”; not in the holdout",
        )

    def test_entered_by_hand(self):
        self.sequence.action_start()
        self.sequence.with_user(self.marketer).enrol(self.ann.ids)
        self.assertEqual(
            self.why(self.ann, "entered", self.salesman),
            f"added by hand by {self.marketer.name}",
        )

    def test_held_out(self):
        self.sequence.holdout_percent = 99.99
        self.start()
        self.assertEqual(self.lines(self.ann), [("entered", "Entered")])
        self.assertIn("held out for comparison: it gets nothing", self.why(self.ann, "entered"))

    def test_nothing_happened_yet(self):
        """It says what comes first, and when; and that nothing does while the sequence stands."""
        self.first.write({"delay": 2})
        self.start()
        self.assertEqual(
            self.timeline(self.ann)["notice"].replace("\u202f", " "),
            "Nothing has happened yet. “First” comes next, on Mar 4, 2026, 9:00 AM.",
        )
        self.sequence.action_stop()
        self.assertIn("is stopped", self.timeline(self.ann)["notice"])
        self.assertEqual(self.entry(self.ann, "scheduled")["actions"], ["action_cancel"])

    # ------------------------------------------------------------
    # WHAT THE RECIPIENT DID, AND WHAT CAME OF IT
    # ------------------------------------------------------------

    def test_opened_clicked_and_branches(self):
        self.first.mailing_id.body_html = TWO_LINKS
        self.make_step(self.sequence, "mail_click", self.first, 2, subject="Thanks")
        self.make_step(self.sequence, "mail_ignored", self.first, 7, subject="Reminder")
        self.start()
        self.clock += timedelta(hours=2)
        self.read_mail(self.mail_to(ANN))
        self.assertEqual(
            self.lines(self.ann),
            [
                ("entered", "Entered"),
                ("sent", "First sent, opened 2 hours later"),
                ("opened", "First opened"),
                ("waiting", "Thanks waits"),
            ],
        )
        self.assertEqual(self.why(self.ann, "opened"), "branch “Ignored” cancelled: “Reminder”")
        self.assertIn("for: Clicked, after 2 days; until", self.why(self.ann, "waiting"))
        self.clock += timedelta(hours=1)
        self.click(self.mail_to(ANN))
        clicked = self.entry(self.ann, "clicked")
        self.assertEqual(clicked["text"], "Clicked <strong>See the item</strong>")
        taken = "branch “Clicked” taken: “Thanks” scheduled for Mar 4, 2026"
        self.assertIn(taken, clicked["why"][1])
        self.assertEqual(self.entry(self.ann, "scheduled")["date"][:10], "2026-03-04")

    def test_opened_without_a_consequence(self):
        """Is shown with the mail only."""
        self.make_step(self.sequence, "after", self.first, 7)
        self.start()
        self.clock += timedelta(**PERSON)
        self.read_mail(self.mail_to(ANN))
        self.assertEqual(
            [kind for kind, _text in self.lines(self.ann)], ["entered", "sent", "scheduled"]
        )

    def test_reply_and_goal(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.clock += timedelta(**PERSON)
        self.answer(self.mail_to(ANN))
        self.assertEqual(
            self.lines(self.ann)[2:],
            [("replied", "Replied to First"), ("goal", "Replied: goal reached")],
        )
        self.assertEqual(
            self.why(self.ann, "goal"),
            f"credited to “First”, which was replied to; handed to {self.salesman.name}; "
            "everything open cancelled: “Second”",
        )
        self.assertEqual(self.participant(self.ann).status, "Exited: Replied")

    def test_credit_is_not_what_came_later(self):
        """Who returned on its own and answers afterwards was not won back by that answer, nor by
        what was only sent."""
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.clock += timedelta(days=1)
        self.ann.action_restore()
        self.assertIn("not credited: nobody clicked", self.why(self.ann, "ended"))
        self.clock += timedelta(days=1)
        self.click(self.mail_to(ANN))
        self.answer(self.mail_to(ANN))
        self.assertIn(("replied", "Replied to First"), self.lines(self.ann))
        self.assertIn("not credited: nobody clicked", self.why(self.ann, "ended"))

    def test_missing_dates(self):
        """Data that somebody imported or repaired by hand is shown as far as it goes."""
        activity = self.make_step(
            self.sequence,
            "begin",
            name="Call",
            step_type="activity",
            mailing_id=False,
            activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
        )
        self.make_step(self.sequence, "after", activity, 9)
        self.start()
        call = self.trace(self.ann, activity)
        self.env["mail.activity"].search([("nurture_trace_id", "=", call.id)])._action_done()
        call.processed_date = False
        self.assertIn(("done", "Call done"), self.lines(self.ann))
        self.participant(self.ann).write(
            {"state": "exited", "exit_reason": "won", "won_back_date": self.clock}
        )
        self.assertIn(("goal", "Won back"), self.lines(self.ann))

    def test_reply_with_a_branch(self):
        """Only the branch goes on: the others are cancelled by the reply, not by an end."""
        self.make_step(self.sequence, "mail_reply", self.first, 1, subject="Gladly")
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.clock += timedelta(**PERSON)
        self.answer(self.mail_to(ANN))
        why = self.why(self.ann, "replied")
        self.assertIn("branch “Replied” taken: “Gladly” scheduled for", why)
        self.assertIn("only the branch for it goes on; cancelled: “Second”", why)
        self.assertNotIn("cancelled", [kind for kind, _text in self.lines(self.ann)])

    def test_bounce(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        self.bounce(self.mail_to(ANN))
        bounced = self.entry(self.ann, "bounced")
        self.assertIn("No such user here", bounced["detail"])
        self.assertEqual(self.lines(self.ann)[-1], ("ended", "Ended: Mail bounced"))

    def test_bots(self):
        """Recorded, not counted, no branch taken; many hits are one line."""
        self.first.mailing_id.body_html = TWO_LINKS
        self.make_step(self.sequence, "mail_click", self.first, subject="Thanks")
        self.start()
        self.clock += timedelta(**PERSON)
        mail = self.mail_to(ANN)
        for link in self.links_of(mail) * 5:
            self._get(link)
        self.clock += timedelta(seconds=2)
        self._get(self.links_of(mail)[0])
        self.believe()
        self.answer(mail, headers="Auto-Submitted: auto-replied\n")
        texts = [text for kind, text in self.lines(self.ann) if kind == "bot"]
        self.assertEqual(
            texts, ["2 links clicked within 2 seconds by a mail scanner", "Answered automatically"]
        )
        entry = next(one for one in self.timeline(self.ann)["entries"] if one["kind"] == "bot")
        self.assertEqual(
            entry["why"],
            ["in “First”", "Several links at once", "recorded, not counted, no branch taken"],
        )
        # long after the hits themselves are gone
        self.advance(days=1)
        self.assertFalse(self.env["nurture.hit"].search([]))
        self.assertIn("bot", [kind for kind, _text in self.lines(self.ann)])
        self.assertEqual(self.entry(self.ann, "waiting")["coming"], True)

    # ------------------------------------------------------------
    # WHAT THE SEQUENCE DID
    # ------------------------------------------------------------

    def test_rejected(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.exit_on_blacklisted = False
        self.first.delay = 1
        self.start()
        self.env["mail.blacklist"]._add(ANN)
        self.advance(days=1)
        self.assertIn(("rejected", "First not sent"), self.lines(self.ann))
        self.assertIn("The address is blacklisted", self.why(self.ann, "rejected"))

    def test_failed(self):
        """A marketer is offered what can be done, a salesperson sees why."""
        with self.breaking_mail_of(self.ann):
            self.start()
        error = self.entry(self.ann, "error")
        self.assertEqual(error["actions"], ["action_retry"])
        self.assertIn("this lead breaks the template", error["detail"])
        self.assertFalse(self.entry(self.ann, "error", self.salesman)["actions"])
        self.assertEqual(self.participant(self.ann).next_what, "First failed")
        trace = self.trace(self.ann, self.first)
        trace.with_user(self.marketer).action_retry()
        self.advance()
        self.assertFalse(self.entry(self.ann, "error")["actions"])
        self.assertEqual(self.entry(self.ann, "changed")["text"][-11:], "tried again")
        self.assertIn(("sent", "First sent"), self.lines(self.ann))

    def test_in_doubt(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.run_cron()
        self.trace(self.ann, self.first).mailing_trace_ids._nurture_set_in_doubt()
        error = self.entry(self.ann, "error")
        self.assertEqual(error["actions"], ["action_retry", "action_mark_sent"])
        self.assertIn("what follows is cancelled: “Second”", error["why"])

    def test_queue_and_actions(self):
        """A mail in the queue is still to come; what else a step did is said in words."""
        tag = self.env["crm.tag"].create({"name": "Warm"})
        action = self.make_step(
            self.sequence,
            "begin",
            name="Mark it",
            step_type="action",
            mailing_id=False,
            action_kind="add_tags",
            tag_ids=tag.ids,
        )
        activity = self.make_step(
            self.sequence,
            "after",
            action,
            name="Call",
            step_type="activity",
            mailing_id=False,
            activity_type_id=self.env.ref("mail.mail_activity_data_call").id,
        )
        self.make_step(self.sequence, "activity_done", activity, 1, subject="After the call")
        self.sequence.action_start()
        self.run_cron()
        self.run_cron()
        self.assertEqual(self.lines(self.ann)[-2:][0], ("queued", "First is in the queue"))
        self.assertEqual(self.why(self.ann, "action"), "Add tags: Warm")
        self.assertIn(f"for {self.salesman.name}", self.why(self.ann, "activity"))
        self.env["mail.activity"].search(
            [("nurture_trace_id", "=", self.trace(self.ann, activity).id)]
        )._action_done()
        self.assertIn(
            "branch “Activity done” taken: “After the call” scheduled", self.why(self.ann, "done")
        )

    def test_by_hand(self):
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.make_step(self.sequence, "after", self.first, 9, subject="Third")
        self.start()
        self.trace(self.ann, second).with_user(self.marketer).action_cancel()
        self.assertIn(("cancelled", "“Second” cancelled"), self.lines(self.ann))
        self.assertEqual(self.why(self.ann, "cancelled"), "Cancelled by hand")
        self.assertEqual(
            self.entry(self.ann, "scheduled")["actions"], ["action_run_now", "action_cancel"]
        )
        self.assertFalse(self.entry(self.ann, "scheduled", self.salesman)["actions"])

    def test_through(self):
        self.start()
        self.assertEqual(self.lines(self.ann)[-1], ("ended", "Ended: Went through all steps"))
        self.assertIn("if it is won back until May 31, 2026", self.why(self.ann, "ended"))
        participant = self.participant(self.ann)
        self.assertEqual(participant.next_what, False)
        self.ann.unlink()
        ended = participant.with_user(self.marketer).get_timeline()["entries"][-1]
        self.assertFalse(ended["why"], "a lead that is deleted is not won back")

    def test_through_without_a_message(self):
        """Who got nothing is not promised to count."""
        self.sequence.action_start()
        self.run_cron()
        self.trace(self.ann, self.first).mailing_trace_ids.mail_mail_id.cancel()
        self.assertEqual(self.lines(self.ann)[-1], ("ended", "Ended: Could not be written to"))
        self.assertFalse(self.why(self.ann, "ended"))
        self.ann.action_restore()
        self.assertFalse(self.participant(self.ann).won_back_date)

    def test_text_is_text(self):
        """Whatever is in a name, a subject or an error, it is shown as it is."""
        self.first.mailing_id.subject = "<script>alert(1)</script>"
        self.ann.name = "<img src=x>"
        with self.breaking_mail_of(self.bob):
            self.start()
        for lead in (self.ann, self.bob):
            for entry in self.timeline(lead)["entries"]:
                self.assertNotIn("<script", entry["text"])
                self.assertNotIn("<img", entry["text"])
        self.assertIn("&lt;script&gt;", self.entry(self.ann, "sent")["text"])

    # ------------------------------------------------------------
    # NEXT
    # ------------------------------------------------------------

    def test_next(self):
        self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        self.make_step(self.sequence, "mail_click", self.first, 1, subject="Clicked")
        self.start()
        participant = self.participant(self.ann)
        self.assertEqual(
            (participant.next_what, participant.next_date), ("Waits for: Opened and Clicked", False)
        )
        self.clock += timedelta(**PERSON)
        moment = self.clock
        self.read_mail(self.mail_to(ANN))
        participant.invalidate_recordset()
        self.assertEqual(
            (participant.next_what, participant.next_date), ("Opened", moment + timedelta(days=1))
        )
        self.sequence.action_stop()
        self.assertEqual(
            (participant.next_what, participant.next_date), ("The sequence is stopped", False)
        )

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_rights(self):
        others = self.make_lead("others@recipient.example.com", user_id=self.colleague.id)
        self.start()
        self.assertTrue(self.timeline(self.ann, self.salesman)["entries"])
        participant = self.participant(others)
        trace = self.trace(others, self.first)
        for user in (self.salesman, self.employee):
            for forbidden in (
                participant.with_user(user).get_timeline,
                trace.with_user(user).get_preview,
            ):
                with self.assertRaises(AccessError):
                    forbidden()

    def test_orders(self):
        """A salesperson sees orders of the own only; whoever sees what is earned sees all."""
        self.make_step(self.sequence, "after", self.first, 7)
        self.start()
        self.touch(self.ann)
        self.clock += timedelta(days=1)
        partner = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        product = self.env["product.product"].create({"name": "Desk", "taxes_id": False})
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "opportunity_id": self.ann.id,
                "user_id": self.colleague.id,
                "date_order": self.clock,
                "order_line": [Command.create({"product_id": product.id, "price_unit": 250.0})],
            }
        )
        self.assertEqual(self.journey_of(order), self.participant(self.ann))
        entry = self.entry(self.ann, "quotation")
        self.assertIn(f"{order.name}, $\xa0250.00", entry["text"])
        self.assertFalse(entry["record"], "a marketer may not open it")
        self.assertIn("paid so far, less refunds: $\xa00.00", entry["why"])
        kinds = [kind for kind, _text in self.lines(self.ann, self.salesman)]
        self.assertNotIn("quotation", kinds)
        self.assertIn("goal", kinds)
        order.user_id = self.salesman
        entry = self.entry(self.ann, "quotation", self.salesman)
        self.assertEqual(entry["record"], {"model": "sale.order", "id": order.id})
        self.assertFalse(entry["why"], "what was earned is not for salespeople")
        self.assertIn(
            "credited to “First”, the last one clicked before", self.why(self.ann, "goal")
        )

    def test_company(self):
        self.start()
        company = self.env["res.company"].create({"name": "Other Company"})
        stranger = self.make_marketer(company)
        with self.assertRaises(AccessError):
            self.timeline(self.ann, stranger)

    # ------------------------------------------------------------
    # MAIL
    # ------------------------------------------------------------

    def test_mail_as_sent(self):
        """It is shown as it was, though its text and the lead have changed; looking counts for
        nothing."""
        self.start()
        self.first.mailing_id.write(
            {"body_html": "<p>Changed</p>" + UNSUBSCRIBE, "subject": "Changed"}
        )
        trace = self.trace(self.ann, self.first)
        for user in (self.marketer, self.salesman):
            mail = trace.with_user(user).get_preview()
            self.assertEqual((mail["subject"], mail["address"]), ("First", ANN))
            self.assertIn("Hello Ann,", mail["html"])
            self.assertIn("As it was sent on", mail["note"])
            for word in ("/mail/track", "href=", "Received the mailing"):
                self.assertNotIn(word, mail["html"])

    def test_mail_not_kept(self):
        """It says so, and shows the text of today."""
        self.start()
        self.env["mail.message"].search([("subject", "=", "First")]).unlink()
        trace = self.trace(self.ann, self.first).with_user(self.salesman)
        mail = trace.get_preview()
        self.assertIn("What was sent is not kept", mail["note"])
        self.assertIn("Hello Ann,", mail["html"])

    def test_forgotten(self):
        """Neither the subject nor the mail tells who it was."""
        self.first.mailing_id.subject = "{{object.contact_name}}, it is back"
        self.start()
        self.assertIn(("sent", "Ann, it is back sent"), self.lines(self.ann))
        self.participant(self.ann).with_user(self.marketer).action_forget()
        self.assertNotIn("Ann", str(self.lines(self.ann)))
        with self.assertRaisesRegex(UserError, "forgotten"):
            self.trace(self.ann, self.first).with_user(self.marketer).get_preview()

    def test_forgotten_by_links_and_errors(self):
        """Nor do the links that were clicked, a bounce, or what the system says of an error."""
        self.first.mailing_id.body_html = """<p><a href="https://shop.example.com/a">
            For <t t-out="object.contact_name"/>: <t t-out="object.email_from"/></a></p>
            <p><a href="/unsubscribe_from_list">Unsubscribe</a></p>"""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.exit_on_bounced = False
        self.start()
        self.clock += timedelta(**PERSON)
        self.click(self.mail_to(ANN))
        message = self.trace(self.ann, self.first).mailing_trace_ids
        message.set_bounced(bounce_message=f"{ANN}: no such user")
        self.trace(self.ann, second)._set_state("error", "failed", f"{ANN} cannot be written to")
        self.assertIn(("clicked", f"Clicked For Ann: {ANN}"), self.lines(self.ann))
        self.assertIn(f"{ANN}: no such user", self.entry(self.ann, "bounced")["detail"])
        participant = self.participant(self.ann)
        participant.with_user(self.marketer).action_forget()
        self.assertIn(("clicked", "Clicked a link"), self.lines(self.ann))
        self.assertIn("error", [kind for kind, _text in self.lines(self.ann)])
        said = f"{self.timeline(self.ann)} {participant.decisions} {participant._explain()}"
        self.assertNotIn("Ann", said)
        self.assertNotIn(ANN, said)
        self.assertFalse(any(participant.trace_ids.mapped("detail")))

    def test_mail_not_sent(self):
        self.first.delay = 1
        self.start()
        with self.assertRaisesRegex(UserError, "has not been sent"):
            self.trace(self.ann, self.first).get_preview()

    # ------------------------------------------------------------
    # COST
    # ------------------------------------------------------------

    def test_queries(self):
        """A long journey costs as many queries as a short one."""
        parent = self.first
        for number in range(30):
            parent = self.make_step(self.sequence, "after", parent, 1, subject=f"Mail {number}")
        self.start()
        self.advance(days=1)
        self.trace(self.ann, self.first).mailing_trace_ids.set_opened()
        short = self._count_queries()
        for _day in range(28):
            self.advance(days=1)
        traces = self.participant(self.ann).trace_ids
        traces.mailing_trace_ids.set_opened()
        for mail in traces.mailing_trace_ids:
            mail._nurture_note_bot("open", "prefetch", self.clock)
        self.assertEqual(len(traces), 31)
        self.assertEqual(self._count_queries(), short)

    def _count_queries(self):
        participant = self.participant(self.ann).with_user(self.marketer)
        self.assertTrue(participant.get_timeline()["entries"])  # what is cached for good, too
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        participant.get_timeline()
        return self.env.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestTimelineTiming(TimingMixin, TimelineMixin, NurtureHttpCase):
    def test_held_for_the_hours(self):
        """Until then it says why; afterwards it is shown with the mail."""
        lead = self.make_lead(ANN)
        self.sequence.calendar_id = self.make_hours((14, 16))
        self.sequence.action_start()
        self.advance()
        self.assertIn("Deferred to the sending hours", self.why(lead, "scheduled"))
        self.pass_by_the_cron(hours=7)
        self.assertEqual(
            self.why(lead, "sent"),
            "due Mar 2, 2026, 9:00 AM, held for the sending hours (Sending hours)",
        )
        self.assertNotIn("deferred", [kind for kind, _text in self.lines(lead)])

    def test_deferred_by_the_cap(self):
        """With what the address had got, for those who may read that; over and over is once."""
        self.company.write({"nurture_cap_number": 1, "nurture_cap_days": 7})
        second = self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        lead = self.make_lead(ANN)
        self.sequence.action_start()
        self.advance()
        self.advance(days=1)
        deferred = self.entry(lead, "deferred")
        self.assertIn("Second</strong> deferred to Mar 9, 2026", deferred["text"])
        self.assertEqual(
            deferred["why"],
            [
                "The address has got enough marketing lately",
                "frequency cap: 1 in 7 days",
                "it had got: “First”",
            ],
        )
        self.assertNotIn("First", self.why(lead, "deferred", self.salesman))
        self.trace(lead, second)._defer(
            {self.trace(lead, second).id: (self.clock + timedelta(days=9), "cap")}
        )
        deferred = self.entry(lead, "deferred")
        self.assertIn("deferred to Mar 12, 2026", deferred["text"])
        self.assertEqual(deferred["times"], 2)


@tagged("post_install", "-at_install")
class TestTimelineTours(LivingMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        # a browser's clock is the real one
        self.clock = self.env.cr.now()
        self.make_step(self.sequence, "mail_click", self.first, 2, subject="Thanks")
        self.make_step(self.sequence, "mail_ignored", self.first, 7, subject="Reminder")
        self.make_step(self.sequence, "after", self.first, 9, subject="Later")
        self.start()
        self.clock += timedelta(**PERSON)
        self.click(self.mail_to(ANN))

    def test_salesperson(self):
        self.start_tour("/odoo", "nurture_timeline_salesperson_tour", login=self.salesman.login)

    def test_marketer(self):
        self.start_tour(
            f"/odoo/nurture-participants/{self.participant(self.ann).id}",
            "nurture_timeline_marketer_tour",
            login=self.marketer.login,
        )
        states = {trace.step_id.name: trace.state for trace in self.participant(self.ann).trace_ids}
        self.assertEqual(
            states,
            {
                "First": "processed",
                "Thanks": "processed",
                "Reminder": "cancelled",
                "Later": "cancelled",
            },
        )
