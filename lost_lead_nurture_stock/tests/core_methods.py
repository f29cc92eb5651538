"""What of Odoo's own code the add-on changes or calls, see the module of the same name in
``lost_lead_nurture``."""

#: Methods of core that are overridden.
OVERRIDDEN = {
    "crm.lead._has_field_access": (
        "field, operation",
        "nobody writes by hand what was missing",
    ),
    "crm.lead.mail_allowed_qweb_expressions": (
        "",
        "who writes mails may name what the lead waits for",
    ),
}

#: Private methods of core that are called.
CALLED = {
    "ir.cron._commit_progress": (
        "processed, remaining, deactivate",
        "what is released and short is committed before leads enter",
    ),
    "product.product._get_domain_locations": (
        "",
        "which moves come to a warehouse, and which leave it",
    ),
    "uom.uom._compute_quantity": (
        "qty, to_unit, round, rounding_method, raise_if_failure",
        "what a quotation asks for, in the product's own unit",
    ),
}
