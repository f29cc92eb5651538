"""The test of a sequence on one lead: it shows what would happen, and nothing has happened."""

import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest.mock import patch

from requests.adapters import HTTPAdapter

from odoo import api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.modules import module
from odoo.sql_db import Cursor, db_connect
from odoo.tests import TransactionCase, tagged

from ...tools.dates import on_day
from ...tools.sandbox import sandbox
from ..common import UNSUBSCRIBE, NurtureHttpCase

LEAD = "ann@recipient.example.com"
ME = "marketer@test.example.com"
LINK = "https://shop.example.com/limited"
TABLES = (
    "crm_lead",
    "crm_tag",
    "ir_attachment",
    "ir_cron_trigger",
    "ir_logging",
    "link_tracker",
    "link_tracker_click",
    "mail_activity",
    "mail_blacklist",
    "mail_mail",
    "mail_message",
    "mail_notification",
    "mailing_mailing",
    "mailing_trace",
    "nurture_participant",
    "nurture_sequence",
    "nurture_step",
    "nurture_trace",
)


@tagged("post_install", "-at_install")
class TestTestRun(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.marketer.tz = "UTC"
        self.lead = self.make_lead(LEAD)
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="Back, {{object.contact_name}}")

    # ------------------------------------------------------------
    # WHO TESTS
    # ------------------------------------------------------------

    def begin(self, **values):
        return (
            self.env["nurture.test"]
            .with_user(self.marketer)
            .create({"sequence_id": self.sequence.id, "lead_id": self.lead.id, **values})
        )

    def line(self, test, step):
        """What is shown of a step, or nothing."""
        lines = [line for line in test.timeline["lines"] if line["step"] == step.id]
        return lines[0] if lines else {}

    def states(self, test):
        return {line["name"]: line["state"] for line in test.timeline["lines"]}

    def rows(self):
        """All that the database holds about leads, sequences and mails."""
        self.env.flush_all()
        rows = {}
        for table in TABLES:
            self.env.cr.execute(f"SELECT md5(array_agg(t ORDER BY id)::text) FROM {table} t")
            rows[table] = self.env.cr.fetchone()
        return rows

    @contextmanager
    def nothing_left(self):
        before = self.rows()
        yield
        self.env.invalidate_all()
        changed = [table for table, rows in self.rows().items() if rows != before[table]]
        self.assertFalse(changed)

    def make_action(self, code, **values):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Server",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": code,
                **values,
            }
        )
        return self.make_act("server", server_action_id=action.id)

    def make_act(self, kind, parent=None, trigger="begin", **values):
        return self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "name": f"Do {kind}",
                "parent_id": parent and parent.id,
                "trigger": trigger,
                "step_type": "action",
                "action_kind": kind,
                **values,
            }
        )

    # ------------------------------------------------------------
    # MAILS
    # ------------------------------------------------------------

    def test_mail_comes_to_me(self):
        with self.nothing_left():
            test = self.begin()
            self.assertFalse(self.catcher.messages)
            test.action_play("run")
        self.assertFalse(self.mails_to(LEAD))
        mail = self.mail_to(ME)
        self.assertEqual(mail["Subject"], "[Test] Back, Ann")
        html = self.html_of(mail)
        self.assertIn("Hello Ann", html)
        self.assertIn(LINK, html, "links are as they were written")
        self.assertNotIn("/r/", html)
        self.assertNotIn("/mail/track/", html)
        self.assertNotIn("unsubscribe", html)
        self.assertIn('href="#"', html)
        self.assertFalse(mail["List-Unsubscribe"])
        line = self.line(test, self.first)
        self.assertEqual(line["state"], "processed")
        self.assertEqual(line["texts"], [f"Mail “Back, Ann” sent to {ME}"])

    def test_mail_with_attachment(self):
        attachment = self.env["ir.attachment"].create({"name": "offer.txt", "raw": b"The offer"})
        self.first.mailing_id.attachment_ids = [Command.link(attachment.id)]
        with self.nothing_left():
            self.begin().action_play("run")
        (part,) = self.mail_to(ME).iter_attachments()
        self.assertEqual((part.get_filename(), part.get_content()), ("offer.txt", "The offer"))

    def test_mails_go_elsewhere(self):
        test = self.begin(email_to="Colleague <colleague@test.example.com>")
        test.action_play("run")
        self.assertTrue(self.mail_to("colleague@test.example.com"))
        with self.assertRaisesRegex(ValidationError, "not an email address"):
            test.email_to = "nobody"
        with self.assertRaisesRegex(ValidationError, "never writes to the lead"):
            test.email_to = "ANN@recipient.example.com"

    def test_each_mail_comes_once(self):
        self.make_step(self.sequence, "after", self.first, 2, subject="Second")
        test = self.begin()
        test.action_play("run")
        test.action_play("open", self.first.id)
        test.action_play("run")
        self.assertEqual(
            [mail["Subject"] for mail in self.mails_to(ME)], ["[Test] Back, Ann", "[Test] Second"]
        )

    def test_mail_that_cannot_be_sent(self):
        self.catcher.refused.add(ME)
        test = self.begin()
        test.action_play("run")
        line = self.line(test, self.first)
        self.assertEqual(line["state"], "processed", "the lead would have got it")
        self.assertIn("could not be sent to you", line["failed"])

    def test_template_that_fails(self):
        self.first.mailing_id.body_html = "<p><t t-out='1/0'/></p>" + UNSUBSCRIBE
        test = self.begin()
        with self.nothing_left():
            test.action_play("run")
        line = self.line(test, self.first)
        self.assertEqual((line["state"], line["reason"]), ("error", "The step failed"))
        self.assertIn("division by zero", line["detail"])
        self.first.mailing_id.body_html = "<p>Mended</p>" + UNSUBSCRIBE
        test.action_restart()
        test.action_play("run")
        self.assertIn("Mended", self.html_of(self.mail_to(ME)))

    # ------------------------------------------------------------
    # BRANCHES
    # ------------------------------------------------------------

    def test_branches(self):
        opened = self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        ignored = self.make_step(self.sequence, "mail_not_open", self.first, 3, subject="Silent")
        answered = self.make_step(self.sequence, "mail_reply", self.first, subject="Answered")
        bounced = self.make_act("blacklist", self.first, "mail_bounce")
        test = self.begin()
        self.assertEqual(self.states(test), {self.first.name: "scheduled"})
        test.action_play("run")
        self.assertEqual(
            self.states(test),
            {
                self.first.name: "processed",
                "Opened": "waiting",
                "Silent": "scheduled",
                "Answered": "waiting",
                "Do blacklist": "waiting",
            },
        )
        self.assertEqual(
            self.line(test, self.first)["offers"], ["open", "click", "reply", "bounce"]
        )
        for event, expected in (
            ("open", {opened: "scheduled", ignored: "cancelled"}),
            ("click", {opened: "scheduled", ignored: "cancelled"}),
            ("reply", {answered: "scheduled", ignored: "cancelled"}),
            ("bounce", {bounced: "scheduled", ignored: "cancelled", opened: "cancelled"}),
        ):
            with self.subTest(event), self.nothing_left():
                test.action_restart()
                test.action_play("run")
                test.action_play(event, self.first.id)
                for step, state in expected.items():
                    self.assertEqual(self.line(test, step)["state"], state, step.name)
        test.action_restart()
        test.action_play("run")
        test.action_play("run")
        self.assertEqual(self.line(test, ignored)["state"], "processed", "nothing happened")
        self.assertTrue(self.mails_to(ME, "[Test] Silent"))

    def test_reason_of_a_branch_not_taken(self):
        silent = self.make_step(self.sequence, "mail_not_open", self.first, 3, subject="Silent")
        test = self.begin()
        test.action_play("run")
        test.action_play("open", self.first.id)
        self.assertEqual(self.line(test, silent)["reason"], "The opposite happened first")

    def test_link(self):
        self.first.mailing_id.body_html = (
            f'<p><a href="{LINK}">One</a> <a href="https://shop.example.com/other">Two</a></p>'
            + UNSUBSCRIBE
        )
        step = self.make_step(
            self.sequence, "mail_click", self.first, link_url="*/other", subject="Two"
        )
        test = self.begin()
        test.action_play("run")
        self.assertEqual(
            self.line(test, self.first)["links"], [LINK, "https://shop.example.com/other"]
        )
        test.action_play("click", self.first.id, LINK)
        self.assertEqual(self.line(test, step)["state"], "waiting")
        test.action_play("click", self.first.id, "https://shop.example.com/other")
        self.assertEqual(self.line(test, step)["state"], "scheduled")

    def test_reply_wins_the_lead_back(self):
        test = self.begin()
        test.action_play("run")
        with self.nothing_left():
            test.action_play("reply", self.first.id)
        self.assertEqual(test.timeline["end"], "Replied")
        (reaction,) = self.line(test, self.first)["reactions"]
        texts = "\n".join(reaction["texts"])
        self.assertIn("Lost → Pending", texts)
        self.assertIn("Activity planned: Won back: Restock, for nurture_salesman", texts)
        self.assertIn("Won back by the sequence", texts)
        self.assertEqual(self.lead.won_status, "lost")
        self.assertFalse(test.timeline["next"])

    def test_nothing_ever_happens(self):
        self.make_step(self.sequence, "mail_reply", self.first, subject="Answered")
        test = self.begin()
        test.action_play("run")
        self.assertFalse(test.timeline["next"])
        self.assertTrue(test.timeline["wait"])
        test.action_play("wait")
        self.assertEqual(test.timeline["end"], "Went through all steps")
        self.assertEqual(self.states(test)["Answered"], "cancelled")

    def test_activity_done(self):
        call = self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "name": "Call",
                "parent_id": self.first.id,
                "trigger": "after",
                "delay": 1,
                "step_type": "activity",
                "activity_type_id": self.env.ref("mail.mail_activity_data_call").id,
                "activity_summary": "Call {{object.contact_name}}",
                "activity_due_days": 2,
            }
        )
        done = self.make_step(self.sequence, "activity_done", call, subject="Thank you")
        test = self.begin()
        with self.nothing_left():
            test.action_play("run")
            test.action_play("run")
            text, notification = self.line(test, call)["texts"]
            self.assertIn("Not done in a test: a mail to", notification)
            self.assertIn(f"Activity planned: Call Ann, for {self.salesman.name}", text)
            # core's today is not that of the tests; it is a day later in the sequence
            due = fields.Date.add(fields.Date.context_today(self.env.user), days=3)
            self.assertIn(on_day(self.env, due), text)
            self.assertEqual(self.line(test, call)["offers"], ["done"])
            test.action_play("done", call.id)
        self.assertEqual(self.line(test, done)["state"], "scheduled")

    # ------------------------------------------------------------
    # TIME
    # ------------------------------------------------------------

    def test_dates(self):
        """Steps come on the dates on which they would really come."""
        second = self.make_step(self.sequence, "after", self.first, 1, "months", subject="Second")
        third = self.make_step(self.sequence, "mail_not_open", second, 36, "hours", subject="Third")
        fourth = self.make_step(self.sequence, "after", second, 1, "months", subject="Fourth")
        test = self.begin()
        self.assertEqual(self.line(test, self.first)["date"], "Mon Mar 2, 2026, 9:00\u202fAM")
        test.action_play("run")
        self.assertEqual(self.line(test, second)["date"], "Thu Apr 2, 2026, 9:00\u202fAM")
        test.action_play("run")
        self.assertEqual(self.line(test, second)["date"], "Thu Apr 2, 2026, 9:00\u202fAM")
        self.assertEqual(self.line(test, third)["date"], "Fri Apr 3, 2026, 9:00\u202fPM")
        self.assertEqual(self.line(test, fourth)["date"], "Sat May 2, 2026, 9:00\u202fAM")

    def test_sending_hours(self):
        hours = [
            Command.create({"name": day, "dayofweek": day, "hour_from": 9, "hour_to": 17})
            for day in "01234"
        ]
        self.sequence.calendar_id = self.env["resource.calendar"].create(
            {"name": "Office", "tz": "UTC", "attendance_ids": hours}
        )
        self.company.partner_id.tz = "UTC"
        second = self.make_step(self.sequence, "after", self.first, 5, subject="Second")
        third = self.make_step(self.sequence, "after", second, 1, subject="Third")
        test = self.begin()
        test.action_play("run")
        test.action_play("run")
        line = self.line(test, second)
        self.assertIn(
            "would wait for the sending hours: Mon Mar 9, 2026, 9:00\u202fAM", line["texts"][1]
        )
        self.assertEqual(line["date"], "Mon Mar 9, 2026, 9:00\u202fAM")
        self.assertEqual(self.line(test, third)["date"], "Tue Mar 10, 2026, 9:00\u202fAM")

    def test_cap(self):
        self.sequence.write({"cap_own": True, "cap_number": 1, "cap_days": 7})
        second = self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        test = self.begin()
        test.action_play("run")
        test.action_play("run")
        line = self.line(test, second)
        self.assertEqual(line["state"], "processed")
        self.assertIn("enough marketing lately", "\n".join(line["texts"]))
        self.assertTrue(line["date"].startswith("Mon Mar 9, 2026"), line["date"])
        second.over_cap = "skip"
        test.action_restart()
        test.action_play("run")
        test.action_play("run")
        line = self.line(test, second)
        self.assertEqual(line["state"], "rejected")

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def test_action_is_shown_and_undone(self):
        stage = self.env["crm.stage"].create({"name": "Second chance"})
        tag = self.env["crm.tag"].create({"name": "Nurtured (test)"})
        steps = [
            (self.make_act("stage", stage_id=stage.id), "Stage: New → Second chance"),
            (self.make_act("add_tags", tag_ids=tag.ids), "Tags: none → Nurtured (test)"),
            (self.make_act("score", score=5), "Score: 0 → 5"),
            (self.make_act("note", note="<p>Look here</p>"), "Posted on the lead: Look here"),
            (self.make_act("blacklist"), "Blacklist: No → Yes"),
            (self.make_act("salesperson", salesperson_id=self.colleague.id), "nurture_colleague"),
        ]
        for step, text in steps:
            with self.subTest(step.name), self.nothing_left():
                test = self.begin()
                test.action_play("run", step.id)
                line = self.line(test, step)
                self.assertEqual(line["state"], "processed")
                self.assertIn(text, "\n".join(line["texts"]))
        self.assertFalse(self.catcher.messages)

    def test_fields_that_i_may_not_see(self):
        secret = self.env["crm.lead"]._fields["referred"]
        self.patch(secret, "groups", "base.group_system")
        step = self.make_act("field", field_name="referred", field_value="A friend")
        test = self.begin()
        test.action_play("run", step.id)
        self.assertEqual(self.line(test, step)["texts"], [])

    def test_action_that_commits(self):
        """The test shows what would happen: such a step fails."""
        for end in ("commit", "rollback"):
            step = self.make_action(
                f"record.write({{'referred': 'one'}})\nenv.cr.{end}()\n"
                "log('kept in a transaction of its own')"
            )
            with self.nothing_left():
                test = self.begin()
                test.action_play("run", step.id)
            line = self.line(test, step)
            self.assertEqual(line["state"], "error")
            self.assertIn("must not", line["detail"])

    def test_action_that_fails(self):
        step = self.make_action("record.write({'referred': 'x'})\nraise UserError('not today')")
        after = self.make_step(self.sequence, "after", step, subject="After")
        with self.nothing_left():
            test = self.begin()
            test.action_play("run", step.id)
        line = self.line(test, step)
        self.assertEqual(line["state"], "error")
        self.assertIn("not today", line["detail"])
        self.assertFalse(self.line(test, after))

    def test_action_that_sends(self):
        """Whatever an action sends stays here, also when it does so at once."""
        step = self.make_action(
            "env['mail.mail'].create({'subject': 'Hello', 'body_html': 'Hello',"
            " 'email_from': 'shop@test.example.com', 'email_to': record.email_from}"
            ").with_context({}).send()"
        )
        with self.nothing_left():
            test = self.begin()
            test.action_play("run", step.id)
            self.env["mail.mail"].process_email_queue()
        self.assertFalse(self.catcher.messages)
        self.assertIn(f"Not done in a test: a mail to {LEAD}", self.line(test, step)["texts"])

    def test_webhook(self):
        with _Listener() as listener:
            step = self.make_action("", state="webhook", webhook_url=listener.url)
            with self.nothing_left():
                test = self.begin()
                test.action_play("run", step.id)
            self.assertIn(
                f"Not done in a test: a call of {listener.url}", self.line(test, step)["texts"]
            )
            self.assertEqual(self.line(test, step)["state"], "processed")
            self.assertFalse(listener.calls)

    def test_call_of_another_program(self):
        """Whatever an add-on calls in between, it does not get out."""
        import requests

        def call(_step, _leads):
            requests.get(listener.url, timeout=1)

        with _Listener() as listener:
            call(None, None)
            self.assertEqual(listener.calls, ["GET"], "it works outside")
            step = self.make_act("score", score=1)
            test = self.begin()
            with patch.object(type(step), "_act_score", call):
                test.action_play("run", step.id)
            self.assertEqual(listener.calls, ["GET"])
        line = self.line(test, step)
        self.assertEqual(line["state"], "error")
        self.assertIn(f"Not done in a test: a call of {listener.url}/", line["texts"])

    # ------------------------------------------------------------
    # LEADS AND SEQUENCES
    # ------------------------------------------------------------

    def test_lead_that_would_not_enter(self):
        open_lead = self.make_lead("open@recipient.example.com", lost=False)
        other = self.make_lead("other@recipient.example.com", self.reason_price)
        for lead, reason in (
            (self.lead, False),
            (open_lead, "Not lost"),
            (other, "Does not match"),
        ):
            with self.subTest(lead.email_from), self.nothing_left():
                test = self.begin(lead_id=lead.id)
                if reason:
                    self.assertIn(reason, test.exclusion_reason)
                else:
                    self.assertFalse(test.exclusion_reason)
                test.action_play("run")
                self.assertEqual(self.line(test, self.first)["state"], "processed")
        self.assertEqual(len(self.mails_to(ME)), 3)

    def test_blacklisted_lead(self):
        self.env["mail.blacklist"]._add(LEAD)
        self.sequence.exit_on_blacklisted = False
        test = self.begin()
        self.assertEqual(test.exclusion_reason, "Address blacklisted")
        test.action_play("run")
        line = self.line(test, self.first)
        self.assertEqual(
            (line["state"], line["reason"]), ("rejected", "The address is blacklisted")
        )
        self.sequence.exit_on_blacklisted = True
        test.action_restart()
        test.action_play("run")
        self.assertEqual(test.timeline["end"], "Address blacklisted")
        self.assertFalse(self.catcher.messages)

    def test_lead_without_address(self):
        self.lead.email_from = False
        test = self.begin()
        self.assertIn("No email address", test.exclusion_reason)
        test.action_play("run")
        line = self.line(test, self.first)
        self.assertEqual(
            (line["state"], line["reason"]), ("rejected", "The lead has no email address")
        )

    def test_running_sequence_with_the_lead_inside(self):
        """The lead's real journey through the sequence goes on as if there had been no test."""
        second = self.make_step(self.sequence, "after", self.first, 2, subject="Second")
        self.sequence.holdout_percent = 99
        self.sequence.action_start()
        self.advance()
        self.sequence.participant_ids.unlink()
        self.sequence.holdout_percent = 0
        self.advance()
        self.catcher.clear()
        statistics = self.sequence.read(["sent_count", "participant_count", "opened_count"])
        with self.nothing_left():
            test = self.begin()
            self.assertIn("Is or was in this sequence", test.exclusion_reason)
            test.action_play("run")
            test.action_play("open", self.first.id)
            test.action_play("run")
        self.assertEqual(
            self.sequence.read(["sent_count", "participant_count", "opened_count"]), statistics
        )
        self.assertEqual(len(self.mails_to(ME)), 2)
        self.assertFalse(self.mails_to(LEAD))
        self.advance(days=2)
        self.assertTrue(self.mail_to(LEAD, "Second"))
        self.assertEqual(self.trace(self.lead, second).state, "processed")

    def test_stopped_sequence(self):
        self.sequence.action_start()
        self.sequence.action_stop()
        self.begin().action_play("run")
        self.assertTrue(self.mail_to(ME))
        self.assertEqual(self.sequence.state, "stopped")

    def test_unfinished_draft(self):
        self.first.mailing_id = False
        with self.nothing_left():
            test = self.begin()
            self.assertIn("has no mail", test.problems)
            test.action_play("run")
        self.assertIn("has no mail", self.line(test, self.first)["detail"])

    def test_filter(self):
        self.first.filter_domain = "[('contact_name', '=', 'Bob')]"
        test = self.begin()
        test.action_play("run")
        self.assertEqual(
            self.line(test, self.first)["reason"], "The lead does not match the step's filter"
        )

    def test_step_removed_meanwhile(self):
        second = self.make_step(self.sequence, "after", self.first, 2, subject="Second")
        test = self.begin()
        test.action_play("run")
        test.action_play("run")
        second.unlink()
        test.action_play("open", self.first.id)
        self.assertEqual(self.states(test), {self.first.name: "processed"})

    def test_repeatable(self):
        with self.nothing_left():
            test = self.begin()
            for _time in range(3):
                test.action_play("run")
                test.action_play("reply", self.first.id)
                test.action_restart()
                self.assertFalse(test.events)
                self.assertEqual(self.states(test), {self.first.name: "scheduled"})
        self.assertEqual(len(self.mails_to(ME)), 3)

    def test_another_lead(self):
        test = self.begin()
        test.action_play("run")
        test.lead_id = self.make_lead("bob@recipient.example.com", contact_name="Bob")
        self.assertEqual(self.states(test), {self.first.name: "scheduled"})
        test.action_play("run")
        self.assertTrue(self.mails_to(ME, "[Test] Back, Bob"))

    # ------------------------------------------------------------
    # THE ENGINE
    # ------------------------------------------------------------

    def test_the_engine_does_it(self):
        traces = type(self.env["nurture.trace"])
        with patch.object(
            traces, "_execute", autospec=True, side_effect=traces._execute
        ) as execute:
            self.begin().action_play("run")
        self.assertTrue(execute.called)

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_button(self):
        action = self.sequence.with_user(self.marketer).action_test()
        test = self.env["nurture.test"].browse(action["res_id"])
        self.assertEqual((test.lead_id, test.email_to), (self.lead, ME))
        self.first.unlink()
        with self.assertRaisesRegex(UserError, "no steps"):
            self.sequence.with_user(self.marketer).action_test()

    def test_screen(self):
        # a browser's clock is the real one
        self.clock = self.env.cr.now()
        self.make_step(self.sequence, "mail_not_open", self.first, 3, subject="Silent")
        self.make_step(self.sequence, "mail_reply", self.first, subject="Answered")
        action = self.env.ref("lost_lead_nurture.nurture_sequence_action")
        before = self.lead.read()
        self.start_tour(
            f"/odoo/action-{action.id}/{self.sequence.id}",
            "nurture_test_tour",
            login=self.marketer.login,
        )
        self.assertEqual(self.lead.read(), before)
        self.assertFalse(self.sequence.participant_ids)
        self.assertEqual(
            [mail["Subject"] for mail in self.mails_to(ME)],
            ["[Test] Back, Ann", "[Test] Answered", "[Test] Back, Ann"],
        )

    def test_rights(self):
        self.assertFalse(self.lead.with_user(self.marketer).has_access("write"))
        test = self.begin()
        test.action_play("run")
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).action_test()
        with self.assertRaises(AccessError):
            test.with_user(self.salesman).action_play("run")
        with self.assertRaises(AccessError):
            self.env["nurture.test"].with_user(self.salesman).create(
                {
                    "sequence_id": self.sequence.id,
                    "lead_id": self.lead.id,
                    "email_to": "x@example.com",
                }
            )
        boss = self.marketer.copy({"login": "other_marketer", "email": "other@test.example.com"})
        with self.assertRaises(AccessError):
            test.with_user(boss).action_play("run")

    def test_unknown_event(self):
        test = self.begin()
        with self.assertRaisesRegex(UserError, "“unlink” is none of"):
            test.action_play("unlink", self.first.id)
        test.action_play("open", self.first.id)
        self.assertEqual(self.states(test), {self.first.name: "scheduled"}, "not sent yet")
        test.action_play("run", 2**31 - 1)
        self.assertEqual(self.states(test), {self.first.name: "scheduled"})


@tagged("post_install", "-at_install")
class TestRealTransactions(TransactionCase):
    """The same with transactions of their own, in which a commit is a commit, as outside of
    tests. Core's composer and the engine commit there on their own."""

    def setUp(self):
        super().setUp()
        self.database = db_connect(self.env.cr.dbname)
        self.patch(type(self.registry), "cursor", lambda *_args, **_options: self.cursor())
        self.patch(module, "current_test", None)
        with self.real() as env:
            reason = env["crm.lost.reason"].create({"name": "Real (test)"})
            lead = env["crm.lead"].create({"name": "Real (test)", "email_from": LEAD})
            lead.flush_recordset()
            # scoring would wait for rows of the test's own transaction
            env.cr.execute(
                "UPDATE crm_lead SET active = false, probability = 0, won_status = 'lost',"
                " lost_reason_id = %s, date_closed = now() WHERE id = %s",
                [reason.id, lead.id],
            )
            sequence = env["nurture.sequence"].create({"name": "Real (test)"})
            mailing = env["mailing.mailing"].create(
                {
                    "subject": "Real (test)",
                    "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
                    "body_html": f'<p><a href="{LINK}">See it</a></p>' + UNSUBSCRIBE,
                }
            )
            action = env["ir.actions.server"].create(
                {
                    "name": "Real (test)",
                    "model_id": env["ir.model"]._get_id("crm.lead"),
                    "state": "code",
                    "code": "record.write({'referred': 'x'})\nenv.cr.commit()\n"
                    "env['ir.config_parameter'].set_param('nurture.real', 'x')\n"
                    "env.cr.commit()",
                }
            )
            steps = env["nurture.step"].create(
                [
                    {"sequence_id": sequence.id, "mailing_id": mailing.id},
                    {
                        "sequence_id": sequence.id,
                        "name": "Act",
                        "step_type": "action",
                        "action_kind": "server",
                        "server_action_id": action.id,
                    },
                ]
            )
            self.made = [steps, sequence, mailing, action, lead, reason]
            self.addCleanup(self.clean_up)
            # a sandbox sees what is committed
            env.cr.commit()
            test = env["nurture.test"].create(
                {"sequence_id": sequence.id, "lead_id": lead.id, "email_to": ME}
            )
            env.cr.commit()
            self.made.insert(0, test)
            self.step_ids = steps.ids

    def cursor(self):
        cursor = self.database.cursor()
        cursor.execute("SET LOCAL lock_timeout = '20s'")
        return cursor

    @contextmanager
    def real(self):
        with closing(self.cursor()) as cr:
            yield api.Environment(cr, api.SUPERUSER_ID, {})

    def clean_up(self):
        with self.real() as env:
            for records in self.made:
                records.with_env(env).exists().unlink()
            env.cr.commit()

    def counts(self):
        with self.real() as env:
            counts = {}
            for table in TABLES:
                env.cr.execute(f"SELECT count(*), max(xmin::text::bigint) FROM {table}")
                counts[table] = env.cr.fetchone()
            return counts

    def test_commits(self):
        before = self.counts()
        committed = []
        with self.real() as env:
            test = self.made[0].with_env(env)
            self.assertEqual(len(test.timeline["lines"]), 2)
            with patch.object(Cursor, "commit", lambda cursor: committed.append(cursor)):
                for step_id in self.step_ids:
                    test.action_play("run", step_id)
                test.action_play("click", self.step_ids[0], LINK)
            self.assertFalse(committed)
            states = [line["state"] for line in test.timeline["lines"]]
            env.cr.commit()
        # the action commits on its own, which no step may
        self.assertEqual(states, ["processed", "error"])
        self.assertEqual(self.counts(), before)
        self.assertFalse(self.env["ir.config_parameter"].get_param("nurture.real"))

    def test_caches(self):
        """What was cached in it is forgotten with it."""
        with self.real() as env, sandbox(env) as played:
            played["ir.config_parameter"].set_param("nurture.real", "x")
            played.cr.commit()
            self.assertEqual(played["ir.config_parameter"].get_param("nurture.real"), "x")
        with self.real() as env:
            self.assertFalse(env["ir.config_parameter"].get_param("nurture.real"))

    def test_hooks(self):
        called = []
        with self.real() as env, sandbox(env) as played:
            played.cr.postcommit.add(lambda: called.append("committed"))
            played.cr.commit()
        self.assertFalse(called)

    def test_the_process_is_as_before(self):
        """Only while one is open is there anything between the process and other programs."""
        plain = HTTPAdapter.send
        with self.real() as env:
            with sandbox(env):
                self.assertIsNot(HTTPAdapter.send, plain)
            self.assertIs(HTTPAdapter.send, plain)
            with self.assertRaises(ZeroDivisionError), sandbox(env):
                raise ZeroDivisionError
        self.assertIs(HTTPAdapter.send, plain)


class _Listener:
    """Another program that is listening on loopback."""

    def __enter__(self):
        self.calls = calls = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                calls.append(self.command)
                self.send_response(200)
                self.end_headers()

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
