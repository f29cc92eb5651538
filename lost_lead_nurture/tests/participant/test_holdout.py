"""Leads held out for comparison: whoever returns without mails is noted, and that is all."""

from datetime import timedelta

from odoo.exceptions import ValidationError
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


@tagged("post_install", "-at_install")
class TestGlobalHoldout(NurtureHttpCase):
    """Addresses that no sequence writes to, drawn once for all sequences of a company."""

    def setUp(self):
        super().setUp()
        self.company.nurture_holdout_percent = 50
        self.leads = self.env["crm.lead"].union(
            *(self.make_lead(f"lead{n}@recipient.example.com") for n in range(40))
        )

    def start(self, **values):
        """Start a sequence; return the leads that are held out, globally and otherwise."""
        sequence = self.make_sequence(**values)
        self.make_step(sequence, subject=sequence.name)
        sequence.action_start()
        self.advance()
        held_out = sequence.participant_ids.filtered(lambda one: one.state == "holdout")
        everywhere = held_out.filtered("is_held_out_globally")
        return sequence, everywhere.lead_id, (held_out - everywhere).lead_id

    def test_same_for_all_sequences(self):
        """Per address or per lead, today or later: the same people get nothing of any sequence."""
        first, held_out, others = self.start()
        self.assertFalse(others)
        self.assertIn(len(held_out), range(8, 33))
        self.assertEqual({one.global_holdout_percent for one in first.participant_ids}, {50})
        # that shows what all sequences cause, and not what this one does
        self.assertFalse(first.lift)
        for values in ({"name": "Repair"}, {"name": "Each", "entry_per": "lead"}):
            _sequence, again, others = self.start(**values)
            self.assertEqual(again, held_out)
            self.assertFalse(others)
        for lead in held_out:
            self.assertFalse(self.mails_to(lead.email_normalized))
        self.assertEqual(len(self.mails_to((self.leads - held_out)[0].email_normalized)), 3)

    def test_beside_its_own(self):
        """A sequence holds out some of the others, too; those of one time know both shares."""
        sequence, everywhere, own = self.start(holdout_percent=50)
        self.assertTrue(everywhere and own)
        self.assertEqual({one.holdout_percent for one in sequence.participant_ids}, {50})
        self.assertEqual({one.global_holdout_percent for one in sequence.participant_ids}, {50})
        self.assertEqual(self.start(name="Repair")[1], everywhere)

    def test_before_the_start(self):
        """The choice of leads, the dry run and Why? know who is held out."""
        sequence = self.make_sequence()
        self.make_step(sequence, subject="First")
        expected = sequence.sudo()._get_held_out(self.leads.ids)
        audience = sequence.with_user(self.marketer).get_audience()
        self.assertEqual(audience["held_out"], len(expected))
        sequence.action_start()
        self.advance()
        self.assertEqual(
            set(sequence.participant_ids.filtered("is_held_out_globally").lead_id.ids), expected
        )

    def test_other_company(self):
        """Each company draws on its own: what one holds out another may write to."""
        self.company.nurture_holdout_percent = 0
        _sequence, everywhere, own = self.start()
        self.assertFalse(everywhere | own)

    def test_all_companies(self):
        """A sequence of all companies goes by the company of each lead."""
        other = self.env["res.company"].create({"name": "Other"})
        self.marketer.company_ids += other
        theirs = self.make_lead(
            "theirs@recipient.example.com", company_id=other.id, user_id=False, team_id=False
        )
        sequence, everywhere, _own = self.start(company_id=False)
        self.assertTrue(everywhere)
        self.assertEqual(everywhere.company_id, self.company)
        self.assertEqual(
            sequence.participant_ids.filtered(
                lambda one: one.lead_id == theirs
            ).global_holdout_percent,
            0,
        )

    def test_bad_share(self):
        for percent in (-1, 100):
            with self.assertRaises(ValidationError):
                self.company.nurture_holdout_percent = percent

    def test_timeline(self):
        sequence, everywhere, _own = self.start()
        participant = sequence.participant_ids.filtered(lambda one: one.lead_id == everywhere[0])
        why = [str(reason) for entry in participant.timeline["entries"] for reason in entry["why"]]
        self.assertTrue(any("no sequence writes to this address" in reason for reason in why))
