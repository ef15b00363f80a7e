from __future__ import annotations

import numpy as np
import pytest

from embedding.video.calibration import Calibration, calibrate


def films(n: int, shift: float, slope: float, spread: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    score = rng.normal(-2, 0.5, n)
    rate = 1 / (1 + np.exp(-(shift + slope * score + spread * rng.normal(size=n))))
    shown = rng.integers(200, 600, n).astype(float)
    return score, rng.binomial(shown.astype(int), rate).astype(float), shown, rate


def test_what_the_counts_were_drawn_from_is_found_again():
    score, clicks, shown, _ = films(600, 0.4, 1.5, 0.3)
    found = calibrate(score, clicks, shown)
    assert found.shift == pytest.approx(0.4, abs=0.25)
    assert found.slope == pytest.approx(1.5, abs=0.12)
    assert found.spread == pytest.approx(0.3, abs=0.06)


def test_the_interval_holds_the_true_rate_of_new_films_nineteen_times_in_twenty():
    score, clicks, shown, _ = films(300, 0.0, 1.0, 0.4, seed=1)
    new, _, _, rate = films(2000, 0.0, 1.0, 0.4, seed=2)
    _, low, high = calibrate(score, clicks, shown).interval(new)
    assert ((low <= rate) & (rate <= high)).mean() == pytest.approx(0.95, abs=0.025)


def test_a_score_that_tells_nothing_gets_no_slope_and_the_spread_of_films():
    _, clicks, shown, _ = films(400, 0.0, 1.0, 0.0, seed=3)
    blind = np.random.default_rng(9).normal(size=400)
    found = calibrate(blind, clicks, shown)
    assert found.slope < 0.1 and found.spread == pytest.approx(0.5, abs=0.06)


def test_few_films_are_not_believed_to_be_alike():
    found = calibrate(np.zeros(10), np.full(10, 1.0), np.full(10, 10.0))
    assert found.spread > 0.2


@pytest.mark.parametrize(
    ("clicks", "shown"), [([1.0] * 3, [9.0] * 3), ([0.0] * 20, [9.0] * 20), ([0.0] * 20, [0.0] * 20)]
)
def test_too_little_leaves_the_score_as_it_is(clicks, shown):
    found = calibrate(np.zeros(len(clicks)), np.array(clicks), np.array(shown))
    assert found == Calibration(0.0, 1.0, 0.0)
    middle, low, high = found.interval(np.array([0.0]))
    assert middle == low == high == 0.5
