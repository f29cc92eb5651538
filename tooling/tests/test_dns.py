"""What the public DNS says, without asking it."""

import types
import unittest
from unittest import mock

from .pure import load

public = load("dns")
OK, MISSING, UNKNOWN = public.OK, public.MISSING, public.UNKNOWN


class Zone:
    """A resolver that knows these texts; a name with None does not answer."""

    def __init__(self, **texts):
        self.texts = {name.replace("__", "."): text for name, text in texts.items()}

    def resolve(self, name, _kind):
        text = self.texts.get(name, [])
        if text is None:
            raise public.NoAnswer
        return text


class TestSender(unittest.TestCase):
    def check(self, domain="shop.example", **texts):
        return tuple(public.check_sender(domain, Zone(**texts)))

    def test_all_there(self):
        found = self.check(
            shop__example=["other", "v=spf1 mx -all"],
            _dmarc__shop__example=["v=DMARC1; p=none"],
            google___domainkey__shop__example=["v=DKIM1; p=MIIB"],
        )
        self.assertEqual(found, (OK, OK, OK))

    def test_nothing_there(self):
        """A key may have any name, so that it is never missing."""
        self.assertEqual(self.check(), (MISSING, UNKNOWN, MISSING))

    def test_nobody_answers(self):
        self.assertEqual(self.check(shop__example=None), (UNKNOWN, UNKNOWN, MISSING))
        self.assertEqual(tuple(public.check_sender("shop.example", None)), (UNKNOWN,) * 3)
        self.assertEqual(tuple(public.check_sender("", Zone())), (UNKNOWN,) * 3)

    def test_one_does_not_answer(self):
        """What another name says counts nevertheless."""
        found = self.check(
            "mail.shop.example",
            _dmarc__mail__shop__example=None,
            _dmarc__shop__example=["v=DMARC1; p=none"],
            default___domainkey__mail__shop__example=None,
            google___domainkey__mail__shop__example=["v=DKIM1; p=MIIB"],
        )
        self.assertEqual(found, (MISSING, OK, OK))

    def test_policy_of_the_domain_above(self):
        found = self.check("mail.shop.example", _dmarc__shop__example=["v=DMARC1; p=none"])
        self.assertEqual(found, (MISSING, UNKNOWN, OK))

    def test_key_that_was_revoked(self):
        found = self.check(
            shop__example=["v=spf1 -all"], k1___domainkey__shop__example=["v=DKIM2; p="]
        )
        self.assertEqual(found, (OK, UNKNOWN, MISSING))


class Library:
    """As much of dnspython as is used: the questions that it was asked, and answers of a test."""

    class DNSException(Exception):
        pass

    class NXDOMAIN(DNSException):
        pass

    class NoAnswer(DNSException):
        pass

    def __init__(self, answer=()):
        self.exception = self.resolver = self
        self.answer = answer
        self.asked = []

    def Resolver(self, configure):  # noqa: N802
        self.made = types.SimpleNamespace(
            nameservers=["192.0.2.53"] if configure else [],
            port=53,
            resolve=self.resolve,
        )
        return self.made

    def resolve(self, name, kind):
        self.asked.append((name, kind))
        if not isinstance(self.answer, (tuple, list)):
            raise self.answer
        return iter(self.answer)


class TestLibrary(unittest.TestCase):
    """What is made of dnspython's answers, also where it is not installed."""

    def ask(self, kind, answer):
        with mock.patch.object(public, "dns", Library(answer)):
            return public.Resolver().resolve("firm.example", kind)

    def test_hosts(self):
        hosts = [
            types.SimpleNamespace(preference=20, exchange="alt.google.com."),
            types.SimpleNamespace(preference=10, exchange="ASPMX.google.com."),
        ]
        self.assertEqual(self.ask("MX", hosts), ["aspmx.google.com", "alt.google.com"])

    def test_texts(self):
        """A long one comes in parts, and need not be text at all."""
        texts = [
            types.SimpleNamespace(strings=(b"v=spf1 ", b"-all")),
            types.SimpleNamespace(strings=(b"\xff",)),
        ]
        self.assertEqual(self.ask("TXT", texts), ["v=spf1 -all", "\ufffd"])

    def test_nothing_there(self):
        """That there is nothing is known when the DNS says so."""
        for error in (Library.NXDOMAIN, Library.NoAnswer):
            self.assertEqual(self.ask("MX", error()), [])

    def test_nobody_answers(self):
        """A server that does not answer, a network that is not there, a name that is none."""
        for error in (Library.DNSException, OSError, UnicodeError):
            with self.subTest(error), self.assertRaises(public.NoAnswer):
                self.ask("MX", error())

    def test_who_is_asked(self):
        """The servers of the system, unless others are named; nobody where it is not installed."""
        with mock.patch.object(public, "dns", Library()) as library:
            self.assertIsInstance(public.get_resolver(), public.Resolver)
            self.assertEqual((library.made.nameservers, library.made.port), (["192.0.2.53"], 53))
            public.Resolver(["127.0.0.1"])
            self.assertEqual((library.made.nameservers, library.made.port), (["127.0.0.1"], 53))
            public.Resolver(["127.0.0.1"], 5353, timeout=0.2)
            self.assertEqual((library.made.port, library.made.lifetime), (5353, 0.2))
        with mock.patch.object(public, "dns", None):
            self.assertIsNone(public.get_resolver())


if public.dns:
    import socketserver
    import threading

    import dns.message as dns_message
    import dns.rrset as dns_rrset

    RECORDS = {
        ("firm.example.", "MX"): ["20 alt.google.com.", "10 ASPMX.google.com."],
        ("firm.example.", "TXT"): ['"v=spf1 " "-all"'],
    }

    class Answering(socketserver.BaseRequestHandler):
        def handle(self):
            data, connection = self.request
            query = dns_message.from_wire(data)
            (question,) = query.question
            answer = dns_message.make_response(query)
            kind = question.to_text().split()[-1]
            if records := RECORDS.get((question.name.to_text(), kind)):
                answer.answer.append(dns_rrset.from_text(question.name, 60, "IN", kind, *records))
            connection.sendto(answer.to_wire(), self.client_address)

    class TestResolver(unittest.TestCase):
        """dnspython asks a server on loopback, by UDP."""

        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            server = socketserver.UDPServer(("127.0.0.1", 0), Answering)
            cls.addClassCleanup(server.server_close)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            cls.addClassCleanup(server.shutdown)
            cls.resolver = public.Resolver(["127.0.0.1"], server.server_address[1])

        def test_answers(self):
            hosts = self.resolver.resolve("firm.example", "MX")
            self.assertEqual(hosts, ["aspmx.google.com", "alt.google.com"])
            self.assertEqual(self.resolver.resolve("firm.example", "TXT"), ["v=spf1 -all"])
            self.assertEqual(self.resolver.resolve("other.example", "MX"), [])

        def test_nobody_there(self):
            deaf = public.Resolver(["127.0.0.1"], 9, timeout=0.2)
            with self.assertRaises(public.NoAnswer):
                deaf.resolve("firm.example", "MX")
