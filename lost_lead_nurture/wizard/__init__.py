from . import (
    crm_lead_lost,
    mail_compose_message,
    nurture_dry_run,
    nurture_enrol,
    nurture_explain,
    nurture_resume,
    nurture_test,
    nurture_update,
)
