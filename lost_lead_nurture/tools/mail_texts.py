"""The texts of built-in templates: what a rendered view says, and how placeholders are filled."""

import re
from dataclasses import dataclass
from html import escape

import lxml.html

#: ``{{object.contact_name ||| there}}``
PLACEHOLDER = re.compile(r"\{\{.*?(?:\|\|\|\s*(.*?)\s*)?\}\}", re.DOTALL)
#: ``<t t-out="object.contact_name">there</t>``
OUTPUT = re.compile(r"<t\s+t-out=\"[^\"]*\"\s*(?:/>|>([^<]*)</t>)")
#: Mail programs have margins of their own.
PARAGRAPH = "margin: 0 0 16px;"


@dataclass(frozen=True)
class MailText:
    """A mail, or what an activity is about.

    :param subject: subject, with placeholders as mailings have them
    :param preview: what inboxes show next to the subject
    :param body: HTML, with placeholders as mailings have them
    """

    subject: str
    preview: str
    body: str


def read_text(html, values):
    """What a rendered view of a text says.

    A placeholder is written ``<span data-value="object.contact_name">there</span>`` there, so that
    a sentence is translated as one. ``<span data-fill="company"/>`` is filled at once.

    :param html: ``<div>`` with subject, preview and body as ``h1``, ``h2`` and ``main``
    :param values: texts by what ``data-fill`` says
    """
    root = lxml.html.fragment_fromstring(str(html).strip())
    for span in root.xpath(".//span[@data-fill]"):
        span.text = values[span.attrib.pop("data-fill")]
        span.drop_tag()
    for span in root.xpath(".//span[@data-value]"):
        span.tag = "t"
        span.set("t-out", span.attrib.pop("data-value"))
    for paragraph in root.xpath(".//main//p[not(@style)]"):
        paragraph.set("style", PARAGRAPH)
    subject, preview, body = root
    return MailText(_words(subject), _words(preview), _inside(body))


def fill_text(text):
    """``text`` as somebody reads it of whom nothing is known."""
    return PLACEHOLDER.sub(lambda match: match[1] or "", text or "")


def fill_html(html):
    """``html`` as somebody reads it of whom nothing is known."""
    return OUTPUT.sub(lambda match: match[1] or "", str(html or ""))


def _words(element):
    return " ".join(element.text_content().split())


def _inside(element):
    """The content of ``element`` as XML, which QWeb and HTML both read."""
    head = escape(element.text or "", quote=False)
    return (
        head
        + "".join(lxml.html.tostring(child, encoding="unicode", method="xml") for child in element)
    ).strip()
