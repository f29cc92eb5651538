"""Locked value: what lost leads are worth, to the cent. What is expected is worked out by hand,
from the prices below."""

from ast import literal_eval

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import BOB
from ..ledger import CARL, LedgerCase


@tagged("post_install", "-at_install")
class TestLocked(LedgerCase):
    def setUp(self):
        super().setUp()
        self.desk = self.product
        self.chair = self.desk.create({"name": "Chair", "type": "service", "taxes_id": False})

    def lines(self, user=None, companies=None):
        """{(reason, product): line} of our reasons."""
        self.env.flush_all()
        self.env.invalidate_all()
        lines = self.env["nurture.locked"].with_user(user or self.env.user)
        lines = lines.with_context(allowed_company_ids=(companies or self.company).ids)
        reasons = self.reason_stock | self.reason_price
        found = lines.search([("lost_reason_id", "in", reasons.ids)])
        return {(line.lost_reason_id, line.product_id): line for line in found}

    def values(self, name="value", user=None):
        return {
            (reason.name, product.name or ""): line[name]
            for (reason, product), line in self.lines(user).items()
            if line[name]
        }

    def quote(self, lead, price, product=None, **values):
        order = self.sell(lead, price, **values)
        if product:
            order.order_line.write({"product_id": product.id, "price_unit": price})
        return order

    def test_by_reason_and_product(self):
        """Ann: two quotations of the desk, 500.00 and a later one of 400.00, and one of the chair;
        Bob: nothing but an expectation of 100.00."""
        self.quote(self.ann, 500.0)
        self.quote(self.ann, 400.0)
        self.quote(self.ann, 80.0, self.chair)
        stock, item = self.reason_stock.name, self.desk.name
        self.assertEqual(
            self.values(), {(stock, item): 400.0, (stock, "Chair"): 80.0, (stock, ""): 100.0}
        )
        self.assertEqual(
            self.values("lead_count"), {(stock, item): 1, (stock, "Chair"): 1, (stock, ""): 1}
        )

    def test_a_customer_counts_once(self):
        """Bob was lost twice more, the last time for another reason: he wants one thing, and it is
        where it was lost last. The list has all three leads."""
        self.make_lead(BOB, expected_revenue=70.0)
        self.clock = self.clock.replace(day=20)
        last = self.make_lead(BOB, reason=self.reason_price, expected_revenue=30.0)
        last.date_closed = self.clock
        stock, price = self.reason_stock.name, self.reason_price.name
        self.assertEqual(self.values(), {(stock, ""): 100.0, (price, ""): 30.0})
        self.assertEqual(self.values("lead_count"), {(stock, ""): 3, (price, ""): 1})
        self.assertEqual(self.values("customer_count"), {(stock, ""): 1, (price, ""): 1})

    def test_customers_of_one_company(self):
        """Colleagues want the same desk for their company."""
        company = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        colleagues = [
            company.create({"name": name, "parent_id": company.id}) for name in ("One", "Two")
        ]
        self.leads.action_set_won()
        for partner in colleagues:
            lead = self.make_lead(f"{partner.name}@firm.example.com", partner_id=partner.id)
            self.quote(lead, 200.0)
        self.assertEqual(self.values(), {(self.reason_stock.name, self.desk.name): 200.0})

    def test_currencies(self):
        """300.00 XLN at 2 for 1 are 150.00."""
        self.quote(self.ann, 300.0, currency=self.foreign)
        self.bob.action_set_won()
        self.assertEqual(self.values(), {(self.reason_stock.name, self.desk.name): 150.0})

    def test_ordered(self):
        """What was ordered is not lost, nor is what a restored lead wants."""
        self.quote(self.ann, 500.0).action_confirm()
        # core has taken over what was ordered
        self.ann.expected_revenue = 100.0
        self.assertEqual(self.values(), {(self.reason_stock.name, ""): 200.0})
        self.ann.action_restore()
        self.assertEqual(self.values(), {(self.reason_stock.name, ""): 100.0})

    def test_unlocked(self):
        """What sequences are credited for, by what was ordered; a plain mailing unlocks nothing."""
        self.react(self.bob, self.mailing)
        self.bob.action_restore()
        self.quote(self.bob, 999.0).action_confirm()
        sequence = self.start_sequence("Restock")
        self.react(self.ann, sequence.step_ids[:1].mailing_id)
        self.ann.action_restore()
        order = self.quote(self.ann, 400.0)
        chair = {"product_id": self.chair.id, "price_unit": 50.0}
        order.order_line = [Command.create(chair)]
        order.action_confirm()
        self.env["nurture.outcome"]._catch_up()
        stock = self.reason_stock.name
        unlocked = {(stock, self.desk.name): 400.0, (stock, "Chair"): 50.0}
        self.assertEqual(self.values("unlocked_value"), unlocked)
        self.assertEqual(self.values("unlocked_value", self.marketer), unlocked)
        line = self.lines()[self.reason_stock, self.chair]
        action = line.action_view_unlocked()
        self.assertEqual(self.env["sale.order"].search(action["domain"]), order)
        with self.assertRaises(AccessError):
            self.lines(self.salesman)[self.reason_stock, self.chair].read(["unlocked_value"])

    def test_not_addressed(self):
        """A running sequence is about those it chooses, and about who is in it."""
        carl = self.make_lead(CARL, reason=self.reason_price, expected_revenue=25.0)
        stock, price = self.reason_stock.name, self.reason_price.name
        everything = {(stock, ""): 200.0, (price, ""): 25.0}
        self.assertEqual(self.values("unaddressed_value"), everything)
        sequence = self.start_sequence("Restock")
        self.assertEqual(self.values("unaddressed_value"), {(price, ""): 25.0})
        by_hand = self.start_sequence("By hand", entry="manual", domain="[]")
        self.assertEqual(self.values("unaddressed_value"), {(price, ""): 25.0})
        by_hand.enrol(carl.ids)
        self.assertEqual(self.values("unaddressed_value"), {})
        (sequence | by_hand).action_stop()
        self.assertEqual(self.values("unaddressed_value"), everything)

    def test_addressed_by_a_sequence_that_one_may_not_see(self):
        """Whether a sequence is about a lead is the same for whoever looks."""
        sequence = self.start_sequence("Restock", domain=repr([("id", "=", self.bob.id)]))
        stock = self.reason_stock.name
        self.env["ir.rule"].create(
            {
                "name": "Nobody sees it",
                "model_id": self.env["ir.model"]._get_id("nurture.sequence"),
                "domain_force": repr([("id", "!=", sequence.id)]),
            }
        )
        for user in (self.marketer, self.salesman):
            self.assertFalse(sequence.with_user(user).search([("id", "=", sequence.id)]))
            self.assertEqual(self.values("unaddressed_value", user), {(stock, ""): 100.0})
            (line,) = self.lines(user).values()
            action = line.action_view_unaddressed()
            leads = self.env["crm.lead"].with_user(user).with_context(active_test=False)
            self.assertEqual(leads.search(action["domain"]), self.ann)

    def test_lists(self):
        """Each number opens its leads, archived as they are."""
        self.quote(self.ann, 500.0)
        self.make_lead(BOB)
        self.start_sequence("Restock", domain=repr([("id", "=", self.bob.id)]))
        for user in (self.marketer, self.salesman):
            for line in self.lines(user).values():
                for method, name in (
                    ("action_view_leads", "lead_count"),
                    ("action_view_unaddressed", "unaddressed_count"),
                ):
                    action = getattr(line, method)()
                    leads = self.env["crm.lead"].with_user(user).with_context(active_test=False)
                    self.assertEqual(leads.search_count(action["domain"]), line[name])
        leads = self.env["crm.lead"].with_context(active_test=False)
        self.assertFalse(leads.search([("nurture_locked_id", "=", False)]))

    def test_who_sees_what(self):
        """Salespeople see what is lost of their own; who sees no leads sees nothing."""
        self.bob.user_id = self.colleague
        self.quote(self.ann, 500.0).user_id = self.colleague
        stock = self.reason_stock.name
        self.assertEqual(self.values(user=self.salesman), {(stock, self.desk.name): 500.0})
        self.assertEqual(self.values(user=self.colleague), {(stock, ""): 100.0})
        self.assertEqual(
            self.values(user=self.marketer), {(stock, self.desk.name): 500.0, (stock, ""): 100.0}
        )
        stranger = self.make_marketer(self.env["res.company"].create({"name": "Other"}))
        with mute_logger("odoo.models"):
            lines = self.env["nurture.locked"].with_user(stranger)
            self.assertFalse(lines.search([("lost_reason_id", "=", self.reason_stock.id)]))
            with self.assertRaises(AccessError):
                lines.with_user(self.employee).search([])

    @mute_logger("odoo.models")
    def test_somebody_elses_line(self):
        """A line is found with the rights of who looks, whatever its id."""
        self.ann.user_id = self.colleague
        self.quote(self.ann, 500.0)
        line = self.lines()[self.reason_stock, self.desk]
        leads = self.env["crm.lead"].with_context(active_test=False)
        domain = [("nurture_locked_id", "=", line.id)]
        self.assertEqual(leads.search(domain), self.ann)
        self.assertFalse(leads.with_user(self.salesman).search(domain))

    def test_new_sequence(self):
        """For a reason as for a product: a marketer who may not see quotations gets the reason."""
        self.quote(self.ann, 500.0)
        lines = self.lines(self.marketer)
        context = lines[self.reason_stock, self.desk].action_new_sequence()["context"]
        self.assertEqual(context["default_lost_reason_ids"], self.reason_stock.ids)
        self.assertEqual(context["default_name"], "No stock (test), Limited item")
        self.marketer.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        lines = self.lines(self.marketer)
        for _time in range(2):
            context = lines[self.reason_stock, self.desk].action_new_sequence()["context"]
        preset = self.env["nurture.preset"].browse(context["default_preset_id"])
        self.assertEqual(preset.name, "No stock (test), Limited item")
        self.assertEqual(
            self.env["nurture.preset"].search_count([("name", "=", preset.name)]), 1, "made once"
        )
        chosen = self.env["crm.lead"].search(literal_eval(preset.full_domain))
        self.assertEqual(chosen & self.leads, self.ann)
        with self.assertRaises(AccessError):
            self.lines(self.salesman)[self.reason_stock, self.desk].action_new_sequence()

    def test_new_sequence_without_a_reason(self):
        """Nobody writes to all leads because some have no reason."""
        self.ann.lost_reason_id = False
        self.env.flush_all()
        lines = self.env["nurture.locked"].with_user(self.marketer)
        line = lines.search([("lost_reason_id", "=", False), ("product_id", "=", False)])
        with self.assertRaisesRegex(UserError, "no lost reason"):
            line.action_new_sequence()

    def test_two_companies(self):
        """In the currency of the user's company, of the companies that are chosen: 60.00 XLN, where
        XLN is what is counted in and 1 XLN is 0.50, are 30.00."""
        other = self.env["res.company"].create({"name": "Other", "currency_id": self.foreign.id})
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.company.currency_id.id,
                "company_id": other.id,
                "name": "2026-01-01",
                "rate": 0.5,
            }
        )
        self.leads.action_set_won()
        self.make_lead(
            CARL, company_id=other.id, user_id=False, team_id=False, expected_revenue=60.0
        )
        self.assertEqual(self.values(), {})
        both = self.lines(companies=self.company | other)
        self.assertEqual([line.value for line in both.values()], [30.0])

    def test_groups(self):
        """Lists and pivots add it up."""
        self.quote(self.ann, 500.0)
        rows = self.env["nurture.locked"].formatted_read_group(
            [("lost_reason_id", "=", self.reason_stock.id)],
            ["lost_reason_id"],
            ["value:sum", "lead_count:sum"],
        )
        self.assertEqual([(row["value:sum"], row["lead_count:sum"]) for row in rows], [(600.0, 2)])

    def test_nobody_counts_twice(self):
        """Ann, who was quoted two things, is one lead and one customer, and what she orders is one
        order, however its lines are grouped."""
        self.quote(self.ann, 500.0)
        self.quote(self.ann, 80.0, self.chair)
        sequence = self.start_sequence("Restock", domain=repr([("id", "=", self.bob.id)]))
        self.react(self.bob, sequence.step_ids.mailing_id[:1])
        self.bob.action_restore()
        order = self.quote(self.bob, 400.0)
        order.order_line = [Command.create({"product_id": self.chair.id, "price_unit": 50.0})]
        order.action_confirm()
        self.env["nurture.outcome"]._catch_up()
        names = ("lead_count", "customer_count", "unaddressed_count", "unlocked_count")
        self.assertEqual(
            [sum(self.values(name).values()) for name in names], [2, 2, 2, 2], "one in each line"
        )
        domain = [("lost_reason_id", "=", self.reason_stock.id)]
        sums = [f"{name}:sum" for name in names]
        for by, groups in (
            ([], [(1, 1, 1, 1)]),
            (["lost_reason_id"], [(1, 1, 1, 1)]),
            (["product_id"], [(1, 1, 1, 1), (1, 1, 1, 1)]),
        ):
            with self.subTest(by=by):
                rows = self.env["nurture.locked"]._read_group(domain, by, sums)
                self.assertEqual([row[len(by) :] for row in rows], groups)
