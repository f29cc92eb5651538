# what the others extend comes first
from . import further_mail_mixin  # isort: skip
from . import step  # isort: skip
from . import (
    ab_statistics,
    ab_test,
    action,
    activity,
    audience,
    mail,
    offer,
    opt_in,
    rights,
    template,
    translation,
    variant,
    workflow,
)
