from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from catalog.ids import IdMap
from catalog.log import Interactions
from models.base import TrainingData
from models.cooccurrence import cosine_neighbours
from models.itemknn import ItemKNN, ItemKNNConfig

# Takers: a {u, v, w}, b {u, v}, c {w}, d {x}.
PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 2), (3, 3)]


def data() -> TrainingData:
    users, items = np.array(PAIRS, np.int32).T
    return TrainingData(
        Interactions(IdMap("uvwx", "user"), IdMap("abcd"), users, items, np.zeros(len(PAIRS), np.int64))
    )


def test_similarity_by_hand() -> None:
    similar = cosine_neighbours(data().train.csr(), 10, shrinkage=0.5).toarray()
    ab, ac = 2 / (np.sqrt(3 * 2) + 0.5), 1 / (np.sqrt(3 * 1) + 0.5)
    expected = [[0, ab, ac, 0], [ab, 0, 0, 0], [ac, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(similar, expected, rtol=1e-6)


def test_only_the_best_neighbours_are_kept() -> None:
    similar = cosine_neighbours(data().train.csr(), 1, shrinkage=0).toarray()
    assert np.flatnonzero(similar[0]).tolist() == [1]
    assert (np.count_nonzero(similar, axis=1) <= 1).all()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = (np.random.default_rng(0).random((40, 30)) < 0.3).astype(np.float32)
    history = sparse.csr_array(dense)
    whole = cosine_neighbours(history, 5, 1.0).toarray()
    monkeypatch.setattr("models.cooccurrence.BLOCK_CELLS", 7 * 30)
    assert (cosine_neighbours(history, 5, 1.0).toarray() == whole).all()


def test_scores_add_up_over_history_and_recent() -> None:
    model = ItemKNN(ItemKNNConfig(neighbours=10, shrinkage=0, recent_weight=0.5))
    model.fit(data())
    ab, ac = 2 / np.sqrt(6), 1 / np.sqrt(3)
    np.testing.assert_allclose(model.score("u").values, [ab, ab, ac, 0], rtol=1e-6)
    np.testing.assert_allclose(model.score("u", ["c"]).values, [ab + 0.5 * ac, ab, ac, 0], rtol=1e-6)
    np.testing.assert_allclose(model.score("new", ["c", "c"]).values, [ac, 0, 0, 0], rtol=1e-6)
