"""A forest as tables scores as LightGBM does, to the bit."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from catalog.vectors import Floats
from models import forest
from models.boosting import boosted
from models.forest import Forest


def lesson(n: int = 1500) -> Floats:
    """Columns a threshold can trip over: ties, zeros, signs, missing values, one value alone, a huge span."""
    rng = np.random.default_rng(2)
    columns = [
        rng.integers(-3, 4, n),
        rng.normal(size=n),
        np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
        np.full(n, 7.0),
        np.where(rng.random(n) < 0.5, 0.0, rng.normal(size=n) * 1e6),
        np.where(rng.random(n) < 0.9, np.nan, 1.0),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def taught(values: Floats, leaves: int, trees: int = 40, **more: Any) -> Any:
    rng = np.random.default_rng(3)
    known = np.nan_to_num(values)
    grades = known[:, 0] * np.sign(known[:, 1]) + known[:, 2] + 0.1 * rng.normal(size=len(values))
    labels = np.clip(np.round(grades), 0, 4).astype(np.int64)
    parameters = {"objective": "lambdarank", "num_leaves": leaves, "min_data_in_leaf": 3, "num_threads": 1, **more}
    return boosted(values, labels, parameters, trees, groups=np.full(len(values) // 50, 50))


def probes(values: Floats) -> Floats:
    """Rows with missing values everywhere, values never seen, and more rows than are scored at a time."""
    rng = np.random.default_rng(4)
    mixed = np.stack([rng.permutation(column) for column in values.T], axis=1)
    mixed[rng.random(mixed.shape) < 0.1] = np.nan
    strange = np.array(
        [[np.nan] * 6, [0] * 6, [1e30] * 6, [-1e30] * 6, [-0.0] * 6, [np.inf] * 6, [-np.inf] * 6], np.float32
    )
    return np.concatenate([values, mixed, strange])


@pytest.mark.parametrize("leaves", [2, 7, 31, 32, 33, 64])
def test_every_score_is_lightgbms_own(leaves: int) -> None:
    values = lesson()
    booster = taught(values, leaves)
    found = Forest.of(booster)
    assert found is not None
    rows = probes(values)
    assert len(rows) > forest.ROWS
    np.testing.assert_array_equal(found.scores(rows), booster.predict(rows))
    one = rows[:1]
    np.testing.assert_array_equal(found.scores(one), booster.predict(one))
    assert found.scores(rows[:0]).shape == (0,)


def test_a_value_on_the_threshold_goes_left_as_in_lightgbm() -> None:
    values = lesson()
    booster = taught(values, 7)
    cuts = {
        float(text)
        for line in booster.model_to_string().splitlines()
        if line.startswith("threshold=")
        for text in line.removeprefix("threshold=").split()
    }
    on = np.array(sorted(cuts), np.float64).astype(np.float32)
    near = np.concatenate([on, np.nextafter(on, np.float32(np.inf)), np.nextafter(on, np.float32(-np.inf))])
    rows = np.repeat(near[:, None], 6, axis=1)
    found = Forest.of(booster)
    assert found is not None
    np.testing.assert_array_equal(found.scores(rows), booster.predict(rows))


def test_trees_that_found_nothing_to_split_are_read_too() -> None:
    values = lesson(200)
    booster = taught(values, 7, min_gain_to_split=3.0)
    sizes = [tree["num_leaves"] for tree in booster.dump_model()["tree_info"]]
    assert min(sizes) < max(sizes)
    found = Forest.of(booster)
    assert found is not None
    np.testing.assert_array_equal(found.scores(values), booster.predict(values))


@pytest.mark.parametrize(
    "more",
    [{"zero_as_missing": True}, {"linear_tree": True}, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}],
)
def test_what_the_tables_cannot_say_is_left_to_lightgbm(more: dict[str, Any]) -> None:
    values = np.nan_to_num(lesson(400)) if "linear_tree" in more else lesson(400)
    more = {**more, **({"objective": "regression"} if "linear_tree" in more else {})}
    booster = lightgbm.train(
        {"objective": "regression", "num_leaves": 7, "verbosity": -1, "num_threads": 1, **more},
        lightgbm.Dataset(values, label=np.nan_to_num(values[:, 1])),
        num_boost_round=5,
    )
    assert Forest.of(booster) is None


def test_wide_trees_and_large_tables_are_left_to_lightgbm(monkeypatch: pytest.MonkeyPatch) -> None:
    values = lesson()
    assert Forest.of(taught(values, 200, trees=3)) is None
    booster = taught(values, 7, trees=3)
    monkeypatch.setattr(forest, "MOST_BYTES", 100)
    assert Forest.of(booster) is None
    monkeypatch.undo()
    monkeypatch.setattr(forest, "MOST_FEATURES", 1)
    assert Forest.of(booster) is None
