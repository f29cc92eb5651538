# what the others extend comes first
from . import sale_order  # isort: skip
from . import lead, mailing_trace, participant, price, sequence, step, trace
