# what the others extend comes first
from . import mailing  # isort: skip
from . import mailing_trace  # isort: skip
from . import (
    hit,
    ir_mail_server,
    ir_qweb,
    link_tracker,
    mail_alias_domain,
    mail_blacklist,
    mail_mail,
    mail_render_mixin,
    mail_thread,
    mail_thread_blacklist,
    mailing_ab_test,
    mailing_clicks,
    mailing_guard,
    mailing_opt_out,
    mailing_reach,
    mailing_results,
    mailing_trace_answer,
    mailing_trace_leaving,
    mailing_trace_statistics,
    mailing_trace_refusal,
    mailing_trace_report,
    preference,
    preference_page,
    utm_source,
)
