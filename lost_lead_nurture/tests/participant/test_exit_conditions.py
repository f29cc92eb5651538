"""Stop means stop: whoever left gets nothing more, and it says why."""

from odoo.tests import tagged

from ..common import ANN, BOB, NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestExitConditions(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()

    def assertLeft(self, participant, reason, state="exited"):  # noqa: N802
        """The participant left, nothing is open, and time brings Bob the second mail only."""
        self.assertEqual((participant.state, participant.exit_reason), (state, reason))
        self.assertTrue(participant.exit_date)
        self.assertFalse(
            participant.trace_ids.filtered(lambda trace: trace.state in ("waiting", "scheduled"))
        )
        for trace in participant.trace_ids:
            self.assertTrue(trace.reason, trace.state)
        self.advance(days=30)
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)

    def test_reply(self):
        """Who replies is back in the pipeline, with the old salesperson, a call to make, a note
        that says what did it, and the lost reason kept."""
        self.ann.user_id = False
        self.advance()
        self.participant(self.ann).user_id = self.salesman
        self.answer(self.mail_to(ANN))
        participant = self.participant(self.ann)
        self.assertTrue(self.ann.active)
        self.assertEqual(self.ann.won_status, "pending")
        self.assertGreater(self.ann.probability, 0)
        self.assertEqual(self.ann.user_id, self.salesman)
        activity = self.ann.activity_ids
        self.assertEqual(activity.activity_type_id, self.env.ref("mail.mail_activity_data_call"))
        self.assertEqual(activity.user_id, self.salesman)
        note = self.ann.message_ids.filtered(lambda message: "Won back" in message.body)
        self.assertIn("First", note.body)
        self.assertIn("Restock", note.body)
        self.assertIn(self.reason_stock.name, note.body)
        self.assertTrue(note.subtype_id.internal, "customers do not get it")
        self.assertFalse(self.ann.lost_reason_id, "core erases it")
        self.assertEqual(participant.lost_reason_id, self.reason_stock)
        self.assertEqual(participant.credited_step_id, self.first)
        trace = self.trace(self.ann, self.first).with_user(self.salesman)
        self.assertEqual(trace.mail_status, "Replied")
        self.assertLeft(participant, "replied")

    def test_reply_when_salesperson_is_gone(self):
        """Then the leader of the team gets the lead."""
        self.advance()
        self.salesman.active = False
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.ann.user_id, self.team.user_id)
        self.assertEqual(self.ann.activity_ids.user_id, self.team.user_id)

    def test_reply_after_completion(self):
        self.advance()
        self.advance(days=7)
        self.assertEqual(self.participant(self.ann).state, "completed")
        self.answer(self.mail_to(ANN, "Second"))
        self.assertEqual(self.ann.won_status, "pending")
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("exited", "replied"))
        self.assertEqual(participant.credited_step_id, self.second)

    def test_old_mail_does_not_restore_twice(self):
        """Who was won back and then lost again stays lost when an old mail is answered again."""
        self.advance()
        self.answer(self.mail_to(ANN))
        self.ann.action_set_lost(lost_reason_id=self.reason_price.id)
        self.answer(self.mail_to(ANN), "And another thing.")
        self.assertEqual(self.ann.won_status, "lost")

    def test_restored_by_hand(self):
        self.advance()
        self.touch(self.ann)
        self.ann.with_user(self.salesman).action_unarchive()
        participant = self.participant(self.ann)
        self.assertEqual(participant.credited_step_id, self.first, "its mail was clicked")
        self.assertEqual(participant.lost_reason_id, self.reason_stock)
        self.assertFalse(self.ann.activity_ids, "who restores it knows what to do")
        self.assertLeft(participant, "restored")

    def test_restored_before_anything_was_sent(self):
        """Then the sequence has not earned it."""
        self.run_cron()
        self.ann.action_restore()
        participant = self.participant(self.ann)
        self.assertFalse(participant.won_back_date or participant.credited_step_id)
        self.assertEqual(self.trace(self.ann, self.first).reason, "recalled")
        self.send_mails()
        self.assertFalse(self.mails_to(ANN), "the queued mail is recalled")
        self.assertEqual(len(self.mails_to(BOB)), 1)

    def test_won(self):
        self.advance()
        self.ann.action_set_won()
        self.assertLeft(self.participant(self.ann), "won")

    def test_restored_behind_our_back(self):
        """A lead that is no longer lost gets nothing, even when no hook has seen it change."""
        self.advance()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET active = true, won_status = 'pending' WHERE id = %s", [self.ann.id]
        )
        self.env.invalidate_all()
        self.advance(days=7)
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.assertEqual(self.participant(self.ann).exit_reason, "restored")

    def test_unsubscribed(self):
        self.advance()
        self.unsubscribe(self.mail_to(ANN))
        self.assertTrue(self.ann.is_blacklisted)
        self.assertLeft(self.participant(self.ann), "unsubscribed")

    def test_blacklisted(self):
        self.advance()
        self.env["mail.blacklist"]._add(ANN)
        self.assertLeft(self.participant(self.ann), "blacklisted")

    def test_blacklisted_again(self):
        entry = self.env["mail.blacklist"]._add(ANN)
        entry.action_archive()
        self.advance()
        self.env["mail.blacklist"]._add(ANN)
        self.assertLeft(self.participant(self.ann), "blacklisted")

    def test_bounced(self):
        self.advance()
        self.bounce(self.mail_to(ANN))
        self.assertLeft(self.participant(self.ann), "bounced")

    def test_deleted(self):
        self.advance()
        participant = self.participant(self.ann)
        self.ann.unlink()
        self.assertEqual((participant.lead_name, participant.email), ("Forgotten lead", False))
        self.assertEqual(participant.lost_reason_id, self.reason_stock, "what it was still counts")
        self.assertLeft(participant, "deleted")

    def test_removed_by_hand(self):
        self.advance()
        participant = self.participant(self.ann)
        participant.with_user(self.marketer).action_remove()
        self.assertLeft(participant, "removed", "removed")

    def test_queued_mail_is_recalled(self):
        """Somebody who leaves while a mail waits in the queue does not get that either."""
        self.run_cron()
        self.env["mail.blacklist"]._add(ANN)
        self.send_mails()
        self.assertFalse(self.mails_to(ANN))
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("cancelled", "recalled"))
        self.assertEqual(trace.mailing_trace_ids.trace_status, "cancel")
        self.assertEqual(len(self.mails_to(BOB)), 1)

    def test_address_lost(self):
        """A lead whose address is gone is passed over, with a reason."""
        self.advance()
        self.ann.email_from = False
        self.advance(days=7)
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("rejected", "no_address"))
        self.assertEqual(self.participant(self.ann).state, "completed")
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)

    def test_completed(self):
        self.advance()
        self.advance(days=7)
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "finished"))

    def test_not_completed_while_mail_is_queued(self):
        self.advance()
        self.clock = self.clock.replace(day=20)
        self.run_cron()
        self.assertEqual(self.participant(self.ann).state, "running")
        self.send_mails()
        self.env.invalidate_all()
        self.assertEqual(self.participant(self.ann).state, "completed")
