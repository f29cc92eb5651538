{
    "name": "Lost Lead Nurture: Job Queue",
    "version": "19.0.1.0.0",
    "category": "Marketing/Email Marketing",
    "summary": "Due steps of sequences are worked off by jobs of OCA's queue_job",
    "author": "Lost Lead Nurture contributors",
    "license": "LGPL-3",
    "depends": [
        "lost_lead_nurture",
        "queue_job",
    ],
    "data": [
        "data/queue_job_data.xml",
        "views/res_config_settings_views.xml",
    ],
    "uninstall_hook": "uninstall_hook",
    "auto_install": True,
}
