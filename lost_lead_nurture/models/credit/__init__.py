# what the others extend comes first
from . import credit  # isort: skip
from . import account_move_line, sale_order
