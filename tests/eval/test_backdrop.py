from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from catalog.errors import ConfigError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from eval.backdrop import Backdrop, gini
from eval.cells import _cold_recall
from eval.intervals import bootstrap_interval
from eval.metrics import parse_metric
from eval.selection import areas

ITEMS = IdMap(["a", "b", "c", "d"])


@pytest.fixture
def backdrop() -> Backdrop:
    """Four users: all took a, two took b, one took c, nobody d."""
    pairs = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (0, 2)]
    users, items = np.array(pairs, np.int32).T
    train = Interactions(IdMap("wxyz", "user"), ITEMS, users, items, np.zeros(len(pairs), np.int64))
    vectors = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)  # their mean is zero
    return Backdrop.of(train, {"text": EmbeddingTable(ITEMS, vectors, "cross")})


def test_novelty_is_the_surprise_of_what_is_shown(backdrop):
    assert backdrop.novelty(np.array([[0, 1], [2, 3]])).tolist() == [(0 + 1) / 2, (2 + 2) / 2]
    assert math.isnan(backdrop.novelty(np.array([[-1, -1]]))[0])
    assert backdrop.novelty(np.array([[1, -1]])).tolist() == [1.0], "an empty place is no item"


def test_popularity_is_a_percentile_with_ties_counted_half(backdrop):
    assert backdrop.popularity(np.array([[0], [3]])).tolist() == [(3 + 4) / 8, (0 + 1) / 8]
    assert backdrop.popularity(np.array([[0, 1, 2, 3]])).tolist() == [0.5], "the whole catalogue is its own mean"


def test_diversity_is_one_less_the_mean_cosine_of_pairs(backdrop):
    lists = np.array([[0, 1, -1], [0, 2, -1], [0, 1, 2]])
    np.testing.assert_allclose(backdrop.diversity(lists), [1 + 1, 1 - 0, 1 - (-1 + 0 + 0) / 3], atol=1e-6)
    assert math.isnan(backdrop.diversity(np.array([[0, -1, -1]]))[0])
    bare = Backdrop(backdrop.counts, 4, None)
    assert np.isnan(bare.diversity(lists)).all()


def test_a_modality_without_any_of_the_items_says_nothing_about_variety():
    train = Interactions(IdMap("w", "user"), ITEMS, *np.zeros((2, 1), np.int32), np.zeros(1, np.int64))
    cross = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    spaces = {
        "picture": EmbeddingTable(IdMap([]), np.zeros((0, 3), np.float32), "void"),
        "text": EmbeddingTable(ITEMS, cross, "cross"),
    }
    lists = np.array([[0, 1], [0, 2]])
    assert Backdrop.of(train, spaces).diversity(lists).tolist() == pytest.approx([2, 1])
    assert Backdrop.of(train, {"picture": spaces["picture"]}).unit is None


def test_gini_is_zero_for_all_alike_and_one_when_a_single_item_is_shown():
    assert gini(np.array([[0, 1], [2, 3]]), 4) == 0
    assert gini(np.array([[0], [0]]), 4) == 1
    assert gini(np.array([[0, -1]]), 4) == 1
    # shown 0, 0, 1, 3 times: (2 * sum(rank * shown) / sum - (n + 1)) / (n - 1)
    assert gini(np.array([[3], [3], [3], [2]]), 4) == pytest.approx((2 * (3 * 1 + 4 * 3) / 4 - 5) / 3)


def test_auc_counts_pairs_in_order_and_half_of_ties():
    scores = np.array([[4, 3, 2, 2, 9]], np.float32)
    relevant = sparse.csr_array(np.array([[0, 1, 1, 0, 0]], np.float32))
    masked = sparse.csr_array(np.array([[0, 0, 0, 0, 1]], np.float32))
    # relevant 3 and 2 against 4 and 2: (0 + 1 + 0 + 1/2) / 4
    assert areas(scores, relevant, masked).tolist() == [1.5 / 4]
    everything = sparse.csr_array(np.ones((1, 5), np.float32))
    assert math.isnan(areas(scores, everything, everything)[0])


def test_cold_recall_counts_items_nobody_took_in_train_alone(backdrop):
    shown = np.array([[3, 0], [0, 1], [1, 0]])
    relevant = sparse.csr_array(np.array([[1, 0, 0, 1], [0, 0, 0, 1], [1, 1, 0, 0]], np.float32))
    found = _cold_recall(shown, relevant, backdrop)
    assert found[:2].tolist() == [1.0, 0.0], "item d is the cold one"
    assert math.isnan(found[2]), "nothing cold to find"
    assert bootstrap_interval(found, seed=0).mean == 0.5, "who has nothing to find does not count"


def test_a_ranking_of_all_items_has_no_log_loss():
    assert str(parse_metric("auc")) == "auc"
    with pytest.raises(ConfigError, match="'logloss' judges probabilities; 'auc' would be valid"):
        parse_metric("logloss")
