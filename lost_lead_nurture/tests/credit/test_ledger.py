"""The ledger of outcomes: what came of leads, to the cent and to the person. What is expected is
worked out by hand, from the prices and rates below."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from ..ledger import CARL, LedgerCase


@tagged("post_install", "-at_install")
class TestLedger(LedgerCase):
    def test_each_kind(self):
        """From the reaction to the refund, each thing that happens is a row."""
        self.react(self.ann, self.mailing)
        self.clock += timedelta(days=1)
        self.ann.action_restore()
        self.clock += timedelta(days=1)
        meeting = self.env["calendar.event"].create(
            {
                "name": "Demonstration",
                "opportunity_id": self.ann.id,
                "start": self.clock + timedelta(days=2),
                "stop": self.clock + timedelta(days=2, hours=1),
            }
        )
        self.clock += timedelta(days=1)
        order = self.sell(self.ann, 100.0)
        self.env["nurture.outcome"]._catch_up()
        self.clock += timedelta(days=10)
        invoice = self.bill(order)
        self.clock += timedelta(days=10)
        self.pay(invoice)
        self.clock += timedelta(days=10)
        self.pay(self.refund(invoice, 30.0))
        self.env["nurture.outcome"]._catch_up()
        outcomes = self.env["nurture.outcome"].search(
            [("lead_id", "=", self.ann.id)], order="date, id"
        )
        self.assertEqual(
            [(one.kind, one.date.date().isoformat(), one.company_amount) for one in outcomes],
            [
                ("restored", "2026-03-03", 0.0),
                ("meeting", "2026-03-04", 0.0),
                ("quotation", "2026-03-05", 100.0),
                ("order", "2026-03-15", 100.0),
                ("invoiced", "2026-03-15", 100.0),
                ("paid", "2026-03-25", 100.0),
                ("invoiced", "2026-04-04", -30.0),
                ("refunded", "2026-04-04", -30.0),
            ],
        )
        self.assertEqual(outcomes.credit_ids.mailing_id, self.mailing)
        self.assertEqual(set(outcomes.mapped("lost_reason_id")), {self.reason_stock})
        for outcome in outcomes:
            for model in ("last", "first", "linear"):
                credits_ = outcome.credit_ids.filtered(lambda one, model=model: one.model == model)
                self.assertEqual(sum(credits_.mapped("share")), 1.0)
        meeting.unlink()
        self.assertEqual(
            self.env["nurture.outcome"].search_count(
                [("lead_id", "=", self.ann.id), ("kind", "=", "meeting")]
            ),
            0,
        )

    def test_who_was_not_reached(self):
        """What comes of leads that nobody wrote to is not marketing's."""
        stranger = self.make_lead(CARL)
        stranger.action_restore()
        self.assertFalse(self.rows(self.sell(stranger, 100.0)))
        self.assertFalse(self.env["nurture.outcome"].search([("lead_id", "=", stranger.id)]))

    def test_without_a_reaction(self):
        """It is in the ledger, and nobody's: to be reached, or to open, earns nothing."""
        self.react(self.bob, self.mailing, "opened")
        for lead in self.leads:
            lead.action_restore()
            self.assertEqual(
                self.rows(self.sell(lead, 100.0)), [("quotation", 100.0, 100.0)], lead.email_from
            )
        self.assertFalse(self.env["nurture.credit"].search([("lead_id", "in", self.leads.ids)]))

    def test_held_out(self):
        """What comes of those held out is in the ledger like that of the others."""
        sequence = self.make_sequence(holdout_percent=99, domain=repr([("id", "=", self.bob.id)]))
        self.make_step(sequence)
        sequence.action_start()
        self.run_cron()
        journey = self.participant(self.bob)
        self.assertEqual(journey.state, "holdout")
        carl = self.make_lead(CARL)
        self.env["nurture.outcome"].search([]).unlink()
        self.bob.action_restore()
        self.pay(self.bill(self.sell(self.bob, 100.0)))
        self.env["nurture.outcome"]._catch_up()
        kinds = self.env["nurture.outcome"].search([("lead_id", "=", self.bob.id)]).mapped("kind")
        self.assertEqual(sorted(kinds), ["invoiced", "order", "paid", "quotation", "restored"])
        self.assertFalse(self.env["nurture.outcome"].search([("lead_id", "=", carl.id)]))

    def test_instalments(self):
        """Each payment is a row; taxes are no revenue; they add up to the cent.

        Two lines, 33.33 and 66.67, make 100.00 untaxed and 119.00 with tax. Of 119.00, 39.67 are
        33.34 untaxed, 79.34 are 66.67, and the last 39.66 the rest.
        """
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 33.33, 66.67, taxes=[self.tax])
        invoice = self.bill(order)
        self.assertEqual(invoice.amount_total, 119.0)
        for amount in (39.67, 39.67, 39.66):
            self.clock += timedelta(days=30)
            self.pay(invoice, amount)
        self.assertEqual(
            self.rows(order, "paid"),
            [("paid", 33.34, 33.34), ("paid", 33.33, 33.33), ("paid", 33.33, 33.33)],
        )
        self.assertEqual(self.credited(order), {"Plain": 100.0})

    def test_unpaid(self):
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        invoice = self.bill(order)
        self.assertEqual(self.earned(order), 0.0)
        self.pay(invoice, 25.0)
        self.assertEqual(self.earned(order), 25.0)
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(self.earned(order), 0.0, "the payment was for something else")
        invoice.button_draft()
        self.assertFalse(self.rows(order, "invoiced"))

    def test_refund_of_what_was_not_paid(self):
        """It comes to nothing, not to less; what is paid of the rest is earned."""
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        invoice = self.bill(order)
        refund = self.refund(invoice, 30.0)
        lines = (invoice | refund).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual(self.earned(order), 0.0)
        self.assertFalse(self.rows(order, "paid"), "no money came in")
        self.pay(invoice)
        self.assertEqual(self.earned(order), 70.0)

    def test_refund_of_two_orders(self):
        """One invoice of two orders, one refund of both: each order has its own part, and its own
        credit."""
        self.react(self.ann, self.mailing)
        orders = self.sell(self.ann, 200.0)
        other = orders.copy({"opportunity_id": self.bob.id, "date_order": self.clock})
        orders |= other
        invoice = self.bill(orders)
        self.assertEqual(len(invoice), 1)
        self.pay(invoice)
        self.pay(self.refund(invoice, 50.0, 20.0))
        self.assertEqual([self.earned(order) for order in orders], [150.0, 180.0])
        self.assertEqual(self.credited(orders[0]), {"Plain": 150.0})
        self.assertEqual(self.credited(other), {})

    def test_refund_that_pays_another_invoice(self):
        """What one order gives back, and another is settled with, is in both."""
        orders = self.sell(self.ann, 100.0)
        invoice = self.bill(orders)
        self.pay(invoice)
        second = orders.copy({"date_order": self.clock})
        later = self.bill(second)
        lines = (self.refund(invoice, 40.0) | later).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.pay(later)
        self.assertEqual([self.earned(order) for order in (orders, second)], [60.0, 100.0])

    def test_settled_without_money(self):
        """What is written off, or settled by a refund that is of no order, is not earned."""
        order, other = self.sell(self.ann, 100.0), self.sell(self.bob, 100.0)
        invoice, second = self.bill(order), self.bill(other)
        self.assertNotEqual(invoice, second)
        receivable = invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        journal = self.env["account.journal"].search(
            [("type", "=", "general"), ("company_id", "=", self.company.id)], limit=1
        )
        loss = self.env["account.account"].search([("account_type", "=", "expense")], limit=1)
        entry = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": receivable.account_id.id,
                            "partner_id": receivable.partner_id.id,
                            "credit": 100.0,
                        }
                    ),
                    Command.create({"account_id": loss.id, "debit": 100.0}),
                ],
            }
        )
        entry.action_post()
        (receivable | entry.line_ids.filtered("credit")).reconcile()
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(self.earned(order), 0.0)
        goodwill = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": second.partner_id.id,
                "invoice_date": self.clock.date(),
                "invoice_line_ids": [
                    Command.create({"name": "Sorry", "price_unit": 40.0, "tax_ids": False})
                ],
            }
        )
        goodwill.action_post()
        lines = (second | goodwill).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.pay(second)
        self.assertEqual(self.earned(other), 60.0)

    def test_cancelled(self):
        """A cancelled order is none; money that was paid for it stays until it is paid back."""
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        order.action_confirm()
        self.assertEqual([row[0] for row in self.rows(order)], ["quotation", "order"])
        order._action_cancel()
        self.assertEqual(self.rows(order), [])
        order.action_draft()
        invoice = self.bill(order)
        self.pay(invoice)
        order._action_cancel()
        self.assertEqual([row[0] for row in self.rows(order)], ["invoiced", "paid"])
        self.assertEqual(self.credited(order), {"Plain": 100.0})
        self.pay(self.refund(invoice, 100.0))
        self.assertEqual(self.earned(order), 0.0)
        self.assertEqual(self.credited(order), {"Plain": 0.0})

    def test_edited(self):
        """A quotation that is edited counts as it is, once."""
        order = self.sell(self.ann, 100.0)
        self.assertEqual(self.rows(order), [("quotation", 100.0, 100.0)])
        order.order_line.price_unit = 80.0
        self.assertEqual(self.rows(order), [("quotation", 80.0, 80.0)])
        order.order_line.product_uom_qty = 2
        self.assertEqual(self.rows(order), [("quotation", 160.0, 160.0)])
        order.unlink()
        self.assertFalse(self.env["nurture.outcome"].search([("kind", "=", "quotation")]))

    def test_another_currency(self):
        """In the currency of the document, and in the company's at the document's date: the rate
        of the order for the order, that of the invoice for what is paid, whenever it is."""
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 101.01, currency=self.foreign)
        self.assertEqual(self.rows(order), [("quotation", 101.01, 50.51)])
        self.clock = fields.Datetime.to_datetime("2026-04-02 10:00:00")
        invoice = self.bill(order)
        self.assertEqual(self.rows(order, "invoiced"), [("invoiced", 101.01, 25.25)])
        self.env["res.currency.rate"].create(
            {"currency_id": self.foreign.id, "name": "2026-05-01", "rate": 5.0}
        )
        self.clock = fields.Datetime.to_datetime("2026-05-02 10:00:00")
        self.pay(invoice, 50.50)
        self.pay(invoice)
        # a part of 0.49995 of 25.25 is 12.62
        self.assertEqual(self.rows(order, "paid"), [("paid", 50.50, 12.62), ("paid", 50.51, 12.63)])
        self.assertEqual(self.credited(order), {"Plain": 25.25})

    def test_margin(self):
        """Less the products' costs, where they are known of all of them."""
        order = self.sell(self.ann, 100.0, 50.0)
        self.env["nurture.outcome"]._catch_up()
        outcome = self.env["nurture.outcome"].search([("order_id", "=", order.id)])
        self.assertFalse(outcome.is_margin_known)
        self.product.standard_price = 30.0
        invoice = self.bill(order)
        self.pay(invoice, 75.0)
        self.env["nurture.outcome"]._catch_up()
        margins = {
            one.kind: one.margin
            for one in self.env["nurture.outcome"].search([("order_id", "=", order.id)])
        }
        self.assertEqual(
            margins, {"quotation": 90.0, "order": 90.0, "invoiced": 90.0, "paid": 45.0}
        )
        self.product.standard_price = 100.0
        self.pay(invoice)
        self.env["nurture.outcome"]._catch_up()
        outcomes = self.env["nurture.outcome"].search([("order_id", "=", order.id)])
        kept = outcomes.filtered(lambda one: one.kind == "order")
        self.assertEqual(kept.margin, 90.0, "what it cost then")

    def test_another_company(self):
        """What a customer orders of another company is not of this company's lead; of a lead that
        belongs to none it is, in the money of the order's company."""
        elsewhere = self.env["res.company"].create(
            {"name": "Elsewhere", "currency_id": self.foreign.id}
        )
        own = self.sell(self.ann, 100.0)
        far = self.env["sale.order"].with_company(elsewhere)
        values = {
            "partner_id": own.partner_id.id,
            "date_order": self.clock,
            "order_line": [Command.create({"name": "Desk", "price_unit": 10.0})],
        }
        self.assertFalse(self.rows(far.create(values)))
        self.bob.company_id = False
        order = far.create({**values, "opportunity_id": self.bob.id})
        self.env["nurture.outcome"]._catch_up()
        outcome = self.env["nurture.outcome"].search([("order_id", "=", order.id)])
        self.assertEqual(outcome.company_id, elsewhere)
        self.assertEqual(outcome.company_currency_id, order.company_id.currency_id)

    def test_new_opportunity(self):
        """Somebody calls after the mail, and gets a new opportunity: it came of the lead that was
        reached. What was in the pipeline before is another deal."""
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        fresh, older = (self.make_lead(CARL, lost=False) for _ in range(2))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = '2026-01-01' WHERE id = %s", [older.id]
        )
        older.invalidate_recordset()
        for deal, credited in ((fresh, self.mailing), (older, self.mailing.browse())):
            copy = order.copy({"opportunity_id": deal.id, "date_order": self.clock})
            self.assertEqual(self.credits_of(copy).mailing_id, credited)

    def test_by_customer(self):
        """An order for no opportunity is of the lead of its customer, of the customer's company or
        of the address; of several, of the one that reacted last."""
        partner = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": partner.id})
        self.leads.partner_id = partner
        self.react(self.ann, self.mailing)
        self.clock += timedelta(days=1)
        self.react(self.bob, self.mailing)
        self.clock += timedelta(days=1)
        order = self.sell(self.ann, 100.0)
        order.write({"partner_id": contact.id, "opportunity_id": False})
        self.env["nurture.outcome"].search([("order_id", "=", order.id)]).unlink()
        again = order.copy({"date_order": self.clock})
        self.env["nurture.outcome"]._catch_up()
        outcome = self.env["nurture.outcome"].search([("order_id", "=", again.id)])
        self.assertEqual(outcome.lead_id, self.bob)
        self.react(self.ann, self.mailing)
        again.action_confirm()
        self.env["nurture.outcome"]._catch_up()
        outcomes = self.env["nurture.outcome"].search([("order_id", "=", again.id)])
        self.assertEqual(outcomes.lead_id, self.bob, "it stays with its lead")


@tagged("post_install", "-at_install")
class TestAttribution(LedgerCase):
    def test_two_sequences_and_a_mailing(self):
        """Three messages touched the lead: each model gives each its share, and 100.00 are 100.00.

        First touch: Restock. Last: Plain. Linear: a third each, 33.33 + 33.34 + 33.33.
        """
        restock, repair = (
            self.start_sequence(name, exit_on_replied=False) for name in ("Restock", "Repair")
        )
        for name in (restock, repair):
            self.clock += timedelta(days=1)
            self.react(self.ann, name.step_ids[:1].mailing_id)
        self.clock += timedelta(days=1)
        self.react(self.ann, self.mailing, "replied")
        self.clock += timedelta(days=1)
        order = self.sell(self.ann, 100.0)
        self.pay(self.bill(order))
        self.assertEqual(self.credited(order), {"Plain": 100.0})
        self.assertEqual(self.credited(order, "first"), {"Restock": 100.0})
        self.assertEqual(
            sorted(self.credited(order, "linear").items()),
            [("Plain", 33.33), ("Repair", 33.33), ("Restock", 33.34)],
        )
        self.assertEqual((restock.quotation_count, repair.quotation_count), (0, 0))
        self.assertEqual(self.mailing.nurture_quotation_count, 1)
        self.assertEqual(self.mailing.nurture_invoiced, 100.0)

    def test_last_touch_before(self):
        """What somebody clicks after the order has not led to it; the order itself may have another
        last touch than its quotation."""
        other = self.send("Other", self.leads)
        self.react(self.ann, self.mailing)
        self.clock += timedelta(days=1)
        order = self.sell(self.ann, 100.0)
        self.env["nurture.outcome"]._catch_up()
        self.clock += timedelta(days=1)
        self.react(self.ann, other)
        self.clock += timedelta(days=1)
        invoice = self.bill(order)
        self.clock += timedelta(days=1)
        self.react(self.ann, self.mailing)
        self.pay(invoice)
        subjects = {credit.kind: credit.mailing_id.subject for credit in self.credits_of(order)}
        self.assertEqual(
            subjects,
            {"quotation": "Plain", "order": "Other", "invoiced": "Other", "paid": "Other"},
        )

    def test_window(self):
        """Ninety days for a mailing unless the settings say otherwise, the sequence's own for its
        mails; customers may take their time to pay."""
        self.company.nurture_window_days = 10
        sequence = self.start_sequence("Restock", window_days=20)
        self.react(self.ann, self.mailing)
        self.react(self.bob, sequence.step_ids[:1].mailing_id)
        for days, ann, bob in (
            (10, "Plain", "Restock"),
            (11, False, "Restock"),
            (21, False, False),
        ):
            with self.subTest(days):
                before, self.clock = self.clock, self.clock + timedelta(days=days)
                orders = [self.sell(lead, 100.0) for lead in self.leads]
                subjects = [self.credits_of(order).mailing_id.subject for order in orders]
                self.assertEqual(subjects, [ann, bob])
                self.clock = before
        order = self.sell(self.ann, 100.0)
        invoice = self.bill(order)
        self.clock += timedelta(days=300)
        self.pay(invoice)
        self.assertEqual(self.credited(order), {"Plain": 100.0})

    def test_long_negotiation(self):
        """What was quoted in the window is credited whenever it is ordered; an old quotation that
        is ordered after a click is credited, too."""
        old = self.sell(self.bob, 100.0)
        self.env["nurture.outcome"]._catch_up()
        self.clock += timedelta(days=1)
        for lead in self.leads:
            self.react(lead, self.mailing)
        self.clock += timedelta(days=80)
        order = self.sell(self.ann, 100.0)
        self.env["nurture.outcome"]._catch_up()
        self.clock += timedelta(days=80)
        for one in (old, order):
            self.pay(self.bill(one))
            self.assertEqual(self.credited(one), {"Plain": 100.0})
        self.assertNotIn("quotation", self.credits_of(old).mapped("kind"))

    def test_known_afterwards(self):
        """A click is believed a minute later: what came of it meanwhile is credited all the
        same."""
        order = self.sell(self.ann, 100.0)
        self.assertFalse(self.credits_of(order))
        self.react(self.ann, self.mailing)
        self.assertEqual(self.credits_of(order).mailing_id, self.mailing)

    def test_merged(self):
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        self.env["nurture.outcome"]._catch_up()
        left = (self.ann | self.bob).merge_opportunity()
        self.assertEqual(self.credits_of(order).lead_id, left)
        self.assertEqual(self.mailing.nurture_lead_count, 1)

    def test_merged_into_another(self):
        """Also when the lead that had been written to is the one that goes."""
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        self.pay(self.bill(order))
        head = self.make_lead(CARL, lost=False, probability=99)
        left = (self.ann | head).merge_opportunity()
        self.assertEqual(left, head)
        order.action_lock()
        self.assertEqual(self.credited(order), {"Plain": 100.0})
        self.assertEqual(self.credits_of(order).lead_id, head)
        self.react(head, self.mailing)
        self.assertEqual(self.credited(order), {"Plain": 100.0})

    def test_deleted_lead(self):
        """What was earned was earned."""
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        self.pay(self.bill(order))
        self.assertEqual(self.credited(order), {"Plain": 100.0})
        self.ann.unlink()
        self.env.invalidate_all()
        self.assertEqual(self.mailing.nurture_invoiced, 100.0)
        outcomes = self.env["nurture.outcome"].search([("order_id", "=", order.id)])
        outcomes.is_stale = True
        self.assertEqual(outcomes._catch_up_missed(), order.id)
        self.assertEqual(outcomes._catch_up_missed(), 0, "and it is looked at once")
        self.assertEqual(self.mailing.nurture_invoiced, 100.0)


@tagged("post_install", "-at_install")
class TestTakingIn(LedgerCase):
    def test_before_it_was_there(self):
        """Orders that were there before the ledger are taken in, once."""
        self.react(self.ann, self.mailing)
        order = self.sell(self.ann, 100.0)
        self.pay(self.bill(order))
        before = self.rows(order)
        outcomes = self.env["nurture.outcome"]
        outcomes.search([]).unlink()
        self.assertEqual(outcomes._catch_up_missed(), order.id)
        self.assertEqual(self.rows(order), before)
        self.assertEqual(self.credited(order), {"Plain": 100.0})
        self.assertEqual(outcomes._catch_up_missed(), 0)

    def test_nothing_is_written_twice(self):
        """Looking again writes nothing, and asks no more for a hundred orders than for one."""
        orders = self.env["sale.order"].union(*(self.sell(self.ann, 100.0) for _ in range(20)))
        orders.action_confirm()
        outcomes = self.env["nurture.outcome"].sudo()
        outcomes._catch_up()
        last = outcomes.search([], order="id desc", limit=1)

        def queries(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            outcomes._sync_orders(some)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self.assertEqual(queries(orders), queries(orders[0]))
        self.assertEqual(outcomes.search([], order="id desc", limit=1), last)

    def test_failure(self):
        """What goes wrong with an order keeps nobody from ordering and no other order out of the
        ledger; the scheduled action takes it in later."""
        order, other = self.sell(self.ann, 100.0), self.sell(self.bob, 50.0)
        self.env["nurture.outcome"]._catch_up()
        orders = type(order)
        get_amounts = orders._nurture_get_amounts

        def fail(one, *arguments):
            return 1 / 0 if one == order else get_amounts(one, *arguments)

        logger = "odoo.addons.lost_lead_nurture.models.credit.outcome"
        with patch.object(orders, "_nurture_get_amounts", fail), self.assertLogs(logger, "ERROR"):
            for one in (order, other):
                one.order_line.price_unit = 80.0
            self.env["nurture.outcome"]._catch_up()
        self.assertEqual(order.amount_untaxed, 80.0)
        self.assertEqual(self.rows(order), [("quotation", 100.0, 100.0)])
        self.assertEqual(self.rows(other), [("quotation", 80.0, 80.0)])
        self.env.ref("lost_lead_nurture.ir_cron_nurture_statistics").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.rows(order), [("quotation", 80.0, 80.0)])
        self.assertEqual(self.env["nurture.outcome"]._catch_up_missed(), 0)
