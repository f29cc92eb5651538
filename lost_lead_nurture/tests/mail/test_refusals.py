"""A mail server does not take a mail: for good, for now, or because of us."""

from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..smtp import RELAY_DENIED, SMTP_LOGGERS, RefusedMixin

UNKNOWN = "550 5.1.1 <ann@recipient.example.com>: Recipient address rejected: User unknown"
LATER = "450 4.2.0 <ann@recipient.example.com>: Recipient address rejected: Greylisted"


class RefusalCase(RefusedMixin, SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def start(self, **answers):
        """Send the first mails while the server has these answers for Ann's."""
        self.catcher.answers = {ANN: answers["rcpt"]} if "rcpt" in answers else {}
        self.catcher.answers_to_data = {ANN: answers["data"]} if "data" in answers else {}
        self.sequence.action_start()
        self.send()

    def accept(self):
        self.catcher.clear()

    @property
    def mailing_trace(self):
        return self.trace(self.ann, self.first).mailing_trace_ids


@tagged("post_install", "-at_install")
class TestBounce(RefusalCase):
    def assertBounced(self):  # noqa: N802
        self.assertEqual(self.mailing_trace.trace_status, "bounce")
        self.assertEqual(self.mailing_trace.failure_type, "mail_bounce")
        self.assertEqual(self.sequence.bounced_count, 1)
        self.assertEqual(self.participant(self.bob).state, "running")
        self.mail_to(BOB)

    def test_ends(self):
        """Nobody gets mail there: it is a bounce, and the end, as if the mail had been returned."""
        self.start(rcpt=UNKNOWN)
        self.assertBounced()
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("exited", "bounced"))
        self.assertIn("User unknown", self.mailing_trace.failure_reason)
        self.assertIn("Catcher", self.mailing_trace.failure_reason)
        self.assertEqual(self.trace(self.ann, self.second).state, "cancelled")
        self.accept()
        self.send(days=8)
        self.assertFalse(self.mails_to(ANN))

    def test_words(self):
        """What servers say of an address that is not there, at whatever moment."""
        for answers in (
            {"rcpt": "550 no such user here"},
            {"rcpt": "553 5.1.3 Bad address syntax"},
            {"rcpt": "550 5.4.1 Recipient address rejected: Access denied"},
            {"data": "550 5.1.1 The email account that you tried to reach does not exist"},
            {"data": "554 delivery error: This user doesn't have a example.com account"},
        ):
            with self.subTest(answers), self.env.cr.savepoint() as savepoint:
                self.start(**answers)
                self.assertBounced()
                self.assertEqual(self.participant(self.ann).exit_reason, "bounced")
                savepoint.rollback()
                self.env.invalidate_all()
                self.catcher.clear()

    def test_full(self):
        """A mailbox that is full may take the next mail; the third no in a row is a bounce."""
        full = "552 5.2.2 <ann@recipient.example.com>: mailbox full"
        third = self.make_step(self.sequence, "after", self.second, 7, subject="Third")
        self.start(rcpt=full)
        for step in (self.first, self.second):
            mail = self.trace(self.ann, step).mailing_trace_ids
            self.assertEqual(mail.trace_status, "sent")
            self.assertEqual(mail.nurture_soft_bounce_date, self.clock)
            self.assertIn("mailbox full", mail.nurture_soft_bounce_reason)
            self.assertEqual(self.participant(self.ann).state, "running")
            self.assertFalse(self.sequence.bounced_count)
            self.send(days=7)
        mail = self.trace(self.ann, third).mailing_trace_ids
        self.assertEqual(mail.trace_status, "bounce")
        self.assertEqual(self.participant(self.ann).exit_reason, "bounced")

    def test_branch(self):
        branch = self.make_step(self.sequence, "mail_bounce", self.first, 1, "hours")
        self.start(rcpt=UNKNOWN)
        self.assertBounced()
        self.assertEqual(self.participant(self.ann).state, "running")
        trace = self.trace(self.ann, branch)
        self.assertEqual(trace.schedule_date, self.clock + timedelta(hours=1))
        self.assertEqual(self.trace(self.ann, self.second).reason, "other_branch")

    def test_who_stays(self):
        """Where a bounce is no end, what follows the mail goes on."""
        self.sequence.exit_on_bounced = False
        self.start(rcpt=UNKNOWN)
        self.assertBounced()
        trace = self.trace(self.ann, self.second)
        self.assertEqual(trace.state, "scheduled")
        self.assertEqual(trace.schedule_date, self.clock + timedelta(days=7))

    def test_only_mail(self):
        self.second.unlink()
        self.start(rcpt=UNKNOWN)
        self.assertEqual(self.participant(self.ann).exit_reason, "bounced")

    def test_guard(self):
        """The sequence stops automatically, as it does when mails bounce."""
        leads = [self.make_lead(f"lead{n}@recipient.example.com") for n in range(58)]
        self.sequence.bounce_limit = 5
        self.catcher.answers = {lead.email_from: UNKNOWN for lead in leads[52:]}
        self.sequence.action_start()
        self.send()
        self.assertEqual(self.sequence.state, "stopped")
        self.assertIn("bounced", self.sequence.last_error)

    def test_other_sequences(self):
        """Whether the address enters other sequences is for their settings, as after any bounce."""
        self.start(rcpt=UNKNOWN)
        other = self.make_sequence(name="Other", entry="manual")
        self.make_step(other, subject="Other")
        other.action_start()
        self.assertEqual(other.enrol(self.ann.ids)["excluded"], {"bounced": self.ann.ids})
        other.exclude_bounced = False
        self.assertEqual(other.enrol(self.ann.ids)["entered"], self.ann.ids)

    def test_sent_by_hand(self):
        """Also when somebody sends the mail from core's list."""
        self.sequence.action_start()
        self.run_cron()
        self.catcher.answers = {ANN: UNKNOWN}
        with mute_logger(*SMTP_LOGGERS):
            self.env["mail.mail"].search([("state", "=", "outgoing")]).send()
        self.env.invalidate_all()
        self.assertBounced()
        self.assertEqual(self.participant(self.ann).exit_reason, "bounced")


@tagged("post_install", "-at_install")
class TestLater(RefusalCase):
    def make_due(self):
        """Core's queue goes by the real clock."""
        self.env["mail.mail"].search([("scheduled_date", "!=", False)]).scheduled_date = False

    def test_greylisting(self):
        """The mail stays in the queue and is sent later; nothing failed."""
        with self.capture_triggers("mail.ir_cron_mail_scheduler_action") as woken:
            self.start(rcpt=LATER)
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("processed", "mail_deferred"))
        self.assertIn("Greylisted", trace.detail)
        self.assertEqual(self.mailing_trace.trace_status, "outgoing")
        mail = self.mailing_trace.mail_mail_id
        self.assertEqual(mail.state, "outgoing")
        self.assertEqual(mail.scheduled_date, self.clock + timedelta(minutes=15))
        self.assertIn(mail.scheduled_date, woken.records.mapped("call_at"))
        self.assertEqual(self.trace(self.ann, self.second).state, "waiting")
        self.accept()
        self.make_due()
        self.send(minutes=16)
        self.mail_to(ANN)
        self.assertEqual((trace.state, trace.reason), ("processed", "done"))
        self.assertEqual(
            self.trace(self.ann, self.second).schedule_date, self.clock + timedelta(days=7)
        )

    def test_greylisting_after_the_whole_mail(self):
        self.start(data="451 4.7.1 Try again later")
        self.assertEqual(self.mailing_trace.trace_status, "outgoing")

    def test_server_that_closes(self):
        """The rest of the queue is not lost with it."""
        self.start(rcpt="421 4.3.2 Service shutting down")
        self.assertEqual(self.mailing_trace.trace_status, "outgoing")

    def test_for_long(self):
        """It is tried less and less often, and expires after two days."""
        self.start(rcpt=LATER)
        pauses = []
        while self.mailing_trace.mail_mail_id.state == "outgoing" and len(pauses) < 40:
            pauses.append(self.mailing_trace.mail_mail_id.scheduled_date - self.clock)
            self.make_due()
            self.clock += pauses[-1]
            with mute_logger(*SMTP_LOGGERS):
                self.send_mails()
            self.env.invalidate_all()
        self.assertEqual(pauses, sorted(pauses))
        self.assertLess(len(pauses), 20)
        self.assertTrue(timedelta(days=2) < sum(pauses, timedelta()) < timedelta(days=3))
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
        self.assertIn("Greylisted", trace.detail)
        trace.action_retry()
        self.send()
        self.assertEqual(self.mailing_trace.trace_status, "outgoing", "its patience begins anew")

    def test_stopped_meanwhile(self):
        self.start(rcpt=LATER)
        self.sequence.action_stop()
        self.accept()
        self.make_due()
        self.send_mails()
        self.assertFalse(self.mails_to(ANN))


@tagged("post_install", "-at_install")
class TestFailure(RefusalCase):
    def test_no_fault_of_the_address(self):
        for answers in (
            {"rcpt": RELAY_DENIED},
            {"rcpt": "550 5.7.1 Blocked: your IP is listed at bl.example.org"},
            {"rcpt": "530 5.7.0 Authentication required"},
            {"data": "550 Message looks like spam"},
            {"data": "552 5.3.4 Message too big"},
        ):
            with self.subTest(answers), self.env.cr.savepoint() as savepoint:
                self.start(**answers)
                trace = self.trace(self.ann, self.first)
                self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
                self.assertEqual(self.mailing_trace.trace_status, "error")
                self.assertIn("Catcher", trace.detail)
                savepoint.rollback()
                self.env.invalidate_all()
                self.catcher.clear()

    def test_sender_refused(self):
        self.catcher.answers = {self.alias_domain.bounce_email: "550 5.1.8 Sender unknown"}
        self.start_sender()
        self.assertEqual(self.trace(self.ann, self.first).state, "error")

    def test_sender_refused_for_now(self):
        self.catcher.answers = {self.alias_domain.bounce_email: "450 4.7.1 Too many mails"}
        self.start_sender()
        self.assertEqual(self.mailing_trace.trace_status, "outgoing")

    def start_sender(self):
        self.sequence.action_start()
        self.send()

    def test_plain_mailing(self):
        """What is not a sequence's is core's."""
        lead = self.make_lead("carl@recipient.example.com", lost=False)
        mailing = self.make_mailing("Plain", mailing_domain=repr([("id", "=", lead.id)]))
        self.catcher.answers = {lead.email_from: UNKNOWN}
        with mute_logger(*SMTP_LOGGERS):
            mailing.action_send_mail()
            self.send_mails()
        self.assertEqual(mailing.mailing_trace_ids.trace_status, "error")
