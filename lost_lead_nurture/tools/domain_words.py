"""Domains in words: those of the domain editor and of its chips (field, operator, value), so that
people recognise what they have written."""

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import formatLang

from .dates import on_clock, on_day
from .domains import finds_archived, get_alternatives, get_parts

#: How many values are named.
MAX_VALUES = 10
#: As the domain editor's chips join the names of a path.
ARROW = " \u2794 "


def describe(model, domain):
    """What a ``Domain`` asks of ``model``, in words. Records are called by their names as far as
    the user of the environment may see them; what constrains nothing is not said.

    :raise AccessError: never, whatever it looks at
    """
    env = model.env
    if domain.is_false():
        return env._("nothing matches")
    if finds_archived(domain):
        return ""
    if alternatives := get_alternatives(domain):
        return _join(model, alternatives, env._("or"))
    parts = get_parts(domain)
    if not parts:
        return env._("everything matches")
    if parts != [domain]:
        return _join(model, parts, env._("and"))
    if (negated := getattr(domain, "child", None)) is not None:
        return env._("not ( %s )", describe(model, negated))
    if not hasattr(domain, "field_expr"):
        return env._("a rule that cannot be put into words")
    return _describe_condition(model, domain)


def _join(model, domains, word):
    words = []
    for one in domains:
        text = describe(model, one)
        is_group = get_alternatives(one) or len(get_parts(one)) > 1
        words.append(f"( {text} )" if is_group else text)
    return f" {word} ".join(filter(None, words))


def _describe_condition(model, condition):
    env, operator, value = model.env, condition.operator, condition.value
    labels, field, comodel = _follow(model, condition.field_expr)
    path = ARROW.join(labels)
    if operator in ("any", "not any"):
        word = env._("matches") if operator == "any" else env._("does not match")
        inner = describe(comodel, Domain(value)) if comodel is not None else str(value)
        return f"{path} {word} ( {inner} )"
    values = _read_values(value)
    kind = field.type if field else None
    if operator in ("=", "in", "!=", "not in"):
        is_meant = operator in ("=", "in")
        is_set, is_not_set = env._("is set"), env._("is not set")
        # of a checkbox and of what is empty there is no value to name
        if kind == "boolean" and set(values) == {True}:
            return f"{path} {is_set if is_meant else is_not_set}"
        if len(values) == 1 and (values[0] is False or values[0] is None):
            return f"{path} {is_not_set if is_meant else is_set}"
        word = "=" if is_meant else env._("not =")
    elif operator == "=ilike" and kind in ("char", "text", "html") and str(value).endswith("%"):
        word, values = env._("starts with"), [str(value)[:-1]]
    else:
        word = _get_operator_words(env, kind).get(operator, operator)
    names = _name_values(env, field, comodel, values[:MAX_VALUES])
    if len(values) > MAX_VALUES:
        names.append("…")
    either = env._("or")
    return f"{path} {word} {f' {either} '.join(names) or '( )'}"


def _get_operator_words(env, kind):
    is_date = kind in ("date", "datetime")
    return {
        "<": env._("before") if is_date else env._("lower than"),
        ">": env._("after") if is_date else env._("greater than"),
        "<=": env._("lower or equal to"),
        ">=": env._("greater or equal to"),
        "like": env._("contains"),
        "ilike": env._("contains"),
        "not like": env._("does not contain"),
        "not ilike": env._("does not contain"),
        "=like": env._("is like"),
        "=ilike": env._("is like"),
        "not =like": env._("is not like"),
        "not =ilike": env._("is not like"),
        "child_of": env._("child of"),
        "parent_of": env._("parent of"),
    }


def _follow(model, path):
    """The labels of the fields of ``path``; the last field, and the model that it names records of,
    as far as there are such."""
    labels, field = [], None
    for name in path.split("."):
        field = model._fields.get(name) if model is not None else None
        labels.append(field._description_string(model.env) if field else name)
        model = model.env[field.comodel_name] if field and field.comodel_name else None
    return labels, field, model


def _read_values(value):
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return [value]
    return list(value)


def _name_values(env, field, comodel, values):
    kind = field.type if field else None
    if comodel is not None:
        return _name_records(comodel, values)
    labels = dict(field._description_selection(env)) if kind == "selection" else {}
    return [_name_value(env, kind, labels, value) for value in values]


def _name_value(env, kind, labels, value):
    if value is False or value is None:
        return env._("nothing")
    if value is True:
        return env._("yes")
    if value in labels:
        return labels[value]
    if kind in ("float", "monetary") and isinstance(value, (int, float)):
        return formatLang(env, value, digits=0 if value == int(value) else 2)
    if kind in ("date", "datetime") and isinstance(value, str):
        return _name_date(env, kind, value)
    return str(value)


def _name_date(env, kind, text):
    try:
        if kind == "date":
            return on_day(env, fields.Date.to_date(text))
        return on_clock(env, fields.Datetime.to_datetime(text))
    except ValueError:
        # such as “today -7d”
        return text


def _name_records(comodel, values):
    """Records by their names; those that the user may not see, or that are gone, without."""
    env = comodel.env
    ids = [value for value in values if type(value) is int]
    known = {}
    if ids:
        try:
            found = comodel.with_context(active_test=False).search([("id", "in", ids)])
            known = {record.id: record.display_name for record in found}
        except AccessError:
            known = {}
    hidden = env._("(one that you may not see, or that is gone)")
    names = []
    for value in values:
        if type(value) is int:
            names.append(known.get(value, hidden))
        else:
            names.append(_name_value(env, None, {}, value))
    return names
