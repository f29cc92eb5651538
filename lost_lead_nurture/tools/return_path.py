"""The envelope sender of a mail with a mark of ours in it (VERP): mail servers send to it what they
report, so it says which mail a report is about that names nothing else.

The mark is a sub-address (RFC 5233), which not every domain takes: ``bounce@shop.example.com``
becomes ``bounce+nurture-4711-0123456789abcdef@shop.example.com``.
"""

import re

from .subjects import header_values

#: The longest local part (RFC 5321, 4.5.3.1.1).
MAX_LOCAL = 64
#: How long a signature is.
SIGNATURE = 16
#: Headers that say to which address a mail was delivered, by whatever server.
RECIPIENTS = (
    *("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"),
    *("X-Forwarded-To", "X-Rcpt-To", "X-Delivered-To", "Original-Recipient"),
)
#: So many marks are looked at.
MAX_FOUND = 20

_MARKED = re.compile(
    r"([^\s<>,;:\"()@]{1,64})\+nurture-[\w-]{0,64}@([^\s<>,;:\"()@]{1,255})", re.IGNORECASE
)
_MARK = re.compile(rf"\+nurture-(\d{{1,10}})-([0-9a-f]{{{SIGNATURE}}})@", re.IGNORECASE)


def mark(address, number, signature):
    """``address`` with a mark, or as it is where that would be too long.

    :param number: of the mail
    :param signature: proves that we made the mark, :data:`SIGNATURE` hexadecimal digits
    """
    local, _at, domain = address.partition("@")
    local = f"{local}+nurture-{number}-{signature}"
    return f"{local}@{domain}" if len(local) <= MAX_LOCAL else address


def find_marks(text):
    """The marks in a text, as (number, signature), each once, in the order of the text."""
    found = ((int(number), signature.lower()) for number, signature in _MARK.findall(text))
    return list(dict.fromkeys(found))[:MAX_FOUND]


def get_unmarked(message):
    """The addresses to which a message was sent with a mark, of ours or of anybody, without it."""
    return {
        f"{local}@{domain}".lower()
        for name in RECIPIENTS
        for value in header_values(message, name)
        for local, domain in _MARKED.findall(value)
    }


def marks_of_recipients(message):
    """The marks in the addresses to which a message (an `email.message.EmailMessage`) was sent."""
    values = (value for name in RECIPIENTS for value in header_values(message, name))
    return find_marks("\n".join(values))
