"""Intervals cover what they should, and the paired test agrees with SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eval.intervals import bootstrap_interval, paired_test


def test_the_interval_agrees_with_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(1).beta(0.5, 2, 400)
    ours = bootstrap_interval(values, seed=0, resamples=5000)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(2))
    assert ours.mean == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=2e-3)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=2e-3)


def test_the_paired_test_agrees_with_scipys_permutation_test() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random(80), rng.random(80)
    a += 0.05
    theirs = stats.permutation_test(
        (a, b),
        lambda x, y: (x - y).mean(),
        permutation_type="samples",
        n_resamples=10_000,
        rng=np.random.default_rng(4),
    )
    ours = paired_test(a, b, seed=0)
    assert ours.p == pytest.approx(theirs.pvalue, abs=0.02)
    assert ours.difference.mean == pytest.approx((a - b).mean())


def test_equal_models_do_not_differ() -> None:
    values = np.random.default_rng(0).random(50)
    assert paired_test(values, values.copy(), seed=0).p == 1.0


def test_a_clear_difference_is_found_and_has_a_sign() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(200)
    paired = paired_test(base, base + 0.1 + 0.01 * rng.random(200), seed=0)
    assert paired.p < 0.001
    assert paired.difference.high < 0


def test_no_user_has_no_interval() -> None:
    assert np.isnan(bootstrap_interval(np.empty(0), seed=0).mean)
