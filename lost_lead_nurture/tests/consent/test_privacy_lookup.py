"""Core's Privacy Lookup erases a person: what is counted stays, and the address stays out."""

from odoo.tests import tagged

from ..common import ANN, DealMixin, NurtureCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestPrivacyLookup(DealMixin, TwoLeadsMixin, NurtureCase):
    def test_all_is_deleted(self):
        """Whoever presses Delete All for a person."""
        self.ann.with_user(self.marketer).nurture_note_basis("consent", "Fair", "Yes")
        self.start()
        trace = self.participant(self.ann).trace_ids.mailing_trace_ids
        self.assertEqual(trace.email, ANN)
        count = self.sequence.participant_count
        admin = self.env.ref("base.user_admin")
        wizard = (
            self.env["privacy.lookup.wizard"]
            .with_user(admin)
            .create({"name": "Ann Nobody Else", "email": ANN.upper()})
        )
        wizard.action_lookup()
        lines = wizard.line_ids
        self.assertLessEqual(
            {"crm.lead", "nurture.participant", "nurture.consent"}, set(lines.mapped("res_model"))
        )
        lines.filtered(lambda line: line.res_model != "mail.message").action_unlink_all()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(self.ann.exists())
        self.assertEqual(self.sequence.participant_count, count)
        for table in ("nurture_participant", "nurture_consent", "nurture_forgotten"):
            self.env.cr.execute(f"SELECT row_to_json(kept)::text FROM {table} kept")
            self.assertNotIn("ann", str(self.env.cr.fetchall()).lower(), table)
        self.assertTrue(trace.exists())
        self.assertFalse(trace.email)
        consent = self.env["nurture.consent"].search([])
        self.assertEqual((consent.basis, consent.wording), ("consent", "Yes"))
        again = self.make_lead(ANN)
        self.assertEqual(self.sequence.enrol(again.ids)["excluded"], {"forgotten": again.ids})

    def test_what_was_earned_stays(self):
        """Of an order the ledger keeps what was earned, and loses who the customer was."""
        self.start()
        self.trace(self.ann, self.first).mailing_trace_ids.set_sent()
        self.touch(self.ann)
        order = self.order(self.ann)
        order.action_confirm()
        credit = self.credits_of(order)
        outcomes = self.env["nurture.outcome"].search([("order_id", "=", order.id)])
        self.assertTrue(credit.partner_id and outcomes.partner_id)
        earned = credit.mapped("company_amount"), outcomes.mapped("company_amount")
        wizard = self.env["privacy.lookup.wizard"].create({"name": "Nobody Else", "email": ANN})
        wizard.action_lookup()
        lines = wizard.line_ids.filtered(lambda line: line.res_model.startswith("nurture."))
        self.assertLessEqual({"nurture.outcome", "nurture.credit"}, set(lines.mapped("res_model")))
        lines.action_unlink_all()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(credit.partner_id | outcomes.partner_id)
        kept = credit.mapped("company_amount"), outcomes.mapped("company_amount")
        self.assertEqual(kept, earned)
