"""Start, Start Again, Update and Retry say what they are about to do, and what they did."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ...models.sequence import audience as sequence_audience
from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, SequenceMixin


@tagged("post_install", "-at_install")
class TestStart(SecondStepMixin, SequenceMixin, NurtureHttpCase):
    def open_start(self, sequence=None):
        action = (sequence or self.sequence).with_user(self.marketer).button_start()
        starts = self.env[action["res_model"]].with_user(self.marketer)
        return Form(starts.with_context(**action["context"])).save()

    def said(self, action):
        return action["params"]["message"]

    def test_the_number_is_named_before(self):
        for address in (ANN, BOB, "blocked@recipient.example.com"):
            self.make_lead(address)
        self.env["mail.blacklist"].create({"email": "blocked@recipient.example.com"})
        start = self.open_start()
        self.assertEqual((start.entering_count, start.excluded_count), (2, 1))
        self.assertIn("2 mails over 7 days, the first at once.", start.gets)
        entering = self.env["crm.lead"].with_context(active_test=False)
        entering = entering.search(start.action_view_entering()["domain"])
        self.assertEqual(set(entering.mapped("email_from")), {ANN, BOB})
        self.assertEqual(self.sequence.state, "draft", "it is only asked")

    def test_what_was_done_is_said(self):
        self.make_lead(ANN)
        said = self.said(self.open_start().action_start())
        self.assertIn("1 lead entered “Restock”.", said)
        self.assertIn("2 mails over 7 days, the first at once.", said)
        self.assertEqual(self.sequence.state, "running")
        self.assertEqual(self.sequence.participant_ids.email, ANN)
        self.advance()
        self.assertTrue(self.mail_to(ANN), "and the first mail left")

    def test_nobody_enters(self):
        start = self.open_start()
        self.assertFalse(start.entering_count or start.matching_count or start.gets)
        action = start.action_start()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn("nobody has entered", self.said(action))
        self.make_lead(ANN)
        self.advance()
        self.assertTrue(self.mail_to(ANN), "who is lost later enters")

    def test_held_out_leads_are_shown_apart(self):
        self.sequence.holdout_percent = 99.0
        for number in range(20):
            self.make_lead(f"lead{number}@recipient.example.com")
        start = self.open_start()
        self.assertTrue(start.held_out_count)
        self.assertEqual(start.entering_count + start.held_out_count, 20)
        expected = start.held_out_count
        self.assertIn(f"Held out for comparison: {expected}.", self.said(start.action_start()))

    def test_many_leads(self):
        """They enter in the background; to say so they are not sorted out once more."""
        self.patch(sequence_audience, "MANY_LEADS", 2)
        for number in range(3):
            self.make_lead(f"lead{number}@recipient.example.com")
        start = self.open_start()
        self.assertTrue(start.is_capped)
        self.assertEqual(start.entering_count, 2, "those of the ones that are looked at")
        start.invalidate_recordset()
        with patch.object(type(self.sequence), "_get_audience", side_effect=AssertionError):
            said = self.said(start.action_start())
        self.assertIn("The leads enter in the background", said)
        self.assertFalse(self.sequence.participant_ids)
        self.run_cron()
        self.assertEqual(len(self.sequence.participant_ids), 3)

    def test_two_leads_are_not_many(self):
        self.patch(sequence_audience, "MANY_LEADS", 2)
        self.make_lead(ANN)
        self.make_lead(BOB)
        start = self.open_start()
        self.assertFalse(start.is_capped)
        self.assertIn("2 leads entered “Restock”.", self.said(start.action_start()))

    def test_by_hand(self):
        self.make_lead(ANN)
        self.sequence.entry = "manual"
        self.assertIn("Add leads to it from CRM", self.said(self.open_start().action_start()))
        self.assertFalse(self.sequence.participant_ids)

    def test_what_keeps_it_from_running_is_said_before_it_is_asked(self):
        empty = self.make_sequence(name="Empty")
        with self.assertRaisesRegex(UserError, "It has no step to begin with"):
            self.open_start(empty)

    def test_salespeople_do_not_start(self):
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).button_start()
        with self.assertRaises(AccessError):
            self.env["nurture.start"].with_user(self.salesman).create(
                {"sequence_id": self.sequence.id}
            )

    def test_start_again(self):
        self.make_lead(ANN)
        self.sequence.action_start()
        self.advance()
        self.sequence.action_stop()
        action = self.sequence.with_user(self.marketer).action_resume()
        self.assertEqual(self.said(action), "“Restock” is running again.")
        self.sequence.action_stop()
        self.clock = self.clock.replace(day=20)
        self.sequence.invalidate_recordset(["overdue_count"])
        resume = self.env["nurture.resume"].with_user(self.marketer)
        resume = resume.create({"sequence_id": self.sequence.id, "overdue": "skip"})
        self.assertIn("Steps that are not done: 1.", self.said(resume.action_resume()))

    def test_update(self):
        self.make_lead(ANN)
        self.sequence.action_start()
        self.advance()
        self.second.delay = 9
        updates = self.env["nurture.update"].with_user(self.marketer)
        said = self.said(updates.create({"sequence_id": self.sequence.id}).action_update())
        self.assertEqual(said, "Leads that got another step or another date: 1.")
        said = self.said(updates.create({"sequence_id": self.sequence.id}).action_update())
        self.assertEqual(said, "No lead inside got another step or another date.")

    def test_retry(self):
        self.make_lead(ANN)
        self.make_lead(BOB)
        self.sequence.action_start()
        self.sequence._enrol_matching()
        traces = self.sequence.participant_ids.trace_ids
        traces[:1]._set_state("error", "failed", "It was raining.")
        said = self.said(traces.with_user(self.marketer).button_retry())
        self.assertIn("1 step is tried again", said)
        self.assertIn("1 are not", said)
        self.assertEqual(traces[:1].state, "scheduled")
        traces._set_state("error", "failed", "It was raining.")
        said = self.said(self.sequence.with_user(self.marketer).button_retry_all())
        self.assertEqual(said, "2 steps are tried again, in a moment.")
