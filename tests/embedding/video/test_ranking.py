from __future__ import annotations

import pytest

from embedding.video.ranking import RankedFilm, wilson


def film(rate: float, clicks: int, impressions: int) -> RankedFilm:
    return RankedFilm("marketing", "m1", None, rate, rate / 2, rate * 2, impressions, clicks, False)


def test_wilson_s_interval_is_the_textbook_s():
    # 10 of 100, z = 1.96: (0.1 + 0.019208 +- 1.96 sqrt(0.0009 + 0.00009604)) / 1.038416
    assert wilson(10, 100) == (pytest.approx(0.05523, abs=1e-4), pytest.approx(0.17437, abs=1e-4))
    assert wilson(0, 50)[0] == 0.0 and wilson(50, 50)[1] == pytest.approx(1.0)


def test_a_count_that_luck_does_not_explain_is_marked():
    assert film(0.05, 8, 3218).apart and film(0.001, 8, 3218).apart
    assert not film(0.0025, 8, 3218).apart
    assert not film(0.05, 0, 0).apart and film(0.05, 0, 0).counted is None
    assert film(0.05, 8, 3200).counted == 0.0025
