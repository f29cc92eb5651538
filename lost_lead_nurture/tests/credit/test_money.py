"""What a sequence costs and earns, to the cent. What is expected is worked out by hand, from the
prices and rates below."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..ledger import CARL, LedgerCase


class MoneyCase(LedgerCase):
    """Ann and Bob get the mail of a sequence; Ann clicks in it, and is restored."""

    def setUp(self):
        super().setUp()
        self.product.list_price = 250.0
        self.sequence = self.start_sequence("Restock", fixed_cost=10.0, mail_cost=0.0125)
        self.mail = self.sequence.step_ids[:1].mailing_id
        self.react(self.ann, self.mail)
        self.ann.action_restore()
        self.env.invalidate_all()

    def buy(self, lead, **line):
        """An order with one line."""
        price = line.pop("price_unit", 250.0)
        order = self.sell(lead, price, currency=line.pop("currency", None))
        # another quantity would have core look for the price anew
        order.order_line.write({**line, "price_unit": price})
        order.action_confirm()
        return order

    def granted(self, order):
        """The discount that is credited for an order, in the currency of its company."""
        orders = self.credits_of(order).filtered(lambda one: one.kind == "order")
        return sum(orders.mapped("discount"))


@tagged("post_install", "-at_install")
class TestDiscount(MoneyCase):
    def test_below_the_list_price(self):
        """List price 250.00, sold at 200.00 less 10 %: of two, 500.00 - 360.00 = 140.00."""
        order = self.buy(self.ann, price_unit=200.0, discount=10.0, product_uom_qty=2)
        self.assertEqual(self.granted(order), 140.0)
        self.env.invalidate_all()
        self.assertEqual(self.sequence.discount_granted, 140.0)

    def test_above_the_list_price(self):
        """At 300.00 less 20 % it is 240.00: what was granted is 60.00, as the order says. At 300.00
        nothing was granted, and nothing is taken from the 60.00."""
        order = self.sell(self.ann, 300.0, 300.0)
        order.order_line[0].discount = 20.0
        order.action_confirm()
        self.assertEqual(self.granted(order), 60.0)

    def test_in_another_currency(self):
        """At 2 XLN for 1, the list price is 500.00 XLN; sold at 400.00 XLN, 100.00 XLN were
        granted, which is 50.00."""
        order = self.buy(self.ann, price_unit=400.0, currency=self.foreign)
        self.assertEqual(self.granted(order), 50.0)

    def test_taxes(self):
        """A discount is untaxed: 238.00 with 19 % are 200.00, 59.50 of it are 50.00."""
        self.tax.price_include_override = "tax_included"
        self.product.list_price = 238.0
        self.product.taxes_id = self.tax
        order = self.sell(self.ann, 178.5, taxes=[self.tax])
        order.action_confirm()
        self.assertEqual(order.amount_untaxed, 150.0)
        self.assertEqual(self.granted(order), 50.0)

    def test_on_the_whole_order(self):
        """Odoo's Discount button adds a line of its own: 10 % of 250.00."""
        order = self.sell(self.ann, 250.0)
        self.env["sale.order.discount"].create(
            {
                "sale_order_id": order.id,
                "discount_type": "so_discount",
                "discount_percentage": 0.1,
            }
        ).action_apply_discount()
        order.action_confirm()
        self.assertEqual(order.amount_untaxed, 225.0)
        self.assertEqual(self.granted(order), 25.0)

    def test_quotation(self):
        """Nothing is granted before somebody orders, nor after the order is cancelled."""
        order = self.sell(self.ann, 200.0)
        self.assertEqual(self.granted(order), 0.0)
        order.action_confirm()
        self.assertEqual(self.granted(order), 50.0)
        order._action_cancel()
        self.assertEqual(self.granted(order), 0.0)

    def test_list_price_of_the_day(self):
        """What a product costs later changes nothing about what was granted."""
        order = self.buy(self.ann, price_unit=200.0)
        self.assertEqual(self.granted(order), 50.0)
        self.product.list_price = 1000.0
        self.pay(self.bill(order))
        self.assertEqual(self.granted(order), 50.0)
        order.action_unlock()
        order.order_line.price_unit = 900.0
        self.assertEqual(self.granted(order), 100.0, "the order was edited since")


@tagged("post_install", "-at_install")
class TestMoney(MoneyCase):
    def test_costs(self):
        """10.00, and two mails at 0.0125 each: 0.03. Those that bounce have left."""
        sequence = self.sequence
        self.assertEqual(sequence.sent_count, 2)
        self.assertEqual((sequence.message_cost, sequence.total_cost), (0.03, 10.03))
        self.react(self.bob, self.mail, "bounced")
        self.env.invalidate_all()
        self.assertEqual(sequence.total_cost, 10.03)
        tests = self.env["mailing.trace"].create(
            {
                "mass_mailing_id": self.mail.id,
                "model": "crm.lead",
                "res_id": self.bob.id,
                "is_test_trace": True,
            }
        )
        tests.set_sent()
        self.env.invalidate_all()
        self.assertEqual(sequence.total_cost, 10.03, "nobody pays for a test")

    def test_prices_of_the_settings(self):
        """A new sequence takes them, one that is there keeps its own."""
        self.company.nurture_mail_cost = 0.5
        self.assertEqual(self.make_sequence().mail_cost, 0.5)
        self.assertEqual(self.sequence.mail_cost, 0.0125)
        self.assertEqual(self.sequence.copy().mail_cost, 0.5)

    def test_return(self):
        """Two orders, 250.00 with a margin of 100.00, and 130.00 of which nothing is known; 50.00
        are refunded, with a fifth of the margin. Cost 10.03.

        Revenue 250.00 + 130.00 - 50.00 = 330.00. Margin 100.00 - (50.00 - 30.00) = 80.00. Return
        (80.00 + 130.00 - 10.03) / 10.03 = 1993.72 %.
        """
        self.product.standard_price = 150.0
        order = self.buy(self.ann)
        invoice = self.bill(order)
        self.pay(invoice)
        refund = invoice._reverse_moves([{"invoice_date": self.clock.date()}])
        refund.invoice_line_ids.quantity = 0.2
        refund.action_post()
        self.assertEqual(refund.amount_untaxed, 50.0)
        self.pay(refund)
        self.env["nurture.outcome"]._catch_up()
        self.product.standard_price = 0.0
        self.react(self.ann, self.mail)
        self.pay(self.bill(self.buy(self.ann, price_unit=130.0)))
        self.env.invalidate_all()
        sequence = self.sequence.with_user(self.marketer)
        self.assertEqual(sequence.revenue, 330.0)
        self.assertEqual((sequence.margin, sequence.revenue_without_margin), (80.0, 130.0))
        self.assertEqual(sequence.discount_granted, 120.0, "250.00 - 130.00")
        self.assertAlmostEqual(sequence.roi, 1993.72, places=2)
        self.assertEqual(sequence.deal_count, 2)
        self.assertEqual(sequence.cost_per_deal, 5.02, "10.03 / 2, to the cent")
        self.assertAlmostEqual(sequence.deals_per_cost, 19.94, places=2)
        self.assertEqual(sequence.revenue, sequence.invoiced_amount)

    def test_nothing_spent(self):
        """Without a cost there is no return on it."""
        self.sequence.write({"fixed_cost": 0.0, "mail_cost": 0.0})
        self.assertEqual(
            (self.sequence.roi, self.sequence.cost_per_deal, self.sequence.deals_per_cost),
            (0.0, 0.0, 0.0),
        )

    def test_two_companies(self):
        """Each company's orders are in its own currency, and counted in that of the sequence, as
        far as they are of companies that the user has chosen. Where XLN is what is counted in, 1
        XLN is 0.50.
        """
        other = self.env["res.company"].create({"name": "Other", "currency_id": self.foreign.id})
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.company.currency_id.id,
                "company_id": other.id,
                "name": "2026-01-01",
                "rate": 0.5,
            }
        )
        order = self.buy(self.ann, price_unit=200.0)
        credits_ = self.credits_of(order).filtered(lambda one: one.kind == "order")
        outcome = credits_.outcome_id
        # the same, as if the other company had sold it
        values = {"company_amount": 500.0, "discount": 100.0, "company_id": other.id}
        foreign = outcome.copy({**values, "key": "order:elsewhere", "date": outcome.date})
        self.env["nurture.credit"]._sync(foreign)
        both = self.company | other
        self.env.invalidate_all()
        sequence = self.sequence.with_context(allowed_company_ids=both.ids)
        self.assertEqual(sequence.discount_granted, 100.0, "50.00, and 100.00 XLN")
        own = self.sequence.with_context(allowed_company_ids=self.company.ids)
        self.assertEqual(own.discount_granted, 50.0)

    def test_amounts_stay_in_their_currency(self):
        """A sequence of all companies has costs in the currency of whoever made it, whichever
        company is chosen when they are read."""
        other = self.env["res.company"].create({"name": "Other", "currency_id": self.foreign.id})
        sequence = self.make_sequence(company_id=False, fixed_cost=5.0)
        elsewhere = sequence.with_company(other)
        self.assertEqual(elsewhere.currency_id, self.foreign)
        self.assertEqual(elsewhere.cost_currency_id, self.company.currency_id)
        elsewhere.user_id = self.env.user
        self.assertEqual(elsewhere.cost_currency_id, self.company.currency_id)

    def test_bad_input(self):
        for values in (
            {"fixed_cost": -1.0},
            {"mail_cost": -0.01},
            {"budget": -5.0},
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, "0 or more"):
                self.sequence.write(values)
        with self.assertRaisesRegex(ValidationError, "cost per mail"):
            self.company.nurture_mail_cost = -1

    def test_numbers_open_their_lists(self):
        self.product.standard_price = 100.0
        self.pay(self.bill(self.buy(self.ann, price_unit=200.0)))
        self.env.invalidate_all()
        sequence = self.sequence.with_user(self.marketer)
        for statistic, name, amount in (
            ("revenue", "company_amount", 200.0),
            ("margin", "margin", 100.0),
            ("revenue_without_margin", "company_amount", 0.0),
            ("discount_granted", "discount", 50.0),
        ):
            with self.subTest(statistic):
                self.assertEqual(sequence[statistic], amount)
                action = sequence.with_context(nurture_statistic=statistic).action_view_amount()
                listed = self.env[action["res_model"]].with_user(self.marketer)
                self.assertEqual(sum(listed.search(action["domain"]).mapped(name)), amount)
        with self.assertRaisesRegex(UserError, "secret"):
            sequence.with_context(nurture_statistic="secret").action_view_amount()

    def test_number_of_queries(self):
        """It does not grow with the sequences."""
        names = ["total_cost", "roi", "budget_used", "discount_granted"]
        sequences = self.sequence
        sequences.read(names)
        few = self.count_queries(sequences, names)
        for _number in range(5):
            sequences |= self.make_sequence(fixed_cost=1.0)
        self.assertLessEqual(self.count_queries(sequences, names), few)

    def count_queries(self, sequences, names):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        sequences.read(names)
        return self.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestBudget(MoneyCase):
    def warnings(self):
        self.env.invalidate_all()
        warning = self.env.ref("mail.mail_activity_data_warning")
        activities = self.sequence.activity_ids.filtered(
            lambda one: one.activity_type_id == warning
        )
        return sorted(activities.mapped("summary"))

    def test_thresholds(self):
        """Cost 10.03: 80 % of 12.53 are 10.024, of 12.54 10.032. Each is said once."""
        self.sequence.budget = 12.54
        self.run_cron()
        self.assertEqual(self.warnings(), [])
        self.sequence.budget = 12.53
        for _time in range(2):
            self.run_cron()
            self.assertEqual(self.warnings(), ["80 % of the budget are spent"])
        self.sequence.budget = 10.03
        for _time in range(2):
            self.run_cron()
            self.assertEqual(
                self.warnings(), ["80 % of the budget are spent", "The budget is spent"]
            )
        self.assertEqual(self.sequence.activity_ids.user_id, self.marketer)
        self.assertEqual(self.sequence.state, "running", "it was not to be stopped")

    def test_higher_budget(self):
        """It begins anew: what is spent of the new one is said again."""
        self.sequence.budget = 10.03
        self.run_cron()
        self.sequence.activity_ids.unlink()
        self.sequence.budget = 100.0
        self.run_cron()
        self.assertEqual(self.warnings(), [])
        self.sequence.budget = 12.0
        self.run_cron()
        self.assertEqual(self.warnings(), ["80 % of the budget are spent"])

    def test_stop_later(self):
        """Somebody wants it to stop after the budget was spent: with the next run it does."""
        self.sequence.budget = 10.0
        self.run_cron()
        self.assertEqual(self.sequence.state, "running")
        self.assertEqual(self.sequence.budget_warned, 100)
        self.sequence.budget_stop = True
        self.run_cron()
        self.assertEqual(self.sequence.state, "stopped")
        self.assertIn("Stopped automatically", self.sequence.last_error)

    def test_stop(self):
        """It stops as soon as the mail has left with which it is spent, and what is in the queue is
        recalled. It is not started again until there is more."""
        self.sequence.write({"budget": 10.04, "budget_stop": True})
        self.env["nurture.trace"].search([("state", "=", "scheduled")]).unlink()
        carl, dora = (self.make_lead(address) for address in (CARL, "dora@recipient.example.com"))
        self.run_cron()
        self.assertEqual(self.sequence.state, "running")
        queued = self.env["mailing.trace"].search(
            [("mass_mailing_id", "=", self.mail.id), ("res_id", "in", [carl.id, dora.id])],
            order="res_id",
        )
        self.assertEqual(len(queued), 2)
        queued[0].set_sent()
        self.env.invalidate_all()
        # 10.00, and three mails at 0.0125: 0.0375, which is 0.04
        self.assertEqual(self.sequence.total_cost, 10.04)
        self.assertEqual(self.sequence.state, "stopped")
        self.assertIn("are spent", self.sequence.last_error)
        self.assertEqual(queued[1].mail_mail_id.state, "cancel")
        self.assertEqual(self.trace(dora, self.sequence.step_ids[0]).reason, "recalled")
        with self.assertRaisesRegex(UserError, "budget is spent"):
            self.sequence.action_start()
        self.sequence.budget = 100.0
        self.sequence.action_start()
        self.assertEqual(self.sequence.state, "running")

    def test_nobody_writes_it(self):
        with self.assertRaises(UserError):
            self.sequence.with_user(self.marketer).budget_warned = 80


@tagged("post_install", "-at_install")
class TestWhoSeesMoney(MoneyCase):
    COSTS = ("fixed_cost", "mail_cost", "budget", "total_cost", "budget_used", "roi")
    EARNED = ("revenue", "margin", "discount_granted")

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_fields(self):
        self.marketer.company_ids |= self.company
        self.assertTrue(self.sequence.with_user(self.marketer).read([*self.COSTS, *self.EARNED]))
        stranger = self.make_marketer(self.env["res.company"].create({"name": "Other"}))
        for user in (self.salesman, self.employee, stranger):
            for name in (*self.COSTS, *self.EARNED):
                with self.subTest(name, user=user.login), self.assertRaises(AccessError):
                    self.sequence.with_user(user).read([name])

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_lists(self):
        stranger = self.make_marketer(self.env["res.company"].create({"name": "Other"}))
        for user, method in (
            (self.salesman, "action_view_amount"),
            (self.employee, "action_view_amount"),
            (self.employee, "action_view_deals"),
            (stranger, "action_view_amount"),
            (stranger, "action_view_deals"),
        ):
            with self.subTest(method, user=user.login), self.assertRaises(AccessError):
                getattr(self.sequence.with_user(user), method)()

    def test_deals_of_own_leads(self):
        """A salesperson counts those of own leads, as with all statistics."""
        self.buy(self.ann)
        self.env.invalidate_all()
        for user, count in ((self.marketer, 1), (self.salesman, 1)):
            self.assertEqual(self.sequence.with_user(user).deal_count, count)
        self.ann.user_id = self.colleague
        self.env.invalidate_all()
        self.assertEqual(self.sequence.with_user(self.salesman).deal_count, 0)
