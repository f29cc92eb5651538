import inspect
import threading
import unittest
from contextlib import ExitStack
from unittest import mock

import requests
from requests.adapters import HTTPAdapter

from . import pure

# beside the module, which must not have changed anything
PLAIN = HTTPAdapter.send
offline = pure.load("offline").offline
URL = "https://service.example.com/call"


class TestOffline(unittest.TestCase):
    """Whoever is offline calls nobody, everybody else does, and when the last one is through the
    process is as it was."""

    def setUp(self):
        answer = requests.Response()
        answer.status_code = 200
        # a server that answers all
        self.server = self.enterContext(
            mock.patch.object(HTTPAdapter, "send", autospec=True, return_value=answer)
        )
        self.plain = HTTPAdapter.send

    def call(self):
        return requests.get(URL, timeout=1).status_code

    def test_idle(self):
        self.assertEqual(PLAIN.__module__, "requests.adapters")
        self.assertIs(HTTPAdapter.send, self.plain)
        with offline([]):
            self.assertIsNot(HTTPAdapter.send, self.plain)
            # who looks at it before calling it sees the same
            self.assertEqual(inspect.signature(HTTPAdapter.send), inspect.signature(self.plain))
        self.assertIs(HTTPAdapter.send, self.plain)

    def test_calls_nobody(self):
        suppressed = []
        with offline(suppressed), self.assertRaisesRegex(requests.ConnectionError, "Not called"):
            self.call()
        self.assertEqual(suppressed, [("call", URL)])
        self.assertFalse(self.server.called)
        self.assertEqual(self.call(), 200)

    def test_after_an_error(self):
        with self.assertRaises(ZeroDivisionError), offline([]):
            raise ZeroDivisionError
        self.assertIs(HTTPAdapter.send, self.plain)
        self.assertEqual(self.call(), 200)

    def test_inside_of_itself(self):
        outer, inner = [], []
        with offline(outer):
            with offline(inner), self.assertRaises(requests.ConnectionError):
                self.call()
            with self.assertRaises(requests.ConnectionError):
                self.call()
        self.assertEqual((len(outer), len(inner)), (1, 1))
        self.assertIs(HTTPAdapter.send, self.plain)

    def test_threads(self):
        """Several at once, which end in another order than they began: each is stopped until its
        own end, and nobody else ever is."""
        count = 4
        begun = threading.Barrier(count + 1, timeout=10)
        ends = [threading.Event() for _number in range(count)]
        found = [[] for _number in range(count)]
        answers = [None] * count

        def work(number):
            with offline(found[number]):
                begun.wait()
                ends[number].wait(10)
                try:
                    self.call()
                except requests.ConnectionError:
                    answers[number] = "stopped"
            answers[number] = (answers[number], self.call())

        threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        begun.wait()
        for number in (2, 0, 3, 1):
            self.assertIsNot(HTTPAdapter.send, self.plain)
            self.assertEqual(self.call(), 200, "this thread is not offline")
            ends[number].set()
            threads[number].join(10)
        self.assertEqual(answers, [("stopped", 200)] * count)
        self.assertEqual(found, [[("call", URL)]] * count)
        self.assertIs(HTTPAdapter.send, self.plain)

    def test_somebody_else_watches_calls(self):
        """What others put in its place meanwhile stays, and nothing goes round in circles."""
        watched = []

        def watching(send):
            def watch(adapter, request, **options):
                watched.append(request.url)
                return send(adapter, request, **options)

            return watch

        with ExitStack() as stack:
            stack.enter_context(offline([]))
            HTTPAdapter.send = over = watching(HTTPAdapter.send)
        self.assertIs(HTTPAdapter.send, over)
        self.assertEqual(self.call(), 200)
        with offline([]), self.assertRaises(requests.ConnectionError):
            self.call()
        self.assertIs(HTTPAdapter.send, over)
        self.assertEqual(self.call(), 200)
        self.assertEqual(len(watched), 2)
