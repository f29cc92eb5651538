"""What integrators do: over XML-RPC and JSON-2, with plain values and clear faults."""

import xmlrpc.client

from odoo import fields
from odoo.tests import get_db_name, tagged
from odoo.tools import mute_logger

from ..common import NurtureHttpCase


@tagged("post_install", "-at_install")
class TestRpc(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.lead = self.make_lead("ann@recipient.example.com")
        self.sequence = self.make_sequence(entry="manual")
        first = self.make_step(self.sequence, subject="First")
        self.make_step(self.sequence, "after", first, 7)

    def call(self, model, method, *args):
        # core warns of faults, and that XML-RPC is on its way out
        with mute_logger("odoo.http", "odoo.addons.rpc.controllers.xmlrpc"):
            return self.xmlrpc_object.execute_kw(
                get_db_name(), self.marketer.id, self.marketer.login, model, method, list(args)
            )

    def test_xmlrpc(self):
        """All from start to stop without a None, which XML-RPC cannot carry."""
        sequence_id = self.sequence.id
        self.assertIs(self.call("nurture.sequence", "action_start", [sequence_id]), True)
        result = self.call("nurture.sequence", "enrol", [sequence_id], [self.lead.id])
        self.assertEqual(result, {"entered": [self.lead.id], "excluded": {}, "unknown": []})
        done = self.call("nurture.sequence", "action_advance", [sequence_id])
        self.assertEqual(done, {"entered": 0, "left": 0, "deferred": False})
        (journey,) = self.call(
            "nurture.participant",
            "search_read",
            [["sequence_id", "=", sequence_id]],
            ["state", "exit_reason", "lead_id", "trace_ids"],
        )
        self.assertEqual((journey["state"], journey["lead_id"][0]), ("running", self.lead.id))
        traces = self.call("nurture.trace", "read", journey["trace_ids"], ["state", "reason"])
        self.assertEqual([trace["state"] for trace in traces], ["processed", "waiting"])
        coming = [trace["id"] for trace in traces if trace["state"] == "waiting"]
        self.assertIs(self.call("nurture.trace", "action_cancel", coming), True)
        self.assertIs(self.call("nurture.participant", "action_remove", [journey["id"]]), True)
        self.assertIs(self.call("nurture.sequence", "action_stop", [sequence_id]), True)

    def test_fault(self):
        """A fault is the sentence that a person would see."""
        empty = self.make_sequence(name="Empty")
        with self.assertRaisesRegex(xmlrpc.client.Fault, "It has no step to begin with"):
            self.call("nurture.sequence", "action_start", [empty.id])
        with self.assertRaisesRegex(xmlrpc.client.Fault, "is not running"):
            self.call("nurture.sequence", "enrol", [self.sequence.id], [self.lead.id])

    def test_fault_of_wrong_types(self):
        """Number 2 is a fault that says what is wrong; with 1 core sends a traceback."""
        self.sequence.action_start()
        for wrong in ("abc", True, 1.5, [["abc"]], {"id": 1}):
            with self.subTest(wrong), self.assertRaises(xmlrpc.client.Fault) as caught:
                self.call("nurture.sequence", "enrol", [self.sequence.id], wrong)
            self.assertEqual(caught.exception.faultCode, 2)
            self.assertIn("is no id of a record", caught.exception.faultString)

    def test_engine_is_private(self):
        for model, method in (
            ("nurture.trace", "_run_batch"),
            ("nurture.sequence", "_cron_advance"),
        ):
            with self.assertRaisesRegex(xmlrpc.client.Fault, "[Pp]rivate"):
                self.call(model, method, [])

    def test_json2(self):
        self.patch(fields.Datetime, "now", self.env.cr.now)  # keys expire by the real clock
        self.sequence.action_start()
        key = (
            self.env["res.users.apikeys"]
            .with_user(self.marketer)
            ._generate("rpc", "Integrator", fields.Datetime.add(fields.Datetime.now(), days=1))
        )
        response = self.url_open(
            "/json/2/nurture.sequence/enrol",
            json={"ids": self.sequence.ids, "lead_ids": self.lead.ids},
            headers={"Authorization": f"bearer {key}"},
        )
        self.assertEqual(response.status_code, 200, response.text)
        entered = {"entered": self.lead.ids, "excluded": {}, "unknown": []}
        self.assertEqual(response.json(), entered)
