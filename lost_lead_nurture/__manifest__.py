{
    "name": "Lost Lead Nurture",
    "version": "19.0.1.0.0",
    "category": "Marketing/Email Marketing",
    "summary": "Win back lost leads with email sequences that react to what people do",
    "author": "Lost Lead Nurture contributors",
    "license": "LGPL-3",
    "depends": [
        "crm",
        "mass_mailing_crm",
        "mass_mailing_sale",
        "sale_crm",
        "sale_management",
    ],
    "data": [
        "security/lost_lead_nurture_groups.xml",
        "security/ir.model.access.csv",
        "security/lost_lead_nurture_security.xml",
        "data/ir_cron_data.xml",
        "data/nurture_preset_data.xml",
        "views/nurture_trace_views.xml",
        "views/nurture_participant_views.xml",
        "views/nurture_step_views.xml",
        "views/nurture_sequence_views.xml",
        "views/nurture_preset_views.xml",
        "views/crm_lead_views.xml",
        "views/crm_lost_reason_views.xml",
        "views/mailing_mailing_views.xml",
        "views/nurture_menus.xml",
    ],
    "demo": [
        
        
    ],
    "application": True,
    "installable": True,
}
