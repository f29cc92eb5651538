"""What callers over RPC give to public methods: read strictly, and refused in words.

XML-RPC and JSON carry whatever their caller puts in. What does not fit would reach PostgreSQL, or
end as a traceback, which tells nobody what to give instead.
"""

from odoo.api import NewId
from odoo.exceptions import UserError

#: The largest id: an integer of PostgreSQL.
MAX_ID = 2**31 - 1


def check_records(records, one=False):
    """Check what a public method is called on.

    :param one: whether it is for one record only
    :raise UserError: when these are no ids, or not one
    """
    for id_ in records._ids:
        # what the ORM makes of a record that is not saved yet is an id, too
        if not isinstance(id_, NewId):
            _check_id(records.env, id_)
    if one and len(records) != 1:
        raise UserError(
            records.env._(
                "“%(model)s” is for one record at a time, and was called for %(count)s.",
                model=records._description,
                count=len(records),
            )
        )


def read_ids(env, value):
    """A list of ids.

    :param value: a list of ids, or one id
    :raise UserError: when it is neither
    """
    values = value if isinstance(value, list | tuple) else [value]
    for one in values:
        _check_id(env, one)
    return list(values)


def read_id(env, value):
    """One id.

    :raise UserError: when it is none
    """
    _check_id(env, value)
    return value


def read_number(env, value, least, most):
    """A whole number from ``least`` to ``most``.

    :raise UserError: when it is none
    """
    if type(value) is not int or not least <= value <= most:
        raise UserError(
            env._(
                "“%(value)s” is no whole number from %(least)s to %(most)s.",
                value=_shown(value),
                least=least,
                most=most,
            )
        )
    return value


def read_choice(env, value, choices):
    """One of ``choices``.

    :param choices: strings; ``{string: label}`` where people know them by a label, empty for one
        that has none
    :raise UserError: when it is none of them
    """
    if not isinstance(value, str) or value not in choices:
        labels = choices if isinstance(choices, dict) else {}
        names = [f"{labels[one]} ({one})" if labels.get(one) else one for one in choices]
        raise UserError(
            env._(
                "“%(value)s” is none of: %(choices)s.",
                value=_shown(value),
                choices="; ".join(names),
            )
        )
    return value


def _check_id(env, value):
    # to Python True is 1
    if type(value) is not int or not 0 < value <= MAX_ID:
        raise UserError(env._("“%s” is no id of a record.", _shown(value)))


def _shown(value):
    """What somebody gave, as a message can say it."""
    # half a character cannot be sent back
    text = str(value).encode(errors="replace").decode()
    return text if len(text) <= 50 else f"{text[:50]}…"
