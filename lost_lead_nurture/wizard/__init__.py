from . import (
    crm_lead_lost,
    mail_compose_message,
    nurture_dry_run,
    nurture_enrol,
    nurture_explain,
    nurture_let_in,
    nurture_resume,
    nurture_sequence_new,
    nurture_start,
    nurture_template_save,
    nurture_test,
    nurture_update,
)
