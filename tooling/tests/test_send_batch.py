"""What goes along with messages through core's code, and what a client cannot send along."""

import types
import unittest

from . import pure

send_batch = pure.load("send_batch")
delivery = pure.load("delivery")


class Records:
    def __init__(self, **context):
        self.env = types.SimpleNamespace(context=context)

    def with_context(self, **more):
        return Records(**self.env.context, **more)


class TestSendBatch(unittest.TestCase):
    def test_while_messages_are_composed(self):
        batch = send_batch.SendBatch({5: 7})
        env = batch.carried_by(Records(lang="de")).env
        self.assertIs(send_batch.get_composed(env), batch)
        self.assertIsNone(send_batch.get_sent(env))
        self.assertEqual(env.context["lang"], "de")

    def test_while_mails_are_sent(self):
        batch = send_batch.SendBatch(delivery=delivery.Delivery("Ours"))
        env = batch.carried_by(Records()).env
        self.assertIs(send_batch.get_sent(env), batch)
        self.assertIsNone(send_batch.get_composed(env))

    def test_what_clients_send_is_none(self):
        for value in (None, {}, True, "batch", [1]):
            env = Records(**{send_batch.KEY: value}).env
            self.assertIsNone(send_batch.get_composed(env))
            self.assertIsNone(send_batch.get_sent(env))
        self.assertIsNone(send_batch.get_composed(Records().env))
        self.assertIsNone(send_batch.get_sent(Records().env))

    def test_one_mail_at_a_time_unless_somebody_says_so(self):
        self.assertIs(send_batch.SendBatch().is_queue, False)

    def test_it_is_itself_and_stays_what_it_is(self):
        one, other = send_batch.SendBatch(), send_batch.SendBatch()
        self.assertNotEqual(one, other)
        self.assertEqual(len({one, other}), 2, "it can be a key, as contexts are")
        with self.assertRaises(AttributeError):
            one.is_queue = True

    def test_caches_are_each_batch_s_own(self):
        one, other = send_batch.SendBatch(), send_batch.SendBatch()
        for cache in ("links", "compiled", "trace_by_lead"):
            self.assertIsNot(getattr(one, cache), getattr(other, cache), cache)
