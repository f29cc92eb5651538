"""Entries of a participant's timeline, and the words they share."""

from datetime import datetime, timedelta

from babel.dates import format_timedelta
from markupsafe import Markup, escape

from odoo import fields
from odoo.tools import format_list
from odoo.tools.misc import babel_locale_parse, get_lang

#: So many names are given of what was cancelled together; of the others how many they are.
MANY_NAMES = 3


def make_entry(kind, date, text, why=(), **more):
    """What the timeline shows as one line.

    :param kind: what it is about; the icon and its colour are chosen by it
    :param date: when; False when that is not known
    :param text: the sentence; what is not Markup is escaped
    :param why: the reasons, in plain text; empty ones are left out
    :param more: ``trace`` (id), ``type`` and ``icon`` (of the step), ``preview`` (whether the
        message can be shown), ``actions`` (names of methods of ``nurture.trace``), ``detail``
        (words of the system), ``record`` (``{"model", "id"}``, to be opened), ``coming``
    """
    return {
        "kind": kind,
        "date": fields.Datetime.to_string(date) if date else False,
        "text": str(escape(text)),
        "why": [str(reason) for reason in why if reason],
        **more,
    }


def bold(text):
    """``text`` as the word that an entry is about."""
    return Markup("<strong>%s</strong>") % text


def in_words(env, duration):
    """A ``timedelta`` in words: 2 hours, 3 days."""
    locale = babel_locale_parse(get_lang(env).code)
    # no rounding to one week or one hour
    return format_timedelta(duration, threshold=2, locale=locale)


def quoted(env, name):
    """The name of something, as a text shows it."""
    return env._("“%s”", name)


def some_of(env, names):
    """Names as a list in words, cut short where they are many."""
    names = [quoted(env, name) for name in names]
    if len(names) <= MANY_NAMES + 1:
        return format_list(env, names)
    rest = len(names) - MANY_NAMES
    return env._("%(names)s and %(rest)s more", names=", ".join(names[:MANY_NAMES]), rest=rest)


def cap_text(env, number, days):
    """A frequency cap, in words."""
    if days == 1:
        return env._("frequency cap: %s within a day", number)
    return env._("frequency cap: %(number)s in %(days)s days", number=number, days=days)


def bot_text(env, note, is_mail):
    """What a bot did to a message, in words.

    :param note: one of ``mailing.trace.nurture_bot_notes``
    :param is_mail: whether the message is a mail
    """
    number, hits = len(note["links"]), note["hits"]
    if note["kind"] == "reply":
        return bold(env._("Answered automatically"))
    who = env._("by a mail scanner") if is_mail else env._("by a program")
    if note["reason"] == "prefetch":
        who = env._("by a program that fetches in advance")
    elif note["reason"] == "forged":
        who = env._("by somebody who made the link up")
    who = bold(who)
    if note["kind"] == "open":
        if hits > 1:
            return env._("Pictures loaded %(hits)s times %(who)s", hits=hits, who=who)
        return env._("Pictures loaded %s", who)
    if not number:
        return env._("Hidden link followed %s", who)
    if number > 1:
        first, last = (datetime.fromisoformat(note[key]) for key in ("first", "last"))
        return env._(
            "%(number)s links clicked within %(time)s %(who)s",
            number=number,
            time=in_words(env, max(last - first, timedelta(seconds=1))),
            who=who,
        )
    if hits > 1:
        return env._("A link clicked %(hits)s times %(who)s", hits=hits, who=who)
    return env._("A link clicked %s", who)
