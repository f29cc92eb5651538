"""Delivery reports: what a mail server says became of a mail that it had taken (RFC 3462, 3464),
and the forms of servers that know no such standard: Exim, qmail, Notes, Exchange and others.

Anybody can write such a report. So it is believed as far as it names a mail of ours by its
Message-ID, wherever that stands in it, or was sent to an envelope sender that we have signed. Whom
it names says little, see ``mailing.trace._nurture_find_last_sent``.
"""

import base64
import binascii
import html
import quopri
import re
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from . import amazon
from .automatic import (
    FAILURE,
    STATUS,
    is_from_postmaster,
    is_harmless_report,
    kind_of_subject,
)
from .complaints import read_complaint
from .report_words import STATUS_CODE, judge
from .return_path import find_marks
from .subjects import clean_text, decode, field_values, header_values, is_answer, subject_of

#: Types of parts that are the mail that is returned, or its headers.
RETURNED = ("message/rfc822", "text/rfc822-headers", "text/rfc822-header", "message/partial")
#: Types of parts of what is no delivery report: a complaint, and word that a mail was displayed.
OTHER_REPORTS = ("message/feedback-report", "message/disposition-notification")
#: Who sends reports that have no subject of one. Behind the latter a person may be, who answers.
SENDERS = ("mailer-daemon", "post_master")
POSTMASTERS = ("postmaster", "system administrator", "mail delivery")
#: So much of a report is looked at: parts, characters of all of them together, Message-IDs and
#: recipients.
MAX_PARTS, MAX_CHARACTERS, MAX_FOUND = 50, 300_000, 50


class Report(NamedTuple):
    """What became of a mail."""

    #: ``hard``, ``soft``, ``delayed`` or ``delivered``, see :mod:`~tools.report_words`
    kind: str
    #: what the server said, in one line
    words: str
    #: the Message-IDs that the report names, with their brackets
    message_ids: list
    #: the addresses it is about, as far as it says so
    recipients: list
    #: the marks of ours in it, see :mod:`~tools.return_path`
    marks: list
    #: whether only a server writes such a message
    is_by_server: bool


class _Content(NamedTuple):
    """What a report consists of."""

    #: types of its parts
    types: list
    #: the fields of a delivery status
    fields: str
    #: what it says to people
    text: str
    #: the mail that it returns, as far as it does
    quoted: str


def read_report(message, is_returned=False):
    """What a message (an `email.message.EmailMessage`) reports of a mail, or None.

    :param is_returned: whether it was sent to the envelope sender of a mail, which nobody sees: so
        a program wrote it, often one that answers for somebody (RFC 3834)
    """
    is_daemon = _is_from_daemon(message)
    if _is_answer_of_person(message, is_daemon or is_returned):
        return None
    content = _read(message)
    is_report = _is_report(message, content, is_daemon)
    if is_returned and not is_report:
        is_report = _is_returned_report(message, content)
    if not is_report or read_complaint(message):
        return None
    said = [_without_type(value) for value in field_values(content.fields, "Diagnostic-Code")]
    statuses = STATUS_CODE.findall(" ".join(field_values(content.fields, "Status")))
    words = said[0] if said else content.text
    return Report(
        kind=judge(field_values(content.fields, "Action"), statuses, said, content.text),
        words=" ".join(clean_text(words[:5000]).split())[:500],
        message_ids=_find_ids(message, f"{content.text}\n{content.quoted}"),
        recipients=_find_recipients(message, content.fields),
        marks=find_marks(f"{content.text}\n{content.quoted}"),
        is_by_server=is_daemon
        or _type_of(message) == "multipart/report"
        or is_from_postmaster(message)
        or bool(header_values(message, "X-Failed-Recipients"))
        or bool(amazon.read_notification(content.quoted)[0]),
    )


def read_text(message):
    """What a message says to people, and the mail that it returns, as far as it is looked at."""
    content = _read(message)
    return f"{content.text}\n{content.quoted}".strip()


def _is_answer_of_person(message, is_daemon):
    """Whether somebody answers, who may have attached the report of another mail. Most of what
    arrives is that: nothing in it has to be read for it."""
    return (
        is_answer(subject_of(message))
        and _type_of(message) != "multipart/report"
        and not header_values(message, "X-Failed-Recipients")
        and not is_daemon
    )


def _is_report(message, content, is_daemon):
    if any(type_ in OTHER_REPORTS for type_ in content.types):
        return False
    if content.fields or header_values(message, "X-Failed-Recipients"):
        return True
    if is_answer(subject_of(message)) and not is_daemon:
        return False
    returns = any(type_ in RETURNED for type_ in content.types) or _NAMED_ID.search(content.quoted)
    code = STATUS_CODE.search(content.text) or _CODE.search(content.text)
    if kind := kind_of_subject(message):
        return kind == FAILURE and bool(is_daemon or returns or code or is_from_postmaster(message))
    if is_daemon:
        return bool(content.quoted or code)
    sender = " ".join(header_values(message, "From")).lower()
    return bool(returns) and any(one in sender for one in POSTMASTERS)


def _is_returned_report(message, content):
    """Whether what was sent to the envelope sender of a mail is a report, of a server that calls
    itself nothing that is known: it cites a reply with both its codes, or returns the mail."""
    if is_harmless_report(message) or any(type_ in OTHER_REPORTS for type_ in content.types):
        return False
    return bool(_REPLY.search(content.text) or any(type_ in RETURNED for type_ in content.types))


def _is_from_daemon(message):
    """Whether it is from an address, or a name, that only programs have."""
    return any(_DAEMON.search(value.lower()) for value in header_values(message, "From"))


# ----------------------------------------------------------------
# WHAT IT CONSISTS OF
# ----------------------------------------------------------------


def _read(message):
    types, fields, texts, quoted = [], [], [], []
    is_returned, budget = False, MAX_CHARACTERS
    for part, is_inside in islice(_walk(message), MAX_PARTS):
        type_ = _type_of(part)
        types.append(type_)
        is_returned = is_returned or type_ in RETURNED
        text = _text_of(part, type_, is_inside, budget)
        budget -= len(text)
        if type_ == STATUS and not is_inside:
            fields.append(text)
        elif is_returned or is_inside:
            quoted.append(text)
        elif type_.startswith(("text/", "multipart/")):
            notification = _read_notification(text)
            cut = _QUOTED.search(text)
            end = cut.start() if cut else len(text)
            fields.append(notification)
            texts.append("" if notification else text[:end])
            quoted.append(text if notification else text[end:])
    return _Content(types, *("\n".join(filter(None, each)) for each in (fields, texts, quoted)))


def _walk(message):
    """The parts of a message in their order, each with whether it belongs to a mail inside it. A
    delivery status is one part, though Python takes it apart."""
    stack = [(message, False)]
    while stack:
        part, is_inside = stack.pop()
        # some return the mail as a part of no type
        has_id = part is not message and bool(header_values(part, "Message-ID"))
        is_inside = is_inside or has_id
        yield part, is_inside
        payload, type_ = _payload_of(part), _type_of(part)
        if type_ != STATUS and isinstance(payload, list):
            is_inside = is_inside or type_.startswith("message/")
            stack += [(inner, is_inside) for inner in reversed(payload[:MAX_PARTS])]


def _type_of(part):
    """The type of a part, read from the raw header: Python fails at some that are no type."""
    value = next(iter(header_values(part, "Content-Type")), "text/plain")
    return value.partition(";")[0].strip().lower()


def _payload_of(part):
    try:
        return part.get_payload()
    except ValueError:
        # its charset is none
        return ""


def _text_of(part, type_, is_inside, budget):
    """The text of a part, with its headers where it is a mail inside the report."""
    payload = _payload_of(part)
    headers = _headers_of(part) + "\n\n" if is_inside else ""
    if isinstance(payload, list):
        if type_ == STATUS:
            headers = "\n\n".join(_headers_of(group) for group in payload[:MAX_PARTS])
        elif type_.startswith("message/") and payload:
            # Python does not decode a mail in it
            headers += _decode_text(part, type_, payload[0].get_payload(), budget)
        return headers[:budget]
    return (headers + _decode_text(part, type_, payload, budget))[:budget]


def _decode_text(part, type_, payload, budget):
    if not isinstance(payload, str):
        return ""
    data = payload[: 2 * budget].encode("utf-8", "surrogateescape")
    encoding = "".join(header_values(part, "Content-Transfer-Encoding")).strip().lower()
    if type_.startswith("message/") and encoding not in _DECODERS:
        return ""
    with suppress(binascii.Error, ValueError):
        # else it is read as it stands
        data = _DECODERS.get(encoding, bytes)(data)
    charset = _CHARSET.search("".join(header_values(part, "Content-Type")))
    text = decode(data[:budget], charset and charset[1])
    return html.unescape(_TAG.sub(" ", text)) if type_ == "text/html" else text


def _decode_base64(data):
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    # one that is left over of fours is less than a byte; padding too much is passed over
    end = len(data) - 1 if len(data) % 4 == 1 else len(data)
    return base64.b64decode(data[:end] + b"==")


def _headers_of(part):
    headers = "\n".join(f"{name}: {value}" for name, value in part.raw_items())
    return decode(headers.encode("utf-8", "surrogateescape"))


def _without_type(value):
    """What a field says, without what kind of it that is: ``smtp; 550 No such user``."""
    kind, separator, rest = value.partition(";")
    return rest.strip() if separator and " " not in kind.strip() else value


def _read_notification(text):
    """The fields of a notification of Amazon; empty if it is none."""
    kind, values = amazon.read_notification(text)
    if kind == "Delivery":
        return "Action: delivered\nStatus: 2.0.0"
    if kind != "Bounce":
        return ""
    recipients, is_permanent = amazon.get_bounced(values)
    return "\n".join(
        "Action: failed"
        f"\nStatus: {_line(one, 'status') or ('5.1.1' if is_permanent else '4.0.0')}"
        f"\nFinal-Recipient: rfc822; {_line(one, 'emailAddress')}"
        f"\nDiagnostic-Code: {_line(one, 'diagnosticCode')}"
        for one in recipients
    )


def _line(values, name):
    return " ".join(str(values.get(name) or "").split())


# ----------------------------------------------------------------
# WHAT IT IS ABOUT
# ----------------------------------------------------------------


def _find_ids(message, text):
    """The Message-IDs in the report, but for its own: what it says the mail's to be, as a mail that
    is returned names those before it as well; else all that are in it."""
    own = {value.strip() for value in header_values(message, "Message-ID")}
    names = (
        "X-Microsoft-Original-Message-ID",
        "X-Original-Message-ID",
        "In-Reply-To",
        "References",
    )
    headers = " ".join(value for name in names for value in header_values(message, name))
    named = [f"<{match[1]}>" for match in _NAMED_ID.finditer(text)]
    named = [one for one in named if one not in own]
    # of those that stand anywhere ours have a word of Odoo's in them; an address looks the same
    others = [match[0] for match in _ID.finditer(text) if "-openerp-" in match[0]]
    found = dict.fromkeys(named or [match[0] for match in _ID.finditer(headers)] + others)
    return [one for one in found if one not in own and _is_ours(one)][:MAX_FOUND]


def _is_ours(message_id):
    """Whether a Message-ID can be one of ours, which are ASCII."""
    return message_id.isascii() and message_id.isprintable()


def _find_recipients(message, fields):
    values = [
        *(_without_type(value) for value in field_values(fields, "Original-Recipient")),
        *(_without_type(value) for value in field_values(fields, "Final-Recipient")),
        *header_values(message, "X-Failed-Recipients"),
    ]
    values = map(clean_text, values)
    found = (match[0].lower() for value in values for match in _ADDRESS.finditer(value))
    return list(dict.fromkeys(found))[:MAX_FOUND]


#: Where in a text the mail begins that it returns.
_QUOTED = re.compile(
    r"^(?:"
    r"[- >*]*(?:this is a copy of (?:the|your) (?:message|mail)|below this line is a copy of"
    r"|(?:start of )?(?:returned|original|bounced|undelivered) (?:message|mail|e-mail)"
    r"|(?:returned )?message headers? follow|the (?:original )?message follows"
    r"|unsent message|transcript of session ends|message text follows|included is a copy"
    r"|the header of your message|your (?:original )?message (?:follows|begins)"
    r"|a copy of the original message|header of the original message|original headers"
    r"|original message headers|message header|原始邮件|исходное сообщение)"
    r"|(?:return-path|received|x-sender|message-id|delivered-to) ?:"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
_DAEMON = re.compile(rf"(?:^|[<\s\"])(?:{'|'.join(SENDERS)})(?:[@>\s\"]|$)")
_REPLY = re.compile(r"\b[45]\d\d[ -]+#?[45]\.\d\.\d{1,3}\b")
_CODE = re.compile(r"\b[45]\d\d[ -]\D")
_ID = re.compile(r"<[^<>\s@]{1,500}@[^<>\s@]{1,490}>")
_NAMED_ID = re.compile(r"\bmessage-id\W{0,9}([^<>\s@]{1,500}@[^<>\s@\"',;)]{1,490})", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>;:,\"()\[\]@]{1,64}@[^\s<>;:,\"()\[\]@]{1,255}")
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}\"?([\w.:-]{1,40})", re.IGNORECASE)
_TAG = re.compile(r"<(?![^<>\s@]{1,500}@)[^<>]{0,3000}>")
_DECODERS = {"base64": _decode_base64, "quoted-printable": quopri.decodestring}
