"""The versions of a message in an A/B test: what they are called, and who gets which."""

#: The first one is the step's own message; all others are a ``nurture.variant``.
LETTERS = ("A", "B", "C", "D")
FIRST = LETTERS[0]


def get_split(shares):
    """Which version an address gets that falls to a place from 0 to 1: the first one in whose range
    it lies. Shares that do not add up to 100 are taken in proportion.

    :param shares: ``{letter: share}``, not negative
    :return: list of ``{"letter", "upto"}``, without those that nobody gets; where nobody gets any
        of them, everybody gets the first
    """
    wanted = {letter: share for letter, share in shares.items() if share > 0} or {FIRST: 1}
    whole, upto, split = sum(wanted.values()), 0, []
    for letter in sorted(wanted):
        upto += wanted[letter]
        split.append({"letter": letter, "upto": upto / whole})
    return split


def get_shares(split):
    """The share of each version in a split, from 0 to 1.

    :return: ``{letter: share}``
    """
    below, shares = 0.0, {}
    for arm in split:
        shares[arm["letter"]] = arm["upto"] - below
        below = arm["upto"]
    return shares
