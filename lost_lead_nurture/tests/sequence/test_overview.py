"""The overview: cards, groups of the list, and what is to come."""

import json
from datetime import date
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import json_default

from ...models.sequence import sequence as sequence_module
from ..common import ANN, BOB, NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestOverview(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.env.user.tz = self.marketer.tz = self.salesman.tz = "UTC"

    def start(self):
        self.sequence.action_start()
        self.advance()
        self.env.invalidate_all()

    def chart(self):
        lines = json.loads(self.seen_by(self.marketer).chart or "[]")
        return {line["key"]: [point["y"] for point in line["values"]] for line in lines}

    # ------------------------------------------------------------
    # CARD
    # ------------------------------------------------------------

    def test_chart(self):
        self.assertEqual(self.chart(), {})
        self.start()
        self.advance(days=1)
        self.read_mail(self.mail_to(ANN))
        chart = self.chart()
        self.assertEqual(chart["Sent"][-3:], [0, 2, 0])
        self.assertEqual(chart["Opened"][-3:], [0, 0, 1])
        self.assertEqual(len(chart["Sent"]), 15)

    def test_chart_in_the_zone_of_the_user(self):
        self.clock = self.clock.replace(hour=23)
        self.start()
        self.marketer.tz = "Asia/Tokyo"
        self.advance(hours=2)
        self.assertEqual(self.chart()["Sent"][-2:], [0, 2], "today in Tokyo")
        self.marketer.tz = "UTC"
        self.assertEqual(self.chart()["Sent"][-2:], [2, 0], "yesterday in UTC")

    def test_zone_is_not_said(self):
        """Whoever asks over RPC without a context has a time zone, too."""
        self.clock = self.clock.replace(hour=23)
        self.start()
        self.marketer.tz = "Asia/Tokyo"
        self.advance(hours=2)
        said = self.seen_by(self.marketer)
        expected = (said.chart, said.coming, said.coming_date)
        self.env.invalidate_all()
        silent = self.sequence.with_user(self.marketer).with_context(tz=False)
        self.assertEqual((silent.chart, silent.coming, silent.coming_date), expected)

    def test_coming(self):
        self.assertFalse(self.sequence.coming)
        self.start()
        self.assertEqual(self.seen_by(self.marketer).coming_date, date(2026, 3, 9))
        self.assertEqual(
            self.seen_by(self.marketer).coming, "The next 2 mails go out on Mar 9, 2026"
        )
        self.advance(days=6)
        self.assertEqual(self.seen_by(self.marketer).coming, "2 mails go out until tomorrow")
        self.bob.user_id = self.colleague
        self.assertEqual(self.seen_by(self.salesman).coming, "1 mail goes out until tomorrow")
        self.sequence.action_stop()
        self.assertFalse(self.seen_by(self.marketer).coming)

    def test_steps_that_are_no_mails_do_not_go_out(self):
        self.make_step(
            self.sequence,
            delay=3,
            step_type="action",
            action_kind="score",
            score=1,
            mailing_id=False,
            name="Score",
        )
        self.start()
        self.assertEqual(self.seen_by(self.marketer).coming_count, 2)
        self.assertEqual(self.seen_by(self.marketer).coming_date, date(2026, 3, 9))

    def test_queries_do_not_grow_with_the_cards(self):
        specification = {
            name: {}
            for name in (
                *("name", "state", "chart", "participant_count", "sent_count", "opened_ratio"),
                *("lead_count", "invoiced_amount", "quotation_count", "ended_count", "coming"),
                *("step_count", "statistics_date", "waits", "is_own_only"),
            )
        }
        self.start()
        sequences = self.env["nurture.sequence"].with_user(self.marketer)

        def queries():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            sequences.web_search_read([("id", ">=", self.sequence.id)], specification)
            return self.env.cr.sql_log_count - before

        queries()  # access rights are cached
        few = queries()
        for number in range(5):
            copy = self.sequence.copy({"company_id": False, "name": f"Copy {number}"})
            copy.exclude_other_sequences = False
            copy.action_start()
        self.advance()
        self.assertEqual(queries(), few)

    def test_without_rights(self):
        """Salespeople see their own numbers, and none of the mails."""
        self.start()
        fields = self.env["nurture.sequence"].with_user(self.salesman).fields_get()
        self.assertNotIn("chart", fields)
        self.assertNotIn("invoiced_amount", fields)
        self.assertNotIn("sent_count", fields)
        self.assertNotIn("opened_ratio", fields)
        arch = self.sequence.with_user(self.salesman).get_view(view_type="kanban")["arch"]
        for hidden in ("sent_count", "chart", "invoiced_amount", "opened_count", "Invoiced"):
            self.assertNotIn(hidden, arch)
        self.assertIn("participant_count", arch)

    # ------------------------------------------------------------
    # GROUPS
    # ------------------------------------------------------------

    def test_groups_weigh_ratios(self):
        self.start()
        self.read_mail(self.mail_to(ANN))
        other = self.make_sequence(name="Other", exclude_other_sequences=False)
        self.make_step(other, subject="Other mail")
        other.action_start()
        self.bob.action_set_won()
        self.advance()
        groups = (
            self.env["nurture.sequence"]
            .with_user(self.marketer)
            .formatted_read_group(
                [("id", "in", (self.sequence | other).ids)],
                ["user_id"],
                [
                    *("participant_count:sum", "sent_count:sum", "opened_ratio:avg"),
                    *("invoiced_amount:sum", "currency_id:array_agg_distinct"),
                ],
            )
        )
        self.assertEqual(len(groups), 1)
        self.assertEqual(groups[0]["sent_count:sum"], 3)
        self.assertEqual(groups[0]["participant_count:sum"], 3)
        self.assertAlmostEqual(groups[0]["opened_ratio:avg"], 100 / 3)
        self.assertEqual(groups[0]["currency_id:array_agg_distinct"], self.company.currency_id.ids)

    # ------------------------------------------------------------
    # CALENDAR
    # ------------------------------------------------------------

    def coming(self, user, *states):
        self.env.invalidate_all()
        domain = [("state", "in", states or ["to_come"])]
        return self.env["nurture.coming"].with_user(user).search(domain)

    def listed(self, day):
        """The leads behind a line of the calendar."""
        action = day.action_view_traces()
        # as it comes from the browser
        domain = json.loads(json.dumps(action["domain"], default=json_default))
        return day.env[action["res_model"]].search(domain).participant_id.sudo().lead_id

    def test_calendar(self):
        self.start()
        coming = self.coming(self.marketer)
        self.assertEqual(
            [(day.date, day.step_id, day.lead_count) for day in coming],
            [(date(2026, 3, 9), self.second, 2)],
        )
        self.assertEqual(coming.display_name, "2 leads: Second")
        action = coming.action_view_traces()
        traces = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(traces.participant_id.lead_id, self.ann | self.bob)

    def test_calendar_shows_what_was_done(self):
        """One line per step and day; what was done stays when the sequence is stopped."""
        self.start()
        self.bob.action_set_won()
        self.advance(days=7)
        self.sequence.action_stop()
        days = self.coming(self.marketer, "done", "to_come")
        self.assertEqual(
            [(day.date, day.state, day.step_id, day.display_name) for day in days],
            [
                (date(2026, 3, 2), "done", self.first, "✓ 2 leads: First"),
                (date(2026, 3, 9), "done", self.second, "✓ 1 lead: Second"),
            ],
        )
        self.assertEqual(self.listed(days[0]), self.ann | self.bob)
        self.assertEqual(self.listed(days[1]), self.ann)

    def test_done_and_to_come_on_one_day(self):
        """Are two lines, each with its leads."""
        self.sequence.entry = "manual"
        self.sequence.action_start()
        self.sequence.enrol(self.ann.ids)
        self.advance()
        self.sequence.enrol(self.bob.ids)
        days = self.coming(self.marketer, "done", "to_come")
        lines = [(day.date, day.display_name, self.listed(day)) for day in days]
        self.assertEqual(
            lines,
            [
                (date(2026, 3, 2), "✓ 1 lead: First", self.ann),
                (date(2026, 3, 2), "1 lead: First", self.bob),
                (date(2026, 3, 9), "1 lead: Second", self.ann),
            ],
        )

    def test_what_was_done_is_in_the_zone_of_the_user(self):
        self.clock = self.clock.replace(hour=20)
        self.start()
        self.marketer.tz = "Pacific/Auckland"
        done = self.coming(self.marketer, "done")
        self.assertEqual(done.date, date(2026, 3, 3))
        self.assertEqual(self.listed(done), self.ann | self.bob)

    def test_what_was_done_keeps_the_rules(self):
        self.start()
        self.bob.user_id = self.colleague
        done = self.coming(self.salesman, "done")
        self.assertEqual((done.display_name, self.listed(done)), ("✓ 1 lead: First", self.ann))

    def test_calendar_is_in_the_zone_of_the_user(self):
        self.clock = self.clock.replace(hour=20)
        self.start()
        self.marketer.tz = "Pacific/Auckland"
        coming = self.coming(self.marketer)
        self.assertEqual(coming.date, date(2026, 3, 10))
        domain = coming.action_view_traces()["domain"]
        self.assertEqual(self.env["nurture.trace"].search_count(domain), 2)

    def test_what_is_due_is_of_today(self):
        self.start()
        self.clock = self.clock.replace(day=20)
        coming = self.coming(self.marketer)
        self.assertEqual(coming.date, date(2026, 3, 20))
        domain = coming.action_view_traces()["domain"]
        self.assertEqual(self.env["nurture.trace"].search_count(domain), 2)

    def test_calendar_keeps_the_rules(self):
        self.start()
        self.bob.user_id = self.colleague
        self.assertEqual(self.coming(self.salesman).lead_count, 1)
        self.assertEqual(self.coming(self.salesman).display_name, "1 lead: Second")
        self.assertEqual(self.coming(self.marketer).lead_count, 2)
        self.sequence.action_stop()
        self.assertFalse(self.coming(self.marketer))

    # ------------------------------------------------------------
    # EMPTY SCREENS
    # ------------------------------------------------------------

    def test_empty_screens_teach(self):
        """Each list of ours says what it is for, and shows what it would look like."""
        records = self.env["ir.model.data"].search(
            [("module", "=", "lost_lead_nurture"), ("model", "=", "ir.actions.act_window")]
        )
        actions = self.env["ir.actions.act_window"].browse(records.mapped("res_id"))
        screens = actions.filtered(lambda one: one.target != "new")
        self.assertTrue(screens)
        for action in screens:
            with self.subTest(action.name):
                self.assertIn("o_view_nocontent", action.help or "")
                for view_type in {"list", "kanban", "graph", "pivot"} & set(
                    action.view_mode.split(",")
                ):
                    if action.res_model.startswith("nurture."):
                        arch = self.env[action.res_model].get_view(view_type=view_type)["arch"]
                        self.assertIn('sample="1"', arch, view_type)

    # ------------------------------------------------------------
    # LONG WORK
    # ------------------------------------------------------------

    def test_advance_leaves_the_rest_to_the_scheduled_action(self):
        self.sequence.action_start()
        with (
            patch.object(sequence_module, "ADVANCE_SECONDS", 0),
            patch.object(type(self.first), "_get_batch_size", lambda _step: 1),
            self.capture_triggers("lost_lead_nurture.ir_cron_nurture") as woken,
        ):
            result = self.sequence.with_user(self.marketer).action_advance()
        self.assertEqual(result, {"entered": 2, "left": 1, "deferred": False})
        self.assertTrue(woken.records)
        self.advance()
        self.assertTrue(self.mail_to(ANN) and self.mail_to(BOB))
