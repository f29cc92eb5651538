"""What small numbers say, and what they do not: rates, their differences, and when a difference
may be called one. Plain Python, so that whoever doubts a verdict can work it out again.

One kind of measure decides, the e-value: of numbers that of :func:`e_value`, of amounts that of
:func:`log_e_value_of_amounts`; all others are for reading.
"""

from itertools import accumulate, pairwise
from math import ceil, exp, inf, lgamma, log, prod, sqrt
from statistics import NormalDist
from typing import NamedTuple

#: Of how many true statements about nothing one may be wrong: 5 %.
ALPHA = 0.05
#: At this e-value something is decided: nothing comes to it by chance more often than in 5 % of
#: all comparisons, however often they are looked at (Ville's inequality).
DECIDED = 1 / ALPHA
LOG_DECIDED = log(DECIDED)
#: How often a comparison should find a difference that is there.
POWER = 0.8
#: How sure :func:`e_value` is of the shares before anything was counted, in conversions. Chosen by
#: what it finds soonest at the rates that mails have; any value keeps the 5 %.
PRIOR_WEIGHT = 40.0
#: What :func:`log_e_value_of_amounts` stakes on a payment, of what it has. Chosen by what it finds
#: soonest among plausible amounts; any stakes below 1 keep the 5 %.
STAKES = (0.25, 0.5)
#: From so many times the mean on, a payment counts in full, and no more: one customer who buys for
#: all the others decides nothing.
FULL_STAKE = 2.0
#: Who would wait for more than so many further recipients waits in vain.
TOO_MANY = 10_000_000

#: So often what is looked for is halved: it is as precise as a number then.
_STEPS = 60
#: Between these probabilities densities are looked at: those of 0 and 1 have no logarithm.
_LOWEST, _HIGHEST = 1e-9, 1 - 1e-9
_NORMAL = NormalDist()


class Interval(NamedTuple):
    """What is compatible with the numbers: in 95 of 100 cases the truth is from low to high."""

    low: float
    high: float


# ------------------------------------------------------------
# FOR READING
# ------------------------------------------------------------


def wilson(successes, trials, confidence=1 - ALPHA):
    """The interval of a rate, by Wilson's score (Wilson 1927; recommended by Brown, Cai and
    DasGupta 2001).

    :raise ValueError: when there are more successes than trials
    """
    _check(successes, trials)
    if not trials:
        return Interval(0.0, 1.0)
    z = _z(confidence)
    rate = successes / trials
    middle = rate + z * z / (2 * trials)
    spread = z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    whole = 1 + z * z / trials
    # none of none is exactly none, whatever the last digits of a square root are
    low = 0.0 if not successes else (middle - spread) / whole
    high = 1.0 if successes == trials else (middle + spread) / whole
    return Interval(low, high)


def difference(successes, trials, other_successes, other_trials, confidence=1 - ALPHA):
    """The interval of a difference of two rates, the first less the second: Newcombe's hybrid
    score without continuity correction (Newcombe 1998, method 10).

    :raise ValueError: when there are more successes than trials
    """
    return pooled_difference([(successes, trials, other_successes, other_trials)], confidence)[1]


def pooled_difference(tables, confidence=1 - ALPHA):
    """The difference of two rates over several groups, such as sequences, each of which may divide
    its recipients in another way: adding them all up would compare groups, not arms. Groups weigh
    as in Mantel and Haenszel (1959); the interval is Newcombe's, added up as in Zou and Donner
    (2008).

    :param tables: list of (successes, trials, other successes, other trials)
    :return: difference and :class:`Interval`; None and all that is possible, where no group has
        both arms
    :raise ValueError: when there are more successes than trials
    """
    weights = [
        trials * others / (trials + others) if others else 0.0 for _, trials, _, others in tables
    ]
    whole = sum(weights)
    if not whole:
        for successes, trials, other_successes, others in tables:
            _check(successes, trials)
            _check(other_successes, others)
        return None, Interval(-1.0, 1.0)
    middle = below = above = 0.0
    for weight, (successes, trials, other_successes, others) in zip(weights, tables, strict=True):
        if not weight:
            continue
        one, other = (
            wilson(successes, trials, confidence),
            wilson(other_successes, others, confidence),
        )
        rate, other_rate = successes / trials, other_successes / others
        share = weight / whole
        middle += share * (rate - other_rate)
        below += share**2 * ((rate - one.low) ** 2 + (other.high - other_rate) ** 2)
        above += share**2 * ((one.high - rate) ** 2 + (other_rate - other.low) ** 2)
    return middle, Interval(middle - sqrt(below), middle + sqrt(above))


def probability_best(arms):
    """How probable it is of each arm that its rate is the highest, with a uniform prior. Of two
    arms by Miller's closed form (E. Miller, "Formulas for Bayesian A/B Testing", 2014); of more
    by integration of the same.

    :param arms: list of (successes, trials)
    :return: list of probabilities, which add up to 1
    :raise ValueError: when there are more successes than trials
    """
    for successes, trials in arms:
        _check(successes, trials)
    if len(arms) == 2:
        second = _probability_higher(*(_beta_of(*arm) for arm in arms))
        return [1 - second, second]
    return _integrate_best([_beta_of(*arm) for arm in arms])


def sample_size(rate, other_rate, power=POWER, alpha=ALPHA):
    """How many recipients an arm needs to show that two rates differ, by the usual test of two
    proportions, looked at once (Fleiss, Levin and Paik 2003, 4.14). Not rounded.

    :return: infinity, when they are the same
    """
    if rate == other_rate:
        return inf
    mean = (rate + other_rate) / 2
    by_chance = _z(1 - alpha) * sqrt(2 * mean * (1 - mean))
    to_find = _NORMAL.inv_cdf(power) * sqrt(rate * (1 - rate) + other_rate * (1 - other_rate))
    return ((by_chance + to_find) / (rate - other_rate)) ** 2


def detectable(rate, trials, power=POWER, alpha=ALPHA):
    """The lowest rate above ``rate`` that as many recipients an arm can tell from it: what a list
    can never show is what is nearer.

    :return: None, when not even everybody would do
    """
    if sample_size(rate, 1.0, power, alpha) > trials:
        return None
    return _bisect(lambda other: sample_size(rate, other, power, alpha) <= trials, rate, 1.0)


# ------------------------------------------------------------
# FOR DECIDING
# ------------------------------------------------------------


def log_e_value(counts, shares, weight=PRIOR_WEIGHT):
    """The logarithm of :func:`e_value`, which may be too large for a number.

    :raise ValueError: when counts and shares do not belong together
    """
    arms = list(zip(counts, shares, strict=True))
    if not arms or min(*counts, *shares) < 0:
        raise ValueError("Each arm needs a count and a share")
    if any(count and not share for count, share in arms):
        # what cannot be has happened
        return inf
    whole, total = sum(shares), sum(counts)
    parts = [(count, share / whole) for count, share in arms if share]
    return (
        lgamma(weight)
        - lgamma(weight + total)
        + sum(
            lgamma(weight * part + count) - lgamma(weight * part) - count * log(part)
            for count, part in parts
        )
    )


def e_value(counts, shares, weight=PRIOR_WEIGHT):
    """How strongly counts speak against having come about by shares alone: the
    Dirichlet-multinomial e-value of Lindon and Malek (NeurIPS 2022), with the prior's mean at the
    shares. If arms do equally well, a conversion falls to an arm as often as a recipient does. It
    may be looked at every day: chance brings it to 20 in at most 5 % of all comparisons, ever.

    With the numbers of recipients as counts, and the shares that they were to have, it is the
    check that arms were divided as they should be.

    :param counts: conversions of each arm
    :param shares: recipients of each arm, or their shares
    :raise ValueError: when counts and shares do not belong together
    """
    return from_log(log_e_value(counts, shares, weight))


def from_log(logarithm):
    """An e-value of its logarithm."""
    try:
        return exp(logarithm)
    except OverflowError:
        return inf


def is_decided(counts, shares):
    """Whether counts may be said to differ from shares."""
    return log_e_value(counts, shares) >= LOG_DECIDED


def missing(counts, trials):
    """About how many recipients more, of all arms together, decide if rates stay what they are.

    :param counts: conversions of each arm
    :param trials: recipients of each arm
    :return: 0, when it is decided; None, when that is too far away to be said
    """

    def decides(factor):
        return is_decided([count * factor for count in counts], trials)

    return _find_missing(decides, sum(trials))


def log_e_value_of_amounts(payments, shares):
    """The logarithm of an e-value for amounts, such as revenue per recipient: testing by betting
    (Shafer 2021; Waudby-Smith and Ramdas 2024) on the arm that a paying recipient is in. If arms do
    equally well, whoever pays, and however much, is in an arm as often as a recipient is: the
    amount says nothing about it. So a player who puts a part of what she has on an arm, a larger
    one on a larger amount, wins nothing in the long run, and becomes 20 times as rich in at most
    5 % of all comparisons, ever (Ville's inequality). Here several play, each with one stake on one
    arm, and the e-value is what they have on average.

    What is put on a payment is settled before its arm is known, by the amounts up to it. Therefore
    a recipient pays once, with what was paid first: who has paid has shown the arm.

    :param payments: list of (number of the arm, amount above 0), in the order of time
    :param shares: recipients of each arm, or their shares
    :raise ValueError: when a payment is of no arm, or is none
    """
    return _log_mean(_play(payments, shares))


def missing_of_amounts(payments, trials):
    """As :func:`missing`, if payments go on as they were.

    :param payments: see :func:`log_e_value_of_amounts`
    :param trials: recipients of each arm
    """
    winnings = _play(payments, trials)

    def decides(factor):
        return _log_mean([factor * each for each in winnings]) >= LOG_DECIDED

    return _find_missing(decides, sum(trials))


def _play(payments, shares):
    """The logarithm of what each player has in the end, of 1 in the beginning."""
    whole = sum(shares)
    if any(amount <= 0 or shares[arm] <= 0 for arm, amount in payments):
        raise ValueError("Each payment is of an arm, and above 0")
    players = [(arm, stake) for arm, share in enumerate(shares) if share for stake in STAKES]
    winnings, total = [0.0] * len(players), 0.0
    for number, (paid_in, amount) in enumerate(payments, start=1):
        total += amount
        part = min(1.0, amount / (FULL_STAKE * total / number))
        for player, (arm, stake) in enumerate(players):
            odds = whole / shares[arm] if arm == paid_in else 0.0
            winnings[player] += log(1 + part * stake * (odds - 1))
    return winnings


def _log_mean(logarithms):
    """The logarithm of the mean of numbers of which logarithms are known."""
    if not logarithms:
        return 0.0
    highest = max(logarithms)
    return highest + log(sum(exp(each - highest) for each in logarithms) / len(logarithms))


def _find_missing(decides, whole):
    """How many recipients more it takes until ``decides`` holds.

    :param decides: whether so many times as many do
    :param whole: how many there are
    :return: None, when that is too far away to be said
    """
    if decides(1):
        return 0
    if not whole or not decides(limit := TOO_MANY / whole):
        return None
    return ceil(whole * (_bisect(decides, 1.0, limit) - 1))


# ------------------------------------------------------------
# ARITHMETIC
# ------------------------------------------------------------


def _check(successes, trials):
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no rate")


def _z(confidence):
    return _NORMAL.inv_cdf(0.5 + confidence / 2)


def _bisect(holds, low, high):
    """The lowest value for which ``holds``, which it does at ``high`` and above that value."""
    for _step in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _beta_of(successes, trials):
    """The parameters of what is believed of a rate, beginning with nothing at all."""
    return successes + 1, trials - successes + 1


def _log_beta(alpha, beta):
    return lgamma(alpha) + lgamma(beta) - lgamma(alpha + beta)


def _probability_higher(one, other):
    """Miller's closed form: how probable it is that ``other`` is higher than ``one``."""
    (alpha, beta), (other_alpha, other_beta) = one, other
    own = _log_beta(alpha, beta)
    return sum(
        exp(
            _log_beta(alpha + i, beta + other_beta)
            - log(other_beta + i)
            - _log_beta(1 + i, other_beta)
            - own
        )
        for i in range(other_alpha)
    )


def _integrate_best(arms):
    """For each arm the integral of its density times the probability that all others are lower."""
    points = _points(arms)
    densities = [[_density(x, *arm) for x in points] for arm in arms]
    below = [_add_up(points, density) for density in densities]
    chances = []
    for own, density in enumerate(densities):
        others = [lower for arm, lower in enumerate(below) if arm != own]
        product = [value * prod(lower[i] for lower in others) for i, value in enumerate(density)]
        chances.append(_add_up(points, product).pop())
    whole = sum(chances)
    return [chance / whole for chance in chances]


def _points(arms):
    """Where densities are looked at: close together where one of them is high."""
    points = {_LOWEST, _HIGHEST}
    for alpha, beta in arms:
        whole = alpha + beta
        spread = sqrt(alpha * beta / (whole + 1)) / whole
        near = (alpha / whole + spread * step / 20 for step in range(-200, 201))
        points.update(min(max(point, _LOWEST), _HIGHEST) for point in near)
    return sorted(points)


def _density(x, alpha, beta):
    return exp((alpha - 1) * log(x) + (beta - 1) * log(1 - x) - _log_beta(alpha, beta))


def _add_up(points, values):
    """Twice the integral up to each point, by trapezoids: only proportions matter."""
    ends = zip(pairwise(points), pairwise(values), strict=True)
    parts = ((right - left) * (low + high) for (left, right), (low, high) in ends)
    return list(accumulate(parts, initial=0.0))
