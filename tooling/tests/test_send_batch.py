"""What goes along with messages on their way through core's code."""

import dataclasses
import types
import unittest

from . import pure

send_batch = pure.load("send_batch")
delivery = pure.load("delivery")
machines = pure.load("machines")


class Records:
    """Records that know their context."""

    def __init__(self, **context):
        self.env = types.SimpleNamespace(context=context)

    def with_context(self, **context):
        return Records(**self.env.context, **context)


class TestSendBatch(unittest.TestCase):
    def test_composed(self):
        batch = send_batch.SendBatch({1: 2})
        env = batch.carried_by(Records(lang="de")).env
        self.assertEqual(env.context["lang"], "de")
        self.assertIs(send_batch.get_composed(env), batch)
        self.assertIsNone(send_batch.get_sent(env))

    def test_sent(self):
        batch = send_batch.SendBatch(delivery=delivery.Delivery("Relay"), is_queue=True)
        env = batch.carried_by(Records()).env
        self.assertIs(send_batch.get_sent(env), batch)
        self.assertIsNone(send_batch.get_composed(env))

    def test_what_clients_send(self):
        for value in ({}, {"trace_by_lead": {}, "delivery": {"accepted": True}}, "x", 1, None):
            env = Records(**{send_batch.KEY: value}).env
            self.assertIsNone(send_batch.get_composed(env))
            self.assertIsNone(send_batch.get_sent(env))
        self.assertIsNone(send_batch.get_composed(Records().env))
        self.assertIsNone(send_batch.get_sent(Records().env))

    def test_frozen(self):
        """Nothing is handed back by it, and each batch has caches of its own."""
        batch, other = send_batch.SendBatch(), send_batch.SendBatch()
        with self.assertRaises(dataclasses.FrozenInstanceError):
            batch.is_queue = True
        self.assertFalse(batch.is_queue)
        self.assertNotEqual(batch, other)
        self.assertIsNot(batch.links, other.links)
        self.assertIsNot(batch.compiled, other.compiled)

    def test_judged(self):
        judged = machines.Judged({1: "2026-01-01"})
        self.assertIs(machines.get_judged(Records(nurture_judged=judged).env), judged)
        for value in ({"dates": {}}, {1: "2026-01-01"}, "x", None):
            self.assertIsNone(machines.get_judged(Records(nurture_judged=value).env))
        self.assertIsNone(machines.get_judged(Records().env))
        with self.assertRaises(dataclasses.FrozenInstanceError):
            judged.dates = {}
