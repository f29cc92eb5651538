from . import (
    crm_lead,
    mailing_mailing,
    mailing_trace,
    nurture_hit,
    nurture_participant,
    nurture_step,
    nurture_trace,
    phone_blacklist,
    sms_sms,
    sms_tracker,
)
