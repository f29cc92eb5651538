"""Telling bots from people who open, click and answer: the rules, in one place.

Mail servers look into mails and follow links before, and sometimes instead of, their recipient. The
rules below know nothing of Odoo; what they are given is what a request or a message shows of
itself. A rule is worth having only when it is nearly always right about people: who is taken for a
bot loses a step of a sequence, so in doubt it is a person.

What is known of the bots (2021 to 2026):

- Gateways (Microsoft Defender Safe Links, Barracuda, Mimecast, Proofpoint, Cisco, Trend Micro)
  fetch every link of a mail at delivery, within seconds of each other, often with the user agent
  of a common browser and from changing addresses. Some ask with HEAD first. Some name themselves.
- When a person clicks, Safe Links and its like fetch the same link once more at about that time.
  The same link twice therefore says nothing, different links at once do.
- Apple Mail Privacy Protection loads all images of a mail, whether it is opened or not, by a proxy
  whose user agent is exactly “Mozilla/5.0”. When a person opens the mail there is no further
  request, so such an open says nothing. A click of that person is an ordinary one.
- Gmail loads images by GoogleImageProxy when a person opens the mail: that is an open. While the
  recipient is logged in it also prefetches them with a browser's user agent of 2015, which nobody
  else has any more (see PREFETCHING). Yahoo's proxy (YahooMailProxy) loads them on opening, too.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Why a hit is not taken for a person's.
REASONS = [
    ("forged", "Not a link of this mail"),
    ("head_request", "Asked about the page without reading it"),
    ("prefetch", "Fetched in advance"),
    ("user_agent", "A program, not a browser"),
    ("too_fast", "Too soon after sending"),
    ("burst", "Several links at once"),
    ("honeypot", "Followed a link that nobody sees"),
]

#: Nobody receives, opens and reads a mail within this time after it was sent.
TOO_FAST = timedelta(seconds=10)

#: So many different links of a mail hit within such a time are the work of a bot.
BURSTS = ((2, timedelta(seconds=1)), (3, timedelta(seconds=5)))

#: What happens on a mail this long before and after a burst or a honeypot is the same bot's work.
NEAR = timedelta(minutes=1)

#: How long a hit has to wait until it is known to be nobody's but a person's: what follows within
#: NEAR may still prove the contrary.
HOLD = NEAR

#: Headers with which programs say that they load what nobody asked for yet: Sec-Purpose of the
#: Fetch standard (“prefetch”, “prefetch;prerender”), and what browsers had before it.
PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")

#: User agents, as a whole, that load images in advance: Apple's proxy, and Gmail's as found by
#: SparkPost in billions of opens.
PREFETCHING = (
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
)

# Crawlers, and those who show a preview of a link in a chat. A phone is called Cubot.
_CRAWLER = r"(?<!cu)bot\b|crawl|spider|slurp|facebookexternalhit|whatsapp/|skypeuripreview|preview"
# Gateways and antivirus programs that name themselves.
_SCANNER = (
    r"barracuda|mimecast|proofpoint|ironport|cisco ?secure|messagelabs|symantec|forcepoint|sophos"
    r"|trend ?micro|tmes\b|fortimail|fireeye|trellix|mcafee|checkpoint|scanner|safelinks"
)
# Libraries and command line tools. Mail programs use some of them to load images (see judge_open).
_LIBRARY = (
    r"python|urllib|aiohttp|httpx|scrapy|curl|wget|libwww|lwp|java/|okhttp|httpclient|http-client"
    r"|go-http|axios|node-fetch|undici|got \(|ruby|php|guzzle|powershell|winhttp|headless|phantomjs"
    r"|selenium|puppeteer|playwright"
)
_NOT_AN_IMAGE_LOADER = re.compile(f"{_CRAWLER}|{_SCANNER}", re.IGNORECASE)
_NOT_A_BROWSER = re.compile(f"{_CRAWLER}|{_SCANNER}|{_LIBRARY}", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """What a request for a link or a picture of a mail shows of itself.

    :param method: HTTP method
    :param user_agent: as sent
    :param prefetch: whether a header says that nobody asked for it, see :func:`is_prefetch`
    :param token: what signs the link
    """

    method: str = "GET"
    user_agent: str = ""
    prefetch: bool = False
    token: str = ""


def get_request(env):
    """The :class:`Request` in the context of ``env``. A client, which can send any context, cannot
    send one of these."""
    request = env.context.get("nurture_request")
    return request if isinstance(request, Request) else None


@dataclass(frozen=True, eq=False)
class Judged:
    """What people did, while core writes it down: as of when it happened. Whoever has it written
    down tells the sequences of it, once.

    :param dates: when it happened, by id of the ``mailing.trace``
    """

    dates: Mapping


def get_judged(env):
    """The :class:`Judged` in the context of ``env``; no client can send one."""
    judged = env.context.get("nurture_judged")
    return judged if isinstance(judged, Judged) else None


@dataclass(frozen=True)
class Hit:
    """A mail's picture loaded or link followed.

    :param date: when
    :param link: which link; empty for a picture
    :param honeypot: whether the link is the one that nobody sees
    """

    date: datetime
    link: str = ""
    honeypot: bool = False


def is_prefetch(headers):
    """Whether the headers (a mapping that ignores case) say that nobody asked for the page yet."""
    return any(
        word in (headers.get(name) or "").lower()
        for name in PREFETCH_HEADERS
        for word in ("prefetch", "prerender", "preview")
    )


def judge_open(request, since_sent):
    """Judge the loading of a mail's picture on its own.

    :param since_sent: time since the mail was sent, None when it is still being sent
    :return: why it is not a person's (see :data:`REASONS`), or None
    """
    agent = request.user_agent.strip()
    if request.method != "GET":
        return "head_request"
    if request.prefetch or agent in PREFETCHING:
        return "prefetch"
    if not agent or _NOT_AN_IMAGE_LOADER.search(agent):
        return "user_agent"
    return _judge_time(since_sent)


def judge_click(request, since_sent, signed=True):
    """Judge a click on its own.

    :param since_sent: time since the mail was sent, None when it is still being sent
    :param signed: whether the link is one of this very mail
    :return: why it is not a person's (see :data:`REASONS`), or None
    """
    agent = request.user_agent.strip()
    if not signed:
        return "forged"
    if request.method != "GET":
        return "head_request"
    if request.prefetch:
        return "prefetch"
    # no browser sends so little or so old
    if not agent or agent in PREFETCHING or _NOT_A_BROWSER.search(agent):
        return "user_agent"
    return _judge_time(since_sent)


def _judge_time(since_sent):
    # A gateway may look into a mail while it takes it, before it counts as sent.
    return "too_fast" if since_sent is None or since_sent < TOO_FAST else None


def judge_together(hits):
    """Judge what happened on one mail by what happened on it at the same time.

    :param hits: all of it, of people and of bots
    :return: {hit: why it is not a person's} without those of which nothing is known
    """
    # a honeypot proves more than a burst, which a person with quick fingers may come near to
    proofs = (
        ("honeypot", sorted(hit.date for hit in hits if hit.honeypot)),
        ("burst", _bursts(sorted((hit for hit in hits if hit.link), key=lambda hit: hit.date))),
    )
    reasons = {}
    for hit in hits:
        for reason, dates in proofs:
            if _is_near(hit.date, dates):
                reasons[hit] = reason
                break
    return reasons


def _bursts(clicks):
    """Dates at which ``clicks``, by date, are part of a burst."""
    found = set()
    for links, period in BURSTS:
        recent, start = Counter(), 0
        for click in clicks:
            recent[click.link] += 1
            while click.date - clicks[start].date > period:
                left = clicks[start].link
                recent[left] -= 1
                if not recent[left]:
                    # not hit any more
                    del recent[left]
                start += 1
            if len(recent) >= links:
                found |= {clicks[start].date, click.date}
    return sorted(found)


def _is_near(date, dates):
    """Whether one of the sorted ``dates`` is near."""
    position = bisect_left(dates, date - NEAR)
    return position < len(dates) and dates[position] <= date + NEAR


# ------------------------------------------------------------
# Notes: what bots did to a mail, said in few lines
# ------------------------------------------------------------

#: How many lines are kept of one mail; what comes then is added to the last one of its kind.
MAX_NOTES = 20
#: How many different links a line knows by name.
MAX_LINKS = 20


def take_note(notes, kind, reason, date, link=""):
    """``notes`` with one more hit. Hits of a kind, for the same reason and soon after each other,
    are one note.

    :param notes: list of ``{"kind", "reason", "first", "last", "hits", "links"}``, oldest first
    :param date: when, as text that sorts by time
    :param link: which link was followed
    :return: a new list
    """
    notes = [dict(note) for note in notes]
    same = [note for note in notes if (note["kind"], note["reason"]) == (kind, reason)]
    soon = same and datetime.fromisoformat(date) - datetime.fromisoformat(same[-1]["last"]) <= NEAR
    if not (soon or (same and len(notes) >= MAX_NOTES)):
        if len(notes) < MAX_NOTES:
            hit = {"kind": kind, "reason": reason, "first": date, "last": date}
            notes.append({**hit, "hits": 1, "links": [link] if link else []})
        return notes
    note = same[-1]
    note["last"] = max(note["last"], date)
    note["hits"] += 1
    if link and link not in note["links"] and len(note["links"]) < MAX_LINKS:
        note["links"] = [*note["links"], link]
    return notes
