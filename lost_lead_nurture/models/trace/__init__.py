# what the others extend comes first
from . import trace  # isort: skip
from . import batch, engine, events, opt_in, pace, preference, preview, timing, variant
