"""On what, and with what, people read mails: as the user agent says of whoever loads the picture of
a mail or follows a link of it.

The rules know nothing of Odoo, and do not guess. A proxy (Gmail, Yahoo) shows the program and hides
the device. A link is followed by the browser, whatever program showed the mail: it shows the
device, and no program. An iPad that asks for pages as they are made for computers looks like a Mac,
and counts as a computer.
"""

import re
from typing import NamedTuple

DEVICES = [
    ("desktop", "Computer"),
    ("phone", "Phone"),
    ("tablet", "Tablet"),
    ("unknown", "Unknown"),
]
CLIENTS = [
    ("gmail", "Gmail"),
    ("yahoo", "Yahoo Mail"),
    ("outlook", "Outlook"),
    # whatever shows pages by WebKit and does not call itself Safari
    ("apple", "Apple Mail or Like It"),
    ("thunderbird", "Thunderbird"),
    ("android", "App on Android"),
    # Outlook on the web, GMX, the new Outlook for Windows, …
    ("webmail", "Webmail"),
    ("unknown", "Unknown"),
]

# Each with what its user agents have, the first that is found counts.
_CLIENTS = [
    (client, re.compile(pattern, re.IGNORECASE))
    for client, pattern in (
        ("gmail", r"GoogleImageProxy|ggpht\.com"),
        ("yahoo", r"YahooMailProxy"),
        ("outlook", r"Outlook|ms-office|MSOffice|Microsoft Office"),
        ("thunderbird", r"Thunderbird|Icedove|Betterbird"),
        ("android", r"Android.*; wv\)"),
        ("webmail", r"(Chrome|CriOS|Firefox|FxiOS|Edge?|EdgA|EdgiOS|OPR|SamsungBrowser)/\d"),
        ("webmail", r"Version/\d.*Safari/"),
        ("apple", r"^Mozilla/5\.0 \((Macintosh|iPhone|iPad|iPod).*AppleWebKit/(?!.*Safari/)"),
    )
]
_DEVICES = [
    (device, re.compile(pattern, re.IGNORECASE))
    for device, pattern in (
        ("unknown", r"GoogleImageProxy|ggpht\.com|YahooMailProxy"),
        # a browser on Android says when it is on a phone; other programs do not
        ("tablet", r"iPad|Tablet(?! PC)|Kindle|Silk/|^Mozilla/5\.0 .*Android(?!.*Mobile)"),
        ("phone", r"iPhone|iPod|Windows Phone|Mobile"),
        ("desktop", r"Windows NT|Macintosh|Mac ?OS ?X|X11|CrOS|MacOutlook"),
    )
]


#: No program of people has a longer one, and nobody keeps the server busy with what is.
MAX_LENGTH = 512


class Origin(NamedTuple):
    """What a hit shows of where it comes from: values of :data:`DEVICES` and :data:`CLIENTS`, None
    for what it does not show."""

    device: str | None = None
    client: str | None = None


def get_origin(user_agent, kind):
    """The :class:`Origin` of a hit.

    :param user_agent: as sent; empty if none was
    :param kind: ``open`` or ``click``
    """
    user_agent = user_agent[:MAX_LENGTH]
    device = _find(_DEVICES, user_agent)
    client = _find(_CLIENTS, user_agent) if kind == "open" else None
    return Origin(device if device != "unknown" else None, client)


def _find(rules, user_agent):
    return next((value for value, pattern in rules if pattern.search(user_agent)), None)
