"""Feedback reports: what a mail provider sends when somebody calls a mail spam (ARF, RFC 5965),
what Microsoft and Amazon have instead of it, and what is sent when a mail could not prove whose it
is (RFC 6591), which is no complaint.

Anybody can send such a report. So it is believed as far as it names a mail of ours by its
Message-ID, which nobody else knows; whom it names says nothing.
"""

import re
from itertools import islice
from typing import NamedTuple

from . import amazon
from .subjects import clean_text, decode, field_values, fold, header_values, subject_of

#: A failed authentication (RFC 6591), of which no recipient knows.
AUTH_FAILURE = "auth-failure"
#: Types of feedback that are no complaint: somebody takes it back (RFC 6430), or it is that.
NO_COMPLAINT = ("not-spam", AUTH_FAILURE)
#: How the subject of a complaint begins that Microsoft sends with the mail and no report.
MICROSOFT = "complaint about message from"
#: So much of a report is looked at: parts, characters of headers, and of a Message-ID.
MAX_PARTS, MAX_HEADERS, MAX_NOTIFICATION, MAX_ID = 50, 50_000, 300_000, 995
#: So much of it is kept: of a name, and of what a server says.
MAX_NAME, MAX_WORDS = 255, 1000


class Complaint(NamedTuple):
    """What a feedback report says."""

    #: such as ``abuse``, ``fraud`` or ``opt-out``
    kind: str
    #: Message-IDs of the mail it is about, with their brackets
    message_ids: list


class AuthFailure(NamedTuple):
    """What a report of a failed authentication says."""

    #: the domain of whoever reports it, as far as it is known
    reporter: str
    #: the domain from which the mail says it is
    domain: str
    #: what has failed: ``dmarc``, ``spf``, ``signature``, …, and the results of the checks
    failed: str
    results: str
    #: from which address the mail came, and what became of it: ``delivered``, ``spam``, …
    source_ip: str
    delivery: str
    #: Message-IDs of the mail it is about, with their brackets
    message_ids: list


def read_complaint(message):
    """The complaint that a message (an `email.message.EmailMessage`) reports, or None."""
    if message.get_content_type() in ("text/plain", "application/json"):
        return _read_notification(message)
    kinds, ids, _fields = _read_feedback(message) or (None, (), "")
    return None if kinds is None else _make(kinds, ids)


def read_auth_failure(message):
    """The failed authentication that a message reports, or None."""
    kinds, ids, fields = _read_feedback(message) or ((), (), "")
    if [kind.lower() for kind in kinds[:1]] != [AUTH_FAILURE]:
        return None

    def get(name, size=MAX_NAME):
        return clean_text(next(iter(field_values(fields, name)), ""))[:size]

    sender = re.search(r"@([\w.-]+)", " ".join(header_values(message, "From")))
    return AuthFailure(
        reporter=sender[1].lower()[:MAX_NAME] if sender else "",
        domain=get("Reported-Domain").lower(),
        failed=get("Auth-Failure").lower(),
        results=get("Authentication-Results", MAX_WORDS),
        source_ip=get("Source-IP"),
        delivery=get("Delivery-Result").lower(),
        message_ids=_get_ours(ids),
    )


def _read_feedback(message):
    """What a feedback report consists of.

    :return: (types of feedback, the Message-IDs that it names, its fields), or None when it is none
    """
    parts = list(islice(message.walk(), MAX_PARTS))
    types = [part.get_content_type() for part in parts]
    if _REPORT in types:
        begin = types.index(_REPORT)
        fields = _headers(parts[begin])
        kinds = field_values(fields, "Feedback-Type")
    elif _RETURNED in types and fold(subject_of(message)).startswith(MICROSOFT):
        begin, kinds, fields = types.index(_RETURNED), ["abuse"], ""
    else:
        return None
    ids = [
        value.strip("<> ")
        for part in parts[begin:]
        if part.get_content_type().startswith((_REPORT, _RETURNED, _HEADERS))
        for value in field_values(_headers(part), "Message-ID")
    ]
    return kinds, ids, fields


def _read_notification(message):
    """The complaint that a notification of Amazon tells of, or None."""
    data = (message.get_payload(decode=True) or b"")[:MAX_NOTIFICATION]
    kind, values = amazon.read_notification(decode(data))
    if kind != "Complaint":
        return None
    complaint = values.get("complaint")
    type_ = complaint.get("complaintFeedbackType") if isinstance(complaint, dict) else None
    return _make([str(type_)] if type_ else [], amazon.get_message_ids(values))


def _make(kinds, ids):
    kind = kinds[0].lower() if kinds else "other"
    if kind in NO_COMPLAINT:
        return None
    return Complaint(kind, _get_ours(ids))


def _get_ours(ids):
    """Those Message-IDs that may be ours, which are short, and ASCII."""
    ours = (f"<{id_}>" for id_ in ids if len(id_) < MAX_ID and id_.isascii() and id_.isprintable())
    return list(dict.fromkeys(ours))


def _headers(part):
    """The headers that a part consists of: of the mail that it returns, or its first lines."""
    payload = part.get_payload()
    if isinstance(payload, list):
        lines = [f"{name}: {value}" for inner in payload for name, value in inner.raw_items()]
        return "\n".join(lines)[:MAX_HEADERS]
    text = (part.get_payload(decode=True) or b"")[:MAX_HEADERS].decode("utf-8", "replace")
    # what stands below them is a text that somebody wrote
    return re.split(r"\r?\n\r?\n", text.lstrip(), maxsplit=1)[0]


_REPORT, _RETURNED, _HEADERS = "message/feedback-report", "message/rfc822", "text/rfc822-header"
