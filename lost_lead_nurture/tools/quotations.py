"""A refused quotation, as it would be today, in the texts of mails."""

import re
from urllib.parse import urlsplit

#: What is written into a mail for the table: ``<t t-out="object.nurture_quotation"/>``.
EXPRESSION = "object.nurture_quotation"
#: Where a link in a mail leads that is to show the recipient its own quotation.
LINK = "nurture_quotation"
_PLACEHOLDER = re.compile(rf"\b{re.escape(EXPRESSION)}\b")
_LINK = re.compile(rf"[/\"']{LINK}(?![\w/-])")


def shows_quotation(text):
    """Whether ``text`` shows what was refused as it would be today, or a link to it."""
    return names_quotation(text) or bool(_LINK.search(text or ""))


def names_quotation(text):
    """Whether the table is put into ``text``."""
    return bool(_PLACEHOLDER.search(text or ""))


def is_link(url):
    """Whether ``url`` is the link that is to show the recipient its own quotation."""
    return urlsplit(url or "").path.rstrip("/").rpartition("/")[2] == LINK
