"""The report on a click model, on numbers that arithmetic gives."""

from __future__ import annotations

import numpy as np
import pytest

from eval.ctr import BASE, MODEL, PLACE, by_place, ctr_text, report_ctr
from eval.probabilities import auc, calibration_bins, calibration_error, interval, logloss
from models.ctr import CtrConfig, CtrModel
from models.ctr_data import CtrData
from models.feature_table import FeatureTable


def rows(n: int, seed: int, source: str = "impressions") -> CtrData:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 1)).astype(np.float32)
    place = rng.integers(1, 5, n).astype(np.float32)
    clicked = rng.random(n) < 0.7**place / (1 + np.exp(-2 * values[:, 0]))
    users = tuple(f"u{k}" for k in rng.integers(0, 60, n))
    names = tuple(map(str, range(n)))
    table = FeatureTable(("taste",), names, values)
    return CtrData(table, clicked, place, np.arange(n, dtype=np.int64), users, names, source)  # type: ignore[arg-type]


def test_numbers_are_those_of_the_formulas() -> None:
    chance, clicked = np.array([0.9, 0.2, 0.2, 0.4]), np.array([True, False, True, False])
    assert auc(chance, clicked) == pytest.approx((2 + 0.5) / 4)
    assert logloss(chance, clicked) == pytest.approx(-np.log([0.9, 0.8, 0.2, 0.6]).mean())
    assert calibration_bins(chance, clicked, 2) == [(2, pytest.approx(0.2), 0.5), (2, pytest.approx(0.65), 0.5)]
    assert calibration_error(chance, clicked, 2) == pytest.approx((0.3 + 0.15) / 2)
    assert np.isnan(auc(chance, np.ones(4, np.bool_)))
    assert np.isfinite(logloss(np.array([0.0]), np.array([True])))


def test_an_interval_draws_shoppers_not_rows() -> None:
    values = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    together = interval(lambda at: float(values[at].mean()), ["a"] * 3 + ["b"] * 3, resamples=200)
    assert (together.mean, together.low, together.high) == (0.5, 0.0, 1.0)
    many = np.tile(values, 5)
    alone = interval(lambda at: float(many[at].mean()), list(map(str, range(30))), resamples=200)
    assert 0 < alone.low < 0.5 < alone.high < 1


def test_a_model_that_knows_taste_is_above_the_rates_and_the_text_says_so() -> None:
    train, test = rows(4000, 1), rows(2000, 2)
    model = CtrModel(CtrConfig(trees=120, learning_rate=0.1))
    model.fit(train)
    report = report_ctr(model, train, test)
    told = {row.name: row for row in report.rows}
    assert told[MODEL].auc.low > told[PLACE].auc.high
    assert told[BASE].auc.mean == 0.5
    assert told[MODEL].gain is not None
    assert told[MODEL].gain.low > 0
    assert told[BASE].logloss.mean == pytest.approx(logloss(np.full(2000, train.clicked.mean()), test.clicked))
    assert sum(n for n, _, _ in report.bins) == 2000
    assert sum(report.importance.values()) == pytest.approx(1)
    first = (train.clicked[train.positions == 1].sum() + 50 * train.clicked.mean()) / (
        (train.positions == 1).sum() + 50
    )
    assert by_place(train, test)[test.positions == 1][0] == pytest.approx(first)
    text = ctr_text(report)
    assert "impressions: taught on 4,000, judged by 2,000 from 1970-01-01" in text
    assert "a proxy" in ctr_text(report_ctr(model, train, rows(500, 3, "sampled negatives")))
