"""Questions to the public DNS: who takes the mail of a domain, and what it says of its senders.

dnspython answers them where it is installed. Anything else that has its :meth:`resolve` may do so.
"""

import re
from typing import NamedTuple

try:
    import dns.exception
    import dns.resolver
except ImportError:
    dns = None

#: Seconds in which a question has to be answered.
TIMEOUT = 3.0
#: Under these names DKIM keys are looked for: nobody can ask which ones there are.
SELECTORS = (
    *("default", "dkim", "google", "k1", "k2", "k3", "mail", "odoo", "s1", "s2", "selector1"),
    *("selector2", "smtp"),
)
#: How a sender's domain may stand.
OK, MISSING, UNKNOWN = "ok", "missing", "unknown"


class NoAnswer(Exception):
    """Nobody answered: it is not known, which is not the same as that there is nothing."""


class Resolver:
    """dnspython.

    :param nameservers: addresses to ask; those of the system if none are named
    """

    def __init__(self, nameservers=(), port=53, timeout=TIMEOUT):
        self._resolver = dns.resolver.Resolver(configure=not nameservers)
        if nameservers:
            self._resolver.nameservers = list(nameservers)
            self._resolver.port = port
        self._resolver.lifetime = timeout

    def resolve(self, name, kind):
        """What the DNS says.

        :param kind: ``MX`` or ``TXT``
        :return: list of texts; of MX the hosts, the preferred one first
        :raise NoAnswer: when it is not known
        """
        try:
            records = list(self._resolver.resolve(name, kind))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise NoAnswer(str(error)) from error
        if kind == "MX":
            records.sort(key=lambda record: record.preference)
            return [str(record.exchange).rstrip(".").lower() for record in records]
        return [b"".join(record.strings).decode(errors="replace") for record in records]


def get_resolver():
    """A :class:`Resolver`; None where dnspython is not installed."""
    return Resolver() if dns else None


class SenderCheck(NamedTuple):
    """What the DNS says of a domain from which mails are sent: :data:`OK`, :data:`MISSING` or
    :data:`UNKNOWN` each."""

    spf: str
    dkim: str
    dmarc: str


def check_sender(domain, resolver):
    """What the DNS says of ``domain``.

    :param resolver: see :class:`Resolver`; None when nobody can be asked
    :return: :class:`SenderCheck`. DKIM is never :data:`MISSING`: a key may have any name
    """
    if not domain or not resolver:
        return SenderCheck(UNKNOWN, UNKNOWN, UNKNOWN)
    spf = _look_for(resolver, [domain], r"v=spf1(\s|$)")
    # of a subdomain without a policy that of the domain above it counts
    parents = [domain, ".".join(domain.split(".")[-2:])]
    dmarc = _look_for(resolver, [f"_dmarc.{one}" for one in dict.fromkeys(parents)], r"v=DMARC1\b")
    if UNKNOWN in (spf, dmarc):
        # nobody answers: not asked a dozen times more
        return SenderCheck(spf, UNKNOWN, dmarc)
    keys = [f"{selector}._domainkey.{domain}" for selector in SELECTORS]
    dkim = _look_for(resolver, keys, r"(v=DKIM1\b|(.*;)?\s*p=\S)")
    return SenderCheck(spf, OK if dkim == OK else UNKNOWN, dmarc)


def _look_for(resolver, names, pattern):
    result = MISSING
    for name in names:
        try:
            texts = resolver.resolve(name, "TXT")
        except NoAnswer:
            result = UNKNOWN
            continue
        if any(re.match(pattern, text, re.IGNORECASE) for text in texts):
            return OK
    return result
