# what the others extend comes first
from . import outcome  # isort: skip
from . import credit  # isort: skip
from . import account_move, credit_results, sale_order, sale_order_line
