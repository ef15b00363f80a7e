"""The probe is the content-aware linear model, solved once: both give the same scores."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from eval.captions.probe import Solution
from eval.captions.reading import read
from models.base import TrainingData
from models.content_linear import ContentLinear, ContentLinearConfig

EVERYBODY = np.arange(60)


def fitted(split: Split, **roles: tuple[EmbeddingTable, float]) -> ContentLinear:
    weights = {role: weight for role, (_, weight) in roles.items()}
    model = ContentLinear(ContentLinearConfig(regularisation=5.0, weights=weights))
    model.fit(TrainingData(split.train, {role: table for role, (table, _) in roles.items()}))
    return model


def untaken(split: Split, scores: np.ndarray) -> np.ndarray:
    """Scores of items the user took are masked in every ranking, and differ by a constant there."""
    return np.asarray(scores[split.train.csr().toarray() == 0])


def wide(table: EmbeddingTable, width: int) -> EmbeddingTable:
    rng = np.random.default_rng(3)
    more = rng.standard_normal((len(table.ids), width - table.dim)).astype(np.float32)
    return EmbeddingTable(table.ids, np.concatenate([table.vectors, more], axis=1), table.space)


@pytest.mark.parametrize("width", [4, 100])
def test_one_space_scores_as_the_model_does(split: Split, colour: EmbeddingTable, width: int) -> None:
    table = wide(colour, width) if width > colour.dim else colour
    probe = Solution.of(split.train.csr(), 5.0, 100).probing(read(table, split.items, IdMap([]))).at(3.0)
    model = fitted(split, picture=(table, 3.0))
    assert untaken(split, probe.scores(EVERYBODY)) == pytest.approx(
        untaken(split, model.score_users(EVERYBODY)), abs=1e-5
    )


def test_a_space_on_a_ground_scores_as_the_model_of_both_does(
    split: Split, colour: EmbeddingTable, noise: EmbeddingTable
) -> None:
    nothing = IdMap([])
    ground = Solution.of(split.train.csr(), 5.0, 100).folded(read(noise, split.items, nothing), 2.0)
    probe = ground.probing(read(colour, split.items, nothing)).at(3.0)
    model = fitted(split, text=(noise, 2.0), picture=(colour, 3.0))
    assert untaken(split, probe.scores(EVERYBODY)) == pytest.approx(
        untaken(split, model.score_users(EVERYBODY)), abs=1e-5
    )
    alone = fitted(split, text=(noise, 2.0))
    assert untaken(split, ground.scores(EVERYBODY)) == pytest.approx(
        untaken(split, alone.score_users(EVERYBODY)), abs=1e-5
    )


@pytest.mark.parametrize("width", [4, 100])
def test_new_items_are_placed_as_the_model_places_them(
    split: Split, colour: EmbeddingTable, noise: EmbeddingTable, width: int
) -> None:
    old, new = IdMap(split.items.ids[:30]), IdMap(split.items.ids[30:])
    table = wide(colour, width) if width > colour.dim else colour
    known = {name: EmbeddingTable(old, each.vectors[:30], name) for name, each in (("c", table), ("n", noise))}
    train = split.train.take(split.train.item_rows < 30)
    small = Split(
        type(train)(split.users, old, train.user_rows, train.item_rows, train.timestamps),
        split.valid, split.test, "mmrec", {}, split.cold_users, split.cold_items,
    )  # fmt: skip
    model = fitted(small, text=(known["n"], 2.0), picture=(known["c"], 3.0))
    model.add_items({"text": noise, "picture": table})
    ground = Solution.of(small.train.csr(), 5.0, 100).folded(read(noise, old, new), 2.0)
    probe = ground.probing(read(table, old, new)).at(3.0)
    assert probe.placed(EVERYBODY) == pytest.approx(model.score_users(EVERYBODY)[:, 30:], abs=1e-5)
    assert np.abs(probe.placed(EVERYBODY)).max() > 1e-3


def test_nothing_places_no_item(split: Split) -> None:
    bare = Solution.of(split.train.csr(), 5.0, 100)
    assert bare.placed(EVERYBODY).shape == (60, 0)


def test_a_catalogue_that_is_too_large_is_refused_by_its_size(split: Split) -> None:
    with pytest.raises(DataError, match="caption scoreboard: 40 items exceed max_items = 39"):
        Solution.of(split.train.csr(), 5.0, 39)
