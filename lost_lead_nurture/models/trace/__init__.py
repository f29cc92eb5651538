# what the others extend comes first
from . import trace  # isort: skip
from . import batch, engine, events, preview, timing, variant
