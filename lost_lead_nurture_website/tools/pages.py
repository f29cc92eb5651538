"""Pages of a website that people name, and the addresses at which they are looked at."""

from urllib.parse import urlsplit

from werkzeug.urls import uri_to_iri


def get_pattern(text):
    """The pattern that somebody has typed, or copied out of a browser, as pages are compared with
    it: what stands behind ``#`` never reaches a server, a page has no slash at its end, and letters
    are not escaped."""
    pattern = uri_to_iri((text or "").strip().partition("#")[0])
    address, question, query = pattern.partition("?")
    path = get_compared(address, "/")
    if path.endswith("/") and path != "/":
        address = address.rstrip("/")
    return f"{address}{question}{query}"


def is_address(pattern):
    """Whether ``pattern`` may be the address of a page: all others are looked at by nobody."""
    return pattern.startswith(("/", "http://", "https://", "*"))


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


def get_hosts(addresses):
    """The hosts of these addresses of websites, empty ones left out, as a set."""
    return {urlsplit(one).hostname for one in addresses if one} - {None}
