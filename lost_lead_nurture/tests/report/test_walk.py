"""Every number on every screen opens a list with just as many in it, whoever looks: a marketer, a
salesperson with own documents, an administrator of two companies. Who may not open a document reads
how many of them are his."""

from datetime import timedelta
from itertools import product

from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ...models.mail.mailing_trace_statistics import STATISTICS
from ...models.sequence.statistics import MAIL_DATES
from ...models.step.ab_statistics import SHOWN
from ..ledger import LedgerCase
from ..walk import WalkMixin

#: Who may do all there is to do.
EVERYTHING = (
    "base.group_system,lost_lead_nurture.group_user,sales_team.group_sale_manager,"
    "account.group_account_manager,mass_mailing.group_mass_mailing_user"
)
STATES = ("waiting", "scheduled", "processed", "rejected", "error")
#: Numbers on forms that open nothing, and why.
ALONE = {
    **dict.fromkeys(
        (
            *("message_cost", "total_cost", "budget_used"),
            *("cost_per_deal", "deals_per_cost", "roi"),
        ),
        "reckoned from prices that people type and from numbers beside it that have a list",
    ),
    "step_count": "the workflow shows them",
    "expected_revenue": "of the one lead that the form is about",
    "lead_count": "of the leads that somebody has just chosen in the list behind the dialog",
    "ab_testing_pc": "typed on the mailing",
}


@tagged("post_install", "-at_install")
class TestWalk(WalkMixin, LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls.env["res.company"].create(
            {"name": "Elsewhere", "currency_id": cls.foreign.id, "nurture_cap_number": 0}
        )
        cls.administrator = new_test_user(
            cls.env,
            "nurture_administrator",
            EVERYTHING,
            company_id=cls.company.id,
            company_ids=(cls.company | cls.elsewhere).ids,
        )
        for user in (cls.salesman, cls.marketer, cls.administrator):
            user.tz = "UTC"
        cls.product.write({"standard_price": 60.0, "list_price": 120.0})

    def setUp(self):
        super().setUp()
        self.make_people()
        self.start_sequences()
        self.have_them_react()
        self.have_them_buy()
        self.clock += timedelta(days=7)
        self.run_cron()
        self.leave(self.second.mailing_id)
        self.change_what_is_there()
        self.env["nurture.outcome"]._catch_up()
        self.env.flush_all()

    # ------------------------------------------------------------
    # WHAT HAPPENED
    # ------------------------------------------------------------

    def make_people(self):
        """Lost leads of the salesperson, of a colleague, of nobody and of another company."""

        def lead(name, **values):
            return self.make_lead(f"{name}@recipient.example.com", **values)

        self.own = [lead(f"own{number}") for number in range(7)]
        self.others = [lead(f"other{number}", user_id=self.colleague.id) for number in range(5)]
        self.nobodys = lead("nobody", user_id=False)
        self.moving = lead("moving", user_id=False, team_id=False)
        self.deleted = lead("deleted")
        self.abroad = lead(
            "abroad", company_id=self.elsewhere.id, user_id=self.administrator.id, team_id=False
        )
        self.held_out = [lead("dear", reason=self.reason_price), lead("dearer")]
        self.held_out[1].lost_reason_id = self.reason_price

    def start_sequences(self):
        """One of ours, whose first mail has two versions, one of both companies, one that is
        stopped, one that nobody is in and one that is not started."""
        self.preset = self.env["nurture.preset"].create(
            {"name": "Stock (test)", "lost_reason_ids": self.reason_stock.ids}
        )
        self.sequence = self.make_sequence(name="Ours", preset_id=self.preset.id, mail_cost=0.5)
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.make_step(self.sequence, "mail_reply", self.first, 10, subject="Thanks")
        self.make_step(self.sequence, "mail_click", self.first, 30, subject="More")
        self.make_step(self.sequence, "after", self.second, 90, subject="Last")
        self.first.action_add_variant()
        self.everywhere = self.make_sequence(
            name="Everywhere", company_id=False, user_id=self.administrator.id
        )
        self.hello = self.make_step(self.everywhere, subject="Hello")
        nobody = repr([("id", "=", 0)])
        self.make_step(self.everywhere, "after", self.hello, 3, filter_domain=nobody)
        self.stopped = self.make_sequence(name="Stopped")
        self.make_step(self.stopped, delay=1, subject="Never")
        self.empty = self.make_sequence(name="Empty", domain=nobody)
        self.make_step(self.empty, subject="To nobody")
        self.draft = self.make_sequence(
            name="Draft",
            exclude_customers=True,
            exclude_other_sequences=True,
            holdout_percent=50,
        )
        self.make_step(self.draft, subject="Soon")
        with (
            self.breaking_mail_of(self.own[6]),
            mute_logger("odoo.addons.lost_lead_nurture.models.trace.engine"),
        ):
            for sequence in (self.sequence, self.everywhere, self.stopped, self.empty):
                sequence.action_start()
            self.run_cron()
        self.stopped.action_stop()
        mailings = (self.first | self.hello)._get_mailings()
        for mailing in mailings:
            self.leave(mailing)
        # what has left is not in the queue any more
        self.env["mail.mail"].search([("mailing_id", "in", mailings.ids)]).state = "sent"
        self.hold_out()

    def hold_out(self):
        """Two of those who entered get no mail."""
        participants = self.env["nurture.participant"]
        self.sequence.participant_ids.holdout_percent = 20
        for lead in self.held_out:
            participants.create(
                {
                    "sequence_id": self.sequence.id,
                    "company_id": self.company.id,
                    "lead_id": lead.id,
                    "user_id": lead.user_id.id,
                    "dedup_key": lead.email_normalized,
                    "state": "holdout",
                    "entered_date": self.clock,
                    "holdout_percent": 20,
                    "lost_reason_id": self.reason_price.id,
                }
            )

    def message(self, lead, step):
        return self.trace(lead, step).mailing_trace_ids

    def do(self, what, messages):
        """Whoever clicks or replies has opened the mail."""
        if what in ("clicked", "replied"):
            messages.set_opened()
        getattr(messages, f"set_{what}")()

    def have_them_react(self):
        """Clicks, replies, opens, a bounce, and somebody who has had enough."""
        reactions = ("clicked", "clicked", "replied", "opened", "bounced", None)
        for leads in (self.own, self.others):
            self.clock += timedelta(hours=5)
            for lead, what in zip(leads, reactions, strict=False):
                if what:
                    self.do(what, self.message(lead, self.first))
        for lead, step in (
            (self.nobodys, self.first),
            (self.moving, self.first),
            (self.deleted, self.first),
            (self.abroad, self.hello),
        ):
            self.do("clicked", self.message(lead, step))
        self.do("replied", self.message(self.own[3], self.hello))
        self.react(self.own[4], self.mailing_to_all, "clicked")
        had_enough = self.message(self.own[5], self.first)
        had_enough.nurture_unsubscribe_date = self.clock
        had_enough.nurture_complaint_date = self.clock
        self.env["link.tracker.click"].create(
            {
                "link_id": self.env["link.tracker"]
                .search([("mass_mailing_id", "=", self.first.mailing_id.id)], limit=1)
                .id,
                "mailing_trace_id": self.message(self.own[0], self.first).id,
            }
        )

    def have_them_buy(self):
        """Own leads and others' are won back and buy, and some want their money back."""
        self.clock += timedelta(hours=5)
        for lead in (self.own[0], self.others[0], self.moving, self.deleted, self.nobodys):
            lead.action_restore()
        own = self.sell(self.own[0], 100.0, user_id=self.salesman.id)
        others = self.sell(self.others[0], 80.0, user_id=self.colleague.id)
        handed = self.sell(self.own[1], 70.0, user_id=self.colleague.id)
        nobodys = self.sell(self.nobodys, 90.0, user_id=False)
        by_mailing = self.sell(self.own[4], 60.0, user_id=self.salesman.id)
        by_chance = self.sell(self.held_out[0], 50.0)
        self.buyer = own.partner_id
        for order in (own, others, handed, nobodys, by_mailing, by_chance):
            invoice = self.bill(order)
            self.pay(invoice)
            if order in (own, others):
                self.pay(self.refund(invoice, 30.0))
        self.sell(self.others[1], 40.0, user_id=self.colleague.id)
        # core's numbers of a mailing are by its UTM source
        of_source = {"source_id": self.mailing.source_id.id}
        lead = self.make_lead("source@recipient.example.com", lost=False, **of_source)
        self.bill(self.sell(lead, 30.0, **of_source))
        far = self.env["sale.order"].with_company(self.elsewhere)
        far.create(
            {
                "partner_id": nobodys.partner_id.id,
                "opportunity_id": self.abroad.id,
                "date_order": self.clock,
                "order_line": [Command.create({"name": "Desk", "price_unit": 10.0})],
            }
        )

    def change_what_is_there(self):
        """A lead goes to another company, one is deleted, one is lost again, one changes hands."""
        self.moving.write({"company_id": self.elsewhere.id})
        self.deleted.unlink()
        self.own[1].action_set_lost(lost_reason_id=self.reason_price.id)
        self.others[1].user_id = self.salesman
        for number, user in enumerate((self.salesman, self.colleague) * 4):
            self.make_lead(f"new{number}@recipient.example.com", user_id=user.id)
        self.make_lead("won@recipient.example.com", lost=False).action_set_won()
        self.make_lead("dearest@recipient.example.com", reason=self.reason_price)

    @property
    def mailing_to_all(self):
        if not hasattr(self, "_mailing_to_all"):
            self._mailing_to_all = self.send("To all", self.own[4] | self.others[2])
        return self._mailing_to_all

    # ------------------------------------------------------------
    # THE WALK
    # ------------------------------------------------------------

    def test_every_number(self):
        for user in (self.marketer, self.salesman, self.administrator):
            self.user = user
            self.walk_all()
        shown = {(model, number) for model, _view, number, _what in self.seen}
        for model, number in sorted(self.alone - shown):
            with self.subTest("opens nothing", model=model, number=number):
                self.assertIn(number, ALONE)
        # whether anybody of so few is held out is chance
        empty = {what for what in self.pressed - self.seen if "held_out" not in what[2]}
        self.assertFalse(empty, "there was nothing to count")

    def walk_all(self):
        self.walk_forms()
        self.walk_workflow()
        if self.user.has_group("lost_lead_nurture.group_user"):
            self.walk_dashboard()
            self.walk_pages()
            self.walk_comparison()
            self.walk_dialogs()
        self.walk_audience()
        self.walk_locked_value()
        self.walk_calendar()

    def walk_forms(self):
        """Forms of ours and of core, and the cards of sequences."""
        for sequence in (self.sequence, self.everywhere, self.stopped, self.empty, self.draft):
            self.walk(sequence)
            self.walk(sequence, "kanban")
        for record in (
            *(self.first, self.second, self.hello),
            *(self.mailing, self.mailing_to_all, self.first.mailing_id, self.second.mailing_id),
            *(self.first.variant_ids.mailing_id, self.preset, self.reason_stock),
            *(self.reason_price, *self.own, *self.others, self.nobodys, self.abroad),
            *(self.moving, self.buyer, self.participant(self.own[0])[:1]),
        ):
            self.walk(record)

    def check(self, number, action, what, **options):
        with self.subTest(user=self.user.login, what=what, number=number):
            self.check_opened(action, number, **options)
            self.note_seen(number, what[0], "", what[-1], "")

    def walk_workflow(self):
        """The cards of steps, their versions, and why leads left."""
        for sequence in (self.sequence, self.everywhere):
            sequence = sequence.with_user(self.user)
            workflow = sequence.workflow
            for card in workflow["steps"]:
                step = sequence.step_ids.browse(card["id"])
                for state in STATES:
                    action = step.action_view_statistic(state)
                    self.check(card["counts"].get(state, 0), action, ("card", step.name, state))
                if card["mails"] and workflow["mails_readable"]:
                    for name in STATISTICS:
                        action = step.action_view_statistic(name)
                        self.check(card["mails"][name], action, ("card", step.name, name))
                for version in (card["ab_test"] or {}).get("versions", ()):
                    for name in SHOWN:
                        if not workflow["mails_readable"] and name != "won_back":
                            continue
                        action = step.action_view_variant(version["letter"], name)
                        what = ("version", version["letter"], name)
                        self.check(version["counts"][name], action, what)
            for left in workflow["exits"]:
                action = sequence.action_view_exits(left["reason"])
                self.check(left["count"], action, ("exit", left["reason"]))

    def walk_dashboard(self):
        """The week, what needs a person, and what comes."""
        sequences = self.env["nurture.sequence"].with_user(self.user)
        dashboard = sequences.get_dashboard()
        for line in dashboard["week"]:
            for week in ("this", "last"):
                action = sequences.action_view_dashboard(line["name"], week)
                if line["name"] == "invoices":
                    number = float("".join(c for c in line[week] if c in "0123456789.-"))
                    self.check(number, action, ("week", week, line["name"]), is_amount=True)
                else:
                    self.check(int(line[week]), action, ("week", week, line["name"]))
        for need in dashboard["needs"]:
            action = sequences.action_view_dashboard(need["name"])
            self.check(need["count"], action, ("need", need["name"]))
        action = sequences.action_view_dashboard("coming")
        self.check(dashboard["coming"]["total"], action, ("dashboard", "coming"))
        self.assertEqual({*MAIL_DATES} - {line["name"] for line in dashboard["week"]}, set())

    def walk_pages(self):
        """The funnel, the hours and the months lost: each number has its records."""
        report = self.env["nurture.report"].with_user(self.user)
        for sequence in (self.sequence, self.everywhere, None):
            of = sequence and sequence.id
            for stage in report.get_funnel(of)["stages"]:
                found = report.search_count(stage["domain"])
                with self.subTest(user=self.user.login, funnel=stage["name"]):
                    self.assertEqual(found, stage["count"])
            for row in report.get_hours(of)["rows"]:
                for cell, name in product(row["cells"], ("opened", "clicked")):
                    with self.subTest(user=self.user.login, hours=row["label"], of=name):
                        self.assertEqual(report.search_count(cell["domains"][name]), cell[name])
            for row in report.get_cohorts(of)["rows"]:
                for cell in (row, *row["cells"]):
                    with self.subTest(user=self.user.login, months=row["label"]):
                        self.assertEqual(report.search_count(cell["domain"]), cell["count"])

    def walk_comparison(self):
        for by in ("all", "sequence", "reason", "global"):
            comparison = self.env["nurture.comparison"].with_user(self.user).create({"by": by})
            for line in comparison.line_ids:
                for name in ("written_to", "held_out"):
                    for number in (name, f"{name}_reached"):
                        pressed = line.with_context(nurture_statistic=number)
                        action = pressed.action_view_participants()
                        self.check(line[number], action, ("comparison", by, line.name, number))

    def walk_audience(self):
        """Whom sequences are for, would take, and would not."""
        for sequence in (self.draft, self.sequence, self.everywhere):
            sequence = sequence.with_user(self.user)
            audience = sequence.get_audience()
            numbers = {name: audience[name] for name in ("matching", "entering", "held_out")}
            numbers |= {line["reason"]: line["count"] for line in audience["excluded"]}
            numbers["excluded"] = sum(
                line["count"] for line in audience["excluded"] if line["reason"] != "inside"
            )
            for what, number in numbers.items():
                self.check(number, sequence.action_view_audience(what), ("audience", what))

    def walk_locked_value(self):
        """What is lost for each reason and product, what nobody is about, what was unlocked."""
        for line in self.env["nurture.locked"].with_user(self.user).search([]):
            for name, action in (
                ("lead_count", line.action_view_leads()),
                ("unaddressed_count", line.action_view_unaddressed()),
                ("unlocked_count", line.action_view_unlocked()),
            ):
                self.check(line[name], action, ("locked", line.lost_reason_id.name, name))

    def walk_calendar(self):
        """What was done and what is to come."""
        coming = self.env["nurture.coming"].with_user(self.user)
        for day in coming.search([]):
            self.check(day.lead_count, day.action_view_traces(), ("calendar", day.display_name))

    def ask_before_sending(self):
        """The question before a mailing goes to open and won leads, too."""
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "To all of them",
                "body_html": "<p>Hello</p>",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "mailing_domain": repr([("active", "in", (True, False))]),
            }
        )
        asking = mailing.with_user(self.user).with_context(nurture_ask=True)
        return (
            self.env["nurture.reach"].with_user(self.user).browse(asking.action_launch()["res_id"])
        )

    def walk_dialogs(self):
        """What is asked and said before something is done."""
        env = self.env(user=self.user)
        action = self.draft.with_user(self.user).action_dry_run()
        dry_run = env["nurture.dry.run"].browse(action["res_id"])
        for record in (
            dry_run,
            env["nurture.start"].create({"sequence_id": self.draft.id}),
            env["nurture.update"].create({"sequence_id": self.sequence.id}),
            env["nurture.resume"].create({"sequence_id": self.stopped.id}),
            env["nurture.enrol"].create(
                {"sequence_id": self.sequence.id, "lead_ids": [Command.set(self.own[0].ids)]}
            ),
            env["nurture.sequence.new"].create(
                {
                    "template_id": self.env.ref("lost_lead_nurture.template_restock").id,
                    "lost_reason_ids": [Command.set(self.reason_stock.ids)],
                }
            ),
            self.ask_before_sending(),
        ):
            self.walk(record)
        for line in dry_run.line_ids:
            self.check(line.lead_count, line.action_view_leads(), ("dry run", line.reason))
        sends = self.list_of(dry_run.action_view_sends(), self.user)
        self.assertEqual(sum(sends.mapped("message_count")), dry_run.message_count)
        self.note_seen(dry_run.message_count, dry_run._name, "form", "message_count", "sends")
