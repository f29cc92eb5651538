from datetime import timedelta

from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureCase

from .common import WaitingMixin


@tagged("post_install", "-at_install")
class TestLead(WaitingMixin, NurtureCase):
    """What a lead shows of what it waits for."""

    def test_missing_and_now(self):
        self.receive(self.desk, 1)
        lead = self.lose("ann", (self.desk, 3))
        (line,) = lead.nurture_missing
        self.assertEqual((line["wanted"], line["free"], line["forecast"]), (3, 1, 1))
        self.assertIn("It cannot be delivered yet.", lead.nurture_stock)
        self.receive(self.desk, 4)
        self.env.invalidate_all()
        self.assertIn("All of it can be delivered now.", lead.nurture_stock)
        self.assertRegex(lead.nurture_stock, "Desk</td><td>3 Units</td><td>1 Units</td>.*>5 Units<")
        self.assertEqual(lead.nurture_missing[0]["free"], 1)

    def test_lost_again(self):
        lead = self.lose("ann", (self.desk, 3))
        lead.action_restore()
        self.assertFalse(lead.nurture_stock)
        self.receive(self.desk, 2)
        lead.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.assertEqual(lead.nurture_missing[0]["free"], 2)

    def test_many_are_lost_at_once(self):
        """However many are lost, stock is read once."""
        leads = self.env["crm.lead"]
        for number in range(10):
            lead = self.make_lead(f"lead{number}@recipient.example.com", lost=False)
            self.quote(lead, (self.desk, number + 1))
            leads |= lead
        self.env.flush_all()
        with self.assertQueryCount(25):
            leads._nurture_note_missing()
        self.assertEqual([lead.nurture_missing[0]["wanted"] for lead in leads], [*range(1, 11)])

    def test_in_mails(self):
        lead = self.lose("ann", (self.desk, 1), (self.lamp, 2))
        self.assertEqual(lead.nurture_waits_for, "Desk, Lamp")
        self.assertIn("object.nurture_waits_for", lead.mail_allowed_qweb_expressions())

    def test_salesperson_says_what_it_waits_for(self):
        lead = self.lose("ann")
        with Form(lead.with_user(self.salesman)) as form:
            form.nurture_product_ids.add(self.lamp)
        self.assertEqual(lead.nurture_product_ids, self.lamp)
        self.env.invalidate_all()
        self.assertIn("Lamp", lead.with_user(self.salesman).nurture_stock)

    def test_customers_who_are_no_leads_yet(self):
        """Of a silent customer it is known when it is a lead what it waits for."""
        order = self.sell(self.lamp, 1)
        order.partner_id.email = "silent@recipient.example.com"
        order.date_order = self.clock - timedelta(days=100)
        presets = self.env["nurture.preset"]
        preset = presets.create({"name": "Silent", "kind": "customers", "quiet_days": 0})
        self.sequence.write({"preset_id": preset.id, "domain": preset.full_domain})
        audience = self.sequence.get_audience()
        self.assertEqual((audience["customers"], audience["customers_entering"]), (1, 1))

    def test_why(self):
        lead = self.lose("ann", (self.desk, 3))
        self.receive(self.desk, 1)
        explanation = self.sequence.with_user(self.marketer).explain(lead.id)
        failed = [one for one in explanation["conditions"] if not one["ok"]]
        self.assertEqual([one["reason"] for one in failed], ["not_in_stock"])
        self.assertEqual(failed[0]["parts"][0]["text"], "Desk: 3 Units wanted, 1 Units there")
        wizard = self.env["nurture.explain"].with_user(self.marketer)
        wizard = wizard.create({"sequence_id": self.sequence.id, "lead_id": lead.id})
        self.assertIn("3 Units wanted", wizard.conditions)

    def test_why_others_come_first(self):
        self.lose("bob", (self.desk, 1), revenue=1000)
        lead = self.lose("ann", (self.desk, 1), revenue=1)
        self.receive(self.desk, 1)
        explanation = self.sequence.explain(lead.id)
        failed = [one["reason"] for one in explanation["conditions"] if not one["ok"]]
        self.assertEqual(failed, ["stock_taken"])

    def test_dry_run_and_audience(self):
        self.lose("bob", (self.desk, 1), revenue=1000)
        self.lose("ann", (self.desk, 1), revenue=1)
        self.lose("cat", (self.lamp, 1))
        self.lose("dan")
        self.receive(self.desk, 1)
        sequence = self.sequence.with_user(self.marketer)
        dry_run = self.env["nurture.dry.run"].browse(sequence.action_dry_run()["res_id"])
        self.assertEqual(dry_run.entering_count, 1)
        reasons = ["no_product", "not_in_stock", "stock_taken"]
        self.assertEqual(sorted(dry_run.line_ids.mapped("reason")), reasons)
        audience = sequence.get_audience()
        self.assertEqual(audience["entering"], 1)
        self.assertEqual(sorted(one["reason"] for one in audience["excluded"]), reasons)
        action = sequence.action_view_audience("not_in_stock")
        (lead,) = self.env["crm.lead"].with_context(active_test=False).search(action["domain"])
        lead = lead.with_context(**action["context"])
        self.assertEqual(lead.nurture_exclusion_reason, "Its products cannot be delivered yet")
        # one that is not saved yet
        values = {"domain": sequence.domain, "wait_for_stock": "free", "entry_per": "address"}
        unsaved = self.env["nurture.sequence"].with_user(self.marketer).get_audience(values)
        self.assertEqual(unsaved["entering"], 1)
        # a draft that does not wait takes all
        audience = sequence.get_audience({"wait_for_stock": False, "reentry": "never"})
        self.assertEqual(audience["entering"], 4)

    def test_a_test_is_possible_without_stock(self):
        """The sequence is set up while there is nothing: its mails can be looked at."""
        lead = self.lose("ann", (self.desk, 1))
        action = self.sequence.with_user(self.marketer).action_test()
        test = self.env["nurture.test"].with_user(self.marketer).browse(action["res_id"])
        test.lead_id = lead
        self.assertFalse(lead.nurture_participant_ids)

    def test_template(self):
        template = self.env.ref("lost_lead_nurture_stock.template_stock")
        marketer = self.env["nurture.sequence.new"].with_user(self.marketer)
        new = marketer.create({"template_id": template.id})
        self.assertTrue(new.keep_domain)
        sequence = self.env["nurture.sequence"].browse(new.action_create()["infos"]["sequence_id"])
        self.assertEqual((sequence.wait_for_stock, sequence.reentry), ("free", "stock"))
        self.assertEqual(sequence.preset_id, self.env.ref("lost_lead_nurture_stock.preset_stock"))
        reason = self.env.ref("crm.lost_reason_3")
        lead = self.lose("ann", (self.desk, 1))
        lead.lost_reason_id = reason
        self.receive(self.desk, 1)
        sequence.action_start()
        self.advance(hours=2)
        first = sequence.step_ids.filtered(lambda step: step.trigger == "begin")
        mail = self.trace(lead, first).mailing_trace_ids.mail_mail_id
        self.assertEqual(mail.subject, "Desk: we have it again")
        self.assertIn("Desk", mail.body_html)

    def test_form_of_the_sequence(self):
        """Who chooses to wait lets leads enter again when it is back."""
        with Form(self.sequence) as form:
            form.wait_for_stock = False
        self.assertEqual(self.sequence.reentry, "never")
        with Form(self.sequence) as form:
            form.wait_for_stock = "forecast"
            form.wave_share = 0
        self.assertEqual(self.sequence.reentry, "stock")
        with Form(self.env["nurture.preset"].with_user(self.marketer)) as form:
            form.name = "Wants a desk"
            form.product_ids.add(self.desk)
        self.assertEqual(form.record.product_ids, self.desk)
        self.assertEqual(Command.set(self.desk.ids)[2], form.record.product_ids.ids)
