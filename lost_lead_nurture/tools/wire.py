"""The lines of a mail's header as they go over the wire, and what may stand in them."""

import email.policy
import re
import unicodedata
from email.header import Header
from email.utils import parseaddr

from werkzeug.urls import iri_to_uri

from odoo.tools import formataddr

from odoo.addons.base.models.ir_mail_server import IdentificationFieldsNoFoldPolicy

#: No inbox shows more of a subject, or of a name.
MAX_SUBJECT = 250
MAX_NAME = 100
#: RFC 2369: addresses of web pages in angle brackets, never encoded words.
_URL_HEADERS = {
    f"list-{what}" for what in ("unsubscribe", "subscribe", "help", "post", "owner", "archive")
}
_ADDRESS_HEADERS = {"from", "to", "cc", "reply-to", "sender"}
#: RFC 5322: lines should not be longer.
_LINE = 78
#: Unicode categories of control characters and of what breaks lines.
_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}
#: What turns the direction of all that follows, also of what others have written.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def is_blank(text):
    """Whether nobody sees anything of ``text``."""
    return not text or all(unicodedata.category(char)[0] in "ZC" for char in text)


def clean(text, limit=None):
    """``text`` as it may stand in a header: on one line, without control characters.

    :param limit: how many characters are kept
    """
    if not text:
        return text
    text = _DIRECTIONS.sub("", text)
    text = "".join(" " if unicodedata.category(one) in _NO_TEXT else one for one in text)
    text = " ".join(text.split())
    return f"{text[: limit - 1].rstrip()}…" if limit and len(text) > limit else text


def clean_address(text):
    """One address with its name, as :func:`clean`; a name of blanks is none."""
    if not text:
        return text
    text = clean(text)
    name, address = parseaddr(text)
    if not address or (len(name) <= MAX_NAME and not (name and is_blank(name))):
        return text
    return formataddr(("" if is_blank(name) else clean(name, MAX_NAME), address))


class WirePolicy(IdentificationFieldsNoFoldPolicy):
    """Python folds a header that is longer than a line, and encodes what it cannot fold: of the one
    long address of ``List-Unsubscribe`` it makes encoded words, which mail programs do not take for
    an address. Encoded names it decodes first, and does not quote the comma that stood in one, so
    that a recipient becomes two."""

    def _fold(self, name, value, *args, **kwargs):
        if name.lower() in _URL_HEADERS:
            entries = [f"<{iri_to_uri(url)}>" for url in re.findall(r"<([^<>]+)>", str(value))]
        elif name.lower() in _ADDRESS_HEADERS and not self.utf8:
            entries = [_encode(*_parse(one)) for one in getattr(value, "addresses", ())]
        else:
            entries = []
        if not entries or not all(entry and entry.isascii() for entry in entries):
            return super()._fold(name, value, *args, **kwargs)
        return _lines(f"{name}:", entries, self.linesep)


WIRE = WirePolicy(linesep=email.policy.SMTP.linesep)


def _parse(address):
    """Name and address of an entry of Python's address headers, which it has not read when they
    were given as a list."""
    if isinstance(address, str):
        return parseaddr(address)
    return address.display_name, address.addr_spec


def _encode(name, address):
    """A name with its address in ASCII; a name that is too long for a line has line breaks."""
    if not name or not address:
        return address
    if name.isascii():
        quoted = re.sub(r'(["\\])', r"\\\1", name)
        return f'"{quoted}" <{address}>'
    return f"{Header(name, 'utf-8', maxlinelen=_LINE - 10).encode()} <{address}>"


def _lines(line, entries, linesep):
    """A header, folded between its entries where it is too long."""
    lines = [line]
    for number, entry in enumerate(entries, 1):
        entry += "," if number < len(entries) else ""
        if number > 1 and len(lines[-1]) + len(entry) >= _LINE:
            lines.append("")
        lines[-1] += f" {entry}"
    # names of several words bring line breaks of their own
    return linesep.join("\n".join(lines).splitlines()) + linesep
