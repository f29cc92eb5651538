"""What becomes of journeys through a sequence when the records around them change."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import NurtureHttpCase, SecondStepMixin, SequenceMixin

ANN = "ann@recipient.example.com"
BOB = "bob@recipient.example.com"


@tagged("post_install", "-at_install")
class TestRecords(SecondStepMixin, SequenceMixin, NurtureHttpCase):
    def test_deleted_lead_is_forgotten(self):
        """Name and address go with the lead; the statistics stay, and another lead with that
        address is somebody new."""
        lead = self.make_lead(ANN)
        self.start()
        participant = self.participant(lead)
        lead.unlink()
        self.assertEqual((participant.state, participant.exit_reason), ("exited", "deleted"))
        self.assertFalse(participant.email)
        self.assertNotIn(ANN, f"{participant.lead_name} {participant.dedup_key}")
        self.assertEqual(self.sequence.participant_count, 1)
        again = self.make_lead(ANN)
        self.advance()
        self.assertEqual(self.participant(again).enrolment_number, 1)

    def test_anonymised_lead(self):
        """A lead whose address was erased gets nothing more; what the sequence kept of it can be
        erased, too."""
        lead = self.make_lead(ANN)
        self.start()
        lead.write({"name": "Anonymous", "email_from": False, "contact_name": False})
        self.advance(days=7)
        self.assertEqual(self.trace(lead, self.second).reason, "no_address")
        participant = self.participant(lead)
        participant.with_user(self.marketer).action_forget()
        self.assertFalse(participant.email)
        self.assertEqual(participant.lead_name, "Forgotten lead")
        self.assertEqual(participant.lost_reason_id, self.reason_stock)

    def test_decisions_in_order(self):
        """They are shown in the order in which they were made, whatever steps are called."""
        self.make_lead("ann@recipient.example.com")
        self.first.name, self.second.name = "Zebra", "Ant"
        self.sequence.action_start()
        self.advance()
        self.advance(days=7)
        decisions = self.sequence.participant_ids.decisions
        order = ["Entered the sequence", "Zebra", "Ant", "Ended"]
        self.assertEqual(sorted(order, key=decisions.index), order)

    def test_forget_who_is_inside(self):
        lead = self.make_lead(ANN)
        self.start()
        self.participant(lead).with_user(self.marketer).action_forget()
        self.assertEqual(self.participant(lead).exit_reason, "removed")
        self.advance(days=7)
        self.assertFalse(self.mails_to(ANN, "Second"))

    def test_changed_address(self):
        """Mails follow the lead to its new address."""
        lead = self.make_lead(ANN)
        self.start()
        lead.email_from = BOB
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)
        self.assertFalse(self.mails_to(ANN, "Second"))

    def test_archived_mailing(self):
        """The mail of a running step is not archived by mistake."""
        self.start()
        with self.assertRaisesRegex(UserError, "is archived"):
            self.second.mailing_id.active = False

    def test_archived_reason(self):
        """Leads lost for a reason that is no longer offered still enter, and are still shown."""
        self.reason_stock.active = False
        lead = self.make_lead(ANN)
        lead.lost_reason_id = self.reason_stock
        self.start()
        self.assertEqual(self.participant(lead).lost_reason_id, self.reason_stock)

    def test_archived_users(self):
        """A sequence goes on when its responsible and the salesperson are gone."""
        lead = self.make_lead(ANN)
        self.start()
        self.marketer.active = False
        self.salesman.active = False
        self.advance(days=7)
        self.answer(self.mail_to(ANN, "Second"))
        self.assertEqual(lead.won_status, "pending")
        self.assertEqual(lead.user_id, self.team.user_id)

    def test_lead_without_partner(self):
        """Most leads are no contacts yet; their address is all it takes."""
        lead = self.make_lead(ANN, partner_id=False)
        self.assertFalse(lead.partner_id)
        self.start()
        self.answer(self.mail_to(ANN, "First"))
        self.assertEqual(self.participant(lead).exit_reason, "replied")

    def test_two_companies(self):
        """Each company's sequence writes to its own leads, and those of no company to both."""
        other = self.env["res.company"].create({"name": "Other Company"})
        other_sequence = self.make_sequence(name="Other", company_id=other.id)
        self.make_step(other_sequence, subject="From the other")
        leads = {
            company: self.make_lead(
                f"{name}@recipient.example.com", company_id=company, team_id=False, user_id=False
            )
            for name, company in (("ann", self.company.id), ("bob", other.id), ("carl", False))
        }
        (self.sequence | other_sequence).action_start()
        self.advance()
        self.assertEqual(
            self.sequence.participant_ids.lead_id, leads[self.company.id] | leads[False]
        )
        self.assertEqual(other_sequence.participant_ids.lead_id, leads[other.id] | leads[False])

    def test_clock_set_back(self):
        """Nothing is done twice, and what is due is done when its time has come again."""
        lead = self.make_lead(ANN)
        self.start()
        self.advance(days=-3)
        self.advance(days=2)
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.advance(days=8)
        self.assertEqual(len(self.mails_to(ANN)), 2)
        self.assertEqual(self.participant(lead).state, "completed")

    def test_ten_thousand_due_at_once(self):
        """They are done batch by batch, at a cost that follows their number. When the time of a
        run is up the next one is called for the rest."""
        self.first.active = False
        step = self.make_step(
            self.sequence, step_type="action", action_kind="score", score=5, mailing_id=False
        )
        self._insert_leads(10_000)
        self.sequence.action_start()
        self.sequence._enrol_matching()
        self.env.cr.execute("ANALYZE nurture_participant, nurture_trace")
        before = self.env.cr.sql_log_count
        runs = 0
        while step.scheduled_count and runs < 5:
            self.run_cron()
            runs += 1
        queries = self.env.cr.sql_log_count - before
        self.assertEqual(step.processed_count, 10_000)
        self.assertEqual(
            self.env["crm.lead"]
            .with_context(active_test=False)
            .search_count([("nurture_score", "=", 5)]),
            10_000,
        )
        self.assertLess(queries, 1_000)
        self.assertEqual(set(self.sequence.participant_ids.mapped("state")), {"completed"})

    def _insert_leads(self, number):
        lead = self.make_lead("template@recipient.example.com")
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO crm_lead (name, type, active, probability, won_status, date_closed,
                                  lost_reason_id, email_from, email_normalized, company_id,
                                  create_uid, create_date)
            SELECT 'Lead ' || i, 'opportunity', false, 0, 'lost', %s, %s,
                   'lead' || i || '@recipient.example.com', 'lead' || i || '@recipient.example.com',
                   %s, 1, %s
              FROM generate_series(2, %s) i
            """,
            [
                fields.Datetime.now() - timedelta(days=1),
                lead.lost_reason_id.id,
                self.company.id,
                fields.Datetime.now(),
                number,
            ],
        )
        # tables that were vacuumed after tests that rolled back count as empty
        self.env.cr.execute("ANALYZE crm_lead")
        self.env.invalidate_all()
