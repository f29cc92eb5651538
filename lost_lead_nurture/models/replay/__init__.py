from . import past, sequence, step
