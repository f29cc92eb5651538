# what the others extend comes first
from . import sequence  # isort: skip
from . import (
    audience,
    dashboard,
    entry,
    explain,
    failures,
    statistics,
    goals,
    lift,
    money,
    overview,
    preview,
    results,
    template,
    test,
    timing,
    update,
    waits,
    workers,
    workflow,
)
