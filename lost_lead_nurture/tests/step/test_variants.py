"""A/B tests of steps: who gets which version, what came of it, and who gets the winner."""

from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.sequence import statistics as statistics_module
from ..common import BODY, DealMixin, DrawMixin, NurtureCase, NurtureHttpCase, SequenceMixin


class VersionsMixin(DrawMixin, SequenceMixin):
    """The first step has a version B."""

    def setUp(self):
        super().setUp()
        self.second_version = self.env["nurture.variant"].browse(self.first.action_add_variant())
        self.mail_b = self.second_version.mailing_id
        self.mail_b.subject = "Other"

    def drawn(self, step=None):
        """``{address: version}``"""
        return {trace.email: trace.variant for trace in self.traces(step)}

    def versions_on_card(self):
        (card, *_others) = self.sequence.with_user(self.marketer).workflow["steps"]
        return [version["letter"] for version in card["ab_test"]["versions"]]

    def react(self, traces):
        """These people click in what they got, and are believed."""
        mailing_traces = traces.mailing_trace_ids
        mailing_traces.set_sent()
        mailing_traces.set_opened()
        mailing_traces.set_clicked()


@tagged("post_install", "-at_install")
class TestVariants(VersionsMixin, NurtureCase):
    # ------------------------------------------------------------
    # WHO GETS WHICH
    # ------------------------------------------------------------

    def test_half_get_each(self):
        """Who is drawn for a version gets its mail and no other."""
        self.make_leads(60)
        self.start()
        entered = self.traces().sorted("id").participant_id.ids
        self.assertEqual(entered, sorted(entered), "they leave as they entered")
        drawn = self.drawn()
        self.assertEqual(set(drawn.values()), {"A", "B"})
        self.assertEqual(list(drawn.values()).count("B"), 30)
        for address, version in drawn.items():
            self.assertEqual(version, "B" if self.find_place(address) >= 0.5 else "A")
        for trace in self.traces():
            wanted = self.mail_b if trace.variant == "B" else self.first.mailing_id
            self.assertEqual(trace.mailing_trace_ids.mass_mailing_id, wanted)
        self.traces().mailing_trace_ids.set_sent()
        self.assertEqual(self.sequence.sent_count, 60, "all versions count")

    def test_the_same_address_the_same_version(self):
        """Nothing but the address decides, in each journey again; another step draws anew."""
        other = self.make_step(self.sequence, subject="Beside it")
        other.action_add_variant()
        leads = self.make_leads(40)
        self.start(reentry="days", reentry_days=1)
        drawn, beside = self.drawn(), self.drawn(other)
        self.assertNotEqual(drawn, beside)
        self.participant(leads[0]).action_remove()
        self.clock += timedelta(days=2)
        self.advance()
        again = self.traces().filtered(lambda trace: trace.email == leads[0].email_normalized)
        self.assertEqual(again.mapped("variant"), [drawn[leads[0].email_normalized]] * 2)

    def test_shares(self):
        """Shares that do not add up to 100 are taken in proportion; at 0 nobody gets it."""
        self.first.action_add_variant()
        self.assertEqual(self.first.ab_share, 33)
        self.first.ab_share = 0
        self.first.variant_ids[0].share = 90
        self.first.variant_ids[1].share = 30
        self.make_leads(60)
        self.start()
        versions = list(self.drawn().values())
        self.assertNotIn("A", versions)
        self.assertAlmostEqual(versions.count("B"), 45, delta=14)

    def test_without_versions_nothing_is_drawn(self):
        self.second_version.unlink()
        self.make_leads(2)
        self.start()
        self.assertEqual(set(self.drawn().values()), {False})
        self.assertFalse(self.first.ab_split)
        self.assertFalse(self.first.ab_result)

    def test_a_batch_costs_a_constant_number_of_queries(self):
        """Planning draws in the same query."""
        traces = self.env["nurture.trace"]
        self.make_leads(20)
        self.start()
        participants = self.sequence.participant_ids
        self.traces().unlink()
        self.env.flush_all()
        for part in (participants[:2], participants[2:]):
            with self.assertQueryCount(1):
                traces._begin(part.ids)
        self.assertEqual(len(self.traces().filtered("variant")), 20)

    def test_step_that_comes_later(self):
        """Who is planned a step, or waits for it, is drawn for it; also those who wait when the
        version is made, who are not compared with those who have had it."""
        late = self.make_step(self.sequence, "after", self.first, 7, subject="Late")
        self.make_leads(30)
        self.start()
        self.assertEqual(set(self.drawn(late).values()), {False})
        late.action_add_variant()
        self.assertEqual(set(self.drawn(late).values()), {"A", "B"})
        self.traces().mailing_trace_ids.set_sent()
        self.advance(days=8)
        self.assertEqual(
            {trace.variant for trace in self.traces(late) if trace.state == "processed"},
            {"A", "B"},
        )

    def test_other_language(self):
        """Leads who get it in their language are in no version: there is one in it."""
        self.env["res.lang"]._activate_lang("fr_FR")
        french = self.env["res.lang"]._get_data(code="fr_FR").id
        bonjour = self.make_mailing("De retour")
        self.first.translation_ids = [Command.create({"lang_id": french, "mailing_id": bonjour.id})]
        leads = self.make_leads(10)
        leads[:5].lang_id = french
        self.start()
        for lead in leads:
            trace = self.trace(lead, self.first)
            is_french = lead in leads[:5]
            self.assertEqual(not trace.variant, is_french)
            self.assertEqual(trace.mailing_trace_ids.mass_mailing_id == bonjour, is_french)

    def test_retried_in_its_version(self):
        """Who is tried again stays in its version, whatever was decided: the mail is there."""
        leads = self.make_leads(12)
        self.start()
        lead = next(one for one in leads if self.trace(one, self.first).variant == "A")
        mail = self.trace(lead, self.first).mailing_trace_ids
        mail.set_failed(failure_type="mail_smtp")
        self.first.action_choose_variant("B")
        self.trace(lead, self.first).action_retry()
        self.advance()
        self.assertEqual(self.trace(lead, self.first).variant, "A")
        self.assertEqual(
            self.trace(lead, self.first).mailing_trace_ids.mass_mailing_id, self.first.mailing_id
        )

    def test_failed_before_it_was_written(self):
        """Who has no mail yet gets the winner."""
        leads = self.make_leads(12)
        lead = leads[0]
        with self.breaking_mail_of(lead), mute_logger("odoo.addons.lost_lead_nurture"):
            self.start()
        trace = self.trace(lead, self.first)
        self.assertEqual(trace.state, "error")
        self.first.action_choose_variant("A" if trace.variant == "B" else "B")
        trace.action_retry()
        self.advance()
        self.assertEqual(trace.state, "processed")
        self.assertEqual(trace.variant, self.first.ab_winner)

    # ------------------------------------------------------------
    # WHAT CAME OF IT
    # ------------------------------------------------------------

    def versions(self, user=None):
        """What the card of the step shows of its versions."""
        self.env.flush_all()
        self.env.invalidate_all()
        sequence = self.sequence.with_user(user or self.marketer)
        (card,) = (one for one in sequence.workflow["steps"] if one["id"] == self.first.id)
        return {one["letter"]: one["counts"] for one in card["ab_test"]["versions"]}

    def test_statistics_of_each_version(self):
        """Each number opens what it counts; who has a message from before is not compared."""
        self.second_version.share = 0
        before = self.make_leads(3)
        self.start()
        self.traces().mailing_trace_ids.set_sent()
        self.clock += timedelta(hours=1)
        self.second_version.share = 50
        self.make_leads(20, first=1000)
        self.advance()
        mails = self.traces().mailing_trace_ids
        mails.set_sent()
        clicking = self.traces().filtered(lambda trace: trace.variant == "B")[:3]
        self.react(clicking)
        counts = self.versions()
        self.assertEqual(counts["A"]["sent"] + counts["B"]["sent"], 20)
        self.assertEqual((counts["A"]["clicked"], counts["B"]["clicked"]), (0, 3))
        self.assertEqual(len(self.traces().filtered("mailing_trace_ids")), 20 + len(before))
        step = self.first.with_user(self.marketer)
        for letter, statistics in counts.items():
            for name in ("sent", "opened", "clicked", "replied", "won_back"):
                action = step.action_view_variant(letter, name)
                found = self.env[action["res_model"]].with_user(self.marketer)
                self.assertEqual(
                    found.search_count(action["domain"]), statistics[name], (letter, name)
                )

    def test_own_leads(self):
        """Salespeople see what came of theirs."""
        leads = self.make_leads(10)
        leads[:4].user_id = self.colleague
        self.start()
        self.traces().mailing_trace_ids.set_sent()
        counts = self.versions(self.colleague)
        self.assertEqual(sum(version["sent"] for version in counts.values()), 4)
        self.assertNotIn("earned", counts["A"])

    def test_won_back(self):
        """Whoever was won back counts for the version they got."""
        leads = self.make_leads(10)
        self.start()
        trace = self.trace(leads[0], self.first)
        self.react(trace)
        leads[0].action_unarchive()
        counts = self.versions()
        self.assertEqual(counts[trace.variant]["won_back"], 1)
        self.assertEqual(sum(version["won_back"] for version in counts.values()), 1)
        action = self.first.action_view_variant(trace.variant, "won_back")
        found = self.env["nurture.participant"].search(action["domain"])
        self.assertEqual(found.lead_id, leads[0])

    def test_by_rpc(self):
        """Integrators read how it stands; amounts are for marketers."""
        self.compare()
        stands = self.first.with_user(self.marketer).get_ab_test()
        self.assertEqual(stands["criterion"], "clicked")
        self.assertEqual((stands["winner"], stands["missing"]), (False, 0))
        clicked = stands["versions"]["B"]
        self.assertEqual(clicked["clicked"], clicked["sent"])
        self.assertEqual(clicked["earned"], 0.0)
        self.assertNotIn(
            "earned", self.first.with_user(self.salesman).get_ab_test()["versions"]["B"]
        )

    # ------------------------------------------------------------
    # DECIDING
    # ------------------------------------------------------------

    def compare(self, number=120):
        """So many get a version, all those with B click, and nobody else does."""
        self.make_leads(number)
        self.start()
        self.traces().mailing_trace_ids.set_sent()
        self.react(self.traces().filtered(lambda trace: trace.variant == "B"))
        self.clock += timedelta(days=1)

    def test_winner(self):
        """Everybody who has not got it yet gets the version that did better, and so does whoever
        comes later; the responsible is notified once."""
        self.compare()
        self.first.delay = 3
        self.clock += timedelta(days=3)
        more = self.make_leads(10, first=5000)
        self.advance(hours=2)
        self.assertEqual(self.first.ab_winner, "B")
        self.assertEqual(self.first.ab_reason, "better")
        self.assertEqual(self.first.ab_end_date, self.clock)
        for lead in more:
            self.assertEqual(self.trace(lead, self.first).variant, "B")
        notes = self.sequence.message_ids.filtered(lambda one: "A/B test" in one.body)
        self.assertEqual(len(notes), 1)
        self.assertIn(self.marketer.partner_id, notes.notified_partner_ids)
        counts = self.versions()
        self.advance(days=4)
        self.assertEqual(
            {self.trace(lead, self.first).mailing_trace_ids.mass_mailing_id for lead in more},
            {self.mail_b},
        )
        self.assertEqual(self.versions(), counts, "those after the decision are not compared")

    def test_planned_traces_get_the_winner(self):
        """Who is planned for another version gets the winner, and it is kept why."""
        self.first.delay = 5
        self.make_leads(20)
        self.start()
        planned = self.traces()
        self.assertEqual(set(planned.mapped("variant")), {"A", "B"})
        others = planned.filtered(lambda trace: trace.variant == "A")
        self.first.action_choose_variant("B")
        self.assertEqual(set(planned.mapped("variant")), {"B"})
        self.assertEqual(others[0].decision_log[-1]["reason"], "ab_decided")
        self.assertIn("A/B test", others[0].decisions)

    def test_not_enough(self):
        """With few recipients nothing is decided, and it says so."""
        self.compare(6)
        self.advance(hours=2)
        self.assertFalse(self.first.ab_winner)
        self.assertIn("Not enough yet", self.first.ab_result)

    def test_no_difference_in_time(self):
        """Version A stays after the day, or the number of recipients, that was set."""
        self.start()
        for number, limit in enumerate(("ab_until_date", "ab_max_recipients")):
            with self.subTest(limit):
                self.first.write({"ab_until_date": False, "ab_max_recipients": 0})
                self.first.action_restart_ab_test()
                self.assertFalse(self.first.ab_winner)
                self.make_leads(8, first=1000 * number)
                self.advance(days=1)
                self.traces().mailing_trace_ids.set_sent()
                self.first[limit] = 8 if number else self.clock.date()
                self.advance(days=1)
                self.assertEqual(self.first.ab_winner, "A")
                self.assertEqual(self.first.ab_reason, "no_difference")

    def test_chosen_by_hand(self):
        """Whoever steers the sequence chooses, also another version than what has won; what is
        compared stays."""
        self.make_leads(4)
        self.start()
        step = self.first.with_user(self.marketer)
        step.action_choose_variant("B")
        decided = step.ab_end_date
        self.clock += timedelta(days=1)
        step.button_choose_first()
        self.assertEqual((step.ab_winner, step.ab_reason), ("A", "by_hand"))
        self.assertEqual(step.ab_end_date, decided)
        step.action_restart_ab_test()
        self.assertEqual((step.ab_winner, step.ab_end_date), (False, False))
        self.assertEqual(step.ab_start_date, self.clock)

    def test_versions_that_were_not_sent_as_they_should(self):
        """Where a version fails for some, nothing is said of it."""
        self.make_leads(40)
        self.start()
        sent = self.traces().filtered(lambda trace: trace.variant == "A")
        sent.mailing_trace_ids.set_sent()
        self.assertIn("Too early to say", self.first.ab_result)
        self.clock += timedelta(days=1)
        self.env.invalidate_all()
        self.assertIn("did not leave as often", self.first.ab_result)

    def test_batch_that_is_half_out(self):
        """One version leaves before the other: who has just got one of them does not count yet, and
        nothing is decided by those who had more time."""
        self.make_leads(120)
        self.start()
        traces = self.traces()
        clicking = traces.filtered(lambda trace: trace.variant == "A")
        self.react(clicking)
        (traces - clicking).mailing_trace_ids.set_sent()
        self.advance(hours=2)
        self.assertFalse(self.first.ab_winner)
        self.assertIn("Too early to say", self.first.ab_result)
        self.react(traces - clicking)
        self.advance(days=1)
        self.assertFalse(self.first.ab_winner)

    def test_version_that_comes_later(self):
        """Who came to the step so late that one version has left, and the other one has not, does
        not count yet."""
        self.second_version.write({"has_delay": True, "delay": 3})
        self.make_leads(120)
        self.start()
        traces = self.traces()
        self.react(traces.filtered(lambda trace: trace.variant == "A"))
        self.advance(days=2)
        self.assertFalse(self.first.ab_winner)
        self.assertIn("Too early to say", self.first.ab_result)
        self.advance(days=1)
        self.react(traces.filtered(lambda trace: trace.variant == "B"))
        self.advance(days=1)
        self.assertFalse(self.first.ab_winner)
        self.assertIn("no difference to be seen", self.first.ab_result)

    def test_version_that_waited(self):
        """One version left before the weekend, the other had to wait for its end: who has just got
        it does not count yet, and nobody thinks that it fails."""
        self.first.delay = 1
        self.make_leads(120)
        self.start()
        traces = self.traces()
        waiting = traces.filtered(lambda trace: trace.variant == "B")
        monday = self.clock + timedelta(days=4)
        waiting._defer(dict.fromkeys(waiting.ids, (monday, "sending_hours")))
        self.advance(days=1)
        self.react(traces - waiting)
        self.advance(days=2)
        self.assertIn("Not enough yet", self.first.ab_result)
        self.advance(days=1)
        waiting.mailing_trace_ids.set_sent()
        self.advance(hours=2)
        self.assertFalse(self.first.ab_winner)
        self.react(waiting)
        self.advance(days=1)
        self.assertFalse(self.first.ab_winner)
        self.assertIn("no difference to be seen", self.first.ab_result)

    def test_begun_anew_in_a_big_sequence(self):
        """What was counted before does not count."""
        self.compare(20)
        self.patch(statistics_module, "MANY_TRACES", 1)
        self.sequence.sudo()._keep_statistics()
        self.assertEqual(sum(one["sent"] for one in self.versions().values()), 20)
        self.clock += timedelta(minutes=1)
        self.first.action_restart_ab_test()
        self.assertFalse(any(one["sent"] for one in self.versions().values()))

    # ------------------------------------------------------------
    # WHAT STAYS RIGHT
    # ------------------------------------------------------------

    def test_version_added_to_a_big_sequence(self):
        """What is counted by the scheduled action does not know the new version yet: the card and
        the page count what they show now, and know both."""
        self.make_leads(4)
        self.sequence.action_start()
        self.advance()
        self.patch(statistics_module, "MANY_TRACES", 1)
        self.sequence.sudo()._keep_statistics()
        self.assertEqual(self.versions_on_card(), ["A", "B"])
        self.first.action_add_variant()
        self.env.invalidate_all()
        self.assertEqual(self.versions_on_card(), ["A", "B", "C"])
        self.assertIn("C", self.first.with_user(self.marketer).ab_result)

    def test_shares_of_several_steps(self):
        """Written in one go, as from a list or by RPC."""
        other = self.make_step(self.sequence, "after", self.first, 1, subject="Later")
        (self.first | other).with_user(self.marketer).ab_share = 30
        self.assertEqual((self.first | other).mapped("ab_share"), [30, 30])

    def test_copies(self):
        """A copy of a step, a sequence, a template has versions and mails of its own, and compares
        anew."""
        self.first.ab_share = 70
        self.first.action_choose_variant("B")
        template = self.sequence._save_as_template({"template_name": "Two versions"})
        for step in (
            self.sequence.copy().step_ids,
            template.with_context(active_test=False).step_ids,
            template._create_from_template({"name": "From it"}).step_ids,
            self.first.copy(),
        ):
            variant = step.variant_ids
            self.assertEqual((variant.letter, step.ab_share, variant.share), ("B", 70, 50))
            self.assertEqual(variant.mailing_id.subject, "Other")
            self.assertNotEqual(variant.mailing_id, self.mail_b)
            self.assertTrue(variant.mailing_id.nurture_only)
            self.assertFalse(step.ab_winner)
        self.assertFalse(template._get_mailings().filtered("active"))

    def test_mail_is_the_sequence_s(self):
        """The mail of a version is sent by the sequence only, and is free for no other step."""
        self.assertEqual(self.mail_b.nurture_sequence_id, self.sequence)
        self.assertFalse(self.mail_b.nurture_is_free)
        for method in ("action_launch", "action_put_in_queue", "action_nurture_release", "unlink"):
            with self.subTest(method), self.assertRaises(UserError):
                getattr(self.mail_b, method)()
        found = self.env["mailing.mailing"].search([("nurture_sequence_id", "=", self.sequence.id)])
        self.assertEqual(found, self.first.mailing_id | self.mail_b)

    def test_what_keeps_it_from_running(self):
        for body, words in (("", "is empty"), ("<p>Hello</p>", "Version B")):
            self.mail_b.body_html = body
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                self.sequence.action_start()
        self.assertTrue(self.first.lacks_opt_out)
        self.first.action_add_opt_out()
        self.assertFalse(self.first.lacks_opt_out)

    def test_link_of_a_version(self):
        """A step may wait for a click on a link that is in one version only."""
        self.mail_b.body_html = BODY.replace("/limited", "/other")
        self.make_step(
            self.sequence, "mail_click", self.first, link_url="https://shop.example.com/other"
        )
        self.start()
        self.assertEqual(self.sequence.state, "running")

    def test_preview(self):
        self.make_leads(1)
        self.assertEqual(self.first.get_preview()["subject"], "First")
        self.assertEqual(self.first.get_preview("B")["subject"], "Other")
        with self.assertRaises(UserError):
            self.first.get_preview("C")

    def test_timeline(self):
        """It says which version was sent."""
        (lead,) = self.make_leads(1)
        self.start()
        trace = self.trace(lead, self.first)
        trace.mailing_trace_ids.set_sent()
        entries = self.participant(lead).get_timeline()["entries"]
        self.assertTrue(
            any(
                f"version {trace.variant}" in reason for entry in entries for reason in entry["why"]
            )
        )

    # ------------------------------------------------------------
    # WHO MAY, AND BAD INPUT
    # ------------------------------------------------------------

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_who_may(self):
        stranger = self.make_marketer(self.env["res.company"].create({"name": "Elsewhere"}))
        for user in (self.salesman, stranger, self.employee):
            step, variant = self.first.with_user(user), self.second_version.with_user(user)
            for call in (
                lambda step=step: step.action_add_variant(),
                lambda step=step: step.action_choose_variant("B"),
                lambda step=step: step.action_restart_ab_test(),
                lambda variant=variant: variant.write({"share": 1}),
                lambda variant=variant: variant.unlink(),
                lambda variant=variant: variant.action_choose(),
                lambda variant=variant: variant.action_write_mail(),
            ):
                self.env.invalidate_all()
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    call()

    def test_nobody_writes_what_was_decided(self):
        step = self.first.with_user(self.marketer)
        for values in (
            {"ab_winner": "B"},
            {"ab_start_date": fields.Datetime.now()},
            {"ab_split": [{"letter": "B", "upto": 1}]},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                step.write(values)
        with self.assertRaises(AccessError):
            step.with_context(default_ab_winner="B").copy()

    @mute_logger("odoo.sql_db")
    def test_bad_versions(self):
        variants = self.env["nurture.variant"].with_user(self.marketer)
        for values in ({"share": -1}, {"share": 101}):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.second_version.write(values)
        for values in ({"ab_share": -1}, {"ab_share": 101}, {"ab_max_recipients": -1}):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.first.write(values)
        other = self.make_step(self.sequence, subject="Another")
        for values in ({"letter": "C"}, {"step_id": other.id}):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.second_version.write(values)
        for mailing in (other.mailing_id, self.first.mailing_id):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                variants.create({"step_id": self.first.id, "mailing_id": mailing.id})
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.second_version.copy()
        activity = self.make_step(
            self.sequence,
            step_type="activity",
            mailing_id=False,
            activity_type_id=self.env.ref("mail.mail_activity_data_todo").id,
        )
        with self.assertRaises(UserError):
            activity.action_add_variant()
        self.first.action_add_variant()
        self.first.action_add_variant()
        with self.assertRaisesRegex(UserError, "4 versions"), self.env.cr.savepoint():
            self.first.action_add_variant()
        for letter in ("E", "", None, 1):
            with self.assertRaises(UserError):
                self.first.action_choose_variant(letter)

    def test_version_that_somebody_has_got_stays(self):
        self.make_leads(12)
        self.start()
        with self.assertRaises(UserError):
            self.second_version.unlink()
        with self.assertRaises(UserError):
            self.second_version.mailing_id = self.make_mailing("Free")
        self.second_version.share = 0
        self.assertEqual(self.first.ab_split, [{"letter": "A", "upto": 1.0}])


@tagged("post_install", "-at_install")
class TestRevenue(DealMixin, VersionsMixin, NurtureCase):
    """Versions compared by what recipients paid."""

    def setUp(self):
        super().setUp()
        self.first.ab_criterion = "revenue"
        self.make_leads(40)
        self.start()
        self.traces().mailing_trace_ids.set_sent()
        self.clock += timedelta(days=1)

    def buy(self, traces, price=250.0):
        for trace in traces:
            self.react(trace)
            order = self.order(trace.lead_id)
            order.order_line.price_unit = price
            self.pay(self.invoice(order))
        self.env["nurture.outcome"]._catch_up()

    def of(self, letter):
        return self.traces().filtered(lambda trace: trace.variant == letter)

    def test_what_was_paid_and_refunded(self):
        """Revenue is what was paid less what was refunded; the payment was a payment all the same.
        Nobody but marketers reads amounts."""
        buyers = self.of("B")[:2]
        self.buy(buyers)
        self.assertEqual(self.first.get_ab_test()["versions"]["B"]["earned"], 500.0)
        payments = self.first._get_payments(["A", "B"])
        self.assertEqual(payments, [(1, 250.0)] * 2)
        invoice = self.env["account.move"].search(
            [("partner_id.email", "=", buyers[0].email), ("move_type", "=", "out_invoice")]
        )
        refund = invoice._reverse_moves()
        refund.action_post()
        self.pay(refund)
        self.assertEqual(self.first.get_ab_test()["versions"]["B"]["earned"], 250.0)
        self.assertEqual(len(self.first._get_payments(["A", "B"])), 2)
        self.assertIn("12.50", self.first.with_user(self.marketer).ab_result, "of 20 recipients")
        self.assertNotIn("12.50", self.first.with_user(self.salesman).ab_result)

    def test_winner_by_revenue(self):
        """Who got B buys, and for more: that decides, when enough have."""
        self.buy(self.of("A")[:2], price=20.0)
        self.buy(self.of("B")[:4], price=200.0)
        self.advance(hours=2)
        self.assertFalse(self.first.ab_winner)
        self.buy(self.of("B")[4:], price=200.0)
        self.advance(hours=2)
        self.assertEqual(self.first.ab_winner, "B")


@tagged("post_install", "-at_install")
class TestVersionDelays(VersionsMixin, NurtureCase):
    """The step comes after a day, its version B after three."""

    def setUp(self):
        super().setUp()
        self.first.delay = 1
        self.second_version.write({"has_delay": True, "delay": 3})

    def days_until(self, step=None):
        """``{version: days from now until it is due}``"""
        return {
            trace.variant: (trace.schedule_date - self.clock).days
            for trace in self.traces(step)
            if trace.state == "scheduled"
        }

    def test_due(self):
        """Each version is due after its delay, as was forecast, and all places say so."""
        leads = self.make_leads(20)
        sends = self.sequence._get_sends(leads.ids)
        forecast = {
            (moment - self.clock).days: number
            for (moment, step_id), number in sends.items()
            if step_id == self.first.id
        }
        self.assertEqual(forecast, {1: 10, 3: 10})
        self.start()
        self.assertEqual(self.days_until(), {"A": 1, "B": 3})
        (card, *_others) = self.sequence.with_user(self.marketer).workflow["steps"]
        waits = [version["wait"] for version in card["ab_test"]["versions"]]
        self.assertEqual(waits, ["", "after 3 days"])
        self.assertEqual(self.first.get_ab_test()["delays"], {"A": [1, "days"], "B": [3, "days"]})
        self.advance(days=1)
        self.assertEqual(self.days_until(), {"B": 2})
        self.advance(days=2)
        self.assertFalse(self.days_until())
        for trace in self.traces():
            (entry,) = (
                one
                for one in trace.participant_id.get_timeline()["entries"]
                if one["kind"] == "mail" or (one.get("trace") == trace.id and one["why"])
            )
            days = "3 days" if trace.variant == "B" else "1 day"
            self.assertTrue(any(days in reason for reason in entry["why"]), entry["why"])

    def test_after_an_event(self):
        """What waits for an event is due after the delay of the version, counted from the event."""
        second = self.make_step(self.sequence, "mail_click", self.first, 2)
        variant = self.env["nurture.variant"].browse(second.action_add_variant())
        variant.write({"has_delay": True, "delay": 5, "delay_unit": "hours"})
        self.make_leads(20)
        self.start()
        self.advance(days=3)
        self.react(self.traces())
        due = {trace.variant: trace.schedule_date - self.clock for trace in self.traces(second)}
        self.assertEqual(due, {"A": timedelta(days=2), "B": timedelta(hours=5)})

    def test_winner_has_its_delay(self):
        """Who gets another version since one was chosen gets it after its delay, also where the
        other one would be due."""
        self.make_leads(20)
        self.start()
        self.first.action_choose_variant("B")
        self.assertEqual(self.days_until(), {"B": 3})
        self.first.action_choose_variant("A")
        self.assertEqual(self.days_until(), {"A": 1})
        # as if it had been decided between two moments
        self.first.sudo().ab_winner = "B"
        self.advance(days=1)
        self.assertEqual(self.days_until(), {"B": 2})
        self.assertEqual(set(self.traces().mapped("state")), {"scheduled"})

    def test_winner_after_a_pause(self):
        """What was planned has moved by the pause: the winner comes after its delay, too."""
        self.make_leads(20)
        self.start()
        self.sequence.action_stop()
        self.clock += timedelta(days=10)
        self.sequence.action_start("shift")
        self.assertEqual(self.days_until(), {"A": 1, "B": 3})
        self.first.action_choose_variant("B")
        self.assertEqual(self.days_until(), {"B": 3})

    def test_update(self):
        """Another delay of a version begins the comparison anew, and moves who is there when the
        sequence is updated."""
        self.make_leads(20)
        self.start()
        self.clock += timedelta(hours=1)
        self.second_version.delay = 6
        self.assertEqual(self.first.ab_start_date, self.clock)
        self.assertTrue(self.sequence.is_edited)
        self.sequence._apply_changes()
        self.clock -= timedelta(hours=1)
        self.assertEqual(self.days_until(), {"A": 1, "B": 6})

    def test_months_of_the_calendar(self):
        """A delay of months is one of the calendar, in a version as in a step."""
        self.second_version.write({"delay": 1, "delay_unit": "months"})
        self.make_leads(4)
        self.start()
        due = {trace.variant: trace.schedule_date for trace in self.traces()}
        self.assertEqual(due["B"].date(), fields.Date.to_date("2026-04-02"))

    def test_wrong_delay(self):
        for delay in (-1, 3651):
            with self.subTest(delay), self.assertRaises(ValidationError):
                self.second_version.delay = delay
        # core says which field is missing
        for record, unit in (
            (self.second_version, "delay_unit"),
            (self.first, "delay_unit"),
            (self.first, "expiry_unit"),
            (self.first, "retry_unit"),
        ):
            with (
                self.subTest(unit, record=record),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
            ):
                record.write({unit: False})
                self.env.flush_all()
        self.assertEqual(self.sequence.copy().step_ids.variant_ids.mapped("delay"), [3])


@tagged("post_install", "-at_install")
class TestVariantsLeave(VersionsMixin, NurtureHttpCase):
    """Real mails of both versions leave, are clicked, the verdict falls, the rest gets the
    winner."""

    def test_from_the_first_mail_to_the_winner(self):
        leads = self.make_leads(48)
        self.start()
        self.assertEqual(len(self.catcher.messages), 48)
        for lead in leads:
            (message,) = self.mails_to(lead.email_normalized)
            version = self.trace(lead, self.first).variant
            self.assertEqual(message["Subject"], "Other" if version == "B" else "First")
        for message in list(self.catcher.messages):
            if message["Subject"] == "Other":
                self.click(message)
        self.advance(days=1)
        self.assertEqual(self.first.ab_winner, "B")
        self.catcher.clear()
        self.make_leads(6, first=5000)
        self.advance(hours=2)
        self.assertEqual({one["Subject"] for one in self.catcher.messages}, {"Other"})
        self.assertEqual(len(self.catcher.messages), 6)
