"""The row of two stages: what it holds out, what it proposes, what it may know, and what it learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import ConfigError, DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from eval.config import EvalConfig
from eval.contenders import contender, family, names, reads_as, sources_key
from eval.table import evaluate
from eval.two_stage import TwoStage, labelled
from eval.two_stage_candidates import candidates
from eval.two_stage_config import TwoStageConfig
from eval.two_stage_features import DAY, History
from eval.two_stage_holdout import folds
from models.base import TrainingData, UserScorer

USERS = IdMap([f"u{row}" for row in range(40)], "user")
ITEMS = IdMap([f"i{row:02}" for row in range(30)])
QUICK: dict[str, Any] = {
    "retrievers": ("ease", "itemknn"),
    "overrides": {"ease": {"regularisation": 5.0}, "itemknn": {"neighbours": 5}},
    "trees": 20,
    "leaves": 4,
    "min_leaf_rows": 5,
    "depth": 8,
    "pool": 12,
}


def rows(pairs: list[tuple[int, int, int]], users: IdMap = USERS, items: IdMap = ITEMS) -> Interactions:
    """Interactions of (user row, item row, day since 2020)."""
    who, what, day = np.array(pairs, np.int64).reshape(-1, 3).T
    return Interactions(users, items, who.astype(np.int32), what.astype(np.int32), (18262 + day) * DAY)


def two_kinds() -> list[tuple[int, int, int]]:
    """Every shopper takes items of one of two kinds."""
    rng = np.random.default_rng(3)
    return [
        (u, i, int(rng.integers(300))) for u in range(40) for i in range(30) if u % 2 == i % 2 and rng.random() < 0.6
    ]


def shop() -> TrainingData:
    side = np.where(np.arange(30) % 2 == 0, 1.0, -1.0)[:, None]
    vectors = side + 0.3 * np.random.default_rng(4).normal(size=(30, 5))
    return TrainingData(rows(two_kinds()), {"text": EmbeddingTable(ITEMS, vectors.astype(np.float32), "t")})


def everyone(model: TwoStage) -> npt.NDArray[np.float32]:
    return model.score_users(np.arange(len(USERS)))


def test_a_tenth_of_a_shoppers_rows_is_held_out_and_no_row_twice() -> None:
    train = rows(
        [*((0, item, item) for item in range(25)), *((1, item, item) for item in range(3)), (2, 0, 0), (2, 1, 1)]
    )
    parts = list(folds(train, "random", 3, seed=1))
    held = [[(int(u), int(i)) for u, i in zip(p.held.user_rows, p.held.item_rows, strict=True)] for p in parts]
    assert [[sum(u == user for u, _ in part) for user in range(3)] for part in held] == [[2, 1, 0]] * 3
    assert len({pair for part in held for pair in part}) == 9
    assert [len(p.kept) + len(p.held) for p in parts] == [30] * 3


def test_the_last_row_is_held_out_where_the_protocol_judges_the_last() -> None:
    train = rows([(0, 5, 9), (0, 6, 30), (0, 7, 10), (1, 5, 1), (1, 6, 2)])
    (part,) = folds(train, "last", 3, seed=1)
    assert part.held.item_rows.tolist() == [6]
    assert sorted(part.kept.item_rows.tolist()) == [5, 5, 6, 7]


def fixed(table: list[list[float]]) -> UserScorer:
    return lambda users: np.array(table, np.float32)[users]


def test_candidates_are_the_union_without_what_was_taken() -> None:
    users, items = IdMap(["u"], "user"), IdMap(list("abcde"))
    scorers = {"one": fixed([[5, 4, 1, 0, 0]]), "two": fixed([[5, 0, 0, 1, 4]])}
    found = candidates(scorers, rows([(0, 0, 0)], users, items), np.array([0]), depth=1, pool=5)
    assert sorted(found.items.tolist()) == [1, 4]
    best = found.items.tolist().index(1)
    assert found.column("rank.one")[best] == pytest.approx(np.log(2)) and np.isnan(found.column("rank.two")[best])
    assert found.column("proposals").tolist() == [1, 1]
    mean, deviation = 5 / 4, np.std([4, 1, 0, 0])
    assert found.column("score.one")[best] == pytest.approx((4 - mean) / deviation)


def test_the_pool_keeps_the_best_by_mean_score() -> None:
    users, items = IdMap(["u"], "user"), IdMap(list("abcde"))
    scorers = {"one": fixed([[0, 4, 3, 2, 1]]), "two": fixed([[0, 4, 3, 2, 1]])}
    found = candidates(scorers, rows([(0, 0, 0)], users, items), np.array([0]), depth=4, pool=2)
    assert found.items.tolist() == [1, 2]
    assert labelled(found, rows([(0, 2, 5), (0, 4, 5)], users, items)).tolist() == [0, 1]


def test_what_others_take_later_changes_no_popularity() -> None:
    """Popularity and recency of a candidate are those of the shopper's own last day."""
    before = [(0, 0, 10), (0, 1, 20), (1, 2, 5), (2, 2, 15), (3, 3, 1)]
    history = History(rows(before), {})
    later = History(rows([*before, (4, 2, 25), (5, 2, 30), (6, 3, 30)]), {})
    dated = ["popularity_30d", "popularity_365d", "popularity_until", "days_since_taken"]
    columns = [history.names.index(name) for name in dated]
    now, then = (h.features(0, np.array([2, 3, 9]))[:, columns] for h in (history, later))
    np.testing.assert_array_equal(now, then)
    decayed = [0.5 ** (15 / 30) + 0.5 ** (5 / 30), 0.5 ** (15 / 365) + 0.5 ** (5 / 365)]
    expected = [*np.log1p(decayed), np.log1p(2), np.log1p(5)]
    np.testing.assert_allclose(now[0], expected, rtol=1e-5)
    assert now[2, :3].tolist() == [0, 0, 0] and np.isnan(now[2, 3])


def test_ranks_are_no_clock() -> None:
    ranks = Interactions(USERS, ITEMS, np.zeros(3, np.int32), np.arange(3, dtype=np.int32), np.arange(3) * 1_000_000)
    assert not [name for name in History(ranks, {}).names if name.startswith(("popularity_3", "days"))]


def test_closeness_to_a_history_by_hand() -> None:
    """Shoppers 1 and 2 took items 0 and 5 together, nobody took 1 and 6 together."""
    pairs = [(0, 0, 1), (0, 1, 2), (1, 0, 1), (1, 5, 2), (2, 0, 1), (2, 5, 2), (3, 6, 1), (3, 7, 2)]
    history = History(rows(pairs), {})
    values = history.features(0, np.array([5, 6]))
    at = {name: column for column, name in enumerate(history.names)}
    # Two items each: every shopper weighs alike. Item 0 was taken by three, 5 by two, both by two.
    assert values[0, at["max.together"]] == pytest.approx(2 / np.sqrt(3 * 2))
    assert values[0, at["last.together"]] == 0
    assert values[1, at["max.together"]] == 0


def test_it_learns_who_takes_what_and_the_same_twice() -> None:
    models = [TwoStage(TwoStageConfig.model_validate(QUICK)) for _ in range(2)]
    for model in models:
        model.fit(shop(), seed=5)
    first, second = map(everyone, models)
    assert (first == second).all() and first.dtype == np.float32 and np.isfinite(first).all()
    taken = shop().train.csr().toarray() > 0
    own = (np.arange(40)[:, None] % 2 == np.arange(30)[None, :] % 2) & ~taken
    best = np.where(taken, -np.inf, first).argmax(axis=1)
    assert own[np.arange(40), best].mean() > 0.9


@pytest.mark.parametrize(("likes", "share"), [("base", 0.0), ("ranker", 1.5)])
def test_the_rankers_weight_is_chosen_on_validation_with_none_among_the_choices(likes: str, share: float) -> None:
    model = TwoStage(TwoStageConfig.model_validate(QUICK))

    def validate(scorer: UserScorer) -> float:
        if not model.chosen:
            return 0.5
        weight: float = model.chosen["share"]
        return -weight if likes == "base" else weight

    report = model.fit(shop(), validate=validate)
    assert model.chosen["share"] == share
    assert report.epochs == len(report.history) == 6 and report.best == max(report.history)


def test_without_a_weight_it_is_the_best_retriever() -> None:
    model = TwoStage(TwoStageConfig.model_validate({**QUICK, "shares": ()}))
    alone = contender("ease", QUICK["overrides"]["ease"])
    values = iter([0.4, 0.3, 0.4])  # ease, itemknn, no weight
    model.fit(shop(), validate=lambda scorer: next(values, 0.0))
    alone.fit(shop())
    assert model.chosen == {"base": "ease", "share": 0.0}
    assert (everyone(model) == alone.score_users(np.arange(40))).all()


def test_a_retriever_that_refuses_is_left_out() -> None:
    model = TwoStage(TwoStageConfig.model_validate({**QUICK, "retrievers": ("content_knn", "ease")}))
    model.fit(TrainingData(shop().train, {}))
    assert [name for name in model.importance if name.startswith("score.")] == ["score.ease"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"max_items": 20}, "two_stage: 30 items exceed max_items = 20"), ({"retrievers": ["content_knn"]}, "modality")],
)
def test_what_cannot_be_fitted_is_one_line(settings: Mapping[str, Any], says: str) -> None:
    model = TwoStage(TwoStageConfig.model_validate({**QUICK, **settings}))
    with pytest.raises(DataError, match=says):
        model.fit(TrainingData(shop().train, {}))


def test_too_few_rows_to_teach_anybody_are_named() -> None:
    model = TwoStage(TwoStageConfig.model_validate(QUICK))
    with pytest.raises(DataError, match="no shopper has three train rows or more"):
        model.fit(TrainingData(rows([(user, user % 30, user) for user in range(40)])))


def test_it_is_a_row_of_the_table() -> None:
    pairs = two_kinds()
    parts = [[pair for at, pair in enumerate(pairs) if at % 10 in which] for which in (range(8), (8,), (9,))]
    nobody = np.zeros(0, np.int64)
    train, valid, test = map(rows, parts)
    split = Split(train, valid, test, protocol="mmrec", meta={}, cold_users=nobody, cold_items=nobody)
    config = EvalConfig(
        models=("popularity", "two_stage"), metrics=("ndcg@5",), resamples=100, overrides={"two_stage": QUICK}
    )
    table = evaluate(split, shop().modalities, config)
    floor, row = table.rows
    assert (row.name, row.epochs) == ("two_stage", (6,))
    assert row.intervals["ndcg@5"].mean > floor.intervals["ndcg@5"].mean
    assert table.comparisons[0].a == "two_stage"


def test_names_settings_and_sources() -> None:
    assert {"two_stage", "two_stage-last", "ease"} <= set(names())
    assert contender("two_stage-last").config.holdout == "last"  # type: ignore[attr-defined]
    assert (family("two_stage-last"), reads_as("two_stage"), reads_as("ease")) == (
        "two_stage",
        "sequence_tower",
        "ease",
    )
    assert sources_key("two_stage") not in {sources_key("ease"), sources_key("sequence_tower")}
    with pytest.raises(ConfigError, match=r"two_stage: depth = 0: .*greater than or equal to 1"):
        contender("two_stage", {"depth": 0})
    with pytest.raises(ConfigError, match=r"unknown model 'two_stages'\. Did you mean 'two_stage'"):
        contender("two_stages")
