"""The first six promises of the engine. What a kill between two commits does is shown with real
processes, outside this suite, since a test never commits."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import psycopg2
from psycopg2.errors import SerializationFailure

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import UNSUBSCRIBE, NurtureHttpCase, SequenceMixin
from ..smtp import RELAY_DENIED


@tagged("post_install", "-at_install")
class TestPromises(SequenceMixin, NurtureHttpCase):
    def make_leads(self, count, prefix="lead"):
        return self.env["crm.lead"].concat(
            *(self.make_lead(f"{prefix}{number}@recipient.example.com") for number in range(count))
        )

    @contextmanager
    def assertDuplicateRefused(self):  # noqa: N802
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.IntegrityError),
            self.env.cr.savepoint(),
        ):
            yield

    # 1. Nobody gets a step twice

    def test_1_unique_in_the_database(self):
        lead = self.make_lead("ann@recipient.example.com")
        self.sequence.action_start()
        self.run_cron()
        trace = self.trace(lead, self.first)
        with self.assertDuplicateRefused():
            trace.copy({"participant_id": trace.participant_id.id})
        participant = self.participant(lead)
        with self.assertDuplicateRefused():
            participant.copy()

    def test_1_address_enters_once(self):
        """Two leads with one address: the one lost last enters. Neither enters again later."""
        older = self.make_lead("ann@recipient.example.com")
        newer = self.make_lead("Ann <Ann@Recipient.example.com>")
        older.date_closed = self.clock - timedelta(days=20)
        newer.date_closed = self.clock - timedelta(days=10)
        self.sequence.action_start()
        self.advance()
        self.advance(days=1)
        self.assertFalse(self.participant(older))
        self.assertTrue(self.participant(newer))
        newer.email_from = "new@recipient.example.com"
        self.advance(days=1)
        self.assertEqual(len(self.sequence.participant_ids), 1)
        self.assertEqual(len(self.catcher.messages), 1)

    def test_1_running_again_does_nothing(self):
        self.make_leads(3)
        self.sequence.action_start()
        for _run in range(3):
            self.advance()
        self.assertEqual(len(self.catcher.messages), 3)
        self.assertEqual(len(self.sequence.participant_ids), 3)

    def test_1_effect_and_state_are_one_transaction(self):
        """When queueing fails half way, neither mails nor processed traces are left behind."""
        leads = self.make_leads(4)
        self.sequence.action_start()
        # mails and statistics are written by then, and what the engine wrote about them
        with patch.object(
            type(self.env["crm.lead"]),
            "_message_mail_after_hook",
            side_effect=SerializationFailure,
        ):
            self.run_cron()
        self.assertEqual(set(self.traces().mapped("state")), {"scheduled"})
        self.assertFalse(self.env["mailing.trace"].search([("res_id", "in", leads.ids)]))
        self.advance()
        self.assertEqual(len(self.catcher.messages), 4)

    # 2. One method executes traces

    def test_2_cron_and_button_take_the_same_way(self):
        self.make_leads(2)
        self.sequence.action_start()
        executed = []
        traces = type(self.env["nurture.trace"])
        original = traces._execute

        def execute(records):
            executed.append(len(records))
            return original(records)

        with patch.object(traces, "_execute", execute):
            self.sequence.with_user(self.marketer).action_advance()
            self.make_leads(3, "later")
            self.run_cron()
            self.env.ref("lost_lead_nurture.nurture_sequence_action_advance").with_user(
                self.marketer
            ).with_context(active_model="nurture.sequence", active_ids=self.sequence.ids).run()
        self.assertEqual(executed, [2, 3])

    # 3. Whatever ended says why

    def test_3_every_end_has_a_reason(self):
        """Many ends at once: no participant and no trace ends without a reason."""
        self.make_step(self.sequence, "mail_open", self.first)
        self.make_step(self.sequence, "mail_ignored", self.first, 3)
        leads = self.make_leads(8)
        self.sequence.holdout_percent = 20
        self.sequence.action_start()
        self.catcher.refused = {"lead5@recipient.example.com"}
        leads[7].email_from = "not an address"
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.advance()
        sent = {message["To"]: message for message in self.catcher.messages}
        for number, event in enumerate(
            (self.read_mail, self.answer, self.bounce, self.unsubscribe)
        ):
            for address in list(sent):
                if f"lead{number}@" in address:
                    event(sent[address])
        self.advance(days=10)
        for participant in self.sequence.participant_ids:
            if participant.state != "running":
                self.assertTrue(participant.exit_reason, participant.email)
                self.assertTrue(participant.exit_date, participant.email)
        for trace in self.sequence.participant_ids.trace_ids:
            if trace.state not in ("waiting", "scheduled"):
                self.assertTrue(trace.reason, trace.state)

    def test_3_failed_mail(self):
        """A mail that SMTP refuses: the trace says so, its branch stops, a retry goes on."""
        lead = self.make_lead("ann@recipient.example.com")
        after = self.make_step(self.sequence, "after", self.first, 1)
        self.sequence.action_start()
        self.catcher.answers = {"ann@recipient.example.com": RELAY_DENIED}
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.advance()
        trace = self.trace(lead, self.first)
        self.env.invalidate_all()
        self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
        self.assertTrue(trace.detail)
        self.assertEqual(self.trace(lead, after).reason, "parent_failed")
        self.assertEqual(self.participant(lead).state, "running", "it can be retried")
        self.catcher.answers = {}
        trace.with_user(self.marketer).action_retry()
        self.advance(days=2)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com")), 1)
        self.assertEqual(trace.state, "processed")
        self.assertEqual(self.trace(lead, after).schedule_date, self.clock + timedelta(days=1))

    def test_3_mail_that_core_cancels(self):
        """What core's composer does not send is rejected with core's reason."""
        lead = self.make_lead("ann@recipient.example.com")
        after = self.make_step(self.sequence, "after", self.first, 1)
        self.sequence.action_start()
        opt_out = patch.object(
            type(self.env["mailing.mailing"]),
            "_get_opt_out_list",
            lambda self: {"ann@recipient.example.com"},
        )
        with opt_out:
            self.advance()
        trace = self.trace(lead, self.first)
        self.assertEqual((trace.state, trace.reason), ("rejected", "opt_out"))
        self.assertEqual(self.trace(lead, after).reason, "parent_failed")
        participant = self.participant(lead)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "unreachable"))

    # 4. Stop means stop: see also test_exit_conditions

    def test_4_stopped_sequence(self):
        """Stopping recalls what is in the queue; starting again sends it, once."""
        self.make_leads(3)
        self.sequence.action_start()
        self.run_cron()
        self.sequence.with_user(self.marketer).action_stop()
        self.send_mails()
        self.assertFalse(self.catcher.messages)
        self.assertEqual(set(self.traces().mapped("state")), {"scheduled"})
        self.advance(days=1)
        self.assertFalse(self.catcher.messages)
        self.sequence.action_start()
        self.advance()
        self.advance()
        self.assertEqual(len(self.catcher.messages), 3)

    def test_4_archived_sequence(self):
        self.make_leads(1)
        self.sequence.action_start()
        self.sequence.action_archive()
        self.assertEqual(self.sequence.state, "stopped")
        self.advance()
        self.assertFalse(self.catcher.messages)

    # 5. Constant number of queries per batch, linear cost

    def test_5_queries_do_not_grow_with_the_batch(self):
        self.make_step(self.sequence, "mail_open", self.first)
        self.make_step(self.sequence, "mail_ignored", self.first, 7)
        self.sequence.action_start()
        for size in (3, 5):  # the first one warms caches
            batch = self.claim_batch(size)
            before = self.env.cr.sql_log_count
            batch._execute()
            self.env.flush_all()
            cost = self.env.cr.sql_log_count - before
        batch = self.claim_batch(45)
        with self.assertQueryCount(cost):
            batch._execute()

    def claim_batch(self, size):
        """So many leads due at the first step, and nothing in the cache."""
        self.make_leads(size, f"size{size}-")
        self.sequence._enrol_matching()
        batch = self.env["nurture.trace"]._claim(self.first, 1000)
        self.assertEqual(len(batch), size)
        self.env.flush_all()
        self.env.invalidate_all()
        return batch

    def test_5_text_is_compiled_once(self):
        """Core compiles it once per mail; and what each recipient gets is the recipient's own."""
        self.first.mailing_id.body_html = (
            "<p>Hello <t t-out=\"object.name or 'you'\"/></p>"
            '<p><a href="https://shop.example.com/">Shop</a></p>' + UNSUBSCRIBE
        )
        self.sequence.action_start()
        qweb = type(self.env["ir.qweb"])
        compiled = []
        generate = qweb._generate_code

        def count(records, template):
            compiled.append(template)
            return generate(records, template)

        batch = self.claim_batch(5)
        with patch.object(qweb, "_generate_code", count):
            batch._execute()
        self.assertLess(len(compiled), 5)
        bodies = batch.mailing_trace_ids.mail_mail_id.mapped("body_html")
        for lead in batch.participant_id.lead_id:
            self.assertEqual(len([body for body in bodies if lead.name in body]), 1)

    def test_5_constant_queries_to_notify_of_opens(self):
        """What people opened and clicked is handled a minute later, of all of them together."""
        opened = self.make_step(self.sequence, "mail_open", self.first, 1)
        self.sequence.action_start()
        hits = self.claim_hits(5)
        hits._apply()
        hits = self.claim_hits(5)
        before = self.env.cr.sql_log_count
        hits._apply()
        self.env.flush_all()
        cost = self.env.cr.sql_log_count - before
        hits = self.claim_hits(45)
        with self.assertQueryCount(cost):
            hits._apply()
        self.assertEqual(self.traces(opened).mapped("state"), ["scheduled"] * 55)

    def claim_hits(self, size):
        """So many leads open the first mail."""
        leads = self.make_leads(size, f"hit{len(self.traces())}-")
        self.advance()
        mails = self.env["mailing.trace"].search([("res_id", "in", leads.ids)])
        hits = self.env["nurture.hit"].create(
            [
                {"mailing_trace_id": mail.id, "kind": "open", "date": self.clock, "judged": True}
                for mail in mails
            ]
        )
        self.assertEqual(len(hits), size)
        self.env.flush_all()
        self.env.invalidate_all()
        return hits

    def test_5_cost_does_not_depend_on_what_was_sent(self):
        """Core reads every address a mailing ever reached; for a step it must not."""
        self.make_leads(3)
        self.sequence.action_start()
        with patch.object(
            type(self.env["mailing.mailing"]), "_get_seen_list_extra"
        ) as read_all_addresses:
            self.run_cron()
        self.assertEqual(set(self.traces().mapped("state")), {"processed"})
        read_all_addresses.assert_not_called()

    # 6. One bad record does not stop the others

    def test_6_one_bad_record(self):
        leads = self.make_leads(9)
        bad = leads[4]
        self.sequence.action_start()
        with self.breaking_mail_of(bad):
            self.advance()
        trace = self.trace(bad, self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "failed"))
        self.assertEqual(trace.detail, "ZeroDivisionError: this lead breaks the template")
        self.assertEqual(len(self.catcher.messages), 8)
        self.assertFalse(self.mails_to(bad.email_normalized))
        trace.with_user(self.marketer).action_retry()
        self.advance()
        self.assertEqual(len(self.mails_to(bad.email_normalized)), 1)
        self.assertEqual(len(self.catcher.messages), 9)

    def test_6_template_that_fails_for_one(self):
        """A placeholder that cannot be worked out for one of the leads."""
        leads = self.make_leads(3)
        leads[1].expected_revenue = 0
        body = '<p>Worth <t t-out="1 / object.expected_revenue"/>, <a href="https://x.example.com">go</a></p>'
        body += UNSUBSCRIBE
        self.first.mailing_id.write({"body_html": body, "body_arch": body})
        self.sequence.action_start()
        with mute_logger("odoo.addons.mail.models.mail_render_mixin"):
            self.advance()
        self.assertEqual(len(self.catcher.messages), 2)
        trace = self.trace(leads[1], self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "failed"))
        self.assertIn("division by zero", trace.detail)
        # once: the failures of the batches it was in before are not said, too
        self.assertLess(len(trace.detail), 3100)
        self.assertNotIn("During handling of the above", trace.detail)

    def test_6_sequence_that_cannot_enrol(self):
        """A broken audience is shown on its sequence; the others go on."""
        self.make_leads(1)
        broken = self.make_sequence(name="A broken one")
        self.make_step(broken)
        (broken | self.sequence).action_start()
        original = type(broken)._get_lead_domain

        def get_lead_domain(sequence, own=True):
            if sequence.id == broken.id:
                raise ValueError("the field is gone")
            return original(sequence, own)

        with (
            patch.object(type(broken), "_get_lead_domain", get_lead_domain),
            mute_logger("odoo.addons.lost_lead_nurture.models.sequence.entry"),
        ):
            self.advance()
        self.assertEqual(broken.last_error, "Leads cannot enter: the field is gone")
        self.assertEqual(len(self.catcher.messages), 1)
        self.advance()
        self.assertFalse(broken.last_error)

    def test_6_conflict_is_tried_again(self):
        """A conflict with another transaction is nobody's fault: no error, no loss."""
        self.make_leads(2)
        self.sequence.action_start()
        traces = type(self.env["nurture.trace"])
        original = traces._execute
        failures = iter([SerializationFailure(), SerializationFailure()])

        def execute(records):
            original(records)
            for failure in failures:
                raise failure

        with patch.object(traces, "_execute", execute):
            self.advance()
        self.assertEqual(len(self.catcher.messages), 2)
        self.assertEqual(set(self.traces().mapped("state")), {"processed"})
