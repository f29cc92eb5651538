"""Feedback reports: what a mail provider sends when somebody calls a mail spam (ARF, RFC 5965), and
Microsoft's own form of it."""

import re
from typing import NamedTuple

from .subjects import fold, subject_of

#: Types of feedback that are no complaint: somebody takes it back (RFC 6430), or the report is of a
#: failed authentication (RFC 6591) that no recipient knows of.
NO_COMPLAINT = ("not-spam", "auth-failure")
#: How the subject of a complaint begins that Microsoft sends with the mail and no report.
MICROSOFT = "complaint about message from"
#: Headers of a report, or of the mail it returns, that name the recipient; the most certain first.
RECIPIENT_HEADERS = (
    *("Original-Rcpt-To", "Removal-Recipient", "X-HmXmrOriginalRecipient", "X-Apparently-To"),
    "To",
)
#: So much of a returned mail is looked at.
CHARACTERS = 200_000


class Complaint(NamedTuple):
    """What a feedback report says."""

    #: such as ``abuse``, ``fraud`` or ``opt-out``
    kind: str
    #: Message-IDs of the mail it is about, with their brackets
    message_ids: list
    #: addresses it may be from; providers often hide them
    addresses: list


def read_complaint(message):
    """The complaint that a message (an `email.message.EmailMessage`) reports, or None."""
    parts = list(message.walk())
    types = [part.get_content_type() for part in parts]
    if _REPORT in types:
        begin = types.index(_REPORT)
        kinds = _values(_text(parts[begin]), "Feedback-Type")
    elif _RETURNED in types and fold(subject_of(message)).startswith(MICROSOFT):
        begin, kinds = types.index(_RETURNED), ["abuse"]
    else:
        return None
    kind = kinds[0].lower() if kinds else "other"
    if kind in NO_COMPLAINT:
        return None
    # all that follows is about the mail, in one form or another
    texts = [_text(part) for part in parts[begin:]]
    ids = [value for text in texts for value in _values(text, "Message-ID")]
    addresses = [
        address
        for name in RECIPIENT_HEADERS
        for text in texts
        for value in _values(text, name)
        for address in _ADDRESS.findall(value)
    ]
    return Complaint(
        kind,
        list(dict.fromkeys(f"<{value.strip('<> ')}>" for value in ids)),
        list(dict.fromkeys(addresses)),
    )


def _text(part):
    """What a part says, its own headers included: those of a returned mail are parsed already."""
    headers = "".join(f"{name}: {value}\n" for name, value in part.raw_items())
    payload = part.get_payload()
    if isinstance(payload, list):
        # a returned mail is walked through as a part of its own; a report is headers all through
        return headers + "".join(
            f"{name}: {value}\n" for inner in payload for name, value in inner.raw_items()
        )
    data = part.get_payload(decode=True) or b""
    return headers + "\n" + data[:CHARACTERS].decode("utf-8", "replace")


def _values(text, name):
    """What a header of this name says, wherever a line begins with it."""
    return [
        " ".join(value.split())
        for value in re.findall(
            rf"^{re.escape(name)}:(.*(?:\r?\n[ \t]+.+)*)", text, re.IGNORECASE | re.MULTILINE
        )
    ]


_REPORT, _RETURNED = "message/feedback-report", "message/rfc822"
_ADDRESS = re.compile(r"[^\s<>;,:\"'()\[\]]+@[^\s<>;,:\"'()\[\]]+")
