"""What comes with a request to the pages on which recipients say what they want: anybody can send
anything there. What does not fit is none of ours, and is not looked up."""

from datetime import date

from .subjects import storable

#: The largest id: an integer of PostgreSQL.
_MAX_ID = 2**31 - 1
#: No address is longer (RFC 5321), and no token.
_MAX_ADDRESS, _MAX_TOKEN = 320, 200


def read_id(value):
    """``value``, a number or digits, as an id; None when it is none."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_ID))):
            return None
        value = int(value)
    return value if type(value) is int and 0 < value <= _MAX_ID else None


def read_text(value, limit):
    """``value`` as a text that can be kept, of ``limit`` characters at most; "" when it is none."""
    return storable(value).strip()[:limit] if isinstance(value, str) else ""


def read_date(value):
    """``value`` (YYYY-MM-DD) as a date; None when it is none."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def is_address(value):
    """Whether ``value`` may be the address in a link; it need not be one."""
    return _is_text(value, _MAX_ADDRESS)


def is_token(value):
    """Whether ``value`` may be a token."""
    return _is_text(value, _MAX_TOKEN) and value.isascii()


def _is_text(value, limit):
    return isinstance(value, str) and len(value) <= limit and value == read_text(value, limit)
