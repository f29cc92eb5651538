"""What a message costs."""

#: Digits of a price: it goes further than the cent.
PRICE_DIGITS = (16, 5)
