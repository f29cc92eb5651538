{
    "name": "Lost Lead Nurture: Website",
    "version": "19.0.1.0.0",
    "category": "Marketing/Email Marketing",
    "summary": "Sequences that lost leads enter when they look at a page of the website",
    "author": "Lost Lead Nurture contributors",
    "license": "LGPL-3",
    "depends": [
        "lost_lead_nurture",
        "website_crm",
    ],
    "data": [
        "views/nurture_sequence_views.xml",
        "data/nurture_template_texts.xml",
        "data/nurture_template_data.xml",
    ],
    "pre_init_hook": "pre_init_hook",
    "auto_install": True,
}
