"""Domains that people write."""

from ast import literal_eval

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import LazyTranslate, OrderedSet
from odoo.tools.translate import LazyGettext

_lt = LazyTranslate(__name__)

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
#: Those that compare a column with values, see :func:`is_own`.
OWN_OPERATORS = frozenset(
    ("=", "!=", "<", ">", "<=", ">=", "in", "not in")
    + ("like", "not like", "ilike", "not ilike", "=like", "not =like", "=ilike", "not =ilike")
)


#: Fields of leads that are worked out from all filters: in one of these they would not come to an
#: end.
OF_FILTERS = ("nurture_locked_id", "nurture_unaddressed_id")


class LostRights(UserError):
    """Whoever wrote a filter may not look any more at what it looks at."""


def read_domain(text):
    """The ``Domain`` that ``text`` writes down, not tried.

    :raise: one of :data:`ERRORS`
    """
    text = text or "[]"
    if any(name in text for name in OF_FILTERS):
        raise ValueError(
            _lt("Locked value is worked out from all filters: none of them can ask for it.")
        )
    return Domain(literal_eval(text))


def say(env, error):
    """What is wrong with a domain, in the words of the user."""
    reason = next(iter(error.args), "")
    return env._(reason) if isinstance(reason, LazyGettext) else str(error)


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
            # in no order: that of leads takes long where there are many
            model.search_count(domain, limit=1)
    except ERRORS as error:
        raise ValidationError(
            env._(
                "This filter cannot be used: %(domain)s\n%(error)s",
                domain=text,
                error=say(env, error),
            )
        ) from error
    return domain


def check_domain(model, text):
    """Check what the user has written into a filter, with the user's own rights: what it finds
    tells, too.

    :raise ValidationError: see :func:`parse_domain`
    """
    parse_domain(model.with_user(model.env.user), text)


def get_parts(domain):
    """The parts of a ``Domain`` that all have to hold, without what constrains nothing."""
    if _operator_of(domain) == "&":
        return [part for child in domain.children for part in get_parts(child)]
    return [] if domain.is_true() or finds_archived(domain) else [domain]


def get_alternatives(domain):
    """The parts of a ``Domain`` of which one has to hold; empty when it has none."""
    if _operator_of(domain) != "|":
        return []
    return [one for child in domain.children for one in (get_alternatives(child) or [child])]


def finds_archived(domain):
    """Whether a ``Domain`` asks for nothing but that archived records are found, too."""
    named = set()
    for condition in get_alternatives(domain) or [domain]:
        if getattr(condition, "field_expr", None) != "active":
            return False
        if condition.operator == "in":
            named.update(condition.value)
        elif condition.operator == "=":
            named.add(condition.value)
        else:
            return False
    return named == {True, False}


def _operator_of(domain):
    return getattr(domain, "OPERATOR", None)


def named_ids(domain, field):
    """The ids that a ``Domain`` asks ``field`` to be one of."""
    named = set()
    for condition in domain.iter_conditions():
        if condition.field_expr == field and condition.operator in ("=", "in"):
            value = condition.value
            named.update([value] if isinstance(value, int) else value)
    return {one for one in named if isinstance(one, int) and one}


def is_own(domain, model, known=()):
    """Whether a ``Domain`` asks for nothing but what stands on the records of ``model``: columns
    that are not for some groups only, no other records, not even by their names.

    :param known: names of other fields whose search looks at nothing else either
    """
    return all(_is_own(condition, model, known) for condition in domain.iter_conditions())


def _is_own(condition, model, known):
    name, operator = condition.field_expr, condition.operator
    if name in known:
        return "any" not in operator
    field = model._fields.get(name)
    if not field or field.groups or not (field.store and field.column_type):
        return False
    if field.relational or field.company_dependent:
        return operator in ("in", "not in", "=", "!=") and _is_ids(condition.value)
    return operator in OWN_OPERATORS


def _is_ids(value):
    values = value if isinstance(value, (list, tuple, set, frozenset, OrderedSet)) else [value]
    return all(isinstance(one, int) for one in values)
