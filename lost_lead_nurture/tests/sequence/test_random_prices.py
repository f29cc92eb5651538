"""Hundreds of prices by random pricelists: what is offered, and what a quotation comes to, equals
the pricelist to the cent. What that is has been worked out without Odoo."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from odoo.fields import Command
from odoo.tests import TransactionCase, tagged

from ..common import NurtureMixin
from ..pricelists import CENT, Draw, to_multiple

SEED = 20261130
PRICELISTS = 200
ORDERS_OF = 4
NAMES = ("Desk", "Lamp", "Chair")
APPLIED_ON = {True: "0_product_variant", False: "3_global"}


@tagged("post_install", "-at_install")
class TestRandomPrices(NurtureMixin, TransactionCase):
    def setUp(self):
        super().setUp()
        self.draw = Draw(random.Random(SEED))
        self.currencies = {Decimal(1): self.company.currency_id}
        self.env["res.users"].browse(self.env.uid).group_ids |= self.env.ref(
            "product.group_product_pricelist"
        )
        self.products = {
            name: self.env["product.product"].create({"name": name, "taxes_id": False})
            for name in NAMES
        }
        self.customer = self.env["res.partner"].create({"name": "Customer"})
        self.sequence = self.make_sequence()
        self.offers = {
            name: self.env["nurture.offer"].create(
                {"sequence_id": self.sequence.id, "product_id": product.id}
            )
            for name, product in self.products.items()
        }

    def test_to_the_cent(self):
        totals, rules = 0, set()
        for number in range(PRICELISTS):
            sold = {name: self.draw.product(name) for name in NAMES}
            for name, product in sold.items():
                self.price(name, product)
            other = self.draw.pricelist(NAMES)
            pricelist = self.draw.pricelist(NAMES, other)
            rules |= {(rule.kind, rule.base, rule.product is None) for rule in pricelist.rules}
            lines = [
                (sold[name], self.draw.random.choice((1, 2, 3, 5, 10)))
                for name in self.draw.random.sample(NAMES, self.draw.random.randint(1, 3))
            ]
            record = self.make_pricelist(pricelist)
            with self.subTest(pricelist=pricelist, lines=lines):
                self.check_offers(record, pricelist, lines)
                if number % ORDERS_OF == 0:
                    order = self.check_order(record, pricelist, lines)
                    totals += self.check_fresh(order, pricelist, lines)
        self.assertGreater(totals, 0)
        self.assertGreaterEqual(len(rules), 12)

    # ------------------------------------------------------------
    # CHECK
    # ------------------------------------------------------------

    def check_offers(self, record, pricelist, lines):
        """What the mails of a sequence would say."""
        for product, quantity in lines:
            offer = self.offers[product.name]
            offer.quantity = quantity
            price, currency = offer._get_price(record, self.company)
            self.assertEqual(currency, record.currency_id)
            expected = pricelist.get_price(product, quantity, 0)
            self.assertEqual(
                to_multiple(Decimal(repr(round(price, 8))), CENT), to_multiple(expected, CENT)
            )

    def check_order(self, record, pricelist, lines):
        """What Sales quotes, however the company gets to whole cents."""
        is_per_line = self.draw.random.random() < 0.5
        method = "round_per_line" if is_per_line else "round_globally"
        self.company.tax_calculation_rounding_method = method
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "pricelist_id": record.id,
                "date_order": self.clock,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.products[product.name].id,
                            "product_uom_qty": quantity,
                        }
                    )
                    for product, quantity in lines
                ],
            }
        )
        total = pricelist.get_total(lines, 0, is_per_line)
        self.assertEqual(order.currency_id, record.currency_id)
        self.assertEqual(f"{order.amount_untaxed:.2f}", f"{total:.2f}")
        return order

    def check_fresh(self, order, pricelist, lines):
        """The same quotation after all prices have changed, and with the smallest discount that
        beats what was refused."""
        refused = order.amount_untaxed
        later = replace(self.draw.pricelist(NAMES), rate=pricelist.rate)
        rules = [Command.create(self.get_rule(rule, None)) for rule in later.rules]
        order.pricelist_id.item_ids = [Command.clear(), *rules]
        changed = {product.name: self.draw.product(product.name) for product, _number in lines}
        for name, product in changed.items():
            self.price(name, product)
        lines = [(changed[product.name], quantity) for product, quantity in lines]
        is_per_line = self.company.tax_calculation_rounding_method == "round_per_line"
        fresh = order._nurture_imagine()
        total = later.get_total(lines, 0, is_per_line)
        self.assertEqual(f"{fresh.amount_untaxed:.2f}", f"{total:.2f}")
        discount = fresh._nurture_beat(refused, 5.0)
        if discount is None:
            # less than nothing cannot be asked for
            self.assertTrue(refused <= 0 or total <= 0 or refused < total * CENT)
            return 1
        most = Decimal(repr(refused)) * 95 / 100
        self.assertLessEqual(fresh.amount_untaxed, float(most) + 1e-6)
        if discount:
            less = total * (100 - Decimal(repr(discount)) + CENT) / 100
            self.assertGreater(less, most - CENT * (len(lines) + 1), "less would have done")
        return 1

    # ------------------------------------------------------------
    # RECORDS
    # ------------------------------------------------------------

    def price(self, name, product):
        self.products[name].write(
            {"list_price": float(product.list_price), "standard_price": float(product.cost)}
        )

    def make_currency(self, rate):
        if rate not in self.currencies:
            self.currencies[rate] = self.env["res.currency"].create(
                {
                    "name": f"X{len(self.currencies):02}",
                    "symbol": "X",
                    "rounding": 0.01,
                    "rate_ids": [
                        Command.create(
                            {
                                "name": "2020-01-01",
                                "rate": float(rate),
                                "company_id": self.company.id,
                            }
                        )
                    ],
                }
            )
        return self.currencies[rate]

    def make_pricelist(self, pricelist):
        other = self.make_pricelist(pricelist.other) if pricelist.other else None
        return self.env["product.pricelist"].create(
            {
                "name": "Random",
                "currency_id": self.make_currency(pricelist.rate).id,
                "company_id": self.company.id,
                "item_ids": [
                    Command.create(self.get_rule(rule, other)) for rule in pricelist.rules
                ],
            }
        )

    def get_rule(self, rule, other):
        def on(day):
            return day is not None and self.clock + timedelta(days=day)

        values = {
            "applied_on": APPLIED_ON[rule.product is not None],
            "product_id": rule.product and self.products[rule.product].id,
            "product_tmpl_id": rule.product and self.products[rule.product].product_tmpl_id.id,
            "compute_price": rule.kind,
            "base": rule.base,
            "base_pricelist_id": other.id if rule.base == "pricelist" else False,
            "min_quantity": rule.from_quantity,
            "date_start": on(rule.first_day),
            "date_end": on(rule.last_day),
        }
        amount = float(rule.amount)
        if rule.kind == "fixed":
            return {**values, "fixed_price": amount}
        if rule.kind == "percentage":
            return {**values, "percent_price": amount}
        what = "price_markup" if rule.base == "standard_price" else "price_discount"
        return {
            **values,
            what: amount,
            "price_round": float(rule.step),
            "price_surcharge": float(rule.surcharge),
            "price_min_margin": float(rule.least),
            "price_max_margin": float(rule.most),
        }
