"""An SMS on its way: queued, sent, clicked, bounced, failed, recalled."""

from datetime import timedelta
from urllib.parse import urlencode

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SmsCase

ANN = "+32456001101"
BOB = "+32456001102"


@tagged("post_install", "-at_install")
class TestSms(SmsCase):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.bob = self.make_lead("bob@recipient.example.com", phone=BOB, contact_name="Bob")
        self.sequence = self.make_sequence()
        self.first = self.make_sms_step(self.sequence)

    # ------------------------------------------------------------
    # SENT
    # ------------------------------------------------------------

    def test_does_not_leave_after_all(self):
        """What was true when it was queued may not be any more when it would leave."""
        self.sequence.action_start()
        self.run_cron()
        outdated = self.trace(self.ann, self.first)
        traces = type(self.env["nurture.trace"])
        self.patch(
            traces,
            "_find_outdated",
            lambda one: dict.fromkeys((one & outdated).participant_id.ids, "unmatched"),
        )
        self.send_sms()
        self.assertFalse(self.sms_to(self.ann))
        self.assertEqual(self.participant(self.ann).exit_reason, "unmatched")
        self.assertTrace(self.ann, self.first, "cancelled", "recalled")
        self.assertEqual(len(self.sms_to(self.bob)), 1)

    def test_left_before_the_batch_was_committed(self):
        """Whoever leaves while a worker queues the SMS cannot have it recalled: it is not there
        yet. The queue does it."""
        self.sequence.action_start()
        self.run_cron()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE nurture_participant SET state = 'exited' WHERE id = %s",
            self.participant(self.ann).ids,
        )
        self.env.invalidate_all()
        self.send_sms()
        self.assertFalse(self.sms_to(self.ann))
        self.assertTrace(self.ann, self.first, "cancelled", "recalled")
        self.assertEqual(len(self.sms_to(self.bob)), 1)

    def test_arrives(self):
        """It arrives with the lead's name and a short link of its own, and only through the
        queue."""
        self.sequence.action_start()
        self.run_cron()
        self.assertFalse(self.provider.messages)
        self.assertTrace(self.ann, self.first, "processed", "done")
        self.assertEqual(self.participant(self.ann).state, "running", "it has not left yet")
        self.send_sms()
        (to_ann,), (to_bob,) = self.sms_to(self.ann), self.sms_to(self.bob)
        self.assertIn("Hello Ann, the desk is back: http", to_ann["text"])
        self.assertIn("Hello Bob,", to_bob["text"])
        self.assertRegex(to_ann["text"], r"/r/\w+/s/\d+\?n=\w{6}$")
        self.assertNotEqual(to_ann["text"].split()[-1], to_bob["text"].split()[-1])
        self.assertNotIn("shop.example.com", to_ann["text"])
        self.assertEqual(self.trace(self.ann, self.first).mail_status, "Sent")
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "finished"))

    def test_chatter(self):
        """The lead tells what it got, as with mails."""
        self.sequence.action_start()
        self.advance()
        for lead, name in ((self.ann, "Ann"), (self.bob, "Bob")):
            said = lead.message_ids.filtered(lambda one: "the desk is back" in (one.body or ""))
            self.assertEqual(len(said), 1)
            self.assertIn(f"Hello {name},", said.body)

    def test_never_sent_at_once(self):
        """Not even when the mailing says so."""
        self.first.mailing_id.sms_force_send = True
        self.sequence.action_start()
        self.run_cron()
        self.assertFalse(self.provider.messages)

    def test_mail_then_sms_then_mail(self):
        """What follows an SMS counts from when it left."""
        mail = self.make_step(self.sequence, "after", self.first, 2, subject="Mail")
        later = self.make_sms_step(self.sequence, "after", mail, 3)
        self.sequence.action_start()
        self.run_cron()
        self.assertTrace(self.ann, mail, "waiting")
        self.clock = self.clock.replace(day=4)
        self.send_sms()
        self.assertEqual(str(self.trace(self.ann, mail).schedule_date), "2026-03-06 09:00:00")
        self.advance(days=2)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com", "Mail")), 1)
        self.advance(days=3)
        self.assertTrace(self.ann, later, "processed", "done")
        self.assertEqual(len(self.sms_to(self.ann)), 2)
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_many_batches(self):
        """However many batches it takes, nobody gets it twice and nobody is left out."""
        self.env["ir.config_parameter"].set_param("sms.session.batch.size", "2")
        numbers = [f"+3245600120{digit}" for digit in range(5)]
        for number in numbers:
            self.make_lead(f"{number}@recipient.example.com", phone=number)
        self.sequence.action_start()
        self.assertEqual(self.first._get_batch_size(), 2)
        self.run_cron()
        self.run_cron()
        for _batch in range(5):
            self.send_sms()
        self.assertEqual(
            sorted(sms["number"] for sms in self.provider.messages), sorted([ANN, BOB, *numbers])
        )

    def test_processing(self):
        """The provider has it, but has not sent it yet: what follows waits for the report."""
        after = self.make_sms_step(self.sequence, "after", self.first, 2)
        self.provider.answers[ANN] = "processing"
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.assertTrace(self.ann, after, "waiting").schedule_date, False)
        self.assertTrace(self.bob, after, "scheduled")
        self.assertNotEqual(self.first.mailing_id.state, "sending")
        self.clock = self.clock.replace(day=10)
        (sms,) = self.sms_to(self.ann)
        self.report("sent", sms)
        due = self.assertTrace(self.ann, after, "scheduled").schedule_date
        self.assertEqual(str(due), "2026-03-12 09:00:00")
        self.clock = self.clock.replace(day=11)
        self.report("delivered", sms)
        self.assertEqual(self.trace(self.ann, after).schedule_date, due, "it left once")
        self.assertEqual(self.trace(self.ann, self.first).mail_status, "Delivered")

    def test_processing_for_ever(self):
        """A report that never comes keeps nobody in the sequence for ever."""
        after = self.make_sms_step(self.sequence, "after", self.first, 2)
        self.provider.answers[ANN] = "processing"
        self.sequence.action_start()
        self.advance()
        self.advance(days=91)
        self.assertTrace(self.ann, after, "cancelled", "no_reaction")
        self.assertEqual(self.participant(self.ann).state, "completed")
        self.assertEqual(len(self.sms_to(self.ann)), 1)

    def test_processing_last_step(self):
        self.provider.answers[ANN] = "processing"
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.participant(self.ann).state, "completed")

    # ------------------------------------------------------------
    # CLICKED
    # ------------------------------------------------------------

    def make_branches(self):
        self.clicked = self.make_sms_step(self.sequence, "sms_click", self.first)
        self.not_clicked = self.make_sms_step(self.sequence, "sms_not_click", self.first, 3)
        self.bounced = self.make_step(self.sequence, "sms_bounce", self.first, subject="Bounced")
        self.sequence.action_start()
        self.advance()

    def test_click(self):
        self.make_branches()
        self.follow(self.sms_to(self.ann)[0])
        self.assertTrace(self.ann, self.clicked, "scheduled")
        self.assertTrace(self.ann, self.not_clicked, "cancelled", "opposite")
        self.assertTrace(self.bob, self.clicked, "waiting")
        self.advance(days=3)
        self.assertEqual(len(self.sms_to(self.ann)), 2)
        self.assertTrace(self.bob, self.not_clicked, "processed", "done")
        self.assertEqual(self.trace(self.ann, self.first).mail_status, "Clicked")

    def test_click_before_the_report(self):
        """Who follows the link has got it."""
        self.provider.answers[ANN] = "processing"
        self.make_branches()
        (sms,) = self.sms_to(self.ann)
        self.follow(sms)
        self.assertTrace(self.ann, self.clicked, "scheduled")
        self.assertTrace(self.ann, self.not_clicked, "cancelled", "opposite")
        for status in ("sent", "delivered"):
            self.report(status, sms)
            self.assertEqual(self.trace(self.ann, self.first).mail_status, "Clicked")
        self.assertEqual(self.sequence.ignored_count, 0, "it is too early to say so")
        self.advance(days=1)
        self.env.invalidate_all()
        self.assertEqual(self.sequence.ignored_count, 1, "Bob")

    def test_bots_click(self):
        """The links of others cannot be guessed, nor followed before they left; and a preview on
        the phone is nobody's click."""
        self.clicked = self.make_sms_step(self.sequence, "sms_click", self.first)
        self.sequence.action_start()
        self.run_cron()
        queued = self.env["sms.sms"].search([("number", "=", ANN)])
        self.follow({"text": queued.body})
        self.assertEqual(queued.mailing_trace_ids.nurture_bot_reason, "forged")
        self.send_sms()
        (to_ann,), (to_bob,) = self.sms_to(self.ann), self.sms_to(self.bob)
        message = self.trace(self.ann, self.first).mailing_trace_ids
        link = self.link_of(to_ann)
        for forged in (link.partition("?")[0], link[:-1] + ("0" if link[-1] != "0" else "1")):
            self.follow({"text": forged})
            self.assertEqual(message.nurture_bot_reason, "forged")
        self._get(link, user_agent="facebookexternalhit/1.1 Facebot Twitterbot/1.0")
        self.believe()
        self.assertTrace(self.ann, self.clicked, "waiting")
        self.assertEqual(self.sequence.clicked_count, 0)
        self.follow(to_bob)
        self.assertTrace(self.bob, self.clicked, "scheduled")

    # ------------------------------------------------------------
    # BOUNCED
    # ------------------------------------------------------------

    def test_bounce_branch(self):
        self.make_branches()
        (sms,) = self.sms_to(self.ann)
        self.report("invalid_destination", sms)
        self.assertTrace(self.ann, self.bounced, "scheduled")
        self.assertTrace(self.ann, self.not_clicked, "cancelled", "parent_failed")
        self.assertTrace(self.ann, self.clicked, "cancelled", "parent_failed")
        self.report("invalid_destination", sms)
        self.advance(days=7)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com", "Bounced")), 1)
        self.assertEqual(self.participant(self.ann).state, "completed")
        self.assertEqual(self.sequence.bounced_count, 1)
        self.assertTrace(self.bob, self.not_clicked, "processed", "done")

    def test_bounce_without_branch(self):
        """A dead number ends what follows the SMS, not the mails beside it."""
        after = self.make_sms_step(self.sequence, "after", self.first, 1)
        beside = self.make_step(self.sequence, "begin", delay=7, subject="Beside")
        self.sequence.action_start()
        self.advance()
        self.report("rejected", *self.sms_to(self.ann))
        self.assertTrace(self.ann, after, "cancelled", "parent_failed")
        self.assertEqual(self.participant(self.ann).state, "running")
        self.advance(days=7)
        self.assertTrace(self.ann, beside, "processed", "done")
        self.assertEqual(len(self.mails_to("ann@recipient.example.com", "Beside")), 1)
        self.assertEqual(len(self.sms_to(self.ann)), 1)
        self.assertEqual(self.participant(self.ann).state, "completed")

    # ------------------------------------------------------------
    # FAILED
    # ------------------------------------------------------------

    def test_refused_and_retried(self):
        """What the provider refuses says why; Retry sends it again, once."""
        after = self.make_sms_step(self.sequence, "after", self.first, 2)
        self.provider.answers[ANN] = "insufficient_credit"
        self.sequence.action_start()
        self.advance()
        trace = self.assertTrace(self.ann, self.first, "error", "sms_failed")
        self.assertEqual(trace.detail, "Insufficient Credit")
        self.assertTrace(self.ann, after, "cancelled", "parent_failed")
        self.assertEqual(self.participant(self.ann).state, "running")
        self.advance(days=1)
        self.assertEqual(len(self.sms_to(self.ann)), 1, "not automatically")
        self.provider.answers.clear()
        trace.with_user(self.marketer).action_retry()
        for _again in range(2):
            self.advance()
        self.assertEqual([sms["state"] for sms in self.sms_to(self.ann)][1:], ["success"])
        self.assertTrace(self.ann, self.first, "processed", "done")
        self.assertTrace(self.ann, after, "scheduled")
        self.assertEqual(len(self.sms_to(self.bob)), 1)

    def test_retry_by_the_mailing(self):
        """Core's button on the mailing does the same."""
        self.provider.answers.update({ANN: "unregistered", BOB: "country_not_supported"})
        self.sequence.action_start()
        self.advance()
        self.assertTrace(self.ann, self.first, "error", "sms_failed")
        self.provider.answers.clear()
        self.first.mailing_id.with_user(self.marketer).action_retry_failed()
        self.advance()
        self.send_sms()
        self.assertEqual(len(self.sms_to(self.ann)), 2)
        self.assertTrace(self.bob, self.first, "processed", "done")

    def test_requeued_by_hand_and_retried(self):
        """Two people mend it by different buttons: it is sent once."""
        self.provider.answers[ANN] = "server_error"
        self.sequence.action_start()
        self.advance()
        trace = self.assertTrace(self.ann, self.first, "error", "sms_failed")
        self.provider.answers.clear()
        self.env["sms.sms"].search([("number", "=", ANN)]).action_set_outgoing()
        trace.action_retry()
        self.advance()
        self.send_sms()
        self.assertEqual(len(self.sms_to(self.ann)), 2)
        self.assertTrace(self.ann, self.first, "processed", "done")

    def test_requeued_by_hand(self):
        """Core's Retry on the SMS itself is handled as well."""
        after = self.make_sms_step(self.sequence, "after", self.first, 2)
        self.provider.answers[ANN] = "server_error"
        self.sequence.action_start()
        self.advance()
        self.provider.answers.clear()
        self.env["sms.sms"].search([("number", "=", ANN)]).action_set_outgoing()
        self.send_sms()
        self.assertTrace(self.ann, self.first, "processed", "done")
        self.assertTrace(self.ann, after, "scheduled")

    def test_tried_again_automatically(self):
        """As often as the step says, at the number of that day."""
        self.first.write({"retry_count": 1, "retry": 2, "retry_unit": "hours"})
        self.provider.answers.update({ANN: "server_error", BOB: "server_error"})
        self.sequence.action_start()
        self.advance()
        del self.provider.answers[ANN]
        self.advance(hours=2)
        self.advance(days=1)
        self.assertEqual([len(self.sms_to(lead)) for lead in (self.ann, self.bob)], [2, 2])
        self.assertTrace(self.ann, self.first, "processed", "done")
        self.assertTrace(self.bob, self.first, "error", "sms_failed")

    def test_wrong_number(self):
        self.provider.answers[ANN] = "wrong_number_format"
        self.sequence.action_start()
        self.advance()
        trace = self.assertTrace(self.ann, self.first, "error", "invalid_phone")
        self.provider.answers.clear()
        self.ann.phone = "+32456001109"
        trace.action_retry()
        self.advance()
        self.assertEqual(len(self.sms_to(self.ann)), 1, "to the number the lead has now")

    def test_provider_down(self):
        self.provider.broken = True
        self.sequence.action_start()
        with mute_logger("odoo.addons.iap.tools.iap_tools", "odoo.tools.translate"):
            self.advance()
        self.assertTrace(self.ann, self.first, "error", "sms_failed")
        self.provider.broken = False
        (self.trace(self.ann, self.first) | self.trace(self.bob, self.first)).action_retry()
        self.advance()
        self.assertEqual([len(self.sms_to(lead)) for lead in (self.ann, self.bob)], [1, 1])

    def test_not_delivered(self):
        """It left and what follows was due; then the report says it never arrived."""
        after = self.make_sms_step(self.sequence, "after", self.first, 2)
        self.sequence.action_start()
        self.advance()
        (sms,) = self.sms_to(self.ann)
        self.report("not_delivered", sms)
        trace = self.assertTrace(self.ann, self.first, "error", "sms_failed")
        self.assertEqual(trace.detail, "Not Delivered")
        self.assertTrace(self.ann, after, "cancelled", "parent_failed")
        trace.action_retry()
        self.advance()
        self.report("delivered", self.sms_to(self.ann)[1])
        self.report("expired", sms)
        self.assertTrace(self.ann, self.first, "processed", "done")
        self.assertTrace(self.ann, after, "scheduled")

    # ------------------------------------------------------------
    # RECALLED
    # ------------------------------------------------------------

    def test_restored_while_queued(self):
        self.sequence.action_start()
        self.run_cron()
        self.ann.action_restore()
        self.assertTrace(self.ann, self.first, "cancelled", "recalled")
        self.assertEqual(self.trace(self.ann, self.first).mailing_trace_ids.trace_status, "cancel")
        self.send_sms()
        self.assertFalse(self.sms_to(self.ann))
        self.assertEqual(len(self.sms_to(self.bob)), 1)
        self.assertEqual(self.participant(self.ann).exit_reason, "restored")

    def test_unsubscribed_while_queued(self):
        """Who leaves the mails leaves the sequence, with its SMS."""
        self.sequence.action_start()
        self.run_cron()
        self.env["mail.blacklist"]._add("ann@recipient.example.com")
        self.send_sms()
        self.assertFalse(self.sms_to(self.ann))

    def test_unsubscribed(self):
        """By the link of the SMS: the message knows it, and only hers."""
        self.sequence.action_start()
        self.advance()
        mailing_trace = self.trace(self.ann, self.first).mailing_trace_ids
        page = f"/sms/{self.first.mailing_id.id}/unsubscribe/{mailing_trace.sms_code}"
        for number in ("+32470000000", ANN):
            response = self.url_open(f"{page}?{urlencode({'sms_number': number})}")
            self.assertEqual(response.status_code, 200)
        self.env.invalidate_all()
        self.assertEqual(mailing_trace.nurture_unsubscribe_date, self.clock)
        self.assertEqual(self.sequence.unsubscribed_count, 1)

    def test_stopped_while_queued(self):
        self.sequence.action_start()
        self.run_cron()
        self.sequence.action_stop()
        self.send_sms()
        self.assertFalse(self.provider.messages)
        self.sequence.action_start()
        self.advance()
        self.advance()
        self.assertEqual([len(self.sms_to(lead)) for lead in (self.ann, self.bob)], [1, 1])
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_cancelled_by_hand(self):
        """In the list of SMS: cancelled, or deleted."""
        after = self.make_sms_step(self.sequence, "after", self.first, 2)
        self.sequence.action_start()
        self.run_cron()
        self.env["sms.sms"].search([("number", "=", ANN)]).action_set_canceled()
        self.env["sms.sms"].search([("number", "=", BOB)]).unlink()
        self.send_sms()
        self.assertFalse(self.provider.messages)
        for lead in (self.ann, self.bob):
            self.assertTrace(lead, self.first, "rejected", "sms_cancelled")
            self.assertTrace(lead, after, "cancelled", "parent_failed")
            self.assertEqual(self.participant(lead).exit_reason, "unreachable")

    # ------------------------------------------------------------
    # WHEN
    # ------------------------------------------------------------

    def test_cap_counts_sms(self):
        """An SMS and a mail are two messages, whichever comes first."""
        self.sequence.write({"cap_own": True, "cap_number": 1, "cap_days": 7})
        mail = self.make_step(self.sequence, "begin", delay=1, subject="Mail")
        later = self.make_sms_step(self.sequence, "begin", delay=9)
        self.sequence.action_start()
        self.advance()
        self.advance(days=1)
        self.assertEqual(len(self.sms_to(self.ann)), 1)
        deferred = self.assertTrace(self.ann, mail, "scheduled", "cap")
        self.assertEqual(str(deferred.schedule_date), "2026-03-09 09:00:00")
        self.advance(days=6)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com", "Mail")), 1)
        self.advance(days=2)
        deferred = self.assertTrace(self.ann, later, "scheduled", "cap")
        self.assertEqual(str(deferred.schedule_date), "2026-03-16 09:00:00")
        self.assertEqual(len(self.sms_to(self.ann)), 1)

    def test_cap_counts_other_sms(self):
        """Those of SMS Marketing itself, too."""
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Everybody",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body_plaintext": "Open on Sunday",
            }
        )
        mailing.action_send_sms(self.ann.ids)
        self.sequence.write({"cap_own": True, "cap_number": 1, "cap_days": 7})
        self.sequence.action_start()
        self.advance()
        self.assertTrace(self.ann, self.first, "scheduled", "cap")
        self.assertTrace(self.bob, self.first, "processed", "done")

    def test_sending_hours(self):
        """An SMS wakes nobody on Sunday."""
        self.sequence.calendar_id = self.env["resource.calendar"].create({"name": "Office"})
        self.clock = self.clock.replace(day=1)
        self.sequence.action_start()
        self.advance()
        deferred = self.assertTrace(self.ann, self.first, "scheduled", "sending_hours")
        self.assertEqual(deferred.schedule_date.day, 2)
        self.clock = deferred.schedule_date
        self.advance()
        self.assertEqual(len(self.sms_to(self.ann)), 1)

    # ------------------------------------------------------------
    # STATISTICS
    # ------------------------------------------------------------

    def test_statistics(self):
        self.sequence.action_start()
        self.advance()
        self.report("delivered", *self.sms_to(self.bob))
        self.assertEqual((self.sequence.sent_count, self.sequence.no_reaction_count), (2, 2))
        self.clock += timedelta(days=1)
        self.env.invalidate_all()
        self.assertEqual((self.sequence.sent_count, self.sequence.ignored_count), (2, 2))
        self.follow(self.sms_to(self.ann)[0])
        self.sequence.invalidate_recordset()
        self.assertEqual((self.sequence.clicked_count, self.sequence.ignored_count), (1, 1))
        ignored = self.sequence.with_context(nurture_statistic="ignored").action_view_mails()
        found = self.env["mailing.trace"].search(ignored["domain"])
        self.assertEqual(found.sms_number, BOB)
        self.assertEqual(self.first.mailing_id.state, "done")

    def test_credit(self):
        """A lead that is won back after a click in an SMS is credited to it."""
        self.sequence.action_start()
        self.advance()
        self.follow(self.sms_to(self.ann)[0])
        self.ann.action_restore()
        self.assertEqual(self.participant(self.ann).credited_step_id, self.first)
