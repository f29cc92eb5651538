# what the others extend comes first
from . import choice_mixin  # isort: skip
from . import guard_mixin  # isort: skip
from . import hints_mixin  # isort: skip
from . import results_mixin  # isort: skip
from . import (
    calendar_event,
    digest,
    ir_actions_server,
    ir_attachment,
    ir_cron,
    kept,
    mail_activity,
    res_company,
    res_config_settings,
    res_partner,
    res_users,
    resource_calendar,
)
