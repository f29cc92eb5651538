"""What a lost reason costs, and what is done about it."""

from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from ..common import NurtureHttpCase

STATISTICS = [
    "nurture_lost_count",
    "nurture_lost_revenue",
    "nurture_sequence_count",
    "nurture_won_back_count",
    "nurture_won_back_revenue",
]


@tagged("post_install", "-at_install")
class TestLostReason(NurtureHttpCase):
    def statistics(self, user=None):
        reason = self.reason_stock.with_user(user or self.marketer)
        reason.invalidate_recordset()
        (row,) = reason.read(STATISTICS)
        return [row[name] for name in STATISTICS]

    def listed(self, action, **context):
        """The records behind a number."""
        records = self.env[action["res_model"]].with_user(self.marketer)
        return records.with_context(**action["context"]).search(action["domain"])

    def win_back(self, lead):
        """Let a sequence for the reason win the lead back."""
        preset = self.env["nurture.preset"]._of_reasons(self.reason_stock)
        sequence = self.make_sequence(preset_id=preset.id, domain=preset.full_domain)
        self.make_step(sequence, subject="First")
        sequence.action_start()
        sequence.enrol(lead.ids)
        self.advance()
        self.answer(self.mail_to(lead.email_from))
        self.assertEqual(lead.won_status, "pending")
        return sequence

    def test_lost(self):
        """Leads that are lost for it now and what they were worth."""
        lead = self.make_lead("a@recipient.example.com")
        self.make_lead("b@recipient.example.com")
        self.make_lead("c@recipient.example.com", self.reason_price)
        self.assertEqual(self.statistics()[:2], [2, 200.0])
        self.assertEqual(len(self.listed(self.reason_stock.action_nurture_lost())), 2)
        lead.action_unarchive()
        self.assertEqual(self.statistics()[:2], [1, 100.0])

    def test_sequences(self):
        """Running sequences that are aimed at it; templates and drafts are none."""
        preset = self.env["nurture.preset"]._of_reasons(self.reason_stock)
        sequence = self.make_sequence(preset_id=preset.id)
        self.make_step(sequence)
        sequence._save_as_template({"template_name": "Ours"})
        self.assertEqual(self.statistics()[2], 0)
        sequence.action_start()
        self.assertEqual(self.statistics()[2], 1)
        self.assertEqual(self.listed(self.reason_stock.action_nurture_sequences()), sequence)

    def test_won_back(self):
        """Who was won back is counted for the reason it was lost for; paid revenue, too."""
        lead = self.make_lead("a@recipient.example.com")
        self.win_back(lead)
        self.assertFalse(lead.lost_reason_id)
        self.assertEqual(self.statistics(), [0, 0.0, 1, 1, 0.0])
        journeys = self.listed(self.reason_stock.action_nurture_won_back())
        self.assertEqual(journeys, self.participant(lead))

    def test_other_company(self):
        """Statistics are those of the companies that somebody works in."""
        other = self.env["res.company"].create({"name": "Other Company"})
        self.make_lead("a@recipient.example.com")
        self.make_lead("b@recipient.example.com", company_id=other.id, team_id=False, user_id=False)
        self.assertEqual(self.statistics()[:2], [1, 100.0])
        self.marketer.company_ids = [Command.link(other.id)]
        reason = self.reason_stock.with_user(self.marketer)
        reason = reason.with_context(allowed_company_ids=(self.company | other).ids)
        self.assertEqual(reason.nurture_lost_count, 2)

    def test_other_currency(self):
        """Revenue of other companies is shown in one's own currency."""
        currency = self.env["res.currency"].create(
            {
                "name": "NUR",
                "symbol": "N",
                "rate_ids": [Command.create({"rate": 4.0, "name": "2020-01-01"})],
            }
        )
        own_rate = self.company.currency_id._get_rates(self.company, "2026-03-02")
        own_rate = own_rate[self.company.currency_id.id]
        other = self.env["res.company"].create({"name": "Other", "currency_id": currency.id})
        currency.rate_ids.company_id = False
        self.make_lead("b@recipient.example.com", company_id=other.id, team_id=False, user_id=False)
        self.marketer.company_ids = [Command.link(other.id)]
        reason = self.reason_stock.with_user(self.marketer)
        reason = reason.with_context(allowed_company_ids=(self.company | other).ids)
        self.assertAlmostEqual(reason.nurture_lost_revenue, 100.0 / 4.0 * own_rate, 2)

    def test_salesperson(self):
        """A salesperson sees what is lost, of the own leads; results are for marketers."""
        self.make_lead("own@recipient.example.com")
        self.make_lead("other@recipient.example.com", user_id=self.colleague.id)
        reason = self.reason_stock.with_user(self.salesman)
        self.assertEqual((reason.nurture_lost_count, reason.nurture_lost_revenue), (1, 100.0))
        arch = self.env["crm.lost.reason"].with_user(self.salesman).get_view(view_type="form")
        self.assertNotIn('action_nurture"', arch["arch"])
        self.assertNotIn("nurture_won_back_count", arch["arch"])

    def test_list(self):
        """A list of reasons is shown without the statistics, which it asks for afterwards."""
        self.make_lead("a@recipient.example.com")
        reasons = self.reason_stock.with_user(self.marketer)
        with patch.object(type(self.env["crm.lead"]), "_read_group") as count:
            rows = reasons.web_search_read(
                [("id", "=", reasons.id)], {name: {} for name in STATISTICS}
            )
        count.assert_not_called()
        self.assertIs(rows["records"][0]["nurture_lost_count"], False)
        self.assertEqual(self.statistics()[0], 1)

    def test_constant_queries(self):
        """A list of many reasons costs as much as one of a few."""
        reasons = self.env["crm.lost.reason"].create([{"name": f"Reason {n}"} for n in range(8)])
        for number, reason in enumerate(reasons):
            self.make_lead(f"{number}@recipient.example.com", reason)
            preset = self.env["nurture.preset"]._of_reasons(reason)
            sequence = self.make_sequence(preset_id=preset.id)
            self.make_step(sequence)
            sequence.action_start()

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            records.with_user(self.marketer).read(STATISTICS)
            return self.cr.sql_log_count - before

        count(reasons)  # caches
        few, many = count(reasons[:2]), count(reasons)
        self.assertEqual(few, many)
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(many):
            reasons.with_user(self.marketer).read(STATISTICS)

    def test_new_sequence(self):
        """The button opens the gallery for this reason; its preset is found, or made once."""
        action = self.reason_stock.with_user(self.marketer).action_nurture()
        self.assertEqual(action["tag"], "nurture_gallery")
        self.assertEqual(action["context"]["default_lost_reason_ids"], self.reason_stock.ids)
        preset_id = self.reason_stock.with_user(self.marketer).get_nurture_preset()
        preset = self.env["nurture.preset"].browse(preset_id)
        self.assertEqual(preset.lost_reason_ids, self.reason_stock)
        self.assertEqual(self.reason_stock.get_nurture_preset(), preset_id)
