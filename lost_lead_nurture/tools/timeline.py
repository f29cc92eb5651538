"""Entries of a participant's timeline, and the words they share."""

from babel.dates import format_timedelta
from markupsafe import Markup, escape

from odoo import fields
from odoo.tools import format_list
from odoo.tools.misc import babel_locale_parse, get_lang

#: So many names are told of what was cancelled together; of the others how many they are.
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
