# what the others extend comes first
from . import timeline  # isort: skip
from . import participant, trace
