"""Domains that people write."""

from ast import literal_eval

import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

#: What reading and trying a domain may raise, whatever somebody has written.
ERRORS = (
    AccessError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    psycopg2.Error,
)


def read_domain(text):
    """The ``Domain`` that ``text`` writes down, not tried.

    :raise: one of :data:`ERRORS`
    """
    return Domain(literal_eval(text or "[]"))


def parse_domain(model, text):
    """The ``Domain`` that ``text`` writes down, tried on ``model`` with the rights of its
    environment.

    :raise ValidationError: in the user's words, when it is not a domain, not one for ``model`` or
        one that looks at what the user may not see
    """
    env = model.env
    try:
        domain = read_domain(text)
        with env.cr.savepoint(flush=False):
            model.search(domain, limit=1)
    except ERRORS as error:
        raise ValidationError(
            env._("This filter cannot be used: %(domain)s\n%(error)s", domain=text, error=error)
        ) from error
    return domain


def check_domain(model, text):
    """Check what the user has written into a filter, with the user's own rights: what it finds
    tells, too.

    :raise ValidationError: see :func:`parse_domain`
    """
    parse_domain(model.with_user(model.env.user), text)


def named_ids(domain, field):
    """The ids that a ``Domain`` asks ``field`` to be one of."""
    named = set()
    for condition in domain.iter_conditions():
        if condition.field_expr == field and condition.operator in ("=", "in"):
            value = condition.value
            named.update([value] if isinstance(value, int) else value)
    return {one for one in named if isinstance(one, int) and one}
