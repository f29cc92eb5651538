"""The link in a mail to the quotation that was refused, as it would be today: looked at, asked for,
signed."""

import base64
import json
from datetime import timedelta
from html import unescape

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, DealMixin, NurtureHttpCase
from ..quotations import LINK, QUOTATION, QuotationMixin

#: A picture of one point, as a signature.
SIGNATURE = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()


class PageCase(QuotationMixin, NurtureHttpCase):
    """Ann got a mail: her desk costs 80.00 instead of 100.00."""

    body = LINK

    def setUp(self):
        super().setUp()
        # core asks the calendar whether a quotation has expired
        self.patch(fields.Date, "today", lambda *_args: self.clock.date())
        self.make_price_sequence(self.body, fresh_days=10)
        self.cut(self.desk, 80.0)
        self.sequence.action_start()
        self.advance(minutes=5)
        self.url = self.follow(self.link())

    def link(self, address=ANN):
        """The link to the quotation in the mail, as it arrived."""
        return unescape(self.links_of(self.mail_to(address))[0])

    def follow(self, link):
        response = self.url_open(link, allow_redirects=False)
        self.assertEqual(response.status_code, 302)
        return response.headers["Location"]

    def look(self, url=None, status=200):
        response = self.url_open(url or self.url)
        self.assertEqual(response.status_code, status)
        return response.text.replace("\N{NO-BREAK SPACE}", " ")

    def ask(self, url=None):
        response = self.url_open(url or self.url, data={}, method="POST", allow_redirects=False)
        self.env.invalidate_all()
        return response

    def asked(self):
        """The quotation that was asked for."""
        return self.env["sale.order"].search([("nurture_refused_id", "!=", False)])

    def refuses(self, words):
        """The page says clearly that there is none, and makes none."""
        self.env.flush_all()
        self.assertIn(words, self.look(status=410))
        before = self.asked()
        self.assertEqual(self.ask().status_code, 410)
        self.assertEqual(self.asked(), before)


@tagged("post_install", "-at_install")
class TestPage(PageCase):
    def test_looked_at(self):
        """Programs follow links: nothing is made, whoever looks and however often."""
        for _time in range(2):
            page = self.look()
        for words in ("Desk (test)", "$ 100.00", "$ 80.00", "$ 20.00", "03/12/2026"):
            self.assertIn(words, page)
        self.assertEqual(self.url_open(self.url, method="HEAD").status_code, 200)
        self.assertFalse(self.asked())
        self.assertFalse(self.participant(self.ann).won_back_date)
        response = self.url_open(self.url)
        self.assertEqual(response.headers["X-Robots-Tag"], "noindex")
        self.assertIn("no-store", response.headers["Cache-Control"])

    def test_asked_for(self):
        """It is Ann's, at the prices of today, with her salesperson; the sequence has reached its
        goal and is credited, and she is led to core's page to sign it."""
        self.clock += timedelta(minutes=10)
        response = self.ask()
        self.assertEqual(response.status_code, 303)
        fresh = self.asked()
        self.assertEqual(fresh.nurture_refused_id, self.refused)
        self.assertEqual((fresh.amount_untaxed, fresh.state), (80.0, "sent"))
        self.assertEqual(fresh.opportunity_id, self.ann)
        self.assertEqual(fresh.user_id, self.salesman)
        self.assertEqual(fresh.partner_id, self.customer)
        self.assertEqual(fresh.create_uid, self.seller)
        self.assertEqual(fresh.validity_date.isoformat(), "2026-03-12")
        mailing = self.first.mailing_id
        self.assertEqual(fresh.source_id, mailing.source_id)
        self.assertTrue(fresh.campaign_id)
        self.assertEqual(fresh.campaign_id, self.sequence.campaign_id)
        journey = self.participant(self.ann)
        self.assertEqual(journey.exit_reason, "quotation")
        self.assertEqual(journey.credited_step_id, self.first)
        self.assertEqual(self.journey_of(fresh), journey)
        self.assertEqual(self.ann.won_status, "pending")
        location = response.headers["Location"]
        self.assertIn(f"/my/orders/{fresh.id}?access_token={fresh.access_token}", location)
        self.assertIn("Desk (test)", self.look(location))

    def test_asked_for_twice(self):
        """The same one, which the page leads to from then on."""
        first = self.ask().headers["Location"]
        self.assertEqual(self.ask().headers["Location"], first)
        self.assertEqual(len(self.asked()), 1)
        page = self.look()
        self.assertIn("Your quotation is ready", page)
        self.assertIn(first.partition("?")[2], page)

    def test_signed(self):
        """With core's signature the quotation is an order, and the page says so."""
        self.ask()
        fresh = self.asked()
        self.assertTrue(fresh.require_signature)
        response = self.url_open(
            f"/my/orders/{fresh.id}/accept",
            data=json.dumps(
                {
                    "params": {
                        "access_token": fresh.access_token,
                        "name": "Ann",
                        "signature": SIGNATURE,
                    }
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        self.assertTrue(response.json().get("result", {}).get("force_refresh"), response.text)
        self.env.invalidate_all()
        self.assertEqual(fresh.state, "sale")
        self.assertEqual(fresh.signed_by, "Ann")
        self.assertIn("You have ordered already", self.look())

    def test_in_a_browser(self):
        """From the link in the mail to the order, as Ann clicks it."""
        self.start_tour(self.link(), "nurture_quotation_tour")
        self.env.invalidate_all()
        fresh = self.asked()
        self.assertEqual((fresh.state, fresh.signed_by), ("sale", "Ann"))
        self.assertEqual(self.participant(self.ann).exit_reason, "quotation")
        self.assertIn("You have ordered already", self.look())

    def test_can_be_accepted(self):
        """Where the company asks for neither signature nor payment, it is signed all the same."""
        self.refused.write({"require_signature": False, "require_payment": False})
        self.ask()
        self.assertTrue(self.asked().require_signature)

    def test_wrong_links(self):
        """Numbers of mails can be made up; what is signed for another one does not fit."""
        bob = self.make_lead(BOB, self.reason_price)
        self.quote(bob, {"product_id": self.desk.id, "price_unit": 100.0})
        self.advance(hours=1)
        other = self.follow(self.link(BOB))
        wrong = [
            "/".join([*self.url.split("/")[:-1], other.rpartition("/")[2]]),
            self.url[:-1],
            self.url + "0",
            self.url.rpartition("/")[0] + "/%C3%A4",
            self.base_url() + "/nurture/quotation/999999999/" + "0" * 64,
            self.base_url() + f"/nurture/quotation/{10**30}/" + "0" * 64,
        ]
        for url in wrong:
            with self.subTest(url):
                self.assertEqual(self.url_open(url).status_code, 404)
                self.assertEqual(self.ask(url).status_code, 404)
        self.assertFalse(self.asked())
        # core's own link without our signature leads to nobody's page
        forged = self.link().partition("?")[0]
        location = self.url_open(forged, allow_redirects=False).headers["Location"]
        self.assertIn("/nurture_quotation", location)
        self.assertIn("recipient's own quotation", self.look("/nurture_quotation"))

    def test_salesperson_and_portal(self):
        """Who is logged in as somebody else finds the page by the link as everybody does, and
        makes no quotation as oneself."""
        portal = new_test_user(self.env, "nurture_portal", "base.group_portal")
        for login in (portal.login, self.employee.login):
            self.authenticate(login, login)
            self.assertIn("$ 80.00", self.look())
        self.assertEqual(self.ask().status_code, 303)
        self.assertEqual(self.asked().create_uid, self.seller)

    def test_shown_in_the_browser(self):
        """Whoever has the mail shown in the browser finds the own link there, too."""
        mailing = self.first.mailing_id
        shown = self.look(mailing._get_view_url(ANN, self.ann.id))
        self.assertIn(self.url.partition("/nurture/")[2], shown)

    def test_restored(self):
        """The lead is in the pipeline again: the link works."""
        self.ann.action_restore()
        self.assertIn("$ 80.00", self.look())
        self.assertEqual(self.ask().status_code, 303)
        self.assertEqual(self.asked().opportunity_id, self.ann)

    def test_prices_of_the_day(self):
        """What the page shows is what is made, also when the price has risen since the mail."""
        self.cut(self.desk, 90.0)
        self.env.flush_all()
        self.assertIn("$ 90.00", self.look())
        self.ask()
        self.assertEqual(self.asked().amount_untaxed, 90.0)

    def test_expired(self):
        self.clock += timedelta(days=10)
        self.look()
        self.clock += timedelta(days=1)
        self.refuses("The offer ended on 03/12/2026")

    def test_won(self):
        self.ann.action_set_won()
        self.env.flush_all()
        self.assertIn("You have ordered already", self.look())
        self.assertEqual(self.ask().status_code, 200)
        self.assertFalse(self.asked())

    def test_refused_one_ordered(self):
        self.refused.action_confirm()
        self.env.flush_all()
        self.assertIn("You have ordered already", self.look())

    def test_deleted(self):
        self.refused.state = "cancel"
        self.refused.unlink()
        self.refuses("not there any more")

    def test_quotation_of_another_lead(self):
        """Somebody has taken it from the lead, or given it to another one."""
        self.refused.opportunity_id = self.make_lead(BOB, self.reason_price)
        self.refuses("not there any more")
        self.refused.opportunity_id = False
        self.refuses("not there any more")

    def test_merged(self):
        """Of merged leads the one that is left has the quotation, and the link works."""
        other = self.make_lead("ann@elsewhere.example.com", lost=False)
        self.ann.action_restore()
        left = (other | self.ann).merge_opportunity()
        self.assertEqual(self.refused.opportunity_id, left)
        self.env.flush_all()
        self.assertIn("$ 80.00", self.look())
        self.assertEqual(self.ask().status_code, 303)
        self.assertEqual(self.asked().opportunity_id, left)

    def test_author_has_left(self):
        """Nobody would make it."""
        self.seller.active = False
        self.refuses("do not offer it")

    def test_costs_nothing(self):
        """Nobody gets for nothing what somebody forgot to price."""
        self.cut(self.desk, 0.0)
        self.refuses("do not offer it")

    def test_typed(self):
        """What a salesperson had typed above the pricelist is on the page and in what is made."""
        self.refused.order_line.price_unit = 5000.0
        self.env.flush_all()
        self.assertIn("$ 5,000.00", self.look())
        self.ask()
        self.assertEqual(self.asked().amount_untaxed, 5000.0)

    def test_sequence_stopped(self):
        """Who has the mail gets the quotation, and the sequence is credited."""
        self.sequence.action_stop()
        self.assertIn("$ 80.00", self.look())
        self.assertEqual(self.ask().status_code, 303)
        self.assertEqual(self.journey_of(self.asked()), self.participant(self.ann))

    def test_two_mails(self):
        """By the mails of two sequences there is one quotation."""
        other = self.make_sequence(name="Other", domain="[]", fresh_days=10)
        mailing = self.make_mailing("Elsewhere", LINK)
        step = self.make_step(other, mailing_id=mailing.id)
        step.sudo().author_id = self.seller
        other.action_start()
        self.advance(minutes=5)
        link = self.links_of(self.mail_to(ANN, "Elsewhere"))[0]
        second = self.follow(unescape(link))
        self.assertNotEqual(second, self.url)
        self.assertEqual(self.ask().headers["Location"], self.ask(second).headers["Location"])
        self.assertEqual(len(self.asked()), 1)

    def test_credited_to_the_mail(self):
        """Who asks by a mail was won back by that one, also when a mail of another sequence was
        clicked after it had been opened first."""
        self.clock += timedelta(minutes=5)
        self.click(self.mail_to(ANN))
        other = self.make_sequence(name="Other", domain="[]", exit_on_quotation=False)
        self.make_step(other, subject="Elsewhere")
        other.action_start()
        self.advance(minutes=5)
        self.click(self.mail_to(ANN, "Elsewhere"))
        self.advance(hours=1)
        self.ask()
        self.assertEqual(self.journey_of(self.asked()).sequence_id, self.sequence)

    def test_salesperson_has_left(self):
        """It belongs to nobody who has left."""
        self.sequence.exit_on_quotation = False
        self.salesman.active = False
        self.ask()
        self.assertTrue(self.asked())
        self.assertFalse(self.asked().user_id)

    def test_lead_deleted(self):
        self.ann.unlink()
        self.refuses("not there any more")

    def test_blacklisted(self):
        self.env["mail.blacklist"]._add(ANN)
        self.refuses("no more mails from us")

    def test_forgotten(self):
        self.participant(self.ann).action_forget()
        self.refuses("We know nothing about you")

    def test_archived_product(self):
        self.desk.active = False
        self.refuses("do not offer it")

    def test_margin_floor(self):
        self.sequence.write({"has_margin_floor": True, "margin_floor": 61.0})
        self.refuses("do not offer it")

    def test_withdrawn(self):
        self.ask()
        self.asked()._action_cancel()
        self.refuses("withdrawn")

    def test_expired_quotation(self):
        """The quotation has ended, and a later mail offers it anew: there is another one."""
        self.ask()
        first = self.asked()
        first.validity_date = "2026-03-03"
        self.clock += timedelta(days=5)
        self.assertEqual(self.ask().status_code, 303)
        self.assertEqual(len(self.asked()), 2)

    @mute_logger("odoo.addons.lost_lead_nurture.models.quotation.mailing_trace")
    def test_author_without_rights(self):
        """The quotation is made with the rights of who has set up the step, or not at all."""
        self.seller.group_ids -= self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.seller.group_ids -= self.env.ref("sales_team.group_sale_salesman")
        self.refuses("do not offer it")

    def test_goal_that_is_none(self):
        """Where a quotation does not end the journey, it goes on, and the lead stays lost."""
        self.sequence.exit_on_quotation = False
        self.ask()
        self.assertFalse(self.participant(self.ann).won_back_date)
        self.assertEqual(self.ann.won_status, "lost")

    def test_language(self):
        """The page is in the language in which Ann gets mails."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env.ref("base.module_lost_lead_nurture")._update_translations(["fr_FR"])
        self.desk.with_context(lang="fr_FR").name = "Bureau (test)"
        self.ann.lang_id = self.env["res.lang"]._lang_get("fr_FR")
        self.env.flush_all()
        page = self.look()
        self.assertIn("Votre devis, tel qu’il serait aujourd’hui", page)
        self.assertIn("Bureau (test)", page)
        self.assertIn("80,00", page)


@tagged("post_install", "-at_install")
class TestTable(PageCase):
    """A mail that shows the quotation itself, for the smallest discount."""

    body = QUOTATION

    def link(self, address=ANN):
        return unescape(self.links_of(self.mail_to(address))[-1])

    def test_mail(self):
        html = self.html_of(self.mail_to(ANN)).replace("\N{NO-BREAK SPACE}", " ")
        for words in ("Desk (test)", "$ 80.00", "$ 20.00", "03/12/2026"):
            self.assertIn(words, unescape(html))
        self.assertNotIn("/nurture_quotation", html)
        self.assertIn("Your quotation, as it would be today", self.look())

    def test_discount(self):
        """A discount that was granted is worked out anew with the prices of the day: to beat what
        was refused, and above the floor, else none."""
        self.participant(self.ann).write({"granted_date": self.clock, "granted_discount": 5.0})
        self.cut(self.desk, 110.0)
        self.env.flush_all()
        self.assertIn("$ 95.00", self.look())
        self.sequence.write({"has_margin_floor": True, "margin_floor": 95.0})
        self.env.flush_all()
        self.assertIn("$ 110.00", self.look())
        self.sequence.margin_floor = 0.0
        self.ask()
        fresh = self.asked()
        self.assertAlmostEqual(fresh.amount_untaxed, 95.0)
        self.assertAlmostEqual(fresh.order_line.discount, 13.64)

    def test_several_lines(self):
        """Sections and notes are copied, down payments are not."""
        self.refused.order_line = [
            Command.create({"display_type": "line_section", "name": "Light"}),
            Command.create({"product_id": self.lamp.id, "product_uom_qty": 3}),
        ]
        self.env.flush_all()
        self.assertIn("$ 110.00", self.look())
        self.ask()
        self.assertEqual(len(self.asked().order_line), 3)
        self.assertEqual(self.asked().amount_untaxed, 110.0)


@tagged("post_install", "-at_install")
class TestPaid(DealMixin, PageCase):
    """A quotation that is accepted by payment."""

    def test_paid(self):
        """What has to be paid is paid on core's page: the quotation is an order then, and the
        journey that led to it is credited."""
        self.refused.write({"require_signature": False, "require_payment": True})
        provider, method = self.make_provider()
        location = self.ask().headers["Location"]
        fresh = self.asked()
        self.assertTrue(fresh.require_payment)
        self.assertIn("o_sale_portal_paynow", self.look(location))
        response = self.url_open(
            f"/my/orders/{fresh.id}/transaction",
            data=json.dumps(
                {
                    "params": {
                        "access_token": fresh.access_token,
                        "provider_id": provider.id,
                        "payment_method_id": method.id,
                        "token_id": None,
                        "amount": fresh.amount_total,
                        "flow": "direct",
                        "tokenization_requested": False,
                        "landing_route": location,
                    }
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        self.assertIn("result", response.json(), response.text)
        self.env.invalidate_all()
        transaction = fresh.transaction_ids
        self.assertEqual(transaction.amount, 80.0)
        # what the provider's answer does
        transaction._set_done()
        transaction._post_process()
        self.env.invalidate_all()
        self.assertEqual(fresh.state, "sale")
        journey = self.participant(self.ann)
        self.assertEqual(self.journey_of(fresh), journey)
        self.assertIn("order", self.credits_of(fresh).mapped("kind"))
        self.assertEqual(journey.credited_step_id, self.first)
        self.assertEqual(self.ann.won_status, "pending")
        self.assertIn("You have ordered already", self.look())

    def make_provider(self):
        """Somebody who takes money, without any."""
        method = self.env.ref("payment.payment_method_unknown")
        provider = self.env["payment.provider"].create(
            {
                "name": "Provider (test)",
                "code": "none",
                "state": "test",
                "is_published": True,
                "payment_method_ids": [Command.set(method.ids)],
            }
        )
        method.active = True
        # by that line of its journal the money is booked
        bank = [("type", "=", "bank"), ("company_id", "=", self.company.id)]
        journal = self.env["account.journal"].search(bank, limit=1)
        journal.inbound_payment_method_line_ids[:1].payment_provider_id = provider
        return provider, method
