"""Metrics agree with ranx and pytrec_eval, ties included once the tie order is made explicit."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse

from catalog.errors import ConfigError, DataError
from eval.config import EvalConfig
from eval.metrics import METRIC_NAMES, Metric, coverage, parse_metric, per_user
from eval.search import SearchConfig
from eval.selection import hits, top_k

RANX = {"ndcg": "ndcg", "recall": "recall", "hit": "hit_rate", "mrr": "mrr", "map": "map", "precision": "precision"}
TREC = {"ndcg": "ndcg_cut", "recall": "recall", "hit": "success", "map": "map_cut", "precision": "P"}


def lists(seed: int, *, tied: bool) -> tuple[npt.NDArray[np.float32], sparse.csr_array]:
    rng = np.random.default_rng(seed)
    n_users, n_items = 40, 120
    distinct = np.stack([rng.permutation(n_items) for _ in range(n_users)]).astype(np.float32)
    scores = np.floor(distinct / 9) if tied else distinct
    relevant = sparse.csr_array((rng.random((n_users, n_items)) < 0.06).astype(np.float32))
    lacking = np.flatnonzero(np.diff(relevant.indptr) == 0)
    dense = relevant.toarray()
    dense[lacking, 3] = 1
    return scores.astype(np.float32), sparse.csr_array(dense)


def ours(scores: npt.NDArray[np.float32], relevant: sparse.csr_array, metric: Metric) -> npt.NDArray[np.float64]:
    top = top_k(scores, metric.k)
    return per_user(metric, hits(top, relevant), np.diff(relevant.indptr).astype(np.int64))


def as_dicts(scores: npt.NDArray[np.float32], relevant: sparse.csr_array) -> tuple[dict[str, Any], dict[str, Any]]:
    """Runs whose scores are distinct: the documented tie order (lower row first) as a score of its own."""
    qrels: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    for user in range(len(scores)):
        order = sorted(range(scores.shape[1]), key=lambda item, user=user: (-scores[user, item], item))
        run[f"u{user}"] = {f"i{item}": float(len(order) - rank) for rank, item in enumerate(order)}
        start, stop = relevant.indptr[user : user + 2]
        qrels[f"u{user}"] = {f"i{item}": 1 for item in relevant.indices[start:stop]}
    return qrels, run


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("k", [1, 5, 20])
def test_agrees_with_pytrec_eval(tied: bool, k: int) -> None:
    import pytrec_eval

    scores, relevant = lists(k, tied=tied)
    qrels, run = as_dicts(scores, relevant)
    measures = {f"{name}.{k}" for name in TREC.values()}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    for name, measure in TREC.items():
        expected = [theirs[f"u{user}"][f"{measure}_{k}"] for user in range(len(scores))]
        np.testing.assert_allclose(ours(scores, relevant, Metric(name, k)), expected, atol=1e-9, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("tied", [False, True])
def test_agrees_with_ranx(tied: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ranx import Qrels, Run, evaluate

        scores, relevant = lists(3, tied=tied)
        qrels, run = as_dicts(scores, relevant)
        for k in (1, 5, 20):
            names = [f"{name}@{k}" for name in RANX.values()]
            theirs = evaluate(Qrels(qrels), Run(run), names, return_mean=False, make_comparable=True)
            for name, measure in RANX.items():
                ordered = dict(zip(Run(run).keys(), theirs[f"{measure}@{k}"], strict=True))
                expected = [ordered[f"u{user}"] for user in range(len(scores))]
                np.testing.assert_allclose(ours(scores, relevant, Metric(name, k)), expected, atol=1e-9, err_msg=name)


def test_values_by_hand() -> None:
    hit = np.array([[False, True, True, False]])
    n_relevant = np.array([3])
    by_hand = {
        "precision": 2 / 4,
        "recall": 2 / 3,
        "hit": 1.0,
        "mrr": 1 / 2,
        "map": (1 / 2 + 2 / 3) / 3,
        "ndcg": (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3) + 1 / math.log2(4)),
    }
    assert set(by_hand) == set(METRIC_NAMES)
    for name, value in by_hand.items():
        assert per_user(Metric(name, 4), hit, n_relevant)[0] == pytest.approx(value)


def test_ties_go_to_the_lower_row_at_the_cut_too() -> None:
    scores = np.array([[0.0, -0.0, 5.0, 0.0, -1.0]], np.float32)
    assert top_k(scores, 3).tolist() == [[2, 0, 1]]
    assert top_k(scores, 99).tolist() == [[2, 0, 1, 3, 4]]


def test_masked_items_never_appear() -> None:
    scores = np.array([[3, 2, 1], [1, 2, 3]], np.float32)
    masked = sparse.csr_array(np.array([[1, 0, 1], [0, 0, 0]], np.float32))
    assert top_k(scores, 2, masked).tolist() == [[1, -1], [2, 1]]
    assert top_k(scores, 3, masked).tolist() == [[1, -1, -1], [2, 1, 0]]


def test_against_a_full_sort() -> None:
    rng = np.random.default_rng(0)
    scores = (rng.standard_normal((50, 300)).round(1) * rng.choice([1e-30, 1, 1e30], (50, 300))).astype(np.float32)
    expected = np.stack([sorted(range(300), key=lambda i, row=row: (-row[i], i)) for row in scores])
    for k in (1, 7, 299, 300):
        np.testing.assert_array_equal(top_k(scores, k), expected[:, :k])


def test_a_score_that_is_not_finite_is_refused() -> None:
    with pytest.raises(DataError, match="user row 1, item row 0"):
        top_k(np.array([[1.0], [np.nan]], np.float32), 1)


def test_coverage_counts_distinct_items() -> None:
    assert coverage(np.array([[0, 1], [1, -1]]), 2, 4) == 2 / 4


@pytest.mark.parametrize(
    ("text", "reason"), [("ndgc@20", "Did you mean 'ndcg'.*auc"), ("ndcg", "name@k"), ("ndcg@0", "1")]
)
def test_an_unknown_metric_says_what_would_be_valid(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_metric(text)


@pytest.mark.parametrize("k", ["0", "000", "10001", "10000000000", "9" * 5000], ids=len)
def test_a_cut_off_has_bounds(k: str) -> None:
    with pytest.raises(ConfigError, match=r"a cut-off from 1 to 10,000 would be valid"):
        parse_metric(f"ndcg@{k}")
    assert parse_metric("ndcg@10000") == Metric("ndcg", 10_000) and parse_metric("ndcg@007") == Metric("ndcg", 7)


def test_ideal_gains_stop_at_what_there_is_to_find() -> None:
    hit, n_relevant = np.array([[False, True, False]]), np.array([2])
    huge = per_user(Metric("ndcg", 10**12), hit, n_relevant)[0]  # a discount a rank would be 8 TB
    assert huge == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))


@pytest.mark.parametrize(
    "text", ["coverage@10", "gini@10", "diversity@10", "novelty@5", "popularity@5", "coldrecall@10"]
)
@pytest.mark.parametrize("kind", [SearchConfig, EvalConfig])
def test_what_says_nothing_of_hits_selects_nothing(kind: type[SearchConfig | EvalConfig], text: str) -> None:
    k = text.partition("@")[2]
    with pytest.raises(ConfigError, match=rf"by metric '{text}'; ndcg@{k}, recall@{k}, .* or auc would be valid"):
        kind(select_by=text)
    assert kind(select_by="auc").select_by == "auc" and kind(select_by="mrr@5").select_by == "mrr@5"
