from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from embedding.video.judging import group_folds, group_interval, held_out_lines, impression_auc, verdict


def test_auc_is_that_of_every_impression_on_its_own():
    rng = np.random.default_rng(0)
    score = rng.integers(0, 8, 30).astype(float)  # ties among them
    shown = rng.integers(1, 40, 30).astype(float)
    clicks = np.floor(shown * rng.random(30))
    hits, misses = np.repeat(score, clicks.astype(int)), np.repeat(score, (shown - clicks).astype(int))
    wanted = mannwhitneyu(hits, misses).statistic / (len(hits) * len(misses))
    assert impression_auc(score, clicks, shown) == pytest.approx(wanted, abs=1e-12)
    assert impression_auc(-score, clicks, shown) == pytest.approx(1 - wanted, abs=1e-12)


def test_auc_of_no_click_is_not_a_number():
    assert np.isnan(impression_auc(np.ones(2), np.zeros(2), np.ones(2)))


def test_a_group_is_never_cut_in_two_and_folds_are_about_even():
    groups = [f"g{k // 3}" for k in range(60)]
    fold = group_folds(groups, 5, seed=1)
    assert all(len({int(f) for f, g in zip(fold, groups, strict=True) if g == name}) == 1 for name in groups)
    assert np.bincount(fold).tolist() == [12] * 5
    assert fold.tolist() == group_folds(groups, 5, seed=1).tolist() != group_folds(groups, 5, seed=2).tolist()


def test_the_interval_of_a_mean_is_the_normal_one_and_wider_for_few_groups():
    values = np.random.default_rng(3).normal(size=400)

    def mean(rows):
        return float(values[rows].mean())

    low, high = group_interval(mean, [str(k) for k in range(400)], seed=0)
    half = 1.96 * values.std() / 20
    assert (low, high) == (pytest.approx(values.mean() - half, abs=0.02), pytest.approx(values.mean() + half, abs=0.02))
    together = group_interval(
        lambda rows: float(np.repeat(values[:40], 10)[rows].mean()), [str(k // 10) for k in range(400)], seed=0
    )
    assert together[1] - together[0] > 2 * (high - low)


def test_the_interval_says_what_is_known_of_chance_and_what_was_unseen():
    told = {
        "marketing": {"auc": 0.6, "low": 0.52, "high": 0.7, "films": 12, "impressions": 1200},
        "item": {"auc": 0.536, "low": 0.41, "high": 0.66, "films": 9, "impressions": 384},
    }
    assert held_out_lines(told) == [
        "marketing films of campaigns it had not seen: AUC 0.600 [0.520, 0.700], better than chance, over 1,200 "
        "impressions of 12 films",
        "item films of products it had not seen: AUC 0.536 [0.410, 0.660], not shown to be better than chance, over "
        "384 impressions of 9 films",
    ]
    assert verdict(0.3, 0.49) == "worse than chance" and verdict(0.5, 0.6) == "not shown to be better than chance"
