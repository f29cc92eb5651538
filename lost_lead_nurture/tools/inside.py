"""What only code on the server can put into a context.

Clients send a context along with each call, and whatever they like in it. They send JSON or XML,
which knows texts, numbers, lists and dictionaries, but no classes of ours: an instance of one was
put there by code on the server.
"""


class Inside(str):
    """A mark in the context. As it is a text, a context with it can still be written as JSON."""

    __slots__ = ()


INSIDE = Inside("inside")


def is_inside(env, key):
    """Whether code on the server has set the mark ``key``."""
    return get_inside(env, key) is not None


def get_inside(env, key):
    """The text that code on the server has put into the context as ``key``, else None."""
    value = env.context.get(key)
    return value if isinstance(value, Inside) else None


def without_defaults(records, names):
    """``records`` in a context that fills nothing into these fields, which nobody writes: clients
    could say in it what they may not say in the values."""
    keys = {f"default_{name}" for name in names}
    context = records.env.context
    if records.env.su or keys.isdisjoint(context):
        return records
    kept = {key: value for key, value in context.items() if key not in keys}
    return records.with_env(records.env(context=kept))
