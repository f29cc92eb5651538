# what the others extend comes first
from . import lead  # isort: skip
from . import (
    address,
    choice,
    conditions,
    locked,
    lost_reason,
    offer,
    preference,
    preset,
    status,
)
