"""The link in a mail to the quotation that was refused, as it would be today."""

import re
from html import unescape

from odoo.tests import tagged

from ..common import ANN, NurtureHttpCase
from ..quotations import QuotationMixin


@tagged("post_install", "-at_install")
class TestQuotationPage(QuotationMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.make_price_sequence()
        self.cut(self.desk, 80.0)
        self.sequence.action_start()
        self.advance(minutes=5)

    def link(self):
        """The link to the quotation in the mail, as it arrived."""
        return unescape(self.links_of(self.mail_to(ANN))[-1])

    def page_url(self):
        response = self.url_open(self.link(), allow_redirects=False)
        self.assertEqual(response.status_code, 302)
        return response.headers["Location"]

    def test_asked_for(self):
        url = self.page_url()
        orders = self.env["sale.order"].search_count([])
        page = self.url_open(url)
        self.assertEqual(page.status_code, 200)
        self.assertIn("80.00", page.text)
        self.assertEqual(self.env["sale.order"].search_count([]), orders)
        response = self.url_open(url, data={}, method="POST", allow_redirects=False)
        self.assertEqual(response.status_code, 303, response.text)
        self.env.invalidate_all()
        fresh = self.refused._nurture_find_fresh()
        self.assertEqual(len(fresh), 1)
        self.assertEqual(fresh.amount_untaxed, 80.0)
        self.assertIn(f"/my/orders/{fresh.id}?access_token=", response.headers["Location"])
        self.assertTrue(
            re.search("o_sale_portal|sale_order", self.url_open(response.headers["Location"]).text)
        )
