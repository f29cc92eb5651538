"""What of Odoo's own code the add-on changes or calls, see the module of the same name in
``lost_lead_nurture``."""

#: Methods of core that are overridden.
OVERRIDDEN = {
    "website.visitor._handle_webpage_dispatch": (
        "website_page",
        "whoever looks at a page enters soon",
    ),
}

#: Private methods of core that are called.
CALLED = {}
