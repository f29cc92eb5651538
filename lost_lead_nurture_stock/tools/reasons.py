"""Why a lead does not enter a sequence that waits for stock, and why it leaves it."""

#: Why a lead that nothing else excludes does not enter a sequence that waits for stock.
STOCK_REASONS = [
    ("no_product", "It is not known which products it waits for"),
    ("not_in_stock", "Its products cannot be delivered yet"),
    ("stock_taken", "Its products can be delivered, but others come first"),
]

#: ``nurture.participant.exit_reason``
STOCK_EXITS = [
    ("out_of_stock", "Out of stock again"),
    ("stock_taken", "What there is was offered to others"),
]
