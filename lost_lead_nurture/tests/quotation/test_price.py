"""Leads enter when what they refused costs less."""

import random
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureCase
from ..quotations import QuotationMixin


@tagged("post_install", "-at_install")
class TestPrices(QuotationMixin, NurtureCase):
    """What is worked out for many quotations together is what core makes of each."""

    def work_out(self, *orders):
        orders = self.env["sale.order"].union(*orders)
        self.env["nurture.price"]._work_out(orders)
        prices = self.env["nurture.price"].search([("order_id", "in", orders.ids)])
        return {price.order_id: price for price in prices}

    def check(self, *orders):
        """The total is to the cent that of a quotation that core makes now."""
        for order, price in self.work_out(*orders).items():
            made = order.copy({"date_order": self.clock})
            made._recompute_prices()
            with self.subTest(order.name):
                self.assertAlmostEqual(price.amount, made.amount_untaxed, 4)
                self.assertAlmostEqual(price.refused_amount, order.amount_untaxed, 4)

    def reason_of(self, order):
        return self.work_out(order)[order].reason

    def make_pricelist(self, *rules, **values):
        return self.env["product.pricelist"].create(
            {
                "name": "Rules",
                "item_ids": [Command.create(rule) for rule in rules],
                **values,
            }
        )

    def test_each_kind_of_pricelist(self):
        """Fixed, in percent, a formula, from so many on, in another currency, and none."""
        foreign = self.env["res.currency"].create(
            {
                "name": "TCP",
                "symbol": "¢",
                "rounding": 0.05,
                "rate_ids": [Command.create({"rate": 3.7, "name": "2020-01-01"})],
            }
        )
        variant = {"applied_on": "0_product_variant", "product_id": self.desk.id}
        pricelists = {
            "none": self.env["product.pricelist"],
            "fixed": self.make_pricelist(
                {**variant, "compute_price": "fixed", "fixed_price": 77.777}
            ),
            "percent": self.make_pricelist({"compute_price": "percentage", "percent_price": 7.7}),
            "formula": self.make_pricelist(
                {
                    "compute_price": "formula",
                    "base": "standard_price",
                    "price_discount": -33.3,
                    "price_surcharge": 0.07,
                    "price_round": 0.05,
                }
            ),
            "breaks": self.make_pricelist(
                {**variant, "compute_price": "fixed", "fixed_price": 70.0, "min_quantity": 3},
                {**variant, "compute_price": "fixed", "fixed_price": 60.0, "min_quantity": 10},
            ),
            "currency": self.make_pricelist(
                {"compute_price": "percentage", "percent_price": 10}, currency_id=foreign.id
            ),
        }
        orders = [
            self.quote(
                self.ann,
                (self.desk, quantity),
                (self.lamp, 7),
                pricelist_id=pricelist.id,
                date_order=self.clock,
            )
            for pricelist in pricelists.values()
            for quantity in (1, 3, 12)
        ]
        self.cut(self.desk, 88.88)
        self.cut(self.lamp, 9.09)
        self.check(*orders)

    def test_taxes_alike(self):
        """Without taxes on both sides, also where they are part of the price."""
        included, added = self.env["account.tax"].create(
            [
                {
                    "name": name,
                    "amount": 20.0,
                    "price_include_override": kind,
                    "type_tax_use": "sale",
                    "company_id": self.company.id,
                }
                for name, kind in (("In", "tax_included"), ("On", "tax_excluded"))
            ]
        )
        self.desk.taxes_id = included
        self.lamp.taxes_id = added
        order = self.quote(self.ann, (self.desk, 3), (self.lamp, 2))
        self.assertAlmostEqual(order.amount_untaxed, 270.0)
        self.cut(self.desk, 90.0)
        self.check(order)
        self.assertAlmostEqual(self.work_out(order)[order].amount, 245.0)

    def test_unit_discount_and_notes(self):
        """By the dozen, with a discount that the salesperson had given, beside a note."""
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.quote(
            self.ann,
            {
                "product_id": self.lamp.id,
                "product_uom_qty": 2,
                "product_uom_id": dozen.id,
                "discount": 10.0,
            },
            {"display_type": "line_note", "name": "As discussed"},
        )
        self.assertAlmostEqual(order.amount_untaxed, 216.0)
        self.cut(self.lamp, 8.0)
        self.check(order)
        price = self.work_out(order)[order]
        self.assertAlmostEqual(price.amount, 192.0)
        # 24 lamps cost 5.00 each
        self.assertAlmostEqual(price.margin, 60.0)

    def test_old_pricelist(self):
        """Where it is archived, the customer's of today counts."""
        old = self.make_pricelist({"compute_price": "percentage", "percent_price": 50})
        order = self.quote(self.ann, (self.desk, 1), pricelist_id=old.id)
        old.active = False
        new = self.make_pricelist({"compute_price": "percentage", "percent_price": 20})
        self.customer.property_product_pricelist = new
        self.assertAlmostEqual(self.work_out(order)[order].amount, 80.0)

    def test_pricelist_in_another_currency_since(self):
        """Prices that cannot be compared let nobody in."""
        order = self.quote(self.ann, (self.desk, 1))
        self.cut(self.desk, 80.0)
        foreign = self.env["res.currency"].create(
            {
                "name": "TCP",
                "symbol": "¢",
                "rate_ids": [Command.create({"rate": 0.01, "name": "2020-01-01"})],
            }
        )
        self.pricelist.currency_id = foreign
        # the customer's own is in the currency of the quotation
        self.customer.property_product_pricelist = self.make_pricelist()
        self.assertAlmostEqual(self.work_out(order)[order].amount, 80.0)
        self.customer.property_product_pricelist = self.pricelist
        self.assertEqual(self.reason_of(order), "not_priced")
        self.assertEqual(self.make_sequence()._renew(order).reason, "not_priced")

    def test_costs_nothing(self):
        """A price that somebody forgot is none."""
        order = self.quote(self.ann, (self.desk, 1))
        self.cut(self.desk, 0.0)
        self.assertEqual(self.reason_of(order), "not_priced")
        self.assertEqual(self.make_sequence()._renew(order).reason, "not_priced")

    def test_typed(self):
        """A price that somebody had typed above that of the pricelist stays; one below, and a
        discount, are not given again."""
        order = self.quote(self.ann, (self.desk, 1), (self.lamp, 2))
        desk, lamp = order.order_line
        desk.price_unit = 5000.0
        lamp.price_unit = 5.0
        self.cut(self.desk, 1.0)
        self.cut(self.lamp, 8.0)
        self.assertAlmostEqual(self.work_out(order)[order].amount, 5016.0)
        renewal = self.make_sequence()._renew(order)
        self.assertAlmostEqual(renewal.fresh.amount_untaxed, 5016.0)
        self.cut(self.desk, 6000.0)
        self.assertAlmostEqual(self.work_out(order)[order].amount, 6016.0)

    def test_discount_on_the_whole(self):
        """What a salesperson had taken off the whole is not given again, however that was
        done."""
        for kind, values in (
            ("sol_discount", {"discount_percentage": 0.2}),
            ("so_discount", {"discount_percentage": 0.2}),
            ("amount", {"discount_amount": 20.0}),
        ):
            with self.subTest(kind):
                order = self.quote(self.ann, (self.desk, 1))
                self.env["sale.order.discount"].create(
                    {"sale_order_id": order.id, "discount_type": kind, **values}
                ).action_apply_discount()
                self.assertAlmostEqual(order.amount_untaxed, 80.0)
                self.cut(self.desk, 75.0)
                self.assertAlmostEqual(self.work_out(order)[order].amount, 75.0)
                renewal = self.make_sequence()._renew(order)
                self.assertAlmostEqual(renewal.fresh.amount_untaxed, 75.0)
                self.assertEqual(len(renewal.fresh.order_line), 1)
                self.cut(self.desk, 100.0)

    def test_delivery(self):
        """What core does not work out costs what it did, and need not be for sale on its own."""
        order = self.quote(self.ann, (self.desk, 1), (self.lamp, 1))
        orders = type(order)
        get_lines = orders._get_update_prices_lines
        self.patch(
            orders,
            "_get_update_prices_lines",
            lambda self: get_lines(self).filtered(lambda line: "Lamp" not in line.product_id.name),
        )
        self.lamp.sale_ok = False
        self.cut(self.desk, 80.0)
        self.cut(self.lamp, 1.0)
        self.assertFalse(self.reason_of(order))
        self.check(order)
        self.assertAlmostEqual(self.work_out(order)[order].amount, 90.0)
        self.desk.sale_ok = False
        self.assertEqual(self.reason_of(order), "not_sold")

    def test_voucher(self):
        """What took something off, as a voucher does, is nothing that would have to be sold."""
        self.lamp.sale_ok = False
        order = self.quote(self.ann, (self.desk, 1), {"product_id": self.lamp.id, "price_unit": -5})
        self.assertFalse(self.reason_of(order))

    def make_combo(self):
        """A set of a desk for 150.00, quoted as a salesperson does on a saved quotation."""
        combo = self.env["product.combo"].create(
            {
                "name": "Desks",
                "combo_item_ids": [Command.create({"product_id": self.desk.id})],
            }
        )
        self.set = self.env["product.product"].create(
            {
                "name": "Set (test)",
                "type": "combo",
                "taxes_id": False,
                "list_price": 150.0,
                "combo_ids": [Command.set(combo.ids)],
            }
        )
        order = self.quote(self.ann, (self.set, 1))
        order.order_line = [
            Command.create(
                {
                    "product_id": self.desk.id,
                    "product_uom_qty": 1,
                    "combo_item_id": combo.combo_item_ids.id,
                    "linked_line_id": order.order_line.id,
                }
            )
        ]
        self.assertAlmostEqual(order.amount_untaxed, 150.0)
        return order

    def test_combo(self):
        order = self.make_combo()
        self.cut(self.set, 120.0)
        price = self.work_out(order)[order]
        self.assertAlmostEqual(price.amount, 120.0)
        self.assertAlmostEqual(price.margin, 140.0)
        sequence = self.make_sequence()
        fresh = order.copy(order._nurture_prepare_fresh())
        fresh._nurture_price_again(order)
        self.assertAlmostEqual(fresh.amount_untaxed, 120.0)
        self.assertAlmostEqual(fresh._nurture_beat(150.0, 50.0), 37.5)
        self.assertAlmostEqual(fresh.amount_untaxed, 75.0)
        self.assertAlmostEqual(sequence._renew(order).fresh.amount_untaxed, 120.0)

    @mute_logger(
        "odoo.addons.lost_lead_nurture.models.quotation.price",
        "odoo.addons.lost_lead_nurture.models.quotation.sale_order",
    )
    def test_one_that_cannot_be_worked_out(self):
        """Core has no price for what is not among the choices of a combo any more: that keeps
        nobody else from entering, and no lead from being opened."""
        order = self.make_combo()
        other = self.env["product.combo"].create(
            {"name": "Lamps", "combo_item_ids": [Command.create({"product_id": self.lamp.id})]}
        )
        self.set.combo_ids = other
        many = [self.quote(self.ann, (self.desk, number)) for number in range(1, 6)]
        self.cut(self.desk, 80.0)
        prices = self.work_out(*many[:3], order, *many[3:])
        self.assertEqual(prices[order].reason, "not_priced")
        self.assertEqual([prices[one].amount for one in many], [80.0, 160.0, 240.0, 320.0, 400.0])
        self.assertEqual(self.make_sequence()._renew(order).reason, "not_priced")
        order.date_order = self.clock
        self.assertIn("no price today", self.ann.with_user(self.salesman).nurture_refused)

    def test_at_random(self):
        """A few hundred lines, seeded."""
        dice = random.Random(15)
        products = self.env["product.product"].create(
            [
                {
                    "name": f"Product {number}",
                    "taxes_id": False,
                    "list_price": dice.randint(1, 10**5) / 100,
                    "standard_price": dice.randint(0, 10**5) / 100,
                }
                for number in range(12)
            ]
        )
        pricelists = [
            self.pricelist,
            self.make_pricelist(
                {"compute_price": "percentage", "percent_price": dice.randint(-10, 60)},
                *(
                    {
                        "applied_on": "0_product_variant",
                        "product_id": product.id,
                        "compute_price": "fixed",
                        "fixed_price": dice.randint(1, 10**6) / 1000,
                        "min_quantity": dice.randint(0, 4),
                    }
                    for product in products[:6]
                ),
            ),
        ]
        orders = [
            self.quote(
                self.ann,
                *((dice.choice(products), dice.randint(1, 5)) for _line in range(3)),
                pricelist_id=dice.choice(pricelists).id,
            )
            for _order in range(40)
        ]
        for product in products:
            self.cut(product, dice.randint(1, 10**5) / 100)
        self.check(*orders)

    def test_many_together(self):
        """As many queries for forty quotations of the same as for four."""
        orders = [self.quote(self.ann, (self.desk, 1), (self.lamp, 2)) for _one in range(48)]

        def count(some):
            some = self.env["sale.order"].union(*some)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["nurture.price"]._work_out(some)
            return self.env.cr.sql_log_count - before

        # what is cached for all is there then
        count(orders[:4])
        self.assertEqual(count(orders[4:8]), count(orders[8:]))


@tagged("post_install", "-at_install")
class TestPriceEntry(QuotationMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.make_price_sequence()

    def begin(self, **settings):
        self.sequence.write(settings)
        self.sequence.action_start()
        self.advance(minutes=5)

    def test_below(self):
        """5% less is enough, 4.99% is not; and it says at what price the lead has entered."""
        self.begin()
        self.assertFalse(self.entered())
        self.assertEqual(self.reasons_against(self.ann), ["not_below"])
        self.cut(self.desk, 95.01)
        self.advance(hours=1)
        self.assertFalse(self.entered())
        self.cut(self.desk, 95.0)
        self.advance(hours=1)
        self.assertEqual(self.entered(), self.ann)
        journey = self.participant(self.ann)
        self.assertEqual((journey.refused_amount, journey.entry_amount), (100.0, 95.0))
        self.assertEqual(journey.refused_order_id, self.refused)
        self.env.invalidate_all()
        words = journey.with_user(self.salesman)._get_decisions()[0][3]
        self.assertIn("$ 100.00 cost $ 95.00", words.replace("\N{NO-BREAK SPACE}", " "))
        note = self.ann.with_user(self.salesman).nurture_price_note
        self.assertIn("Below what was refused", note)
        # marketers see no quotations
        words = journey.with_user(self.marketer)._get_decisions()[0][3]
        self.assertEqual(words, "its quotation cost less than what was refused")

    def test_whole_quotation(self):
        """What counts is all of it, with what was granted on it."""
        self.refused.action_cancel()
        self.quote(self.ann, (self.desk, 2), (self.lamp, 10), date_order=self.clock)
        self.cut(self.desk, 110.0)
        self.begin()
        self.assertFalse(self.entered())
        # 220 and 65 of 300 before
        self.cut(self.lamp, 6.5)
        self.advance(hours=1)
        self.assertEqual(self.entered(), self.ann)

    def test_margin_floor(self):
        self.cut(self.desk, 60.0)
        self.begin(has_margin_floor=True, margin_floor=20.01)
        self.assertEqual(self.reasons_against(self.ann), ["under_margin"])
        self.sequence.margin_floor = 20.0
        self.advance(minutes=5)
        self.assertEqual(self.entered(), self.ann)

    def test_no_cost(self):
        self.cut(self.desk, 60.0)
        self.desk.standard_price = 0.0
        self.begin(has_margin_floor=True)
        self.assertEqual(self.reasons_against(self.ann), ["no_cost"])
        self.sequence.has_margin_floor = False
        self.advance(minutes=5)
        self.assertEqual(self.entered(), self.ann)

    def test_not_sold_any_more(self):
        self.cut(self.desk, 60.0)
        for values in ({"active": False}, {"sale_ok": False}):
            with self.subTest(values):
                self.desk.write(values)
                self.env["nurture.price"].search([]).unlink()
                self.assertIn("not_sold", self.reasons_against(self.ann))
                self.desk.write({"active": True, "sale_ok": True})

    def test_each_reason_and_in_one_look(self):
        """Who enters is found in one look, and why others do not reason by reason: that is the
        same, whatever stands against a lead."""
        free = self.env["product.product"].create({"name": "Free", "list_price": 50.0})
        gone = self.env["product.product"].create({"name": "Gone", "list_price": 50.0})
        expected = {"not_below": self.ann}
        for reason, product in (
            ("not_sold", gone),
            ("under_margin", self.lamp),
            ("no_cost", free),
            ("no_quotation", None),
        ):
            lead = expected[reason] = self.make_lead(f"{reason}@recipient.example.com")
            self.quote(lead, *([(product, 1)] if product else []))
        gone.sale_ok = False
        self.cut(free, 10.0)
        self.lamp.standard_price = self.lamp.list_price
        self.cut(self.lamp, self.lamp.list_price / 2)
        below = self.make_lead("below@recipient.example.com")
        chair = self.env["product.product"].create(
            {"name": "Chair", "list_price": 50.0, "standard_price": 10.0}
        )
        self.quote(below, (chair, 1))
        self.cut(chair, 40.0)
        unknown = expected["not_priced"] = self.make_lead("unknown@recipient.example.com")
        self.sequence.write({"has_margin_floor": True, "margin_floor": 0.0})
        self.sequence._work_out_prices()
        refused = self.quote(unknown, (chair, 1))
        self.assertEqual(refused.opportunity_id, unknown)
        with patch.object(type(self.sequence), "_work_out_prices", lambda _self: None):
            found = self.sequence._group_by_exclusion()
        self.assertEqual(self.sequence._find_free(), found.pop(None))
        self.assertEqual(found, {reason: lead.ids for reason, lead in expected.items()})

    def test_no_quotation(self):
        """None, or one that says nothing; one that was ordered is none."""
        bob = self.make_lead(BOB)
        self.assertIn("no_quotation", self.reasons_against(bob))
        self.quote(bob)
        self.assertIn("no_quotation", self.reasons_against(bob))
        eve = self.make_lead("eve@recipient.example.com")
        self.quote(eve, (self.desk, 1)).action_confirm()
        self.assertIn("no_quotation", self.reasons_against(eve))

    def test_why(self):
        """Why? says what was refused and what it costs, to who may see that; audience and dry run
        count."""
        condition = self.explained(self.seller)
        self.assertIn("at least 5% less", condition["label"])
        (part,) = condition["parts"]
        words = part["text"].replace("\N{NO-BREAK SPACE}", " ")
        self.assertEqual(words, f"{self.refused.name}: $ 100.00 refused, $ 100.00 today")
        self.assertFalse(self.explained(self.marketer)["parts"])
        audience = self.sequence.with_user(self.marketer).get_audience()
        self.assertEqual([one["reason"] for one in audience["excluded"]], ["not_below"])
        dry_run = self.env["nurture.dry.run"].browse(
            self.sequence.with_user(self.marketer).action_dry_run()["res_id"]
        )
        self.assertEqual(dry_run.line_ids.mapped("reason"), ["not_below"])
        self.cut(self.desk, 90.0)
        self.env["nurture.price"].search([]).unlink()
        self.assertEqual(self.sequence.with_user(self.marketer).get_audience()["entering"], 1)

    def explained(self, user):
        conditions = self.sequence.with_user(user).explain(self.ann.id)["conditions"]
        return next(one for one in conditions if one["reason"] == "not_below")

    def test_again(self):
        """Only after the price had risen since the last mail."""
        self.cut(self.desk, 90.0)
        self.begin()
        self.participant(self.ann).action_remove()
        self.advance(hours=1)
        self.advance(hours=1)
        self.assertEqual(len(self.participant(self.ann)), 1)
        self.assertIn("inside", self.reasons_against(self.ann))
        self.cut(self.desk, 100.0)
        self.advance(hours=1)
        self.cut(self.desk, 90.0)
        self.advance(hours=1)
        self.assertEqual(len(self.participant(self.ann)), 2)

    def test_another_quotation_since(self):
        """Whoever has refused another quotation since waits for its price, not for that of the one
        before to rise."""
        self.cut(self.desk, 90.0)
        self.begin()
        self.advance(days=1)
        later = self.quote(self.ann, (self.desk, 1), date_order=self.clock)
        self.assertTrue(self.participant(self.ann).exit_reason)
        self.ann.action_set_lost(lost_reason_id=self.reason_price.id)
        self.advance(hours=1)
        self.assertEqual(self.reasons_against(self.ann), ["not_below"])
        self.cut(self.desk, 80.0)
        self.advance(hours=1)
        self.assertEqual(self.participant(self.ann).sorted("id")[1:].refused_order_id, later)

    def test_risen_before_the_mail(self):
        """What falls due after the price has risen does not leave; who was added by hand waits for
        no price."""
        later = self.make_step(self.sequence, "after", self.first, 3)
        self.cut(self.desk, 90.0)
        self.begin()
        bob = self.make_lead(BOB, self.reason_price)
        self.quote(bob, (self.desk, 1))
        self.sequence.enrol(bob.ids)
        self.cut(self.desk, 99.0)
        self.advance(days=3)
        journey = self.participant(self.ann)
        self.assertEqual((journey.state, journey.exit_reason), ("exited", "price_risen"))
        self.assertEqual(self.trace(self.ann, later).state, "cancelled")
        self.assertEqual(self.participant(bob).state, "running")

    def test_risen_in_the_queue(self):
        """A mail that waits in the queue is taken out of it."""
        self.cut(self.desk, 90.0)
        self.sequence.action_start()
        self.clock += timedelta(minutes=5)
        self.run_cron()
        mail = self.env["mailing.trace"].search([("res_id", "=", self.ann.id)]).mail_mail_id
        self.assertEqual(mail.state, "outgoing")
        self.cut(self.desk, 99.0)
        self.send_mails()
        self.assertEqual(mail.state, "cancel")
        self.assertEqual(self.participant(self.ann).exit_reason, "price_risen")

    def test_not_offered_any_more(self):
        self.make_step(self.sequence, "after", self.first, 3)
        self.cut(self.desk, 90.0)
        self.begin()
        self.desk.active = False
        self.advance(days=3)
        self.assertEqual(self.participant(self.ann).exit_reason, "not_offered")

    def test_mail_without_quotation(self):
        """Whoever refused nothing gets no mail that would show it, and its trace says so."""
        self.sequence.write({"entry": "manual", "reentry": "never"})
        self.sequence.action_start()
        bob = self.make_lead(BOB, self.reason_price)
        self.sequence.enrol(bob.ids)
        self.advance(minutes=5)
        trace = self.trace(bob, self.first)
        self.assertEqual((trace.state, trace.reason), ("rejected", "no_quotation"))

    def test_companies(self):
        """Each company's prices and costs are its own."""
        other = self.env["res.company"].create({"name": "Other"})
        self.seller.company_ids += other
        self.marketer.company_ids += other
        self.sequence.company_id = False
        bob = self.make_lead(BOB, self.reason_price, company_id=other.id, user_id=False)
        theirs = self.quote(
            bob, (self.desk, 1), company_id=other.id, pricelist_id=False, user_id=False
        )
        self.desk.with_company(other).standard_price = 94.0
        self.cut(self.desk, 95.0)
        self.begin(has_margin_floor=True, margin_floor=10)
        self.assertEqual(self.entered(), self.ann)
        price = self.env["nurture.price"].search([("order_id", "=", theirs.id)])
        self.assertAlmostEqual(price.margin, 1.06, 2)

    def test_quotation_of_another_company(self):
        """A lead of no company, to which another company quoted last: what counts is what the
        company of the sequence quoted."""
        other = self.env["res.company"].create({"name": "Other"})
        self.ann.write({"user_id": False, "team_id": False, "company_id": False})
        theirs = self.quote(
            self.ann,
            (self.desk, 5),
            company_id=other.id,
            pricelist_id=False,
            user_id=False,
            date_order=self.clock,
        )
        self.cut(self.desk, 90.0)
        self.env["nurture.price"]._work_out(theirs)
        self.begin()
        self.assertEqual(self.entered(), self.ann)
        self.assertEqual(self.participant(self.ann).refused_order_id, self.refused)
        self.assertIn("90.00", self.env["mail.mail"].search([])[:1].body_html)
        found = self.env["sale.order"]._nurture_find_refused(self.ann, other)
        self.assertEqual(found, {self.ann.id: theirs})

    def test_quotation_to_somebody_else(self):
        """What was quoted to a dealer is nothing for the eyes of the customer."""
        self.ann.partner_id = self.customer
        dealer = self.env["res.partner"].create(
            {"name": "Dealer", "email": "dealer@recipient.example.com"}
        )
        self.quote(self.ann, (self.lamp, 1), partner_id=dealer.id, date_order=self.clock)
        self.cut(self.desk, 90.0)
        self.begin()
        self.assertEqual(self.participant(self.ann).refused_order_id, self.refused)
        self.assertNotIn("Lamp", self.env["mail.mail"].search([])[:1].body_html)
        bob = self.make_lead(BOB, self.reason_price, partner_id=dealer.id)
        self.quote(bob, {"product_id": self.desk.id, "price_unit": 100.0})
        self.assertIn("no_quotation", self.reasons_against(bob))
        # a colleague of the same company is nobody else
        self.customer.parent_id = dealer
        self.assertFalse(self.reasons_against(bob))

    def test_quotation_of_another_lead(self):
        """Somebody takes the quotation from the lead while its mail is in the queue, or gives it to
        another lead: it is not shown any more, and all others get theirs."""
        bob = self.make_lead(BOB, self.reason_price)
        theirs = self.quote(bob, (self.desk, 1))
        eve = self.make_lead("eve@recipient.example.com", self.reason_price)
        self.quote(eve, (self.desk, 1))
        self.cut(self.desk, 90.0)
        self.sequence.action_start()
        self.clock += timedelta(minutes=5)
        self.run_cron()
        self.assertEqual(self.entered(), self.ann | bob | eve)
        self.refused.opportunity_id = False
        theirs.opportunity_id = eve
        self.send_mails()
        mailing_traces = self.env["mailing.trace"].search([("nurture_trace_id", "!=", False)])
        for lead in (self.ann, bob):
            mail = mailing_traces.filtered(lambda one, lead=lead: one.res_id == lead.id)
            self.assertEqual(mail.mail_mail_id.state, "cancel")
            self.assertEqual(self.participant(lead).exit_reason, "not_offered")
        self.assertNotEqual(self.participant(eve).exit_reason, "not_offered")

    def test_settings(self):
        for values in (
            {"price_below": 0},
            {"price_below": 100},
            {"margin_floor": -1},
            {"fresh_days": 0},
            {"entry": "auto"},
        ):
            with (
                self.subTest(values),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                self.sequence.write(values)
        with Form(self.env["nurture.sequence"].with_user(self.marketer)) as form:
            form.name = "By the price"
            form.entry = "price"
            self.assertEqual(form.reentry, "price")
            form.entry = "auto"
            self.assertEqual(form.reentry, "never")

    def test_on_the_lead(self):
        """What was refused and what it costs, for who may see the quotation."""
        self.cut(self.desk, 90.0)
        shown = self.ann.with_user(self.salesman).nurture_refused.replace("&nbsp;", " ")
        for words in ("$ 100.00", "$ 90.00", "−10.0%", "80.0%"):
            self.assertIn(words, shown)
        self.assertIs(self.ann.with_user(self.salesman).nurture_price_note, False, "in no sequence")
        self.assertFalse(self.ann.with_user(self.marketer).nurture_refused)
        self.ann.action_restore()
        self.env.invalidate_all()
        self.assertFalse(self.ann.with_user(self.salesman).nurture_refused)


@tagged("post_install", "-at_install")
class TestDiscount(QuotationMixin, NurtureCase):
    """The smallest discount that beats what was refused."""

    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence(domain="[]")
        self.first = self.make_step(
            self.sequence, step_type="action", action_kind="discount", mailing_id=False
        )
        mailing = self.make_mailing("Better", '<div><t t-out="object.nurture_quotation"/></div>')
        mailing.action_nurture_add_opt_out()
        self.mail = self.make_step(self.sequence, "after", self.first, mailing_id=mailing.id)
        self.mail.sudo().author_id = self.seller

    def begin(self, **settings):
        self.sequence.write(settings)
        self.sequence.action_start()
        self.advance(minutes=5)
        self.advance(minutes=5)

    def test_granted(self):
        """120.00 today, 100.00 refused: 20.84% less is 94.99, and shown."""
        self.cut(self.desk, 120.0)
        self.begin(has_margin_floor=True)
        journey = self.participant(self.ann)
        self.assertAlmostEqual(journey.granted_discount, 20.84)
        sent = self.env["mailing.trace"].search([("res_id", "=", self.ann.id)])
        self.assertIn("94.99", sent.mail_mail_id.body_html)

    def test_none(self):
        """None that keeps the margin: the step says so, and what follows is not done."""
        self.begin(has_margin_floor=True, margin_floor=91)
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("rejected", "no_discount"))
        self.assertFalse(self.env["mailing.trace"].search([("res_id", "=", self.ann.id)]))
        self.assertFalse(self.participant(self.ann).granted_date)

    def test_none_needed(self):
        """It costs less already."""
        self.cut(self.desk, 90.0)
        self.begin()
        journey = self.participant(self.ann)
        self.assertTrue(journey.granted_date)
        self.assertEqual(journey.granted_discount, 0.0)

    def test_beside_that_of_the_pricelist(self):
        """One discount after the other, on lines of different size, to the cent below."""
        self.env["res.config.settings"].create({"group_discount_per_so_line": True}).execute()
        rule = {"compute_price": "percentage", "percent_price": 3.33}
        self.pricelist.item_ids = [Command.create(rule)]
        order = self.quote(self.ann, (self.desk, 7), (self.lamp, 3), date_order=self.clock)
        renewal = self.sequence._renew(order, has_discount=True)
        most = order.amount_untaxed * 0.95
        self.assertLessEqual(renewal.fresh.amount_untaxed, most)
        self.assertGreater(renewal.fresh.amount_untaxed, most - 0.2)
        self.assertEqual(order.amount_untaxed, 705.69)
        self.assertEqual(ANN, self.ann.email_normalized)
