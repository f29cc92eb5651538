"""What marketers click around a sequence that is about to run, or runs: in a real browser."""

from odoo.tests import tagged

from .common import NurtureCase


@tagged("post_install", "-at_install")
class TestAudienceTours(NurtureCase):
    def setUp(self):
        super().setUp()
        # a browser's clock is the real one
        self.clock = self.env.cr.now()

    def start_sequence_tour(self, sequence, tour):
        self.start_tour(f"/odoo/nurture-sequences/{sequence.id}", tour, login=self.marketer.login)

    def test_why_kept_out(self):
        preset = self.env["nurture.preset"].create(
            {"name": "Tour preset", "lost_reason_ids": self.reason_stock.ids}
        )
        for name in ("free", "deal", "black"):
            self.make_lead(f"{name}@reader.example.com")
        self.make_lead("deal@reader.example.com", self.reason_price, lost=False, name="Open deal")
        self.env["mail.blacklist"]._add("black@reader.example.com")
        sequence = self.make_sequence(name="Tour audience", preset_id=preset.id)
        self.make_step(sequence)
        self.start_sequence_tour(sequence, "nurture_audience_tour")
