"""Links that people name."""

import re


def is_about(pattern, url):
    """Whether ``url`` is the link that ``pattern`` names. ``*`` stands for anything, nothing
    included; everything else for itself."""
    parts = (re.escape(part) for part in (pattern or "").strip().split("*"))
    return re.fullmatch(".*".join(parts), url or "", re.DOTALL) is not None
