"""Values that people write for a field."""

from odoo import fields

YES = {"yes", "y", "true", "1", "on"}
NO = {"no", "n", "false", "0", "off"}


def parse_value(env, field, text):
    """The value to write into ``field`` for what somebody wrote.

    :param field: a field object of a model
    :param text: what was written; empty empties the field
    :raise ValueError: when it does not fit
    """
    text = (text or "").strip()
    if not text:
        return False
    parse = _PARSERS.get(field.type)
    if not parse:
        raise ValueError(field.type)
    return parse(env, field, text)


def can_parse(field):
    """Whether people can write a value for ``field``."""
    return field.type in _PARSERS


def _parse_boolean(_env, _field, text):
    if text.lower() not in YES | NO:
        raise ValueError(text)
    return text.lower() in YES


def _parse_selection(env, field, text):
    for value, label in field._description_selection(env):
        if text in (value, label):
            return value
    raise ValueError(text)


def _parse_many2one(env, field, text):
    records = env[field.comodel_name]
    found = records.search([(records._rec_name or "name", "=", text)], limit=2)
    if len(found) != 1:
        raise ValueError(text)
    return found.id


def _plain(convert):
    return lambda _env, _field, text: convert(text)


_PARSERS = {
    "boolean": _parse_boolean,
    "char": _plain(str),
    "date": _plain(fields.Date.to_date),
    "datetime": _plain(fields.Datetime.to_datetime),
    "float": _plain(float),
    "html": _plain(str),
    "integer": _plain(int),
    "many2one": _parse_many2one,
    "monetary": _plain(float),
    "selection": _parse_selection,
    "text": _plain(str),
}
