"""The dashboard: the week beside the one before, what needs a person, and what comes."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ...models.sequence import statistics as statistics_module
from ..buttons import ButtonsMixin
from ..common import ANN, BOB, DealMixin, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin

#: What the week is about, in the order in which it is shown.
NUMBERS = (
    *("sent", "delivered", "opened", "clicked", "replied", "bounced"),
    *("unsubscribed", "complained", "won_back", "quotations", "invoices"),
)


NOTHING = ("0", "$\N{NO-BREAK SPACE}0")


class DashboardCase(ButtonsMixin, SecondStepMixin, TwoLeadsMixin, DealMixin, NurtureHttpCase):
    """The week of Sunday, March 1. On Monday two mails go out."""

    def setUp(self):
        super().setUp()
        self.env.user.tz = self.marketer.tz = "UTC"
        self.sequences = self.env["nurture.sequence"].with_user(self.marketer)

    def dashboard(self, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        user = user or self.marketer
        return self.sequences.with_user(user).with_context(tz=user.tz).get_dashboard()

    def week(self, which="this", user=None):
        """The numbers of a week that are not 0."""
        lines = self.dashboard(user)["week"]
        self.assertEqual([line["name"] for line in lines], list(NUMBERS))
        values = {line["name"]: line[which] for line in lines}
        return {name: value for name, value in values.items() if value not in NOTHING}

    def needs(self):
        return {need["name"]: need["count"] for need in self.dashboard()["needs"]}

    def list_behind(self, what, week="this", sequences=None):
        """What opens behind a number."""
        sequences = self.sequences if sequences is None else sequences
        sequences = sequences.with_user(self.marketer).with_context(tz=self.marketer.tz)
        action = sequences.action_view_dashboard(what, week)
        return self.list_of(action, self.marketer)

    def earn(self):
        """Ann clicks, and orders something that she pays."""
        self.click(self.mail_to(ANN, "First"))
        order = self.order(self.ann)
        order.action_confirm()
        invoice = order._create_invoices()
        # core invoices and pays on the day that it is
        invoice.invoice_date = self.clock.date()
        invoice.action_post()
        with Form.from_action(self.env, invoice.action_register_payment()) as form:
            form.payment_date = self.clock.date()
        form.record.action_create_payments()


@tagged("post_install", "-at_install")
class TestWeek(DashboardCase):
    def test_numbers_and_their_lists(self):
        self.start()
        self.earn()
        self.bounce(self.mail_to(BOB))
        expected = {
            "sent": "2",
            "delivered": "1",
            "opened": "1",
            "clicked": "1",
            "bounced": "1",
            "won_back": "1",
            "quotations": "1",
            "invoices": "$\N{NO-BREAK SPACE}250",
        }
        self.assertEqual(self.week(), expected)
        self.assertEqual(self.week("last"), {})
        # Sunday after
        self.clock += timedelta(days=6)
        self.assertEqual(self.week(), {})
        self.assertEqual(self.week("last"), expected)
        for week, counts in (("this", {}), ("last", expected)):
            for name in NUMBERS:
                if name in ("quotations", "invoices"):
                    # documents that a marketer may not read
                    continue
                with self.subTest(name, week=week):
                    count = len(self.list_behind(name, week))
                    self.assertEqual(count, int(counts.get(name, 0)))
        action = self.sequences.action_view_dashboard("quotations", "last")
        self.assertIn("0 of 1 are yours to see", action["params"]["message"])
        amounts = self.env["nurture.credit"]._get(
            "invoices", self.sequences._get_credits_between(self.sequence, "2026-03-01", self.clock)
        )
        self.assertEqual(sum(amounts.mapped("amount_untaxed_signed")), 250.0)

    def test_unsubscribed(self):
        self.start()
        self.unsubscribe(self.mail_to(ANN))
        self.complain(self.mail_to(BOB))
        self.clock += timedelta(days=1)
        for name, lead in (("unsubscribed", self.ann), ("complained", self.bob)):
            self.assertEqual(self.week()[name], "1")
            self.assertEqual(self.list_behind(name).res_id, lead.id)

    def test_first_day_of_the_week(self):
        """As in the calendar, it is up to the language: Monday's mail is of the week before where
        weeks begin on Tuesday, on Tuesday."""
        self.start()
        self.env["res.lang"]._lang_get(self.marketer.lang).week_start = "2"
        self.clock += timedelta(days=1)
        self.assertEqual(self.week(), {})
        self.assertEqual(self.week("last"), {"sent": "2", "delivered": "2"})
        self.assertEqual(len(self.list_behind("sent", "last")), 2)

    def test_zone_of_the_user(self):
        """What leaves on Saturday night in UTC leaves on Sunday in Tokyo, which is next week."""
        self.clock = self.clock.replace(day=7, hour=23)
        self.start()
        self.clock += timedelta(hours=2)
        self.assertEqual(self.week("last")["sent"], "2")
        self.marketer.tz = "Asia/Tokyo"
        self.assertEqual(self.week()["sent"], "2")
        self.assertEqual(len(self.list_behind("sent")), 2)
        self.assertEqual(self.week("last"), {})

    def test_last_count_of_big_sequences(self):
        """They are as they were counted last, and it says when."""
        self.start()
        self.assertFalse(self.dashboard()["counted"])
        self.patch(statistics_module, "MANY_TRACES", 1)
        self.sequence.sudo()._keep_statistics()
        counted = self.clock
        self.click(self.mail_to(ANN))
        self.assertEqual(self.week()["sent"], "2")
        self.assertNotIn("clicked", self.week())
        self.assertEqual(self.dashboard()["counted"], str(counted))
        self.sequence.sudo()._keep_statistics()
        self.assertEqual(self.week()["clicked"], "1")

    def test_counted_by_an_earlier_version(self):
        self.start()
        self.patch(statistics_module, "MANY_TRACES", 1)
        self.sequence.sudo()._keep_statistics()
        kept = self.env["nurture.statistics"].search([("sequence_id", "=", self.sequence.id)])
        counts = dict(kept.counts)
        del counts["mail_days"]
        kept.counts = counts
        self.assertEqual(self.week(), {}, "until it is counted anew, in a quarter of an hour")

    def test_rights(self):
        """The page is the marketer's; who works elsewhere finds nothing of ours in it."""
        self.start()
        elsewhere = self.make_marketer(self.env["res.company"].create({"name": "Other"}))
        self.assertTrue(self.dashboard(elsewhere)["is_empty"])
        self.assertEqual(self.week(user=elsewhere), {})
        for user in (self.salesman, self.employee):
            for call in ("get_dashboard", "action_view_dashboard"):
                with self.subTest(call, user=user.login), self.assertRaises(AccessError):
                    method = getattr(self.sequences.with_user(user), call)
                    method(*(["sent"] if call != "get_dashboard" else []))
        with self.assertRaises(AccessError):
            self.sequence.with_user(elsewhere).action_view_dashboard("sent")

    def test_no_such_number(self):
        for arguments in (["nonsense"], ["sent", "next"], [None], ["sent", 7]):
            with self.assertRaisesRegex(UserError, "is none of"):
                self.sequences.action_view_dashboard(*arguments)

    def test_queries(self):
        """More sequences cost nothing more."""
        self.start()
        counts = []
        for _more in range(2):
            self.dashboard()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.sequences.get_dashboard()
            counts.append(self.env.cr.sql_log_count - before)
            for number in range(8):
                sequence = self.make_sequence(name=f"Sequence {number}")
                self.make_step(sequence, subject=f"Mail {number}")
                sequence.action_start()
            self.advance()
        self.assertEqual(len(self.dashboard()["sequences"]["rows"]), 10)
        self.assertLessEqual(counts[1], counts[0])


@tagged("post_install", "-at_install")
class TestNeeds(DashboardCase):
    def test_nothing(self):
        self.assertTrue(self.dashboard()["is_empty"])
        self.start()
        self.assertFalse(self.dashboard()["is_empty"])
        self.assertEqual(self.needs(), {})

    def test_failed(self):
        with self.breaking_mail_of(self.ann):
            self.start()
        self.assertEqual(self.needs(), {"failed": 1})
        self.assertEqual(self.list_behind("failed").participant_id.lead_id, self.ann)

    def test_answers(self):
        """Until somebody has done what is to be done."""
        call = self.env.ref("mail.mail_activity_data_call")
        self.start(goal_activity_type_id=call.id)
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.needs(), {"answers": 1})
        self.assertEqual(self.list_behind("answers").lead_id, self.ann)
        self.ann.activity_ids.action_feedback()
        self.assertEqual(self.needs(), {})

    def test_stopped(self):
        self.start()
        self.sequence.action_stop()
        self.assertEqual(self.needs(), {"stopped": 1})
        self.assertEqual(self.list_behind("stopped"), self.sequence)

    def test_problems(self):
        self.start()
        self.sequence.sudo().last_error = "Too many mails bounced"
        self.assertEqual(self.needs(), {"problems": 1})
        self.assertEqual(self.list_behind("problems"), self.sequence)

    def test_empty(self):
        self.start()
        self.sequence.participant_ids.action_remove()
        self.assertEqual(self.needs(), {"empty": 1})
        self.assertEqual(self.list_behind("empty"), self.sequence)

    def test_coming(self):
        """The second mails, a week from now, come into sight a day later."""
        self.start()
        self.assertEqual(self.dashboard()["coming"]["total"], 0)
        self.clock += timedelta(days=1)
        coming = self.dashboard()["coming"]
        self.assertEqual(coming["total"], 2)
        self.assertEqual([day["count"] for day in coming["days"]], [0] * 6 + [2])
        self.assertEqual(len(self.list_behind("coming")), 2)
        # what is overdue is of today
        self.clock += timedelta(days=8)
        self.assertEqual(self.dashboard()["coming"]["days"][0]["count"], 2)
        self.assertEqual(len(self.list_behind("coming")), 2)
        self.sequence.action_stop()
        self.assertEqual(self.dashboard()["coming"]["total"], 0)

    def test_best(self):
        self.start()
        self.assertEqual(self.dashboard()["best"], [])
        self.earn()
        (step,) = self.dashboard()["best"]
        self.assertEqual((step["text"], step["detail"]), ("First", "1 in “Restock”"))
        for number in range(20):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.advance(hours=2)
        _step, subject = self.dashboard()["best"]
        self.assertEqual((subject["text"], subject["detail"]), ("First", "1 of 22 delivered"))

    def test_running(self):
        """As on the sequence's card."""
        self.start()
        self.earn()
        running = self.dashboard()["sequences"]
        self.assertEqual(running["total"], 1)
        (row,) = running["rows"]
        sequence = self.seen_by(self.marketer)
        self.assertEqual(row["running"], sequence.running_count)
        self.assertEqual(row["opened"], round(sequence.opened_ratio))
        self.assertEqual(row["clicked"], round(sequence.clicked_ratio))
        self.assertEqual(row["won_back"], sequence.lead_count)
        self.assertEqual((row["sent"], row["chart"][-1]), (2, 2))
        self.assertEqual(len(self.list_behind("sent", sequences=self.sequence)), 2)
