"""Customers who order no more: who is chosen, what lead becomes of them, and what ends it."""

from ast import literal_eval
from datetime import timedelta

from lxml import etree

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ...models.sequence import silent
from ..common import NurtureCase

GROUPS = ("sales_team.group_sale_salesman_all_leads", "lost_lead_nurture.group_user")


class SilentCase(NurtureCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env, "nurture_seller", ",".join(GROUPS), email="seller@test.example.com"
        )
        cls.desk, cls.lamp = cls.env["product.product"].create(
            [
                {"name": name, "type": "service", "taxes_id": False, "list_price": 100}
                for name in ("Desk (test)", "Lamp (test)")
            ]
        )
        cls.ann, cls.bob = cls.env["res.partner"].create(
            [
                {"name": "Ann", "email": "ann@buyer.example.com", "user_id": cls.salesman.id},
                {"name": "Bob", "email": "bob@buyer.example.com"},
            ]
        )
        # those of other add-ons' data are not what is tested
        cls.everybody = cls.env["res.partner"].search([]) - cls.ann - cls.bob
        cls.everybody.filtered("email").write({"email": False})

    def order(self, partner, days_ago, price=100.0, product=None, **values):
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create({"product_id": (product or self.desk).id, "price_unit": price})
                ],
                **values,
            }
        )
        order.action_confirm()
        order.date_order = self.clock - timedelta(days=days_ago)
        return order

    def make_preset(self, user=None, **values):
        presets = self.env["nurture.preset"].with_user(user or self.seller)
        values = {"name": "Silent", "kind": "customers", "quiet_days": 0, **values}
        return presets.create(values)

    def found(self, user=None, **values):
        """Names of the customers that a preset with these values finds."""
        preset = self.make_preset(user, **values)
        action = preset.action_view_leads()
        self.assertEqual(action["res_model"], "res.partner")
        names = preset.env["res.partner"].search(action["domain"]).mapped("name")
        self.assertEqual(preset.matching_count, len(names))
        return sorted(names)

    def run_for(self, preset, user=None, **values):
        """Start a sequence of one mail for the customers of a preset."""
        sequence = self.make_sequence(
            user_id=self.seller.id, preset_id=preset.id, domain=preset.full_domain, **values
        )
        sequence.sudo().domain_author_id = user or self.seller
        self.first = self.make_step(sequence)
        sequence.action_start()
        self.advance()
        return sequence

    def leads_of(self, partners):
        leads = self.env["crm.lead"].with_context(active_test=False)
        return leads.search([("partner_id", "in", partners.ids)], order="id")


@tagged("post_install", "-at_install")
class TestSilentPreset(SilentCase):
    def test_days_and_number(self):
        self.order(self.ann, 400)
        self.order(self.ann, 100)
        self.order(self.bob, 200)
        self.assertEqual(self.found(silent_days=90), ["Ann", "Bob"])
        self.assertEqual(self.found(silent_days=100), ["Ann", "Bob"], "the day itself counts")
        self.assertEqual(self.found(silent_days=101), ["Bob"])
        self.assertEqual(self.found(order_count_max=1), ["Bob"])
        self.assertEqual(self.found(order_count_min=2), ["Ann"])
        self.assertEqual(self.found(order_count_min=3), [])

    def test_only_confirmed(self):
        self.order(self.ann, 200)
        self.order(self.bob, 200)._action_cancel()
        quotation = self.order(self.bob, 150).copy()
        self.env["sale.order"].search([("partner_id", "=", self.bob.id)])._action_cancel()
        self.assertEqual(quotation.state, "cancel")
        self.assertEqual(self.found(), ["Ann"])
        self.order(self.ann, 150).copy()
        self.assertEqual(self.found(), ["Ann"], "a quotation is no order")

    def test_amounts_in_currencies(self):
        """An order counts at the rate that it was made at, in the currency of its company."""
        other = self.env.ref("base.EUR")
        if self.company.currency_id == other:
            other = self.env.ref("base.USD")
        other.active = True
        other.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {
                "currency_id": other.id,
                "company_id": self.company.id,
                "name": "2000-01-01",
                "rate": 2,
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Other", "currency_id": other.id, "company_id": self.company.id}
        )
        self.order(self.ann, 200, 300.0, pricelist_id=pricelist.id)
        self.order(self.bob, 200, 200.0)
        self.order(self.bob, 300, 40.0)
        # 150 of Ann; 240, of which 120 each, of Bob
        self.assertEqual(self.found(amount_average_min=130), ["Ann"])
        self.assertEqual(self.found(amount_total_min=160), ["Bob"])
        self.assertEqual(self.found(amount_total_max=160), ["Ann"])

    def test_products(self):
        category = self.env["product.category"].create({"name": "Light"})
        child = category.create({"name": "Lamps", "parent_id": category.id})
        self.lamp.categ_id = child
        self.order(self.ann, 200, product=self.lamp)
        self.order(self.ann, 300, product=self.desk)
        self.order(self.bob, 200, product=self.desk)
        self.assertEqual(self.found(bought_product_ids=self.lamp.ids), ["Ann"])
        self.assertEqual(self.found(bought_product_ids=self.desk.ids), ["Ann", "Bob"])
        self.assertEqual(self.found(bought_category_ids=category.ids), ["Ann"])
        self.assertEqual(self.found(never_bought_product_ids=self.lamp.ids), ["Bob"])
        self.assertEqual(self.found(never_bought_category_ids=category.ids), ["Bob"])

    def test_customers(self):
        """A company and its contacts are one customer; without an address there is nobody to write
        to."""
        self.bob.write({"is_company": True})
        clerk = self.env["res.partner"].create({"name": "Clerk", "parent_id": self.bob.id})
        self.order(clerk, 100)
        self.order(self.bob, 300)
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        self.order(nobody, 200)
        self.order(self.ann, 200)
        self.ann.active = False
        self.assertEqual(self.found(), ["Bob"])
        self.assertEqual(self.found(order_count_min=2), ["Bob"])
        self.assertEqual(self.found(silent_days=150), [], "the clerk's order is the customer's")

    def test_companies_apart(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.seller.company_ids |= other
        self.order(self.ann, 200)
        self.order(self.ann, 3, company_id=other.id)
        self.order(self.bob, 200, company_id=other.id)
        both = {"allowed_company_ids": [self.company.id, other.id]}
        preset = self.make_preset().with_context(**both)
        self.assertEqual(preset._count_customers(self.company), 1)
        self.assertEqual(preset._count_customers(self.company | other), 2)
        preset.company_id = other
        self.assertEqual(preset._count_customers(self.company | other), 1)
        self.assertEqual(preset._count_customers(self.company), 0)

    def test_whose_orders(self):
        """Nobody finds out about orders that they may not see, nor is a customer silent who has
        ordered from a colleague."""
        own = new_test_user(
            self.env,
            "nurture_own",
            "sales_team.group_sale_salesman,lost_lead_nurture.group_user",
        )
        self.order(self.ann, 200, user_id=own.id)
        self.order(self.bob, 200, user_id=self.colleague.id)
        self.assertEqual(self.found(own), ["Ann"])
        self.order(self.ann, 3, user_id=self.colleague.id)
        self.assertEqual(self.found(own), [])
        with self.assertRaisesRegex(ValidationError, "You may not see orders"):
            self.make_preset(self.marketer)
        preset = self.make_preset()
        self.assertEqual(preset.with_user(self.marketer).matching_count, 0)
        with self.assertRaises(UserError):
            preset.with_user(self.marketer).action_view_leads()
        with self.assertRaisesRegex(UserError, "You may not see orders"):
            self.env["nurture.sequence"].with_user(self.marketer).create(
                {"name": "Nosy", "preset_id": preset.id}
            )

    def test_bad_numbers(self):
        for values in (
            {"silent_days": 0},
            {"silent_days": 10**6},
            {"quiet_days": -1},
            {"order_count_min": -1},
            {"order_count_min": 3, "order_count_max": 2},
            {"amount_total_min": 3, "amount_total_max": 2},
            {"amount_average_min": -1},
        ):
            with (
                self.subTest(values),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                self.make_preset(**values)

    def test_form(self):
        self.order(self.ann, 200)
        form = Form(self.env["nurture.preset"].with_user(self.seller))
        form.name = "Silent"
        form.kind = "customers"
        self.assertEqual(form.matching_count, 1)
        preset = form.save()
        self.assertFalse(preset.mailing_filter_id, "Email Marketing has no such filter")
        preset.kind = "leads"
        self.assertTrue(preset.mailing_filter_id)
        self.assertNotEqual(
            self.env["nurture.preset"]._of_reasons(self.env["crm.lost.reason"]), self.make_preset()
        )


@tagged("post_install", "-at_install")
class TestSilentLeads(SilentCase):
    def test_becomes_a_lead(self):
        last = self.order(self.ann, 100)
        scores = self.env["crm.lead.scoring.frequency"].search_count([])
        preset = self.make_preset()
        sequence = self.run_for(preset)
        lead = self.leads_of(self.ann)
        self.assertEqual(len(lead), 1)
        self.assertEqual(lead.won_status, "lost")
        self.assertEqual(lead.date_closed, self.clock)
        self.assertEqual(lead.type, "opportunity")
        self.assertEqual(lead.lost_reason_id.name, "Went silent")
        self.assertEqual(lead.nurture_silent_since, last.date_order)
        self.assertEqual(lead.user_id, self.salesman)
        self.assertEqual(lead.company_id, self.company)
        self.assertEqual(lead.email_normalized, "ann@buyer.example.com")
        self.assertEqual(lead.nurture_silent_preset_ids, preset)
        self.assertEqual(lead.message_ids.mapped("subject"), [self.first.mailing_id.subject])
        self.assertFalse(lead.message_partner_ids)
        self.assertEqual(self.participant(lead).state, "running")
        self.assertEqual(self.env["crm.lead.scoring.frequency"].search_count([]), scores)
        self.assertFalse(self.leads_of(self.bob))
        self.assertFalse(sequence.last_error)
        self.advance(days=30)
        self.assertEqual(self.leads_of(self.ann), lead, "one for each silence")

    def make_draft(self):
        """A draft of the seller's that finds Ann, and Bob, who is blacklisted."""
        self.order(self.ann, 100)
        self.order(self.bob, 100)
        self.env["mail.blacklist"]._add(self.bob.email)
        preset = self.make_preset()
        sequence = self.make_sequence(preset_id=preset.id, domain=preset.full_domain)
        sequence.sudo().domain_author_id = self.seller
        return sequence

    def test_not_before_it_runs(self):
        """What a draft would find is counted, and nothing written."""
        sequence = self.make_draft()
        own = sequence.with_user(self.seller)
        audience = own.get_audience()
        self.assertEqual(audience["customers"], 2)
        self.assertEqual(audience["customers_entering"], 1)
        self.assertEqual(audience["matching"], 0)
        action = own.action_view_audience("customers")
        self.assertEqual(action["res_model"], "res.partner")
        self.assertEqual(action["domain"], [("id", "in", sorted((self.ann | self.bob).ids))])
        dry_run = self.env["nurture.dry.run"].browse(own.action_dry_run()["res_id"])
        self.assertEqual(dry_run.customer_count, 2)
        self.assertEqual(dry_run.customer_entering_count, 1)
        self.assertFalse(self.leads_of(self.ann) | self.leads_of(self.bob))
        self.assertFalse(self.env["nurture.silence"].search([]))
        blind = sequence.with_user(self.marketer).get_audience()
        self.assertEqual((blind["customers"], blind["customers_entering"]), (0, 0))
        self.advance(days=2)
        self.assertFalse(self.leads_of(self.ann), "it does not run")

    def test_dry_run_names_them(self):
        """A dry run lists the customers by name, with what comes of each."""
        own = self.make_draft().with_user(self.seller)
        dry_run = self.env["nurture.dry.run"].with_user(self.seller)
        dry_run = dry_run.browse(own.action_dry_run()["res_id"])
        action = dry_run.action_view_customers()
        rows = dry_run.env[action["res_model"]].search(action["domain"])
        self.assertEqual(
            {row.partner_id: row.outcome for row in rows},
            {self.ann: "enters", self.bob: "blacklisted"},
        )
        self.assertEqual(len(rows), dry_run.customer_count)
        labels = dict(rows._fields["outcome"]._description_selection(rows.env))
        self.assertEqual(labels["enters"], "Becomes a lead and enters")
        self.assertIn("blacklisted", labels["blacklisted"].lower())
        context = rows.filtered(lambda row: row.partner_id == self.bob).action_explain()["context"]
        why = rows.env["nurture.explain"].with_context(**context).create({})
        self.assertFalse(why.enters)
        self.assertRegex(why.conditions, "fa-times.*The address is not blacklisted")

    def test_why_as_a_customer(self):
        """What does not hold of a customer who is no lead yet, condition by condition."""
        self.order(self.ann, 100)
        self.order(self.bob, 30)
        preset = self.make_preset(amount_total_min=10_000)
        sequence = self.make_sequence(preset_id=preset.id, domain=preset.full_domain)
        sequence.sudo().domain_author_id = self.seller
        self.make_step(sequence)
        sequence.action_start()
        own = sequence.with_user(self.seller)

        def ask(partner):
            answer = own.explain_customer(partner.id)
            failing = [one for one in answer["conditions"] if not one["ok"]]
            texts = [part["text"] for one in failing for part in one["parts"]]
            return [one["reason"] for one in failing], texts, answer

        reasons, texts, answer = ask(self.ann)
        self.assertEqual(reasons, ["silent_customer"])
        self.assertEqual(texts, ["Not in “Silent”: All orders come to 10000.0 or more"])
        self.assertFalse(answer["enters"])
        _reasons, texts, _answer = ask(self.bob)
        self.assertEqual(
            texts,
            [
                "Not in “Silent”: The last order is 90 days old or more",
                "Not in “Silent”: All orders come to 10000.0 or more",
            ],
        )
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        self.assertIn("It has a confirmed order that counts", ask(nobody)[1][0])
        preset.amount_total_min = 0
        self.assertEqual(ask(self.ann)[0], [])
        self.assertTrue(ask(self.ann)[2]["enters"])
        # of a contact it is the company that is the customer
        clerk = self.env["res.partner"].create({"name": "Clerk", "parent_id": self.ann.id})
        self.assertTrue(ask(clerk)[2]["enters"])
        self.advance(days=1)
        lead = self.leads_of(self.ann)
        self.assertEqual(ask(self.ann)[2]["lead_ids"], lead.ids)
        self.assertIn("noticed", ask(self.ann)[0])
        self.assertIn(f"It is the lead “{lead.display_name}”: ask about that.", ask(self.ann)[1])

    def test_why_not_asked_rightly(self):
        sequence = self.make_sequence()
        with self.assertRaisesRegex(UserError, "is for no silent customers"):
            sequence.with_user(self.seller).explain_customer(self.ann.id)
        with self.assertRaisesRegex(UserError, "There is no such contact"):
            sequence.with_user(self.seller).explain_customer(2**31 - 1)
        dialog = self.env["nurture.explain"].with_user(self.seller)
        dialog = dialog.create({"sequence_id": sequence.id, "partner_id": self.ann.id})
        self.assertIn("is for no silent customers", dialog.problem)
        self.assertFalse(dialog.conditions)
        preset = self.make_preset()
        sequence.write({"preset_id": preset.id, "domain": preset.full_domain})
        # who may not see orders finds out nothing about them
        with self.assertRaises(AccessError):
            sequence.with_user(self.marketer).explain_customer(self.ann.id)

    def test_two_silences(self):
        """Whoever orders is won, and silent once more is a lead once more."""
        self.order(self.ann, 100)
        sequence = self.run_for(self.make_preset(), reentry="lost", goal_restore=True)
        first = self.leads_of(self.ann)
        self.clock += timedelta(days=5)
        self.order(self.ann, 0)
        self.assertEqual(self.participant(first).state, "exited")
        self.assertEqual(first.won_status, "won")
        self.advance(days=80)
        self.assertEqual(self.leads_of(self.ann), first)
        self.advance(days=11)
        second = self.leads_of(self.ann) - first
        self.assertEqual(len(second), 1)
        self.assertEqual(second.won_status, "lost")
        self.assertEqual(self.participant(second).state, "running")
        self.assertEqual(sequence.participant_count, 2)

    def test_quotation_first(self):
        """A quotation brings the lead back into the pipeline, the order wins it."""
        last = self.order(self.ann, 100)
        self.run_for(self.make_preset())
        lead = self.leads_of(self.ann)
        self.clock += timedelta(days=5)
        quotation = last.copy()
        self.assertEqual(self.participant(lead).exit_reason, "quotation")
        self.assertEqual(lead.won_status, "pending")
        quotation.action_confirm()
        self.assertEqual(lead.won_status, "won")

    def test_order_in_between(self):
        """An order between two scans, before the lead is made, ends the silence."""
        self.order(self.ann, 85)
        self.run_for(self.make_preset())
        self.clock += timedelta(days=5)
        self.order(self.ann, 0)
        self.advance(days=3)
        self.assertFalse(self.leads_of(self.ann))

    def test_order_cancelled(self):
        """The silence goes on as the same one when the order that ended it is cancelled."""
        self.order(self.ann, 100)
        self.run_for(self.make_preset())
        lead = self.leads_of(self.ann)
        self.clock += timedelta(days=5)
        self.order(self.ann, 0)._action_cancel()
        self.advance(days=100)
        self.assertEqual(self.leads_of(self.ann), lead)

    def test_deleted_lead(self):
        self.order(self.ann, 100)
        self.run_for(self.make_preset())
        self.leads_of(self.ann).unlink()
        self.advance(days=2)
        self.assertFalse(self.leads_of(self.ann), "somebody did not want it")

    def test_two_presets(self):
        """One silence is one lead, whichever presets notice it."""
        self.order(self.ann, 100)
        early, late = self.make_preset(silent_days=90), self.make_preset(silent_days=120)
        self.run_for(early)
        lead = self.leads_of(self.ann)
        self.run_for(late)
        self.assertEqual(lead.nurture_silent_preset_ids, early)
        self.advance(days=21)
        self.env.invalidate_all()
        self.assertEqual(self.leads_of(self.ann), lead)
        self.assertEqual(lead.nurture_silent_preset_ids, early | late)

    def test_once_a_day(self):
        sequence = self.run_for(self.make_preset())
        self.order(self.ann, 100)
        scanned = sequence.silent_scan_date
        self.advance(hours=2)
        self.assertEqual(sequence.silent_scan_date, scanned)
        self.assertFalse(self.leads_of(self.ann))
        self.advance(hours=23)
        self.assertTrue(self.leads_of(self.ann))
        self.order(self.bob, 50)
        sequence._get_customer_presets().silent_days = 40
        self.advance(minutes=15)
        self.assertTrue(self.leads_of(self.bob), "the choice has changed")

    def test_very_many(self):
        """They are made bit by bit; nobody waits for all of them."""
        self.order(self.ann, 100)
        self.order(self.bob, 100)
        self.patch(silent, "CHUNK", 1)
        self.patch(silent, "NOTICE_SECONDS", 0)
        with self.capture_triggers(self.cron.id) as captured:
            self.run_for(self.make_preset())
        self.assertTrue(captured.records, "the next run comes at once")
        made = self.leads_of(self.ann | self.bob)
        self.assertEqual(len(made), 1)
        self.advance()
        self.assertEqual(len(self.leads_of(self.ann | self.bob)), 2)
        self.assertEqual(len(self.participant(made)), 1)

    def test_quiet_days(self):
        """Whoever got a mail of a sequence just now has to wait."""
        self.order(self.ann, 100)
        lead = self.make_lead(self.ann.email)
        self.first = self.make_step(other := self.make_sequence(name="Other"))
        other.action_start()
        self.advance()
        self.assertTrue(self.participant(lead))
        preset = self.make_preset(quiet_days=7)
        self.assertEqual(preset.matching_count, 0, "one is in the queue")
        self.traces().mailing_trace_ids.set_sent()
        self.traces().mailing_trace_ids.mail_mail_id.state = "sent"
        self.clock += timedelta(days=6)
        preset.invalidate_recordset()
        self.assertEqual(preset.matching_count, 0)
        self.clock += timedelta(days=2)
        preset.invalidate_recordset()
        self.assertEqual(preset.matching_count, 1)

    def test_companies_of_the_sequence(self):
        """Each company's leads are of its own orders."""
        other = self.env["res.company"].create({"name": "Other"})
        self.seller.company_ids |= other
        self.order(self.ann, 100)
        self.order(self.bob, 100, company_id=other.id)
        sequence = self.run_for(self.make_preset())
        self.assertEqual(self.leads_of(self.ann).company_id, self.company)
        self.assertFalse(self.leads_of(self.bob))
        sequence.action_stop()
        everywhere = self.run_for(self.make_preset(), company_id=False)
        self.assertEqual(everywhere._get_companies(), self.company | other)
        self.assertEqual(self.leads_of(self.bob).company_id, other)
        self.assertFalse(self.leads_of(self.bob).user_id)

    @mute_logger("odoo.addons.lost_lead_nurture.models.sequence.entry")
    def test_author_may_not_any_more(self):
        self.order(self.ann, 100)
        sequence = self.run_for(self.make_preset(), self.seller)
        self.seller.group_ids -= self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.seller.group_ids -= self.env.ref("sales_team.group_sale_salesman")
        self.order(self.bob, 100)
        self.advance(days=2)
        self.assertFalse(self.leads_of(self.bob))
        self.assertIn("may not see", sequence.last_error)
        self.assertIn("may not see", sequence.rights_problem)

    def test_why(self):
        self.order(self.ann, 100)
        preset = self.make_preset()
        sequence = self.run_for(preset)
        lead = self.leads_of(self.ann)
        self.assertTrue(sequence.with_user(self.seller).explain(lead.id))
        plain = self.make_lead("carl@recipient.example.com")
        conditions = sequence.with_user(self.seller).explain(plain.id)
        self.assertIn("Silent Customers Of", str(conditions))

    def test_pipeline_does_not_count_them(self):
        """Core's filters of lost leads leave them out; a filter beside shows them."""
        self.order(self.ann, 100)
        self.run_for(self.make_preset())
        silent = self.leads_of(self.ann)
        lost = self.make_lead("dora@recipient.example.com")
        leads = self.env["crm.lead"].with_context(active_test=False)
        for xml_id, name in (
            ("crm.view_crm_case_leads_filter", "lost"),
            ("crm.view_crm_case_opportunities_filter", "filter_won_status_lost"),
            ("crm.crm_opportunity_report_view_search", "filter_won_status_lost"),
            ("crm.crm_opportunity_report_view_search", "filter_inactive"),
        ):
            with self.subTest(xml_id, filter=name):
                view = leads.get_view(self.env.ref(xml_id).id, "search")
                found = leads.search(self.domain_of(view, name))
                self.assertIn(lost, found)
                self.assertNotIn(silent, found)
                found = leads.search(self.domain_of(view, "filter_nurture_silent"))
                self.assertIn(silent, found)
                self.assertNotIn(lost, found)
        values = leads._pls_get_lead_pls_values([("won_status", "=", "lost")])
        self.assertIn(lost.id, values)
        self.assertNotIn(silent.id, values)

    def domain_of(self, view, name):
        (node,) = etree.fromstring(view["arch"]).iterfind(f".//filter[@name='{name}']")
        return literal_eval(node.get("domain"))


@tagged("post_install", "-at_install")
class TestSilentDoors(SilentCase):
    """What the engine notices is not written by anybody else."""

    def setUp(self):
        super().setUp()
        self.order(self.ann, 100)
        self.preset = self.make_preset()
        self.sequence = self.run_for(self.preset)
        self.lead = self.leads_of(self.ann)

    def test_salesperson(self):
        own = self.lead.with_user(self.salesman)
        self.assertEqual(own.nurture_silent_since, self.lead.nurture_silent_since)
        self.assertFalse(own.nurture_silent_preset_ids, "presets are for marketers")
        with self.assertRaises(AccessError):
            own.write({"nurture_silent_since": False})
        self.assertFalse(own.copy().nurture_silent_since)
        for user in (self.salesman, self.seller, self.employee):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self.env["nurture.silence"].with_user(user).search([])
        with self.assertRaises(AccessError):
            self.preset.with_user(self.salesman).action_view_leads()
        leads = self.env["crm.lead"].with_user(self.salesman).with_context(active_test=False)
        noticed = [("nurture_silent_preset_ids", "in", self.preset.ids)]
        self.assertEqual(leads.search(noticed), self.lead)
        for choice in (
            [("nurture_silent_preset_ids.name", "=", "Silent")],
            [("nurture_silent_preset_ids", "ilike", "Silent")],
        ):
            # what presets are called is not found out by searching
            with self.assertRaises(UserError), self.env.cr.savepoint():
                leads.search(choice)

    def test_forged_context(self):
        leads = self.env["crm.lead"].with_user(self.salesman)
        forged = leads.with_context(default_nurture_silent_since="2020-01-01 00:00:00")
        self.assertFalse(forged.create({"name": "Forged"}).nurture_silent_since)
        sequences = self.env["nurture.sequence"].with_user(self.seller)
        past = "2020-01-01 00:00:00"
        made = sequences.with_context(default_silent_scan_date=past).create({"name": "Mine"})
        self.assertFalse(made.silent_scan_date)
        with self.assertRaisesRegex(UserError, "Nobody writes"):
            made.silent_scan_date = past
        self.assertEqual(self.leads_of(self.bob), leads.browse())

    def test_preset_of_another_company(self):
        """A filter that names a preset of others finds no customers by it."""
        other = self.env["res.company"].create({"name": "Other"})
        foreign = self.env["nurture.preset"].create(
            {"name": "Theirs", "kind": "customers", "company_id": other.id}
        )
        domain = repr([("nurture_silent_preset_ids", "in", foreign.ids)])
        sequence = (
            self.env["nurture.sequence"]
            .with_user(self.seller)
            .create({"name": "Nosy", "company_id": self.company.id, "domain": domain})
        )
        self.assertEqual(sequence.get_audience()["customers"], 0)
        self.assertIn(
            "The preset of the customers that it is for is gone.", sequence._get_problems()
        )
