"""How an answer of a mail provider is recognised in what a mail server said."""

import re

#: How much of what was said is looked at.
MAX_TEXT = 1000


def matches(code, phrases, refusal):
    """Whether a refusal is the one described.

    :param code: how the SMTP code begins: 4, 45 or 450; empty for any
    :param phrases: one a line; ``*`` stands for anything; empty for any text
    :param refusal: :class:`~.delivery.Refusal`
    """
    if not str(refusal.code).startswith(code or ""):
        return False
    lines = [line.strip() for line in (phrases or "").splitlines() if line.strip()]
    text = " ".join(refusal.text[:MAX_TEXT].split())
    return not lines or any(_compile(line).search(text) for line in lines)


def _compile(line):
    parts = [re.escape(part) for part in " ".join(line.split()).split("*")]
    return re.compile(".*?".join(parts), re.IGNORECASE)
