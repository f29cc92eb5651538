"""What a salesperson clicks who only opens leads, in a real browser."""

from odoo.tests import tagged

from ..common import NurtureHttpCase


@tagged("post_install", "-at_install")
class TestLeadTours(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        # a browser's clock is the real one
        self.clock = self.env.cr.now()
        preset = self.env["nurture.preset"]._of_reasons(self.reason_stock)
        self.sequence = self.make_sequence(
            preset_id=preset.id, domain=preset.full_domain, entry="manual"
        )
        first = self.make_step(self.sequence, delay=1, subject="First")
        self.make_step(self.sequence, "after", first, 7, subject="Second")
        self.sequence.action_start()

    def test_lose_a_lead(self):
        """Lost for a reason, offered a sequence, in it, seen on the lead and followed."""
        lead = self.make_lead("tour@recipient.example.com", name="Tour desk", lost=False)
        self.start_tour(f"/odoo/crm/{lead.id}", "nurture_lose_lead_tour", login=self.salesman.login)
        self.assertEqual(lead.won_status, "lost")
        self.assertEqual(self.participant(lead).sequence_id, self.sequence)

    def test_lost_lead(self):
        """From a lost lead: why one cannot enter, and another that does."""
        self.make_lead(False, name="Nobody's desk")
        lead = self.make_lead("tour@recipient.example.com", name="Tour desk")
        self.start_tour("/odoo/crm", "nurture_lost_lead_tour", login=self.salesman.login)
        self.assertEqual(self.participant(lead).state, "running")

    def test_pipeline(self):
        """Who was won back has a chip on the card, and filters find them."""
        back = self.make_lead("back@recipient.example.com", name="Back desk")
        inside = self.make_lead("inside@recipient.example.com", name="Inside desk")
        self.make_lead("other@recipient.example.com", name="Other desk", lost=False)
        self.sequence.enrol((back | inside).ids)
        self.advance(days=1)
        self.answer(self.mail_to("back@recipient.example.com"))
        self.start_tour("/odoo/crm", "nurture_pipeline_tour", login=self.salesman.login)
