"""`SequenceLinear`: Gram matrices by hand, the solution by least squares, a search that climbs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData, UserScorer
from models.registry import build, load
from models.sequence_linear.config import SequenceLinearConfig
from models.sequence_linear.grams import in_sequence, shopper_weights, together
from models.sequence_linear.model import SequenceLinear
from models.sequence_linear.search import climb

ITEMS = IdMap(["a", "b", "c", "d"])
USERS = IdMap(["u", "v", "w"], "user")


def log(triples: list[tuple[int, int, int]]) -> Interactions:
    users, items, times = np.array(triples).T
    return Interactions(USERS, ITEMS, users.astype(np.int32), items.astype(np.int32), times.astype(np.int64))


TRAIN = log([(0, 2, 30), (0, 0, 10), (0, 1, 20), (1, 1, 5), (1, 3, 5), (2, 0, 1)])


def alone(**settings: float) -> SequenceLinearConfig:
    return SequenceLinearConfig.model_validate({"max_trials": 1, **settings})


def test_busy_shoppers_count_less_and_the_mean_over_interactions_is_one() -> None:
    weights = shopper_weights(TRAIN.csr(), 1.0)
    scale = 6 / 3
    np.testing.assert_allclose(weights, [scale / 3, scale / 2, scale], rtol=1e-6)
    assert (weights * [3, 2, 1]).sum() / 6 == pytest.approx(1.0)
    assert (shopper_weights(TRAIN.csr(), 0.0) == 1).all()


def test_together_is_the_weighted_product() -> None:
    weights = np.array([1.0, 2.0, 3.0], np.float32)
    dense = np.array([[1, 1, 1, 0], [0, 1, 0, 1], [1, 0, 0, 0]])
    np.testing.assert_allclose(together(TRAIN.csr(), weights), dense.T @ np.diag(weights) @ dense, rtol=1e-6)


def test_sequence_counts_places_in_time_and_ties_by_item_row() -> None:
    gram = in_sequence(TRAIN, np.array([1.0, 10.0, 100.0], np.float32), reach=1.0)
    near, far = 2.0**-1.5, 3.0**-1.5
    expected = [[101, near, far, 0], [near, 11, near, 10 * near], [far, near, 1, 0], [0, 10 * near, 0, 10]]
    np.testing.assert_allclose(gram, expected, rtol=1e-6)


def test_a_repeat_stands_where_it_came_first_and_the_clock_has_no_unit() -> None:
    ones = np.ones(3, np.float32)
    repeated = log([(0, 0, 1), (0, 1, 2), (0, 0, 3), (0, 2, 4)])
    once = log([(0, 0, 100), (0, 1, 2000), (0, 2, 9000)])
    assert (in_sequence(repeated, ones, 2.0) == in_sequence(once, ones, 2.0)).all()


def test_sequence_gram_is_positive_definite_however_long_the_history() -> None:
    items = IdMap([str(i) for i in range(60)])
    train = Interactions(
        IdMap(["u"], "user"), items, np.zeros(60, np.int32), np.arange(60, dtype=np.int32), np.arange(60)
    )
    assert np.linalg.eigvalsh(in_sequence(train, np.ones(1, np.float32), 7.0)).min() > 0


def features() -> dict[str, EmbeddingTable]:
    rng = np.random.default_rng(1)
    vectors = {"t": rng.normal(size=(4, 3)), "p": rng.normal(size=(4, 2))}
    return {role: EmbeddingTable(ITEMS, table.astype(np.float32), role) for role, table in vectors.items()}


def kernel(table: EmbeddingTable) -> npt.NDArray[np.float64]:
    centred = table.vectors - table.vectors.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return (unit @ unit.T).astype(np.float64)


def test_each_column_solves_its_own_ridge_regression_on_the_weighed_evidence() -> None:
    tables = features()
    model = SequenceLinear(
        SequenceLinearConfig(max_trials=1, regularisation=2.0, sequence=3.0, reach=1.5, weights={"t": 0.7}, weight=0.4)
    )
    model.fit(TrainingData(TRAIN, tables))
    shoppers = shopper_weights(TRAIN.csr(), 0.5)
    gram = together(TRAIN.csr(), shoppers) + 3 * in_sequence(TRAIN, shoppers, 1.5)
    gram = gram + 0.7 * kernel(tables["t"]) + 0.4 * kernel(tables["p"])
    expected = np.zeros((4, 4))
    for j in range(4):
        others = [i for i in range(4) if i != j]
        expected[others, j] = np.linalg.solve(gram[np.ix_(others, others)] + 2 * np.eye(3), gram[others, j])
    np.testing.assert_allclose(model.score_users(np.arange(3)), TRAIN.csr().toarray() @ expected, rtol=1e-4, atol=1e-5)


def test_a_new_item_gets_what_solving_the_larger_catalogue_would_give() -> None:
    tables = features()
    model = SequenceLinear(alone(regularisation=2.0, sequence=1.0, weight=0.8))
    model.fit(TrainingData(TRAIN, tables))
    new = {role: EmbeddingTable(IdMap(["new"]), table.vectors[:1] + 0.3, role) for role, table in tables.items()}
    joined = {r: np.concatenate([tables[r].vectors, new[r].vectors]) - tables[r].vectors.mean(axis=0) for r in tables}
    units = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in joined.values()]
    shoppers = shopper_weights(TRAIN.csr(), 0.5)
    gram = np.pad(together(TRAIN.csr(), shoppers) + in_sequence(TRAIN, shoppers, 2.0), (0, 1)).astype(np.float64)
    precision = np.linalg.inv(gram + sum(0.8 * x @ x.T for x in units) + 2 * np.eye(5))
    weights = -precision / np.diag(precision)
    assert model.add_items(new) == 1
    got = model.score(None, ["a", "c"]).values
    assert got[4] == pytest.approx(weights[0, 4] + weights[2, 4], rel=1e-3)
    np.testing.assert_allclose(model.score(None, ["new"]).values[:4], weights[4, :4], rtol=1e-3, atol=1e-6)
    assert model.score(None, ["new"]).ground == "content"


def test_without_any_content_the_log_alone_is_learned() -> None:
    model = SequenceLinear(alone())
    model.fit(TrainingData(TRAIN))
    took_b_and_d = model.score_users(np.array([1]))[0]
    assert took_b_and_d[0] > 0, "a was taken with b"
    took_a = model.score_users(np.array([2]))[0]
    assert took_a[1] > took_a[2] > took_a[3], "b came right after a, c later; d was never taken with a"


def test_the_climb_finds_the_top_of_a_hill_and_keeps_ties() -> None:
    asked = []

    def judge(s: dict[str, float]) -> float:
        asked.append(dict(s))
        return -abs(s["x"] - 4) - abs(s["y"])

    best, value, history = climb({"x": 1.5, "y": 1}, {"x": (1, 2, 4, 8), "y": (0, 1, 2)}, judge, 50)  # type: ignore[arg-type]
    assert (best, value) == ({"x": 4, "y": 0}, 0)
    assert list(history) == sorted(history)
    assert len({tuple(s.items()) for s in asked}) == len(asked) == len(history), "nothing is judged twice"
    flat, _, _ = climb({"x": 2}, {"x": (1, 2, 4)}, lambda s: 1.0, 50)
    assert flat == {"x": 2}
    _, _, few = climb({"x": 1}, {"x": (1, 2, 4, 8, 16)}, lambda s: s["x"], 3)
    assert len(few) == 3


def test_the_search_keeps_the_best_solution_and_says_what_it_chose(tmp_path: Path) -> None:
    seen: list[tuple[float, npt.NDArray[np.float32]]] = []
    model = build("sequence_linear", {"max_trials": 6})

    def validate(scorer: UserScorer) -> float:
        scores = scorer(np.arange(3))
        seen.append((float(np.sin(50 * len(seen) + 1)), scores))
        return seen[-1][0]

    report = model.fit(TrainingData(TRAIN, features()), validate=validate)
    best = max(seen, key=lambda pair: pair[0])
    assert report.best == best[0]
    assert report.epochs == len(seen) == 6
    assert (model.score_users(np.arange(3)) == best[1]).all()
    model.save(tmp_path)
    again = load(tmp_path)
    assert isinstance(again, SequenceLinear)
    assert isinstance(model, SequenceLinear)
    assert again.chosen == model.chosen
    assert set(again.chosen) == {"sequence", "regularisation", "content.t", "content.p"}


def test_a_catalogue_beyond_the_limit_is_refused_before_any_work() -> None:
    with pytest.raises(DataError, match=r"sequence_linear: 4 items exceed max_items = 3"):
        build("sequence_linear", {"max_items": 3}).fit(TrainingData(TRAIN))


def test_what_the_search_found_is_what_a_later_fit_takes() -> None:
    given = TrainingData(TRAIN)
    searched = SequenceLinear(SequenceLinearConfig(max_trials=6))
    searched.fit(given, validate=lambda scorer: float(scorer(np.arange(3)).std()))
    again = SequenceLinear(SequenceLinearConfig.model_validate(searched.settings_found()))
    again.fit(given)
    assert again.chosen == searched.chosen
    np.testing.assert_allclose(again.score_users(np.arange(3)), searched.score_users(np.arange(3)), rtol=1e-5)
