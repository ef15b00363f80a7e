"""The series of experiments: a crowd whose truth is arithmetic, and intervals that hold it as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.ab import experiment_of
from bench.ab_coverage import Tally, once, series, truth_of
from eval.ab import RATE
from eval.ab_simulation import Crowd, Shown, lists_each


def crowd(n: int, *, lift: float) -> Crowd:
    """Shoppers `s0`, `s1`, ...: the odd ones click three times as often; the variant adds `lift` at every place."""

    def shown(k: int, more: float) -> Shown:
        chance = 0.1 + 0.2 * (k % 2) + more
        return Shown(tuple(f"i{j}" for j in range(8)), np.full(8, chance, np.float32), np.full(8, 0.5, np.float32))

    lists = {"control": 0.0, "variant": lift}
    return Crowd(
        tuple(f"s{k}" for k in range(n)), {arm: tuple(shown(k, more) for k in range(n)) for arm, more in lists.items()}
    )


def test_the_truth_is_arithmetic() -> None:
    # max(1, N) of a Poisson of mean 3: 3 + P(N = 0).
    assert lists_each(3) == pytest.approx(3 + math.exp(-3))
    truth = truth_of(crowd(10, lift=0.05), 3)
    assert truth == pytest.approx(
        {RATE: 0.05, "clicks": 8 * 0.05 * lists_each(3), "purchases": 8 * 0.05 * 0.5 * lists_each(3)}, rel=1e-5
    )


def test_a_drawing_is_as_large_and_everybody_in_it_is_somebody() -> None:
    drawn = crowd(50, lift=0.0).drawn_again(np.random.default_rng(1))
    assert len(set(drawn.user_ids)) == 50
    assert [round(float(each.clicking[0]), 1) for each in drawn.lists["control"]] == [
        0.3 if int(name.partition(".")[0][1:]) % 2 else 0.1 for name in drawn.user_ids
    ]


def test_a_report_counts_what_was_drawn() -> None:
    report = once(crowd(200, lift=0.3), experiment_of(True, "x"), visits=3, rng=np.random.default_rng(5))
    assert sum(report.shoppers.values()) == 200 and set(report.metrics) == {RATE, "clicks", "purchases"}
    gap = report.metrics[RATE][1].difference
    assert gap is not None and gap.interval.low > 0.2


@pytest.mark.parametrize("planted", [False, True])
def test_the_intervals_hold_the_truth_as_often_as_they_say(planted: bool) -> None:
    tally = Tally()
    series(crowd(120, lift=0.05 if planted else 0.0), seed=5, planted=planted, repetitions=120, visits=2, tally=tally)
    for metric, held in tally.held.items():
        # Four standard errors of 120 draws at 95%: 0.08.
        assert sum(held) / len(held) > 0.87, metric
        assert abs(np.mean(tally.gaps[metric])) < 4 / 120**0.5
    assert sum(tally.any_found) < 0.15 * 120 or planted
