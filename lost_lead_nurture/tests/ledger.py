"""What comes of leads, from the quotation to the refund, in two currencies."""

from odoo.fields import Command
from odoo.tests import Form

from .common import ANN, BOB, DealMixin, NurtureCase

CARL = "carl@recipient.example.com"


class LedgerCase(DealMixin, NurtureCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.currency_id.active = True
        cls.foreign = cls.env["res.currency"].create(
            {"name": "XLN", "symbol": "ℓ", "rounding": 0.01, "rate_ids": []}
        )
        # what one unit of the company's currency is in the foreign one
        cls.env["res.currency.rate"].create(
            [
                {"currency_id": cls.foreign.id, "name": day, "rate": rate}
                for day, rate in (("2026-01-01", 2.0), ("2026-04-01", 4.0))
            ]
        )
        cls.tax = cls.env["account.tax"].create(
            {"name": "Tax 19 %", "amount": 19.0, "type_tax_use": "sale"}
        )

    def setUp(self):
        super().setUp()
        self.ann, self.bob = self.make_lead(ANN), self.make_lead(BOB)
        self.leads = self.ann | self.bob
        self.mailing = self.send("Plain", self.leads)

    # ------------------------------------------------------------
    # WHAT HAPPENS
    # ------------------------------------------------------------

    def send(self, subject, leads):
        """A plain mailing that has left, to each of these leads."""
        mailing = self.make_mailing(
            subject, mailing_domain=repr([("id", "in", leads.ids), ("active", "in", [True, False])])
        )
        mailing.action_send_mail()
        self.leave(mailing)
        return mailing

    def leave(self, mailing):
        self.env["mailing.trace"].search([("mass_mailing_id", "=", mailing.id)]).set_sent()

    def react(self, lead, mailing, what="clicked"):
        mailing_traces = self.env["mailing.trace"].search(
            [("mass_mailing_id", "=", mailing.id), ("res_id", "=", lead.id)]
        )
        getattr(mailing_traces, f"set_{what}")()

    def start_sequence(self, name, **values):
        sequence = self.make_sequence(name=name, exclude_other_sequences=False, **values)
        step = self.make_step(sequence, subject=name)
        self.make_step(sequence, "after", step, 30)
        sequence.action_start()
        self.run_cron()
        self.leave(step.mailing_id)
        return sequence

    def sell(self, lead, *prices, currency=None, taxes=(), **values):
        """A quotation for the lead's opportunity."""
        pricelist = self.env["product.pricelist"].create(
            {"name": "Test", "currency_id": (currency or self.company.currency_id).id}
        )
        order = self.order(lead)
        order.write(
            {
                "pricelist_id": pricelist.id,
                "date_order": self.clock,
                "order_line": [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                "product_id": self.product.id,
                                "price_unit": price,
                                "tax_ids": [Command.set([tax.id for tax in taxes])],
                            }
                        )
                        for price in prices
                    ),
                ],
                **values,
            }
        )
        self.assertEqual(order.currency_id, currency or self.company.currency_id)
        return order

    def bill(self, orders):
        """One invoice of these orders, whoever their customers are, on the day that it is."""
        for order in orders:
            if order.state != "sale":
                order.action_confirm()
        orders.partner_invoice_id = orders[:1].partner_invoice_id
        invoice = orders._create_invoices()
        invoice.invoice_date = self.clock.date()
        invoice.action_post()
        return invoice

    def pay(self, invoice, amount=None):
        wizard = Form.from_action(self.env, invoice.action_register_payment())
        wizard.payment_date = self.clock.date()
        if amount is not None:
            wizard.amount = amount
        wizard.save().action_create_payments()

    def refund(self, invoice, *prices):
        """A refund of the invoice, its lines at these prices."""
        refund = invoice._reverse_moves([{"invoice_date": self.clock.date()}])
        for line, price in zip(refund.invoice_line_ids, prices, strict=True):
            line.price_unit = price
        refund.action_post()
        return refund

    # ------------------------------------------------------------
    # WHAT CAME OF IT
    # ------------------------------------------------------------

    def rows(self, orders, *kinds):
        """(kind, amount, in the company's currency) of outcomes, in the order of their dates."""
        self.env["nurture.outcome"]._catch_up()
        outcomes = self.env["nurture.outcome"].search(
            [("order_id", "in", orders.ids)], order="date, id"
        )
        return [
            (one.kind, one.amount, one.company_amount)
            for one in outcomes
            if not kinds or one.kind in kinds
        ]

    def earned(self, orders):
        """What orders came to: paid, less refunded, in the company's currency."""
        return round(sum(row[2] for row in self.rows(orders, "paid", "refunded")), 2)

    def credited(self, order, model="last"):
        """{subject of the mail: amount} of what was earned."""
        self.env["nurture.outcome"]._catch_up()
        credits_ = self.env["nurture.credit"].search(
            [
                ("order_id", "=", order.id),
                ("model", "=", model),
                ("kind", "in", ["paid", "refunded"]),
            ]
        )
        amounts = {}
        for credit in credits_:
            subject = credit.mailing_id.subject
            amounts[subject] = round(amounts.get(subject, 0.0) + credit.company_amount, 2)
        return amounts
