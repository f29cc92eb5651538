"""One address, however it is written.

A domain such as bücher.example travels as xn--bcher-kva.example. People write the former, mail
servers the latter, and for blacklists, duplicates and caps both are one address. Here the readable
one is the address, and the other one what is written on the envelope.
"""

import unicodedata
from collections.abc import Set

import idna

from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mail import email_normalize_all, email_split_tuples, formataddr

#: What stands before the @ where no person is meant (RFC 2142, and what companies use).
ROLES = {
    *("abuse", "accounting", "accounts", "admin", "administration", "administrator", "all"),
    *("anfrage", "anfragen", "bestellung", "billing", "biuro", "bonjour", "buchhaltung"),
    *("comercial", "commercial", "compliance", "compras", "compta", "contact", "contacto"),
    *("contatti", "customerservice", "desk", "dpo", "einkauf", "empfang", "enquiries"),
    *("enquiry", "everyone", "feedback", "finance", "frontdesk", "gdpr", "hello", "help"),
    *("helpdesk", "hi", "hola", "hostmaster", "hr", "info", "informacion", "information"),
    *("inquiries", "invoice", "invoices", "it", "jobs", "karriere", "kontakt", "legal"),
    *("mail", "marketing", "media", "no-reply", "noc", "noreply", "office", "orders"),
    *("personal", "post", "postmaster", "presse", "press", "privacy", "purchasing"),
    *("rechnung", "rechnungen", "reception", "sales", "secretary", "security"),
    *("sekretariat", "service", "shop", "sklep", "spam", "staff", "support", "team"),
    *("tech", "vendas", "ventas", "verkauf", "vertrieb", "webmaster", "welcome"),
    *("zentrale",),
}


def canonical(address):
    """The one spelling of a normalized ``address``; plain ones are returned as they are."""
    if not _has_spellings(address):
        return address
    local, at, domain = unicodedata.normalize("NFC", address).rpartition("@")
    try:
        domain = idna.decode(idna.encode(domain, uts46=True))
    except UnicodeError:
        # no domain that could be written otherwise
        domain = domain.lower()
    return local + at + domain


def on_wire(address):
    """``address`` as it is written on the envelope: its domain in ASCII, where it is one."""
    local, at, domain = (address or "").rpartition("@")
    if domain.isascii():
        return address
    try:
        return local + at + idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return address


def spellings(addresses):
    """All spellings of normalized ``addresses``, as a set."""
    found = set()
    for address in filter(None, addresses):
        one = canonical(address)
        found |= {address, one, on_wire(one)}
    return found


def is_plain(text):
    """Whether ``text`` has no more than one address, which can be written in one way only."""
    return not text or (text.count("@") < 2 and not _has_spellings(text))


def first_address(text):
    """The first address in ``text`` that a mail can be sent to, in its one spelling.

    :return: the address; False when there is none
    """
    addresses = email_normalize_all(text or "")
    for address in addresses:
        local, _at, domain = address.rpartition("@")
        if local and domain:
            return canonical(address)
    return canonical(addresses[0]) if addresses else False


def format_on_wire(text):
    """The addresses in the header ``text``, with their names, as they travel."""
    return ", ".join(formataddr((name, on_wire(address))) for name, address in _split(text))


def name_in(text, address):
    """The name that ``text`` gives to ``address``; "" when there is none that can be written in
    front of it."""
    for name, other in _split(text):
        if canonical(next(iter(email_normalize_all(other)), "")) == address:
            # a name that looks like an address might be taken for one
            return "" if "@" in name else " ".join(name.split())
    return ""


def by_spelling(domain, field):
    """``domain`` with the addresses that are looked for in ``field`` in their one spelling."""

    def respell(condition):
        value = condition.value
        if condition.field_expr != field:
            return condition
        if isinstance(value, str):
            value = canonical(value)
        elif isinstance(value, (list, tuple, Set)):
            value = [canonical(one) if isinstance(one, str) else one for one in value]
        else:
            return condition
        return Domain(field, condition.operator, value)

    domain = Domain(domain)
    if not any(condition.field_expr == field for condition in domain.iter_conditions()):
        return domain
    return domain.map_conditions(respell)


def sql_has_spellings(column):
    """SQL of whether the normalized address in ``column`` can be written otherwise."""
    return SQL("(%(column)s ~ '[^[:ascii:]]' OR strpos(%(column)s, 'xn--') > 0)", column=column)


def sql_respell(cr, table, column):
    """SQL that writes the normalized addresses in ``column`` in their one spelling, which hardly
    any row needs; None when none does."""
    names = {"table": SQL.identifier(table), "column": SQL.identifier(column)}
    cr.execute(
        SQL(
            "SELECT DISTINCT %(column)s FROM %(table)s WHERE %(wanted)s",
            wanted=sql_has_spellings(names["column"]),
            **names,
        )
    )
    old = [address for (address,) in cr.fetchall() if canonical(address) != address]
    if not old:
        return None
    return SQL(
        "UPDATE %(table)s SET %(column)s = known.new"
        " FROM (SELECT unnest(%(old)s) AS old, unnest(%(new)s) AS new) known"
        " WHERE %(column)s = known.old",
        old=old,
        new=[canonical(address) for address in old],
        **names,
    )


def _has_spellings(address):
    return bool(address) and (not address.isascii() or "xn--" in address.lower())


def _split(text):
    return email_split_tuples(text or "")
