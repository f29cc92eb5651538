"""Core's Privacy Lookup erases a person: what is counted stays, and the address stays out."""

from odoo.tests import tagged

from ..common import ANN, NurtureCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestPrivacyLookup(TwoLeadsMixin, NurtureCase):
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
