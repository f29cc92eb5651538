"""What the public DNS says, without asking it."""

import unittest

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

    def test_policy_of_the_domain_above(self):
        found = self.check("mail.shop.example", _dmarc__shop__example=["v=DMARC1; p=none"])
        self.assertEqual(found, (MISSING, UNKNOWN, OK))

    def test_key_that_was_revoked(self):
        found = self.check(
            shop__example=["v=spf1 -all"], k1___domainkey__shop__example=["v=DKIM2; p="]
        )
        self.assertEqual(found, (OK, UNKNOWN, MISSING))


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
