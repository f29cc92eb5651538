"""What a sequence offers, in the texts of its mails."""

import re

from odoo.exceptions import UserError

#: What is written into a mail: ``<t t-out="object.nurture_offer"/>``.
EXPRESSION = "object.nurture_offer"
_PLACEHOLDER = re.compile(rf"\b{re.escape(EXPRESSION)}\b")


class NothingOffered(UserError):
    """A mail shows an offer, and none of its recipients is offered anything."""


def shows_offer(text):
    """Whether what the sequence offers is put into ``text``."""
    return bool(_PLACEHOLDER.search(text or ""))
