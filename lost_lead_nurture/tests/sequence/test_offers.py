"""What a sequence offers in its mails."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..offers import OFFER, OfferCase


@tagged("post_install", "-at_install")
class TestOffers(OfferCase):
    def test_in_the_mail(self):
        """Ann has no contact: list price, in the company's currency. Bob's contact reads French and
        has a pricelist in a currency of which one of ours is 2: 250.00 are 500.00, and the fixed
        9.90 are 19.80."""
        box = self.env["product.product"].create({"name": "Box", "list_price": 1.0})
        self.offer()
        self.offer(box, quantity=3, price_kind="fixed", price=9.9, valid_days=10)
        self.bob.partner_id = self.env["res.partner"].create(
            {
                "name": "Bob",
                "email": self.bob.email_from,
                "lang": "fr_FR",
                "property_product_pricelist": self.pricelist.id,
            }
        )
        self.start()
        symbol = self.company.currency_id.symbol
        ann, bob = self.text_for(self.ann), self.text_for(self.bob)
        self.assertIn("Limited item", ann)
        self.assertIn(f"{symbol} 250.00", ann)
        self.assertIn("3 Units", ann)
        self.assertIn("03/12/2026", ann, "ten days from 2 March")
        self.assertIn("Objet rare", bob)
        self.assertRegex(bob, r"500,00\s+ℓ|ℓ\s+500,00")
        self.assertRegex(bob, r"19,80\s+ℓ|ℓ\s+19,80")
        self.assertNotIn("Limited item", bob)

    def test_written_by_marketers(self):
        """Who may write no code may write this, and sees it in the preview and the test mail; in a
        mail of no sequence there is nothing to show."""
        self.offer()
        self.assertFalse(self.marketer.has_group("mail.group_mail_template_editor"))
        expressions = self.env["crm.lead"].with_user(self.marketer).mail_allowed_qweb_expressions()
        self.assertIn("object.nurture_offer", expressions)
        mail = self.mail.with_user(self.marketer)
        mail.body_html = OFFER
        self.assertIn("Limited item", self.step.with_user(self.marketer).get_preview()["html"])
        # as the dialog for test mails has it
        test = mail._render_field("body_html", self.ann.ids, options={"preserve_comments": True})
        self.assertIn("Limited item", test[self.ann.id])
        plain = self.make_mailing("Plain", OFFER)
        text = plain._render_field("body_html", self.ann.ids)[self.ann.id]
        self.assertNotIn("Limited item", text)
        self.assertIn("Hello", text)

    def test_nothing_to_offer(self):
        """A mail that shows an offer needs one that has not ended; nor does the last one go away
        while it runs. The subject has no place for a table."""
        with self.assertRaisesRegex(UserError, "offers nothing"):
            self.sequence.action_start()
        offer = self.offer(valid_until_date="2026-03-01")
        with self.assertRaisesRegex(UserError, "ended or is archived"):
            self.sequence.action_start()
        offer.valid_until_date = "2026-03-02"
        self.product.active = False
        with self.assertRaisesRegex(UserError, "ended or is archived"):
            self.sequence.action_start()
        self.product.active = True
        self.mail.subject = "For you: {{object.nurture_offer}}"
        with self.assertRaisesRegex(UserError, "only words"):
            self.sequence.action_start()
        self.mail.subject = "For you"
        self.sequence.action_start()
        with self.assertRaisesRegex(UserError, "offers nothing"):
            offer.unlink()

    @mute_logger("odoo.addons.lost_lead_nurture.models.trace.engine")
    def test_ended_on_the_way(self):
        """A mail that falls due after the offer has ended does not leave: its trace says why."""
        self.offer(valid_until_date="2026-03-03")
        self.step.delay = 5
        self.make_lead("bob@recipient.example.com")
        self.start()
        traces = type(self.env["nurture.trace"])
        original = traces._run_again
        with patch.object(traces, "_run_again", autospec=True, side_effect=original) as again:
            self.advance(days=5)
        again.assert_called_once()
        self.assertFalse(self.text_for(self.ann))
        trace = self.trace(self.ann, self.step)
        self.assertEqual(trace.state, "error")
        self.assertIn("nothing is offered any more", trace.detail)

    def test_many_recipients(self):
        """It takes as many queries for twenty recipients as for two, with a contact or without."""
        self.offer()
        leads = self.env["crm.lead"].union(
            *(self.make_lead(f"lead{number}@recipient.example.com") for number in range(24))
        )
        for lead in leads[::2]:
            lead.partner_id = self.env["res.partner"].create({"name": lead.email_from})

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertTrue(all(self.sequence._offering(some).mapped("nurture_offer")))
            return self.env.cr.sql_log_count - before

        # what is cached for all is there then
        count(leads[:2])
        self.assertEqual(count(leads[2:4]), count(leads[4:]))

    def test_wrong_offers(self):
        for values in (
            {"price_kind": "fixed", "price": -1.0},
            {"valid_days": -1},
            {"valid_days": 3, "valid_until_date": "2026-03-10"},
            {"uom_id": self.env.ref("uom.product_uom_km").id},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.offer(**values)

    def test_companies(self):
        """Two companies sell in one sequence: each lead is offered what its company sells, and
        each company needs something to offer."""
        other = self.env["res.company"].create({"name": "Other", "currency_id": self.foreign.id})
        self.marketer.company_ids += other
        self.sequence.company_id = False
        own, foreign = self.env["product.product"].create(
            [
                {"name": "Ours", "list_price": 10.0, "company_id": self.company.id},
                {"name": "Theirs", "list_price": 30.0, "company_id": other.id},
            ]
        )
        self.offer(own)
        with self.assertRaisesRegex(UserError, "leads of Other are offered nothing"):
            self.sequence.action_start()
        self.offer(foreign)
        self.bob.write({"company_id": other.id, "user_id": False, "team_id": False})
        self.start()
        self.assertIn("Ours", self.text_for(self.ann))
        self.assertNotIn("Theirs", self.text_for(self.ann))
        self.assertIn("Theirs", self.text_for(self.bob))
        self.assertRegex(self.text_for(self.bob), r"30\.00\s+ℓ|ℓ\s+30\.00")
        copied = self.sequence.copy({"company_id": self.company.id})
        self.assertEqual(copied.offer_ids.product_id, own)
        self.assertIn("Theirs", copied.message_ids[:1].body)

    def test_company_not_chosen(self):
        """Who has not chosen a company in the switcher opens, starts and duplicates a sequence that
        offers a product of it."""
        other = self.env["res.company"].create({"name": "Other"})
        self.marketer.company_ids += other
        self.sequence.company_id = False
        foreign = self.env["product.product"].create({"name": "Theirs", "company_id": other.id})
        self.offer()
        self.offer(foreign)
        sequence = self.sequence.with_user(self.marketer)
        sequence = sequence.with_context(allowed_company_ids=self.company.ids)
        self.env.invalidate_all()
        self.assertFalse(foreign.with_env(sequence.env).has_access("read"))
        names = {name: {} for name in self.env["nurture.offer"]._fields}
        names["product_id"] = {"fields": {"display_name": {}}}
        (read,) = sequence.web_read({"offer_ids": {"fields": names}, "workflow": {}})
        shown = [line["product_id"]["display_name"] for line in read["offer_ids"]]
        self.assertEqual(shown, ["Limited item", "Theirs"])
        self.assertEqual(len(sequence.copy().sudo().offer_ids), 2)
        sequence.action_start()
        self.assertEqual(sequence.state, "running")

    def test_branches(self):
        """A branch sells the products of its parent company, which does not sell the branch's."""
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.marketer.company_ids += branch
        self.sequence.company_id = branch
        parents, own = self.env["product.product"].create(
            [
                {"name": "Parent's", "company_id": self.company.id},
                {"name": "Branch's", "company_id": branch.id},
            ]
        )
        offers = self.offer(parents) + self.offer(own)
        offers[0].with_user(self.marketer).product_id = parents
        offer = self.env["nurture.offer"].with_user(self.marketer)
        offer.create({"sequence_id": self.sequence.id, "product_id": parents.id}).unlink()
        self.assertEqual(offers._filter_open(branch), offers)
        self.assertEqual(offers._filter_open(self.company), offers[0])
        self.assertEqual(self.sequence.copy().offer_ids.product_id, parents | own)
        self.sequence.company_id = self.company
        with self.assertRaises(UserError):
            offer.create({"sequence_id": self.sequence.id, "product_id": own.id})

    def test_day_of_the_company(self):
        """It ends when the day does where the company is, and its days count from there."""
        self.company.partner_id.tz = "Pacific/Auckland"
        offer = self.offer(valid_until_date="2026-03-02")
        days = self.offer(valid_days=1)
        self.assertFalse(offer.with_context(tz=False).is_over, "22:00")
        self.assertEqual(str(days._get_last_day()), "2026-03-03")
        self.clock += timedelta(hours=4)
        self.env.invalidate_all()
        self.assertTrue(offer.with_context(tz=False).is_over, "02:00 of the next day")
        self.assertEqual(str(days._get_last_day()), "2026-03-04")

    def test_digits(self):
        """Quantities and prices have the digits that they have on products and in quotations."""
        digits = self.env["decimal.precision"]
        digits.search([("name", "in", ("Product Unit", "Product Price"))]).digits = 4
        self.product.list_price = 0.0125
        offer = self.offer(quantity=0.0625)
        line = offer._describe(self.env["product.pricelist"], self.company)
        self.assertIn("0.0625", line["quantity"])
        self.assertIn("0.0125", line["price"])
        self.product.list_price = 250.0
        line = offer._describe(self.env["product.pricelist"], self.company)
        self.assertRegex(line["price"], r"250\.00(\D|$)")

    def test_templates(self):
        """A template keeps the offer, and so does what is made from it."""
        self.offer(price_kind="fixed", price=199.0)
        template = self.sequence._save_as_template({"template_name": "Rare"})
        self.assertFalse(template.campaign_code)
        made = template._create_from_template({"name": "Rare again"})
        self.assertEqual(made.offer_ids.mapped("price"), [199.0])
        self.assertEqual(made.campaign_code, "RAREAGAIN")

    def test_rights(self):
        """Marketers who work for the sequence's companies write what it offers, salespeople read
        it, others neither."""
        offer = self.offer()
        offer.with_user(self.marketer).quantity = 2
        self.assertEqual(offer.with_user(self.salesman).quantity, 2)
        with self.assertRaises(AccessError):
            offer.with_user(self.salesman).quantity = 3
        stranger = self.make_marketer(self.env["res.company"].create({"name": "Other"}))
        for user in (stranger, self.employee):
            with self.subTest(user.login), self.assertRaises(AccessError):
                offer.with_user(user).read(["quantity"])
        with self.assertRaises(AccessError):
            self.env["nurture.offer"].with_user(stranger).create(
                {"sequence_id": self.sequence.id, "product_id": self.product.id}
            )
        foreign = self.env["product.product"].create(
            {"name": "Theirs", "company_id": stranger.company_id.id}
        )
        with self.assertRaises(UserError):
            offer.with_user(self.marketer).product_id = foreign
