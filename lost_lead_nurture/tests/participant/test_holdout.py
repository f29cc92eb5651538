"""Leads held out for comparison: whoever returns without mails is noted, and that is all."""

from datetime import timedelta

from odoo.tests import tagged

from ..common import ANN, BOB, DealMixin, NurtureHttpCase


@tagged("post_install", "-at_install")
class TestHoldout(DealMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead(ANN)
        self.bob = self.make_lead(BOB)
        self.sequence = self.make_sequence(holdout_percent=99.9999)
        self.first = self.make_step(self.sequence, subject="First")
        self.sequence.action_start()
        self.advance()
        self.assertEqual(set(self.sequence.participant_ids.mapped("state")), {"holdout"})

    def check_returned(self, lead, reason, date=None):
        participant = self.participant(lead)
        self.assertEqual(participant.state, "holdout")
        self.assertEqual(participant.exit_reason, "holdout")
        self.assertEqual(participant.return_date, date or self.clock)
        self.assertEqual(participant.return_reason, reason)
        # nobody earns it
        self.assertFalse(participant.won_back_date)
        self.assertFalse(participant.credited_step_id)
        self.assertFalse(self.mails_to(lead.email_normalized))

    def statistics(self, user=None):
        self.env.invalidate_all()
        sequence = self.sequence.with_user(user or self.marketer)
        return sequence.holdout_count, sequence.holdout_return_count, sequence.lead_count

    def test_restored(self):
        self.assertEqual(self.statistics(), (2, 0, 0))
        self.ann.action_restore()
        self.check_returned(self.ann, "restored")
        self.assertEqual(self.statistics(), (2, 1, 0))
        self.assertFalse(self.participant(self.bob).return_date)
        for method, count in (("action_view_holdouts", 2), ("action_view_holdouts_back", 1)):
            action = getattr(self.sequence.with_user(self.marketer), method)()
            found = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(len(found), count, method)

    def test_won(self):
        self.ann.action_set_won()
        self.check_returned(self.ann, "won")

    def test_quotation_and_order(self):
        """The lead stays as it is: who bought is still lost, since nobody wrote to it."""
        order = self.order(self.ann)
        self.check_returned(self.ann, "quotation", order.date_order)
        self.assertEqual(self.ann.won_status, "lost")
        self.assertFalse(self.journey_of(order))
        self.clock += timedelta(days=1)
        order.action_confirm()
        self.check_returned(self.ann, "quotation", order.date_order - timedelta(days=1))
        self.assertFalse(self.ann.message_ids.filtered(lambda note: "Won back" in note.body))

    def test_meeting(self):
        self.env["calendar.event"].create(
            {
                "name": "Talk",
                "start": self.clock,
                "stop": self.clock + timedelta(hours=1),
                "opportunity_id": self.bob.id,
            }
        )
        self.check_returned(self.bob, "meeting")

    def test_switched_off(self):
        """What is no goal of the sequence is none of those held out."""
        self.sequence.exit_on_quotation = False
        self.order(self.ann)
        self.assertFalse(self.participant(self.ann).return_date)

    def test_first_time_only(self):
        self.ann.action_restore()
        date = self.clock
        self.clock += timedelta(days=1)
        self.ann.action_set_won()
        self.check_returned(self.ann, "restored", date)

    def test_after_the_window(self):
        self.clock += timedelta(days=self.sequence.window_days + 1)
        self.ann.action_restore()
        self.assertFalse(self.participant(self.ann).return_date)

    def test_brought_back_by_another_sequence(self):
        other = self.make_sequence(name="Other", exclude_other_sequences=False)
        self.make_step(other, subject="Other")
        other.action_start()
        self.advance()
        self.answer(self.mail_to(ANN, "Other"))
        held_out = self.sequence.participant_ids.filtered(lambda one: one.lead_id == self.ann)
        self.assertEqual(held_out.return_reason, "restored")
        self.assertFalse(held_out.won_back_date)
        self.assertEqual(other.lead_count, 1)

    def test_shown(self):
        self.ann.action_restore()
        participant = self.participant(self.ann).with_user(self.marketer)
        entries = participant.get_timeline()["entries"]
        self.assertIn("Returned without mails", entries[-1]["text"])
        self.assertIn("Lead restored", entries[-1]["text"])
        self.assertEqual(participant.status, "Held Out: returned without mails")
        self.assertIn("Returned without mails", participant.decisions)
        self.assertEqual(self.statistics(self.salesman), (2, 1, 0))

    def test_analysis(self):
        self.ann.action_restore()
        self.env.flush_all()
        rows = self.env["nurture.report"]._read_group(
            [("sequence_id", "=", self.sequence.id)],
            [],
            ["entered:sum", "held_out:sum", "holdout_returned:sum", "won_back:sum"],
        )
        self.assertEqual(rows, [(2, 2, 1, 0)])
