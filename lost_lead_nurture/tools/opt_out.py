"""The link by which a recipient unsubscribes: core makes one of each recipient's own of it."""

from html import escape

import lxml.html
from markupsafe import Markup

from .links import UNSUBSCRIBE, append, fill_placeholders

#: What stands in a mail for the link.
OPT_OUT = f"/{UNSUBSCRIBE}"
#: A line below the mail, with all styles inline, which is what mail programs understand.
_LINE = Markup(
    '<div style="padding: 16px 20px; text-align: center; font-size: 12px; line-height: 18px;">'
    '<a href="%s" style="color: #5F6368; text-decoration: underline;">%s</a></div>'
)
#: The same as a block that Email Marketing's editor can move and style.
_BLOCK = Markup(
    '<section class="s_footer_one_liner o_mail_block_footer o_mail_snippet_general"'
    ' data-snippet="s_mail_block_footer_one_liner" data-name="One Liner"'
    ' style="padding: 16px 20px; text-align: center;">'
    '<div class="container o_mail_footer_links">'
    '<p style="margin: 0; font-size: 12px; line-height: 18px;"><a href="%s">%s</a></p>'
    "</div></section>"
)
#: Where blocks are in a mail of the editor; the first that is there.
_PLACES = ("o_mail_wrapper_td", "oe_structure", "o_layout")


#: What nobody sees.
_HIDDEN = "ancestor-or-self::*[contains(translate(@style, ' ', ''), 'display:none')]"


def has_opt_out(html):
    """Whether whoever reads ``html`` can unsubscribe: by a link that is there to be seen, and is
    written so that it becomes one of the recipient's own."""
    if OPT_OUT not in (html or ""):
        return False
    page = lxml.html.fromstring(f"<div>{html}</div>")
    links = page.xpath("//a[contains(@href, $link)]", link=OPT_OUT)
    return any(_is_seen(link) and _is_placeholder(link.get("href")) for link in links)


def _is_seen(link):
    has_content = link.text_content().strip() or link.xpath(".//img | .//t[@t-out]")
    return bool(has_content) and not link.xpath(_HIDDEN)


def _is_placeholder(href):
    quoted = f'"{escape(href.strip())}"'
    return fill_placeholders(quoted, {UNSUBSCRIBE: "#"}, ()) != quoted


def add_opt_out(html, label):
    """``html``, a mail as it is sent, with the link at its end."""
    return append(html, _LINE % (OPT_OUT, label))


def add_opt_out_block(arch, label):
    """``arch``, a mail as the editor keeps it, with the link as its last block."""
    block = lxml.html.fragment_fromstring(str(_BLOCK % (OPT_OUT, label)))
    root = lxml.html.fragment_fromstring(arch, create_parent="div")
    for name in _PLACES:
        # as a word: o_mail_wrapper is the beginning of others
        places = root.xpath(
            "//*[contains(concat(' ', normalize-space(@class), ' '), $name)]", name=f" {name} "
        )
        if places:
            places[-1].append(block)
            break
    else:
        root.append(block)
    children = (lxml.html.tostring(child, encoding="unicode") for child in root)
    return (root.text or "") + "".join(children)
