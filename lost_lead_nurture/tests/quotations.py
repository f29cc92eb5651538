"""Leads with quotations that they refused, and a sequence that writes to them when the price is
below."""

from datetime import timedelta

from odoo.fields import Command
from odoo.tests import new_test_user

from .common import ANN, BODY

#: A mail that shows the refused quotation as it would be today.
QUOTATION = BODY.replace("</div>", '<t t-out="object.nurture_quotation"></t></div>')
#: One that only links to it.
LINK = BODY.replace("https://shop.example.com/limited", "/nurture_quotation")
SELLER = "sales_team.group_sale_salesman_all_leads,lost_lead_nurture.group_user"


class QuotationMixin:
    """A desk for 100.00 that costs 50.00, refused by Ann, and somebody of Sales who sets up a
    sequence that leads enter when it costs 5% less."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env, "nurture_seller", SELLER, email="seller@test.example.com"
        )
        cls.env.user.group_ids += cls.env.ref("product.group_product_pricelist")
        cls.desk, cls.lamp = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "service",
                    "taxes_id": False,
                    "list_price": price,
                    "standard_price": price / 2,
                }
                for name, price in (("Desk (test)", 100.0), ("Lamp (test)", 10.0))
            ]
        )
        cls.customer = cls.env["res.partner"].create({"name": "Ann", "email": ANN})
        cls.pricelist = cls.env["product.pricelist"].create({"name": "Theirs"})

    def setUp(self):
        super().setUp()
        self.ann = self.make_lead(ANN, self.reason_price)
        self.refused = self.quote(self.ann, (self.desk, 1))

    def quote(self, lead, *lines, **values):
        """Quote to a lead, as its salesperson did before it was lost: by its pricelist.

        :param lines: pairs of product and quantity, or values of lines
        """
        return self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "opportunity_id": lead.id,
                "pricelist_id": self.pricelist.id,
                "company_id": self.company.id,
                "date_order": self.clock - timedelta(days=30),
                "user_id": self.salesman.id,
                "order_line": [
                    Command.create(
                        line
                        if isinstance(line, dict)
                        else {"product_id": line[0].id, "product_uom_qty": line[1]}
                    )
                    for line in lines
                ],
                **values,
            }
        )

    def make_price_sequence(self, body=QUOTATION, **values):
        """As somebody of Sales sets it up."""
        sequence = self.make_sequence(entry="price", domain="[]", reentry="price", **values)
        mailing = self.make_mailing("Below", body)
        self.first = self.make_step(sequence, mailing_id=mailing.id)
        self.first.sudo().author_id = self.seller
        self.sequence = sequence
        return sequence

    def cut(self, product, price):
        """The list price becomes another one."""
        product.list_price = price
