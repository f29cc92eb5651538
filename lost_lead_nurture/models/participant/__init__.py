# what the others extend comes first
from . import participant  # isort: skip
from . import forgotten, goals, holdout, retention
