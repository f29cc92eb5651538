"""Lawful bases to write to somebody, and what becomes of them in the course of time."""

import re

#: ``nurture.consent.basis``
BASES = [
    ("consent", "Consent, not confirmed"),
    ("confirmed", "Consent, confirmed"),
    ("customer", "Existing customer"),
    ("interest", "Legitimate interest"),
    ("withdrawn", "Withdrawn"),
]
#: Those that a company may choose to write on; the field of the company is ``nurture_basis_<it>``.
ALLOWING = tuple(value for value, _label in BASES if value != "withdrawn")
#: Those that answer a request: whoever notes another one meanwhile has not asked the person.
ENDING = ("confirmed", "withdrawn")

#: ``nurture.consent.event``
EVENTS = [
    ("noted", "Basis noted"),
    ("requested", "Confirmation requested"),
    ("failed", "The request could not be sent"),
    ("confirmed", "Confirmed"),
    ("objected", "Objected to mails"),
    ("returned", "Wants mails again"),
]

#: For so many days the link of a request can be used.
REQUEST_DAYS = 30
#: What stands in the kept text of a request where the link was: whoever reads the proof must not be
#: able to confirm for somebody else.
LINK_GONE = "[…]"

_LINK = re.compile(r"https?:|[a-z]+://|www\.|<[a-z/!]", re.IGNORECASE)
#: What mail programs make a link of without being asked. With one letter before the dot it takes a
#: slash, so that "z.B.Angebote" is none; an address to write to leads nowhere.
_DOMAIN = re.compile(
    r"(?<![@\w.-])(?:(?:[\w-]{2,}\.)+[^\W\d_]{2,}\b(?!@)|(?:[\w-]+\.)+[^\W\d_]{2,}/)"
)
#: What a name may consist of does not have.
_IN_NAME = re.compile(r"[@:/]|\w\.[^\W\d_]{2,}")


def has_link(text):
    """Whether a wording leads somewhere, or is more than text: there is no advertising in it."""
    return bool(_LINK.search(text or "") or _DOMAIN.search(text or ""))


def is_plain_name(name):
    """Whether a name has nothing in it that a mail program makes a link of."""
    return bool(name) and not has_link(name) and not _IN_NAME.search(name)
