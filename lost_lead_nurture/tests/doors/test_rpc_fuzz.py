"""What callers get wrong: wrong types, ids of nothing, impossible numbers, contexts made up. They
get a fault in words, never SQL or a traceback, and nothing is written."""

import random

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, NurtureHttpCase

NOTHING = 2_000_000_000
#: Values that are no id, no number, no word that anything knows.
WRONG = (
    # the last one is half a character
    *("abc", "", "1", "1; DROP TABLE crm_lead", '\u202e’"`\\', "x" * 5000, "\ud800"),
    *(None, True, False, 1.5, -1, 0, 2**31, 2**70, 1e300),
    *([], {}, [[]], {"id": 1}, [None], ["abc"], [1.5], [[6, 0, [1]]], [{"id": 1}]),
)
WRONG_IDS = (["abc"], [None], [True], [1.5], [-1], [2**40], [[1]], [{"id": 1}], ["1 OR 1=1"])


@tagged("post_install", "-at_install")
class TestBadCalls(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.lead = self.make_lead(ANN)
        self.sequence = self.make_sequence(entry="manual")
        self.step = self.make_step(self.sequence, subject="First")
        self.make_step(self.sequence, "after", self.step, 7, subject="Second")
        self.sequence.action_start()
        self.sequence.enrol(self.lead.ids)
        self.participant_id = self.sequence.participant_ids.id
        self.trace_id = self.sequence.participant_ids.trace_ids.id
        # keys expire by the real clock
        self.patch(fields.Datetime, "now", self.env.cr.now)
        self.key = (
            self.env["res.users.apikeys"]
            .with_user(self.marketer)
            ._generate("rpc", "Integrator", fields.Datetime.add(fields.Datetime.now(), days=1))
        )

    def call(self, model, method, **body):
        """Call over JSON-2, which carries whatever it is given.

        :return: (whether it was a fault, the answer)
        """
        with mute_logger("odoo.http", "odoo.sql_db"):
            response = self.url_open(
                f"/json/2/{model}/{method}",
                json=body,
                headers={"Authorization": f"bearer {self.key}"},
            )
        return response.status_code != 200, response.json()

    def assert_fault(self, model, method, **body):
        is_fault, answer = self.call(model, method, **body)
        shown = f"{model}.{method}({str(body)[:200]}): {str(answer)[:300]}"
        self.assertTrue(is_fault, shown)
        # the kinds of errors that Odoo shows to people as they are
        self.assertRegex(answer["name"], r"^odoo\.exceptions\.", shown)
        self.assertTrue(answer["message"].strip(), shown)
        for word in ("Traceback", "psycopg2", "SELECT ", "LINE 1", "object has no", "Expected"):
            self.assertNotIn(word, answer["message"], shown)

    def state_of_things(self):
        self.env.invalidate_all()
        traces = self.env["nurture.trace"].search([("sequence_id", "=", self.sequence.id)])
        return (
            self.sequence.read(["name", "state", "start_date", "domain", "write_date"]),
            self.sequence.step_ids.read(["name", "delay", "position", "score"]),
            traces.read(["state", "reason", "schedule_date"]),
            self.sequence.participant_ids.read(["state", "exit_reason"]),
            self.lead.won_status,
        )

    def make_calls(self):
        """All bad calls, as (model, method, body)."""
        one = {"ids": self.sequence.ids}
        sequence, step, trace = "nurture.sequence", "nurture.step", "nurture.trace"
        numbers = [value for value in WRONG if value != []]
        # an empty list of leads is one
        for value in numbers:
            yield sequence, "enrol", {**one, "lead_ids": value}
        for value in WRONG:
            yield sequence, "explain", {**one, "lead_id": value}
            yield sequence, "action_start", {**one, "overdue": value}
            yield sequence, "action_start", {**one, "days": value}
            yield sequence, "action_view_audience", {**one, "what": value}
            yield sequence, "action_view_exits", {**one, "reason": value}
            yield step, "action_view_statistic", {"ids": self.step.ids, "statistic": value}
            # nought places and one place down are fine
            if not (type(value) is int and value in (-1, 0)):
                yield step, "action_reorder", {"ids": self.step.ids, "by": value}
        for ids in WRONG_IDS:
            for model, method, body in (
                (sequence, "enrol", {"lead_ids": self.lead.ids}),
                (sequence, "explain", {"lead_id": self.lead.id}),
                (sequence, "get_audience", {}),
                (sequence, "action_start", {}),
                (sequence, "action_stop", {}),
                (sequence, "action_advance", {}),
                (sequence, "action_dry_run", {}),
                (sequence, "action_retry_all", {}),
                (sequence, "action_take_over", {}),
                (step, "get_preview", {}),
                (step, "action_duplicate", {}),
                (step, "action_reorder", {"by": 1}),
                (step, "action_take_over", {}),
                (step, "action_write_mail", {}),
                (step, "action_add_opt_out", {}),
                (trace, "action_retry", {}),
                (trace, "action_cancel", {}),
                (trace, "action_run_now", {}),
                (trace, "action_mark_sent", {}),
                (trace, "get_preview", {}),
                ("nurture.participant", "get_timeline", {}),
                ("nurture.participant", "action_remove", {}),
                ("nurture.participant", "action_run_now", {}),
                ("nurture.participant", "action_retry", {}),
                ("nurture.participant", "action_forget", {}),
                ("nurture.dry.run", "action_go_on", {}),
                ("crm.lead", "action_nurture_let_in", {}),
                ("mailing.mailing", "action_nurture_add_opt_out", {}),
                ("mailing.mailing", "action_nurture_release", {}),
            ):
                yield model, method, {"ids": ids, **body}
        for many in ([], [*self.sequence.ids, *self.sequence.copy().ids]):
            yield sequence, "enrol", {"ids": many, "lead_ids": self.lead.ids}
            yield sequence, "explain", {"ids": many, "lead_id": self.lead.id}
            yield sequence, "action_dry_run", {"ids": many}
        for model in (sequence, step, trace, "nurture.participant"):
            method = "get_timeline" if model == "nurture.participant" else "get_preview"
            method = "action_dry_run" if model == sequence else method
            yield model, method, {"ids": [NOTHING]}
        yield sequence, "explain", {**one, "lead_id": NOTHING}
        for value in ("draft", "running", "stopped", "nonsense", True):
            yield sequence, "write", {**one, "vals": {"state": value}}
        for name in ("start_date", "stop_date", "last_error", "is_edited", "last_scan_date"):
            yield sequence, "write", {**one, "vals": {name: False}}
        for vals in (
            *({"delay": number} for number in (-1, 3651, 2**31 - 1)),
            *({"expiry": number} for number in (-1, 2**31 - 1)),
            *({"retry_count": number} for number in (-1, 101, 2**31 - 1)),
            *({"retry": number} for number in (-1, 2**31 - 1)),
            *({"activity_due_days": number} for number in (-1, 3651, 2**31 - 1)),
            *({"score": number} for number in (10**6 + 1, -(10**6) - 1, 2**31 - 1)),
            *({"filter_domain": text} for text in ("x", "[(1)]", "[('nonsense', '=', 1)]", "7")),
        ):
            yield step, "write", {"ids": self.step.ids, "vals": vals}
        for vals in (
            *({"window_days": number} for number in (0, -1, 3651, 2**31 - 1)),
            *({"holdout_percent": number} for number in (-1, 100, 1e300)),
            *({"entry_offset": number} for number in (3651, -(2**31))),
            *({"cap_number": number} for number in (-1, 1001, 2**31 - 1)),
            *({"cap_days": number} for number in (0, -1, 2**31 - 1)),
            *({"silent_limit": number} for number in (-1, 1001, 2**31 - 1)),
            *({"silent_days": number} for number in (0, -1, 2**31 - 1)),
            *({"bounce_limit": number} for number in (-1, 101, 1e300)),
            *({"domain": text} for text in ("x", "[(1)]", "[('nonsense', '=', 1)]", "7", "[")),
        ):
            yield sequence, "write", {**one, "vals": vals}
        for value in WRONG:
            if value is not None:
                context = {"nurture_statistic": value}
                yield sequence, "action_view_mails", {**one, "context": context}

    def test_faults_in_words(self):
        """More than 190 of them, in an order that is drawn: none spoils the next."""
        calls = list(self.make_calls())
        self.assertGreater(len(calls), 190)
        random.Random(19).shuffle(calls)
        before = self.state_of_things()
        for model, method, body in calls:
            with self.subTest(f"{model}.{method} {str(body)[:100]}"):
                self.assert_fault(model, method, **body)
        self.assertEqual(self.state_of_things(), before, "nothing was written")

    def test_values_that_are_none(self):
        """The audience is asked while somebody edits: what is wrong is part of the answer."""
        for value in ("abc", 1, [1], [[]], {"domain": 7}, {"company_id": "x"}, {"user_id": [None]}):
            is_fault, answer = self.call(
                "nurture.sequence", "get_audience", ids=self.sequence.ids, values=value
            )
            with self.subTest(value):
                self.assertFalse(is_fault, answer)
                self.assertTrue(answer["error"])

    def test_contexts_made_up(self):
        """A context changes nothing that it must not, and breaks nothing."""
        for context in (
            {"nurture_reason_ids": "abc"},
            {"nurture_excluded_from": "abc"},
            {"nurture_statistic": "sent", "tz": "Mars/Olympus"},
            {"active_test": "perhaps", "active_ids": "abc"},
            {"nurture_judged": {"dates": "now"}, "nurture_send_batch": {"trace_by_lead": 1}},
        ):
            for model, method, body in (
                ("nurture.sequence", "name_search", {"name": "Rest"}),
                (
                    "nurture.sequence",
                    "explain",
                    {"ids": self.sequence.ids, "lead_id": self.lead.id},
                ),
                ("nurture.participant", "get_timeline", {"ids": [self.participant_id]}),
                ("crm.lead", "search_read", {"domain": [], "fields": ["name"], "limit": 1}),
            ):
                is_fault, answer = self.call(model, method, context=context, **body)
                with self.subTest(f"{method} {context}"):
                    self.assertFalse(is_fault, answer)

    def test_unknown_leads(self):
        other = self.make_lead("bob@recipient.example.com")
        is_fault, answer = self.call(
            "nurture.sequence",
            "enrol",
            ids=self.sequence.ids,
            lead_ids=[NOTHING, other.id, other.id, NOTHING + 1],
        )
        self.assertFalse(is_fault, answer)
        self.assertEqual(
            answer,
            {"entered": [other.id], "excluded": {}, "unknown": [NOTHING, NOTHING + 1]},
        )

    def test_chain_of_steps_has_an_end(self):
        """It is walked through by methods that call themselves."""
        parent, count = self.step, 1
        answer = {}
        while count < 150:
            is_fault, answer = self.call(
                "nurture.step",
                "create",
                vals_list=[
                    {
                        "sequence_id": self.sequence.id,
                        "parent_id": parent if count > 1 else parent.id,
                        "step_type": "action",
                        "action_kind": "score",
                        "trigger": "after",
                    }
                ],
            )
            if is_fault:
                break
            parent, count = answer[0], count + 1
        self.assertEqual(count, 100)
        self.assertIn("no more than 100 steps follow one another", answer["message"])
        self.env.invalidate_all()
        self.assertEqual(self.sequence.copy().step_count, self.sequence.step_count)
