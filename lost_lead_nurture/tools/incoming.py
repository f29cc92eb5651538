"""Mails as they should not be, and at which Odoo's gateway fails, which would leave them unread."""

import base64
import email
import email.errors
import email.policy
import hashlib
import re
from email.header import Header
from email.utils import format_datetime, getaddresses, parsedate_to_datetime

from .reports import read_text
from .subjects import NO_TEXT, clean_text, header_values, subject_of

#: Headers that name mails, and people.
NAMES = ("Message-ID", "In-Reply-To", "References")
PEOPLE = ("From", "Reply-To", "To", "Cc", "Delivered-To", "Resent-To", "Resent-Cc")
#: Those in which a report says what it is about.
REPORTED = ("Final-Recipient", "Message-ID", "X-Microsoft-Original-Message-ID")
#: So many characters of a subject, and so many names and addresses of a header are kept.
MAX_SUBJECT, MAX_FOUND = 500, 50

_ID = re.compile(r"<[\w.+=$%-]{1,250}@[\w.-]{1,250}>", re.ASCII)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}", re.ASCII)


def is_improper(message):
    """Whether PostgreSQL could not look the mails up that a message names (an
    `email.message.EmailMessage`), nor Python read when it was written."""
    names = {name.lower() for name in NAMES}
    return any(
        "\x00" in value or (name.lower() in names and NO_TEXT.search(value))
        for name, value in message.raw_items()
    ) or any(
        # encoded, too
        "\x00" in value
        for name in (*NAMES, *PEOPLE)
        for value in header_values(message, name)
    )


def get_source(message):
    """A message as it came, as far as Python can write it; None, if it cannot."""
    try:
        return message.as_bytes(policy=email.policy.compat32)
    except (email.errors.MessageError, AttributeError, LookupError, TypeError, ValueError):
        return None


def names_nul(report):
    """Whether PostgreSQL could not look up what a report (an `email.message.EmailMessage`) says it
    is about: an address, or the mail that it returns."""
    return any(
        "\x00" in value
        for part in report.walk()
        for name in REPORTED
        for value in header_values(part, name)
    ) or any(
        b"\x00" in (part.get_payload(decode=True) or b"")
        for part in report.walk()
        if part.get_content_type() == "text/rfc822-headers"
    )


def simplify(message):
    """A message (an `email.message.EmailMessage`) that says the same and that nothing fails at: who
    wrote it to whom, when, in answer to what, and its text. What else is in it is not read."""
    headers = [f"Subject: {_encode(subject_of(message))}"]
    for name in PEOPLE:
        if found := _find_addresses(message, name):
            headers.append(f"{name}: {', '.join(found)}")
    for name in ("In-Reply-To", "References"):
        if found := _find_ids(message, name):
            headers.append(f"{name}: {' '.join(found)}")
    headers.append(f"Message-ID: {_get_own_id(message)}")
    if date := _read_date(message):
        headers.append(f"Date: {date}")
    text = base64.encodebytes(clean_text(read_text(message)).encode()).decode()
    headers += ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64"]
    return email.message_from_string("\n".join(headers) + f"\n\n{text}", policy=email.policy.SMTP)


def _find_ids(message, name):
    values = " ".join(header_values(message, name))
    return list(dict.fromkeys(_ID.findall(values)))[:MAX_FOUND]


def _get_own_id(message):
    """Its name; of one without it is the same whenever it is read."""
    if found := _find_ids(message, "Message-ID"):
        return found[0]
    headers = "\n".join(f"{name}: {value}" for name, value in message.raw_items())
    digest = hashlib.sha256(headers.encode("utf-8", "surrogateescape"))
    return f"<{digest.hexdigest()}@unreadable>"


def _find_addresses(message, name):
    """Addresses that are whole: of half of one somebody else would be the owner. What stands beside
    an address is a name, whatever it looks like."""
    found = [address for _name, address in getaddresses(header_values(message, name))]
    return [one for one in dict.fromkeys(found) if _ADDRESS.fullmatch(one)][:MAX_FOUND]


def _encode(text):
    text = " ".join(NO_TEXT.sub(" ", text[:MAX_SUBJECT]).split())
    return Header(text, "utf-8").encode()


def _read_date(message):
    for value in header_values(message, "Date"):
        try:
            date = parsedate_to_datetime(value)
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
        if 1970 <= date.year <= 9998:
            return format_datetime(date)
    return None
