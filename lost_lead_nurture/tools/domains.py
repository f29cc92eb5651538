"""Domains that people write."""

from ast import literal_eval

import psycopg2

from odoo.exceptions import ValidationError
from odoo.fields import Domain


def parse_domain(model, text):
    """The ``Domain`` that ``text`` writes down, tried on ``model``.

    :raise ValidationError: in the user's words, when it is not a domain or not one for ``model``
    """
    env = model.env
    try:
        domain = Domain(literal_eval(text or "[]"))
        with env.cr.savepoint(flush=False):
            model.sudo().search(domain, limit=1)
    except (ValueError, SyntaxError, TypeError, KeyError, psycopg2.Error) as error:
        raise ValidationError(
            env._("This filter cannot be used: %(domain)s\n%(error)s", domain=text, error=error)
        ) from error
    return domain
