"""Pages of a website that people name, and the addresses at which they are looked at."""

from urllib.parse import urlsplit


def has_host(pattern):
    """Whether ``pattern`` names a page of one website, and not of all."""
    return not pattern.startswith("/")


def has_query(pattern):
    """Whether ``pattern`` says what stands behind the question mark, too."""
    return "?" in pattern


def get_compared(url, pattern):
    """What of ``url`` is compared with ``pattern``: without what stands behind the question mark,
    and without the website, unless the pattern names that."""
    if not has_query(pattern):
        url = url.split("?", 1)[0]
    if has_host(pattern):
        return url
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.path}{query}"
