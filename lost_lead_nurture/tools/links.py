"""Links of mails, and links that people name."""

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
