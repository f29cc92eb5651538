"""Links of mails, and links that people name."""

import re
from html import escape, unescape
from urllib.parse import urlsplit

import lxml.html
from markupsafe import Markup


def links_in(html):
    """The web addresses that ``html`` links to, in the order of the text, each once."""
    links = (link.strip() for link in lxml.html.fromstring(html or "<p/>").xpath("//a/@href"))
    return list(dict.fromkeys(one for one in links if one.startswith(("http://", "https://"))))


#: What makes something in a page lead somewhere, or send something.
_LEADING = ("href", "xlink:href", "action", "formaction", "ping", "target")


def without_links(html):
    """``html``, a whole page, with links, buttons and forms that do nothing. Pictures stay."""
    page = lxml.html.document_fromstring(html)
    for element in page.xpath("//script | //base | //meta[@http-equiv or @name]"):
        element.drop_tree()
    for element in page.xpath("//a | //area | //form | //button | //input"):
        for name in _LEADING:
            element.attrib.pop(name, None)
    return lxml.html.tostring(page, encoding="unicode", doctype="<!DOCTYPE html>")


def append(html, piece):
    """``html`` with ``piece``, HTML as well, at the end of what is shown."""
    # as texts: what is written in them is not to be escaped
    html, piece = str(html), str(piece)
    body, end, rest = html.rpartition("</body>")
    return body + piece + end + rest if end else html + piece


def quoted_in(html):
    """The mail in ``html``, a message as core logs a mass mailing: what is quoted there, else all
    of it."""
    quotes = lxml.html.fragment_fromstring(html or "", create_parent="div").xpath(
        "//blockquote[@data-o-mail-quote]"
    )
    if not quotes:
        return Markup(html or "")
    quote = quotes[0]
    children = [Markup(lxml.html.tostring(child, encoding="unicode")) for child in quote]
    return Markup("").join([quote.text or "", *children])


def is_about(pattern, url):
    """Whether ``url`` is the link that ``pattern`` names. ``*`` stands for anything, nothing
    included; everything else for itself. An empty pattern names no link."""
    pattern, url = (pattern or "").strip(), url or ""
    first, *others = pattern.split("*")
    if not others:
        return bool(pattern) and url == pattern
    # part after part, from the left: no pattern takes longer than the link is long
    *between, last = others
    if not url.startswith(first):
        return False
    rest = url[len(first) :]
    for part in filter(None, between):
        _before, found, rest = rest.partition(part)
        if not found:
            return False
    return rest.endswith(last)


def as_like(pattern):
    """``pattern``, as :func:`is_about` takes it, as PostgreSQL's LIKE takes it."""
    escaped = re.sub(r"([\\%_])", r"\\\1", (pattern or "").strip())
    return escaped.replace("*", "%")


#: Links that core leaves in texts until it is known who gets them: what they stand for, and where
#: they lead if nobody replaces them.
UNSUBSCRIBE, VIEW = "unsubscribe_from_list", "view"
#: No address goes over one of these.
_BORDERS = " \t\r\n\"'<>()[]"
_IN_URL = rf"[^{re.escape(_BORDERS)}]"
_SLASH = r"(?:/|&\#0*47;|&\#[xX]0*2[fF];|&sol;)"
_PLACEHOLDER = re.compile(
    rf"(?<=[/;\"'])(?P<what>{UNSUBSCRIBE}|{VIEW})(?![\w-]|\.\w){_SLASH}*(?![\w/-])"
    rf"(?:[?\#](?:{_IN_URL}*(?![.,;:!?]){_IN_URL})?)?"
)
#: How far an address may go.
_MAX_URL = 2000
#: One that was not replaced, however it is written.
_LEFT = re.compile(rf"(?<![\w-]){UNSUBSCRIBE}(?![\w-]|\.\w)|%2[fF]{UNSUBSCRIBE}")


def fill_placeholders(html, urls, own_urls):
    """Have the placeholders of a mail lead where they are meant to.

    The one to unsubscribe is one on whatever host, also behind a path. To see the mail in the
    browser is only a path, or one on a host of ours: others have pages of that name, too.

    :param urls: addresses by :data:`UNSUBSCRIBE` and :data:`VIEW`; without one its placeholder
        stays
    :param own_urls: base addresses that are ours
    """
    own = {_split_base(url) for url in own_urls}
    parts, done = [], 0
    for match in _PLACEHOLDER.finditer(html):
        begin = _find_begin(html, max(done, match.start() - _MAX_URL), match.start())
        url, what = unescape(html[begin : match.end()]), match["what"]
        is_attribute = html[begin - 1 : begin] in ("'", '"')
        if urls.get(what) and _is_placeholder(url, what, own, is_attribute):
            parts += [html[done:begin], escape(urls[what])]
            done = match.end()
    return "".join([*parts, html[done:]])


def _find_begin(html, first, last):
    """Where the address begins that ``last`` is in, from ``first`` on."""
    return max(first, 1 + max(html.rfind(border, first, last) for border in _BORDERS))


def has_placeholder(text):
    """Whether ``text`` has a link to unsubscribe that leads nowhere."""
    return bool(text) and UNSUBSCRIBE in text and bool(_LEFT.search(text))


def _is_placeholder(url, what, own, is_attribute):
    """Whether ``url`` is the placeholder ``what`` and not a page of that name, or a word."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    *before, last = [part for part in parts.path.split("/") if part]
    if last != what or parts.scheme not in ("", "http", "https"):
        return False
    if what == UNSUBSCRIBE:
        # without a host only what stands alone: all else is part of something
        return bool(parts.netloc) or not before or url.startswith("/")
    if not parts.netloc:
        return is_attribute and not before and url.startswith("/")
    return (parts.netloc.lower(), tuple(before)) in own


def _split_base(url):
    parts = urlsplit(url)
    return parts.netloc.lower(), tuple(part for part in parts.path.split("/") if part)
