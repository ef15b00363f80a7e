"""The statistics of an A/B report: held to other libraries and to simulations whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from eval.ab_statistics import adjusted, difference, mean_of, ratio_of, split_p

RUNS = 1500


def test_a_difference_of_means_is_welchs() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.poisson(1.0, 4000).astype(float), rng.poisson(1.1, 1500).astype(float)
    found = difference(mean_of(a), mean_of(b))
    wanted = stats.ttest_ind(b, a, equal_var=False)
    low, high = wanted.confidence_interval(0.95)
    assert found.interval.mean == pytest.approx(b.mean() - a.mean())
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=1e-4)
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-2)
    error = math.hypot(a.std(ddof=1) / 4000**0.5, b.std(ddof=1) / 1500**0.5)
    assert found.detectable == pytest.approx((1.959964 + 0.841621) * error, rel=1e-6)


def simulated(lift: float, seed: int, n: int = 400) -> tuple[float, float]:
    """Return the p of the mean and of the ratio, for shoppers who differ in how much they look and like."""
    rng = np.random.default_rng(seed)
    estimates = []
    for more in (0.0, lift):
        shown = 8.0 * rng.geometric(0.3, n)
        keen = rng.beta(2, 18, n) * (1 + more)
        clicks = rng.binomial(shown.astype(int), keen).astype(float)
        estimates.append((mean_of(clicks), ratio_of(clicks, shown)))
    (mean_a, ratio_a), (mean_b, ratio_b) = estimates
    return difference(mean_a, mean_b).p, difference(ratio_a, ratio_b).p


def test_without_a_difference_one_in_twenty_finds_one() -> None:
    ps = np.array([simulated(0.0, seed) for seed in range(RUNS)])
    wrong = (ps < 0.05).mean(axis=0)
    # Four standard errors of 1,500 draws at 5%: 0.0225.
    assert np.all(np.abs(wrong - 0.05) < 0.0225), wrong


def test_a_naive_test_by_looks_would_find_one_far_more_often() -> None:
    """What the delta method is for: looks of one shopper are not independent of each other."""
    wrong = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        shown = [8 * rng.geometric(0.3, 400) for _ in range(2)]
        clicks = [rng.binomial(n, rng.beta(2, 18, 400)) for n in shown]
        table = [[c.sum(), n.sum() - c.sum()] for c, n in zip(clicks, shown, strict=True)]
        wrong += stats.chi2_contingency(table).pvalue < 0.05
    assert wrong / 300 > 0.12


def test_the_least_effect_to_be_seen_is_seen_four_times_in_five() -> None:
    rng, n, found = np.random.default_rng(0), 500, 0
    effect = 2.801585 * math.sqrt(2 / n)
    for _ in range(RUNS):
        a, b = rng.normal(0, 1, n), rng.normal(effect, 1, n)
        found += difference(mean_of(a), mean_of(b)).p < 0.05
    assert abs(found / RUNS - 0.8) < 4 * (0.8 * 0.2 / RUNS) ** 0.5


def test_the_past_takes_its_share_of_the_scatter_and_none_of_the_difference() -> None:
    rng = np.random.default_rng(3)
    past = [rng.poisson(5, 3000).astype(float) for _ in range(2)]
    values = [each + more + rng.normal(0, 1, 3000) for each, more in zip(past, (0.0, 0.3), strict=True)]
    plain = difference(*(mean_of(each) for each in values))
    less = difference(*(mean_of(each) for each in adjusted(values, past)))
    # Var(y) = 5 + 1, of which the past explains 5.
    assert (less.interval.high - less.interval.low) / (plain.interval.high - plain.interval.low) == pytest.approx(
        (1 / 6) ** 0.5, rel=0.05
    )
    assert less.interval.low < 0.3 < less.interval.high
    nothing = [np.zeros(3000), np.zeros(3000)]
    assert all(np.array_equal(a, b) for a, b in zip(adjusted(values, nothing), values, strict=True))


def test_a_lost_share_of_one_arm_is_noticed() -> None:
    assert split_p([5000, 5000], [0.5, 0.5]) == 1.0
    # (5000 - 4750)^2 / 4750 + (4500 - 4750)^2 / 4750 = 26.3
    assert split_p([5000, 4500], [0.5, 0.5]) == pytest.approx(stats.chi2.sf(2 * 250**2 / 4750, 1))
    assert split_p([900, 100], [9, 1]) == 1.0
    assert math.isnan(split_p([0, 0], [0.5, 0.5]))


def test_one_shopper_says_nothing_of_the_scatter() -> None:
    found = difference(mean_of(np.array([1.0])), mean_of(np.array([2.0, 3.0])))
    assert math.isnan(found.interval.low) and math.isnan(found.p) and found.interval.mean == 1.5
    assert math.isnan(ratio_of(np.array([]), np.array([])).mean)
    same = difference(mean_of(np.zeros(9)), mean_of(np.zeros(9)))
    assert same.p == 1.0 and (same.interval.low, same.interval.high) == (0.0, 0.0)
