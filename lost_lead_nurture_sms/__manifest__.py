{
    "name": "Lost Lead Nurture: SMS",
    "version": "19.0.1.0.0",
    "category": "Marketing/Email Marketing",
    "summary": "Steps that send an SMS, in the sequences that win back lost leads",
    "author": "Lost Lead Nurture contributors",
    "license": "LGPL-3",
    "depends": [
        "lost_lead_nurture",
        "mass_mailing_sms",
    ],
    "data": [
        "views/mailing_mailing_views.xml",
        "views/nurture_sequence_views.xml",
        "views/nurture_step_views.xml",
        "views/res_config_settings_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "lost_lead_nurture_sms/static/src/**/*",
        ],
    },
    "pre_init_hook": "pre_init_hook",
    "auto_install": True,
}
