"""The click model through its door: chances that hold, places that do not count as liking, and who is preferred."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import DataError, NotBuiltError
from models.calibration import Calibration, calibrated
from models.ctr import CtrConfig, CtrModel
from models.ctr_data import CtrData
from models.feature_table import FeatureTable

NAMES = ("taste", "noise", "score.keyword", "shown")
PATIENCE = 0.8


def chance(taste: npt.NDArray[np.float32], place: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """What the clicks of `lesson` are drawn by."""
    return np.asarray(PATIENCE ** (place - 1) / (1 + np.exp(1.5 - 1.5 * taste)), np.float64)


def lesson(n: int = 12_000, seed: int = 3) -> CtrData:
    """Liked items were shown higher up, so who takes place for liking is wrong."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 4)).astype(np.float32)
    place = np.clip(np.round(4.5 - values[:, 0] + 2 * rng.normal(size=n)), 1, 8).astype(np.float32)
    clicked = rng.random(n) < chance(values[:, 0], place)
    users = tuple(f"u{k}" for k in rng.integers(0, 400, n))
    names = tuple(f"i{k}" for k in range(n))
    times = np.arange(n, dtype=np.int64)
    return CtrData(FeatureTable(NAMES, names, values), clicked, place, times, users, names, "impressions")


def probe(tastes: list[float]) -> FeatureTable:
    values = np.array([[taste, 0.0, 0.0, 0.0] for taste in tastes], np.float32).reshape(-1, 4)
    return FeatureTable(NAMES, tuple(f"p{n}" for n in range(len(tastes))), values)


@pytest.fixture(scope="module")
def model() -> CtrModel:
    fitted = CtrModel(CtrConfig(learning_rate=0.1))
    fitted.fit(lesson(), seed=1)
    return fitted


def test_chances_are_those_of_an_item_shown_first_whatever_was_shown_where(model: CtrModel) -> None:
    tastes = np.array([-1.5, -0.5, 0.5, 1.5], np.float32)
    told = model.probability(probe(tastes.tolist()))
    assert told.dtype == np.float32
    true = chance(tastes, np.ones(4, np.float32))
    np.testing.assert_allclose(told, true, atol=0.08)
    lower = model.probability(probe(tastes.tolist()), np.full(4, 5, np.float32))
    assert (lower < told).all()
    assert model.probability(probe([])).shape == (0,)


def test_chances_hold_on_rows_it_has_not_seen(model: CtrModel) -> None:
    test = lesson(seed=8)
    told = model.probability(test.table, test.positions)
    for part in np.array_split(np.argsort(told), 5):
        assert told[part].mean() == pytest.approx(test.clicked[part].mean(), abs=0.035)
    assert told.mean() == pytest.approx(test.clicked.mean(), abs=0.015)


def test_features_of_retrieval_and_those_that_grow_with_the_log_teach_nothing(model: CtrModel) -> None:
    assert model.names == ("taste", "noise")
    assert set(model.importance()) == {"taste", "noise", "position"}
    with pytest.raises(DataError, match="no feature 'noise'; one of taste"):
        model.probability(probe([0.0]).select(("taste",)))
    reordered = probe([0.3, 1.0]).select(("noise", "taste"))
    assert (model.probability(reordered) == model.probability(probe([0.3, 1.0]))).all()


def test_who_is_preferred_is_the_odds_of_one_over_the_odds_of_both(model: CtrModel) -> None:
    table = probe([1.0, -1.0, 0.2])
    p = model.probability(table).astype(float)
    preferred = model.preference(table)
    expected = p[0] * (1 - p[1]) / (p[0] * (1 - p[1]) + p[1] * (1 - p[0]))
    assert preferred[0, 1] == pytest.approx(expected, rel=1e-5)
    assert preferred[0, 1] > 0.5 > preferred[1, 2]
    np.testing.assert_allclose(preferred + preferred.T, 1, rtol=1e-5)
    np.testing.assert_allclose(np.diag(preferred), 0.5)


@pytest.mark.parametrize("hold_out", ["shoppers", "newest"])
def test_same_rows_and_seed_give_the_same_bytes_and_a_saved_model_serves(tmp_path: Path, hold_out: str) -> None:
    data, config = lesson(3000), CtrConfig.model_validate({"trees": 40, "hold_out": hold_out})
    saved = []
    for name in ("a", "b"):
        fitted = CtrModel(config)
        fitted.fit(data, seed=4)
        (tmp_path / name).mkdir()
        fitted.save(tmp_path / name)
        saved.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert saved[0] == saved[1]
    again = CtrModel.load(tmp_path / "a")
    assert (again.probability(probe([0.5, -0.5])) == fitted.probability(probe([0.5, -0.5]))).all()
    assert (again.config, again.names, again.calibration) == (config, fitted.names, fitted.calibration)
    assert again.base_rate == pytest.approx(data.clicked.mean())


def test_too_few_clicks_and_broken_files_are_one_line(tmp_path: Path) -> None:
    data = lesson(200)
    few = CtrData(
        data.table, np.arange(200) < 49, data.positions, data.timestamps, data.user_ids, data.slates, data.source
    )  # fmt: skip
    with pytest.raises(DataError, match="200 impressions with 49 clicks teach no click model; 50 clicked and 50 not"):
        CtrModel().fit(few)
    with pytest.raises(NotBuiltError, match="has not been fitted"):
        CtrModel().probability(probe([0.0]))
    with pytest.raises(NotBuiltError, match=r"no ctr\.txt"):
        CtrModel.load(tmp_path)


def test_platts_curve_takes_back_what_a_score_exaggerates() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(-1, 1, 40_000)
    clicked = rng.random(40_000) < 1 / (1 + np.exp(-honest))
    found = calibrated(3 * honest + 2, clicked, "platt")
    assert found.slope == pytest.approx(1 / 3, rel=0.03)
    assert found.shift == pytest.approx(-2 / 3, abs=0.03)
    assert found.probability(np.array([2.0]))[0] == pytest.approx(0.5, abs=0.01)


def test_the_staircase_is_the_rate_of_each_level_where_rates_grow() -> None:
    odds = np.repeat([0.0, 1.0, 2.0], 100)
    clicked = np.concatenate([np.arange(100) < n for n in (10, 40, 70)])
    found = calibrated(odds, clicked, "isotonic")
    np.testing.assert_allclose(found.probability(np.array([0.0, 1.0, 2.0])), [0.1, 0.4, 0.7])
    assert found.probability(np.array([0.5]))[0] == pytest.approx(0.25)
    assert found.probability(np.array([-9.0, 9.0])).tolist() == pytest.approx([0.1, 0.7])
    falling = calibrated(odds, clicked[::-1].copy(), "isotonic")
    np.testing.assert_allclose(falling.probability(np.array([0.0, 2.0])), [0.4, 0.4])
    assert calibrated(odds, np.zeros(300, np.bool_)) == Calibration()
    assert Calibration().probability(np.array([0.0, math.log(3)])).tolist() == pytest.approx([0.5, 0.75])
