{
    "name": "Lost Lead Nurture: Back in Stock",
    "version": "19.0.1.0.0",
    "category": "Marketing/Email Marketing",
    "summary": "Sequences that write to lost leads once what they had asked for can be delivered",
    "author": "Lost Lead Nurture contributors",
    "license": "LGPL-3",
    "depends": [
        "lost_lead_nurture",
        "sale_stock",
    ],
    "data": [
        "security/ir.model.access.csv",
        "views/crm_lead_views.xml",
        "views/nurture_preset_views.xml",
        "views/nurture_sequence_views.xml",
        "data/nurture_template_texts.xml",
        "data/nurture_template_data.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "lost_lead_nurture_stock/static/src/**/*",
        ],
    },
    "pre_init_hook": "pre_init_hook",
    "auto_install": True,
}
