"""What happens after the fit changes the next answer: one contract for every recommender in the registry."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import spearmanr

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import Recommender, TrainingData
from models.registry import RECOMMENDERS, build, load

QUICK: dict[str, dict[str, Any]] = {
    "itemknn": {"neighbours": 15, "shrinkage": 1.0},
    "content_knn": {"neighbours": 15},
    "ease": {"regularisation": 5.0},
    "content_linear": {"regularisation": 5.0, "weight": 2.0},
    "sequence_linear": {"regularisation": 5.0, "weight": 2.0, "max_trials": 1},
    "sequence_tower": {"regularisation": 5.0, "weight": 2.0, "max_trials": 1, "dim": 8, "epochs": 20, "batch_size": 8},
    "als": {"dim": 8, "epochs": 8, "regularisation": 0.5},
    "bprmf": {"dim": 8, "epochs": 60, "batch_size": 64, "learning_rate": 0.01},
    "lightgcn": {"dim": 8, "epochs": 40, "batch_size": 64, "learning_rate": 0.01},
    "vbpr": {"dim": 8, "epochs": 40, "batch_size": 64, "learning_rate": 0.01},
    "freedom": {"dim": 8, "epochs": 40, "neighbours": 3, "batch_size": 64, "learning_rate": 0.01},
    "two_tower": {"dim": 4, "hidden": 8, "epochs": 30, "batch_size": 512, "learning_rate": 0.01},
    "sasrec": {"dim": 16, "length": 12, "batch_size": 8, "epochs": 22, "learning_rate": 0.01},
    "din": {"dim": 8, "length": 12, "epochs": 10, "batch_size": 32, "learning_rate": 0.01},
    "lirdrec": {"dim": 8, "epochs": 20, "neighbours": 3, "batch_size": 64, "learning_rate": 0.01},
}
PERSONAL = sorted(set(RECOMMENDERS) - {"popularity"})
"""Popularity is the same for everyone by design; live counts are not its job."""

GROUPS, EACH = 4, 12
ITEMS = IdMap([f"{group}-{n:02}" for group in range(GROUPS) for n in range(EACH)])
USERS = IdMap([f"user-{row:02}" for row in range(121)], "user")
SHOPPER, NEWS = "user-04", ("1-00", "1-03", "1-06", "1-09")
"""A shopper of group 0 who, after the fit, takes four items of group 1."""

AGREEMENT = {
    "itemknn": 0.95, "content_knn": 0.99, "ease": 0.95, "content_linear": 0.95, "sequence_linear": 0.95,
    "sequence_tower": 0.95, "als": 0.95, "bprmf": 0.75, "lightgcn": 0.65, "vbpr": 0.85, "freedom": 0.7,
    "two_tower": 0.9, "sasrec": 0.65, "din": 0.6, "lirdrec": 0.8,
}  # fmt: skip
"""Least rank correlation, over all items, between folding events in and having trained on them."""


def group(items: IdMap = ITEMS) -> npt.NDArray[np.int64]:
    return np.array([int(item.split("-")[0]) for item in items])


def data(*, with_news: bool = False) -> TrainingData:
    """Each shopper takes most of one group's items and a few of others; vectors tell the groups apart."""
    rng = np.random.default_rng(5)
    pairs = [
        (u, i)
        for u in range(120)
        for i in range(len(ITEMS))
        if rng.random() < (0.55 if u % GROUPS == i // EACH else 0.04)
    ]
    pairs = [pairs[n] for n in rng.permutation(len(pairs))]  # taken in no order of items
    taken = [(u, i) for u, i in pairs if (USERS.ids[u], ITEMS.ids[i]) not in {(SHOPPER, item) for item in NEWS}]
    if with_news:
        taken += [(USERS.row(SHOPPER), ITEMS.row(item)) for item in NEWS]
    users, items = np.array(taken, np.int32).T
    train = Interactions(USERS, ITEMS, users, items, np.arange(len(taken), dtype=np.int64) * 1_000_000)
    return TrainingData(train, {"text": vectors(ITEMS)})


def vectors(items: IdMap) -> EmbeddingTable:
    rng = np.random.default_rng(len(items))
    table = np.eye(GROUPS, 8, dtype=np.float32)[group(items)] + 0.15 * rng.normal(size=(len(items), 8))
    return EmbeddingTable(items, table.astype(np.float32), "text-toy")


@cache
def fitted(name: str, with_news: bool = False) -> Recommender:
    model = build(name, QUICK.get(name))
    model.fit(data(with_news=with_news), seed=3)
    return model


def lift(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], which: npt.NDArray[np.bool_]) -> float:
    """Return by how many places (of the mean) the chosen items rose."""
    places = [np.argsort(np.argsort(-scores, kind="stable"), kind="stable") for scores in (before, after)]
    return float(places[0][which].mean() - places[1][which].mean())


def neighbours(of: int, but: tuple[str, ...] = ()) -> npt.NDArray[np.bool_]:
    return np.asarray((group() == of) & ~np.isin(list(ITEMS), but))


@pytest.mark.parametrize("name", PERSONAL)
@pytest.mark.parametrize("user_id", [SHOPPER, "nobody"])
def test_one_event_lifts_what_is_like_its_item(name: str, user_id: str) -> None:
    model = fitted(name)
    before = model.score(user_id, ["0-01"]).values
    after = model.score(user_id, ["0-01", "1-00"]).values
    assert (before != after).any()
    assert lift(before, after, neighbours(1, ("1-00",))) > 0


@pytest.mark.parametrize("name", PERSONAL)
@pytest.mark.parametrize("user_id", [SHOPPER, "nobody"])
def test_a_dislike_pushes_what_is_like_it_down(name: str, user_id: str) -> None:
    model = fitted(name)
    before = model.score(user_id, ["0-01", "2-02"]).values
    after = model.score(user_id, ["0-01", "2-02"], ["2-05"]).values
    assert lift(before, after, neighbours(2, ("2-05",))) < 0


@pytest.mark.parametrize("name", PERSONAL)
def test_a_dislike_takes_back_what_the_history_said(name: str) -> None:
    model = fitted(name)
    train = data().train
    taken = {ITEMS.ids[i] for u, i in zip(train.user_rows, train.item_rows, strict=True) if USERS.ids[u] == SHOPPER}
    returned = tuple(sorted(item for item in taken if item.startswith("0-"))[:3])
    before, after = model.score(SHOPPER).values, model.score(SHOPPER, (), returned).values
    # The whole group falls behind the others, the returned items and those still liked alike.
    gaps = [scores[group() == 0].mean() - scores[group() != 0].mean() for scores in (before, after)]
    assert gaps[1] < gaps[0]


@pytest.mark.parametrize("name", PERSONAL)
def test_folding_events_in_ranks_nearly_as_training_on_them_would(name: str) -> None:
    folded, trained = fitted(name).score(SHOPPER, NEWS).values, fitted(name, True).score(SHOPPER).values
    frozen = fitted(name).score(SHOPPER).values
    agreement = spearmanr(folded, trained).statistic
    assert agreement >= AGREEMENT[name]
    assert agreement > spearmanr(frozen, trained).statistic


@pytest.mark.parametrize("name", sorted(RECOMMENDERS))
def test_unknown_shoppers_and_items_change_nothing_and_break_nothing(name: str) -> None:
    model = fitted(name)
    for user_id in (None, "nobody", SHOPPER):
        alone = model.score(user_id, ["0-01"])
        told = model.score(user_id, ["no such item", "0-01"], ["nor this"])
        assert (alone.values == told.values).all()
        assert np.isfinite(model.score(user_id, [], ["0-01"]).values).all()


@pytest.mark.parametrize("name", sorted(RECOMMENDERS))
def test_later_items_take_part(name: str, tmp_path: Path) -> None:
    model = build(name, QUICK.get(name))
    model.fit(data(), seed=3)
    later = IdMap(["1-90", "2-90"])
    placed = model.add_items({"text": vectors(later)})
    mask = model.grounded()
    assert mask.shape == (len(ITEMS) + 2,)
    assert mask[: len(ITEMS)].all()
    assert (mask[-2:] == (placed > 0)).all(), "what features did not place says nothing"
    if placed:
        scores = model.score(SHOPPER, ["1-90", *NEWS], ["2-90"]).values
        assert np.isfinite(scores).all()
        assert scores[-2] > scores[-1]
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    asked = (SHOPPER, ["1-90", *NEWS], ["2-05"])
    assert (again.score(*asked).values == model.score(*asked).values).all()
    assert (again.grounded() == mask).all()


@pytest.mark.parametrize("name", ["als", "lightgcn", "lirdrec", "freedom"])
def test_what_was_trained_on_is_no_news(name: str) -> None:
    """Naming an item of the history again leaves a row that is solved or propagated where it was."""
    model = fitted(name)
    train = data().train
    mine = next(ITEMS.ids[i] for u, i in zip(train.user_rows, train.item_rows, strict=True) if USERS.ids[u] == SHOPPER)
    np.testing.assert_allclose(model.score(SHOPPER, [mine]).values, model.score(SHOPPER).values, rtol=1e-3, atol=1e-4)
