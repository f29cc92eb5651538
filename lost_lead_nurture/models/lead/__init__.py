# what the others extend comes first
from . import lead  # isort: skip
from . import (
    address,
    choice,
    conditions,
    cure,
    locked,
    lost_reason,
    offer,
    preference,
    preset,
    reason,
    silence,
    silent,
    status,
)
