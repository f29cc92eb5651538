"""What small numbers say, held against published values, another library, and simulations."""

import itertools
import math
import random
import unittest

from statsmodels.stats import proportion

from . import pure

inference = pure.load("inference")

#: Simulated comparisons.
REPEATS = 2000


def draw(rng, number, rate):
    """How many of so many recipients do it."""
    return sum(rng.random() < rate for _ in range(number))


class TestForReading(unittest.TestCase):
    def assertInterval(self, interval, low, high, places=4):  # noqa: N802
        self.assertAlmostEqual(interval.low, low, places)
        self.assertAlmostEqual(interval.high, high, places)

    def test_wilson(self):
        """The values of Newcombe (1998), table I."""
        self.assertInterval(inference.wilson(81, 263), 0.2553, 0.3662)
        self.assertInterval(inference.wilson(0, 20), 0.0, 0.1611)
        self.assertInterval(inference.wilson(20, 20), 1 - 0.1611, 1.0)
        self.assertInterval(inference.wilson(0, 0), 0.0, 1.0)
        narrow = inference.wilson(81, 263, confidence=0.5)
        self.assertLess(narrow.high - narrow.low, 0.05)

    def test_difference(self):
        """The values of Newcombe (1998), table II."""
        for table, low, high in (
            ((56, 70, 48, 80), 0.0524, 0.3339),
            ((9, 10, 3, 10), 0.1705, 0.8090),
            ((5, 56, 0, 29), -0.0381, 0.1926),
            ((0, 10, 0, 20), -0.1611, 0.2775),
        ):
            with self.subTest(table):
                self.assertInterval(inference.difference(*table), low, high)

    def test_another_library(self):
        """statsmodels comes to the same on 200 random tables."""
        rng = random.Random(13)
        for _ in range(200):
            trials, others = rng.randint(1, 3000), rng.randint(1, 3000)
            table = (rng.randint(0, trials), trials, rng.randint(0, others), others)
            with self.subTest(table):
                theirs = proportion.confint_proportions_2indep(
                    *table, compare="diff", method="newcomb"
                )
                self.assertInterval(inference.difference(*table), *theirs, places=9)
                theirs = proportion.proportion_confint(*table[:2], method="wilson")
                self.assertInterval(inference.wilson(*table[:2]), *theirs, places=9)

    def test_pooled(self):
        """Where the groups are alike they are as one; where each divides its recipients
        differently, the sum of both would show an effect that none of them has."""
        middle, interval = inference.pooled_difference([(40, 100, 20, 100)] * 4)
        self.assertAlmostEqual(middle, 0.2)
        of_all = inference.difference(160, 400, 80, 400)
        self.assertInterval(interval, of_all.low, of_all.high, places=2)
        paradox = [(90, 100, 9, 10), (1, 10, 10, 100)]
        self.assertAlmostEqual(inference.pooled_difference(paradox)[0], 0.0)
        self.assertGreater(91 / 110 - 19 / 110, 0.6)
        alone, _interval = inference.pooled_difference([(9, 10, 3, 10), (5, 5, 0, 0)])
        self.assertAlmostEqual(alone, 0.6)
        alone, _interval = inference.pooled_difference([(5, 5, 0, 0), (9, 10, 3, 10)])
        self.assertAlmostEqual(alone, 0.6)
        self.assertEqual(
            inference.pooled_difference([(5, 5, 0, 0)]), (None, inference.Interval(-1.0, 1.0))
        )

    def test_pooled_by_hand(self):
        """Groups weigh by how many there are in them, as in Mantel and Haenszel (1959): 10 of 11
        parts for the first one here. What is not sure of each adds up by the squares."""
        tables, shares = [(60, 100, 40, 100), (5, 10, 0, 10)], (10 / 11, 1 / 11)
        middle, interval = inference.pooled_difference(tables)
        self.assertAlmostEqual(middle, 10 / 11 * 0.2 + 1 / 11 * 0.5)
        below = above = 0.0
        for (one, trials, other, others), share in zip(tables, shares, strict=True):
            alone = inference.difference(one, trials, other, others)
            below += (share * (one / trials - other / others - alone.low)) ** 2
            above += (share * (alone.high - (one / trials - other / others))) ** 2
        self.assertInterval(interval, middle - below**0.5, middle + above**0.5, places=9)
        # arms of different size: 20 * 80 / 100 and 50 * 50 / 100 recipients
        middle, _interval = inference.pooled_difference([(20, 20, 0, 80), (25, 50, 25, 50)])
        self.assertAlmostEqual(middle, 16 / 41)

    def test_probability_best(self):
        first, second = inference.probability_best([(100, 1000), (120, 1000)])
        self.assertAlmostEqual(second, 0.92318, 5)
        self.assertAlmostEqual(first + second, 1.0)
        for chance in inference.probability_best([(0, 0), (0, 0)]):
            self.assertAlmostEqual(chance, 0.5)

    def test_probability_best_of_several(self):
        """The integral of more arms is the closed form where one of them cannot win, and what
        drawing from all of them comes to."""
        hopeless = inference.probability_best([(100, 1000), (120, 1000), (0, 5000)])
        self.assertAlmostEqual(hopeless[1], 0.92318, 4)
        arms = [(12, 100), (15, 100), (9, 50), (3, 40)]
        chances = inference.probability_best(arms)
        self.assertAlmostEqual(sum(chances), 1.0)
        rng = random.Random(4)
        wins = [0] * len(arms)
        for _ in range(20_000):
            rates = [rng.betavariate(1 + hits, 1 + trials - hits) for hits, trials in arms]
            wins[rates.index(max(rates))] += 1
        for chance, won in zip(chances, wins, strict=True):
            self.assertAlmostEqual(chance, won / 20_000, delta=0.012)
        for chance in inference.probability_best([(0, 7)] * 3):
            self.assertAlmostEqual(chance, 1 / 3, 3)
        self.assertEqual(inference.probability_best([(3, 10)]), [1.0])

    def test_probability_best_by_hand(self):
        """What is believed at first is the same for all rates: nothing is known of two arms, and
        the integral of a polynomial is what is known of the third."""
        nothing = [(0, 0), (0, 0)]
        for arm, expected in (((1, 1), 1 / 2), ((0, 1), 1 / 6), ((7, 7), 4 / 5), ((0, 7), 1 / 45)):
            with self.subTest(arm):
                chances = inference.probability_best([arm, *nothing])
                self.assertAlmostEqual(chances[0], expected, 3)
                self.assertAlmostEqual(chances[1], (1 - expected) / 2, 3)

    def test_sample_size(self):
        """The value of Fleiss, Levin and Paik, before continuity correction."""
        self.assertAlmostEqual(inference.sample_size(0.5, 0.75, power=0.9), 76.7, 1)
        self.assertEqual(inference.sample_size(0.75, 0.5), inference.sample_size(0.5, 0.75))
        self.assertEqual(inference.sample_size(0.1, 0.1), math.inf)
        # of 5 % of all comparisons it finds something where nothing is, of 80 % what there is
        self.assertEqual(math.ceil(inference.sample_size(0.05, 0.10)), 435)

    def test_detectable(self):
        """It is the rate for which the sample size is what there is."""
        other = inference.detectable(0.05, 1000)
        self.assertAlmostEqual(inference.sample_size(0.05, other), 1000, 3)
        self.assertGreater(other, 0.05)
        self.assertLess(inference.detectable(0.05, 5000), other)
        self.assertIsNone(inference.detectable(0.05, 2))
        for rate, trials in ((0.05, 50), (0.9, 200)):
            other = inference.detectable(rate, trials)
            self.assertAlmostEqual(inference.sample_size(rate, other), trials, 3)

    def test_no_rates(self):
        for call in (
            lambda: inference.wilson(3, 2),
            lambda: inference.wilson(-1, 2),
            lambda: inference.difference(1, 2, 3, 2),
            lambda: inference.pooled_difference([(3, 2, 0, 0)]),
            lambda: inference.pooled_difference([(0, 0, 3, 2)]),
            lambda: inference.probability_best([(1, 2), (3, 2)]),
        ):
            with self.assertRaisesRegex(ValueError, "is no rate"):
                call()


class TestEValue(unittest.TestCase):
    def test_when_it_is_decided(self):
        """What docs/rules.md promises."""
        self.assertIn("A winner** is named at an e-value of 20 and never before", pure.rules())
        self.assertAlmostEqual(inference.DECIDED, 20.0)
        self.assertAlmostEqual(inference.from_log(inference.LOG_DECIDED), 20.0)

    def test_formula(self):
        """By hand, with the Gamma function of whole numbers: a uniform prior, 5 and 1 of 6."""
        self.assertAlmostEqual(inference.e_value([5, 1], [1, 1], weight=2.0), 2**6 / (7 * 6))
        self.assertAlmostEqual(inference.e_value([0, 0], [1, 1]), 1.0)
        self.assertAlmostEqual(
            inference.e_value([5, 1], [2, 2]), inference.e_value([5, 1], [0.5, 0.5])
        )
        self.assertAlmostEqual(
            inference.e_value([8, 1, 3], [3, 1, 2]), inference.e_value([3, 8, 1], [2, 3, 1])
        )

    def test_it_is_fair(self):
        """What makes the 5 %: by chance alone it is 1 on average, for every number of conversions
        and whatever the shares."""
        for shares in ((0.5, 0.5), (0.9, 0.1)):
            for total in (1, 7, 60):
                mean = sum(
                    math.comb(total, hits)
                    * shares[0] ** hits
                    * shares[1] ** (total - hits)
                    * inference.e_value([hits, total - hits], shares)
                    for hits in range(total + 1)
                )
                self.assertAlmostEqual(mean, 1.0, 9)

    def test_large_numbers(self):
        self.assertEqual(inference.e_value([90_000, 10_000], [1, 1]), math.inf)
        self.assertTrue(inference.is_decided([90_000, 10_000], [1, 1]))
        self.assertFalse(inference.is_decided([50_000, 50_010], [1, 1]))

    def test_shares(self):
        """An arm that nobody is in is none; what happens in it all the same cannot be chance."""
        self.assertAlmostEqual(
            inference.e_value([5, 1, 0], [1, 1, 0]), inference.e_value([5, 1], [1, 1])
        )
        self.assertEqual(inference.e_value([5, 1], [1, 0]), math.inf)
        for counts, shares in (([1], [1, 1]), ([], []), ([-1, 2], [1, 1]), ([1, 2], [-1, 1])):
            with self.assertRaises(ValueError):
                inference.e_value(counts, shares)

    def test_sample_ratio(self):
        """A holdout of 10 % that has 15 of 100 is chance, one that has 200 of 1,000 is a fault."""
        self.assertFalse(inference.is_decided([85, 15], [90, 10]))
        self.assertTrue(inference.is_decided([800, 200], [90, 10]))

    def look_every_day(self, rng, rates, daily, days):
        """The day on which a difference is seen, or None."""
        counts, trials = [0, 0], [0, 0]
        for day in range(1, days + 1):
            for arm, rate in enumerate(rates):
                counts[arm] += draw(rng, daily, rate)
                trials[arm] += daily
            if inference.is_decided(counts, trials):
                return day
        return None

    def test_no_difference(self):
        """Of 2,000 comparisons of the same with the same, looked at every day, at most 5 % name a
        winner."""
        rng = random.Random(2022)
        named = sum(
            self.look_every_day(rng, (0.1, 0.1), 20, 30) is not None for _ in range(REPEATS)
        )
        self.assertLessEqual(named / REPEATS, 0.05)
        self.assertGreater(named, 0, "or it never names one")

    def test_difference(self):
        """5 and 10 % with 1,000 an arm: at least 85 % of the comparisons find it."""
        rng = random.Random(85)
        found = sum(self.look_every_day(rng, (0.05, 0.10), 50, 20) is not None for _ in range(400))
        self.assertGreaterEqual(found / 400, 0.85)

    def test_missing(self):
        """With as many more as it says, at the same rates, it is decided; with fewer it is not."""
        counts, trials = [10, 14], [300, 300]
        more = inference.missing(counts, trials)
        self.assertGreater(more, 0)
        for number, decided in ((more, True), (more * 0.98, False)):
            factor = 1 + number / 600
            self.assertEqual(
                inference.is_decided([count * factor for count in counts], trials), decided
            )
        self.assertEqual(inference.missing([50, 100], [1000, 1000]), 0)
        more = inference.missing([30, 55], [1000, 1000])
        self.assertTrue(0 < more < 1000, more)
        self.assertIsNone(inference.missing([1000, 1005], [10_000, 10_000]), "in vain")
        self.assertIsNone(inference.missing([0, 0], [300, 300]))
        self.assertIsNone(inference.missing([10, 10], [300, 300]))
        self.assertIsNone(inference.missing([0, 0], [0, 0]))


class TestAmounts(unittest.TestCase):
    """The e-value of amounts, such as revenue per recipient."""

    def pay(self, rng, number, rates, scales=(1, 1), shares=(1, 1)):
        """Who of so many recipients paid how much, one after the other: (arm, amount)."""
        payments = []
        for _ in range(number):
            (arm,) = rng.choices(range(len(shares)), shares)
            if rng.random() < rates[arm]:
                # some pay ten times as much as others
                payments.append((arm, scales[arm] * rng.lognormvariate(4, 1)))
        return payments

    def look_after_each(self, payments, shares=(1, 1)):
        """Whether it is decided at any time."""
        return any(
            inference.log_e_value_of_amounts(payments[:number], shares) >= inference.LOG_DECIDED
            for number in range(1, len(payments) + 1)
        )

    def test_by_hand(self):
        """One payment, which is the mean: half of each stake. Who had put it on the arm with a
        quarter of the recipients gets four times that."""
        parts = [0.5 * stake for stake in inference.STAKES]
        has = [1 + 3 * part for part in parts] + [1 - part for part in parts]
        self.assertAlmostEqual(
            inference.log_e_value_of_amounts([(0, 70.0)], [1, 3]), math.log(sum(has) / 4)
        )
        self.assertEqual(inference.log_e_value_of_amounts([], [1, 1]), 0.0)

    def test_the_currency_says_nothing(self):
        for payments in ([(0, 70.0)], [(0, 5.0), (1, 20.0), (1, 1.0), (0, 4.0)]):
            expected = inference.log_e_value_of_amounts(payments, [1, 3])
            for factor in (0.001, 1000.0):
                others = [(arm, amount * factor) for arm, amount in payments]
                self.assertAlmostEqual(
                    inference.log_e_value_of_amounts(others, [1, 3]), expected, msg=factor
                )

    def test_a_part_is_put_on_each_payment(self):
        """Never nothing, or all there is, which would be lost."""
        for stake in inference.STAKES:
            self.assertTrue(0 < stake < 1, stake)

    def test_nobody_to_pay(self):
        self.assertEqual(inference.log_e_value_of_amounts([], [0, 0]), 0.0)

    def test_it_is_fair(self):
        """By chance alone it is 1 on average over all arms that payments could be in, whatever the
        amounts and shares; also of each payment after those before."""
        amounts = (5.0, 300.0, 20.0, 20.0, 1.0, 4000.0)
        for shares in ((0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5)):
            mean = sum(
                math.prod(shares[arm] for arm in arms)
                * math.exp(
                    inference.log_e_value_of_amounts(list(zip(arms, amounts, strict=True)), shares)
                )
                for arms in itertools.product(range(len(shares)), repeat=len(amounts))
            )
            self.assertAlmostEqual(mean, 1.0, 9)

    def test_no_difference(self):
        """Of 2,000 comparisons of the same with the same, looked at after each payment, at most 5 %
        name a winner."""
        rng = random.Random(2024)
        named = sum(
            self.look_after_each(self.pay(rng, 1000, (0.05, 0.05), shares=(7, 3)), (7, 3))
            for _ in range(REPEATS)
        )
        self.assertLessEqual(named / REPEATS, 0.05)
        self.assertGreater(named, 0, "or it never names one")

    def test_difference(self):
        """It finds that twice as many pay, and that as many pay three times as much."""
        for seed, rates, scales in ((1, (0.05, 0.10), (1, 1)), (2, (0.08, 0.08), (1, 3))):
            rng = random.Random(seed)
            found = 0
            for _ in range(300):
                payments = self.pay(rng, 3000, rates, scales)
                found += inference.log_e_value_of_amounts(payments, (1, 1)) >= inference.LOG_DECIDED
            with self.subTest(rates=rates, scales=scales):
                self.assertGreaterEqual(found / 300, 0.8)

    def test_one_large_payment(self):
        """One who pays more than all others together decides nothing."""
        payments = [(number % 2, 10.0) for number in range(40)]
        self.assertLess(
            inference.log_e_value_of_amounts([*payments, (1, 1e9)], (1, 1)), inference.LOG_DECIDED
        )

    def test_missing(self):
        """With as many more as it says, in the same proportion, it is decided, and not much
        sooner."""
        payments = [(0, 50.0), (1, 60.0), (1, 40.0)] * 4
        more = inference.missing_of_amounts(payments, [100, 100])
        self.assertGreater(more, 0)
        times = 1 + more / 200
        self.assertFalse(
            inference.missing_of_amounts(payments * math.ceil(times + 1), [100, 100]),
            "decided",
        )
        self.assertTrue(inference.missing_of_amounts(payments * math.floor(times - 1), [100, 100]))
        even = [(0, 50.0), (1, 50.0)] * 10
        self.assertIsNone(inference.missing_of_amounts(even, [100, 100]))
        self.assertIsNone(inference.missing_of_amounts([], [100, 100]))
        self.assertIsNone(inference.missing_of_amounts([], [0, 0]))

    def test_no_payments(self):
        for payments, shares in (([(0, 0.0)], (1, 1)), ([(0, -5.0)], (1, 1)), ([(1, 5.0)], (1, 0))):
            with self.assertRaises(ValueError):
                inference.log_e_value_of_amounts(payments, shares)
