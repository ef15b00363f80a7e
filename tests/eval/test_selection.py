from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from catalog.errors import DataError
from eval.selection import BLOCK, hits, top_k


def plainly(scores: np.ndarray, k: int, masked: np.ndarray) -> list[list[int]]:
    """Sort every row with Python's own stable sort."""
    out = []
    for row, hidden in zip(scores, masked, strict=True):
        shown = sorted((-value, item) for item, value in enumerate(row.tolist()) if not hidden[item])
        items = [item for _, item in shown][:k]
        out.append(items + [-1] * (min(k, len(row)) - len(items)))
    return out


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_users=st.sampled_from([0, 1, 5, BLOCK + 3]),
    n_items=st.sampled_from([1, 7, 40, 700]),
    k=st.sampled_from([1, 3, 20, 60]),
    levels=st.sampled_from([1, 3, 50, 10**6]),
    hidden=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
)
def test_it_is_a_stable_sort_of_what_may_be_shown(seed, n_users, n_items, k, levels, hidden):
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, levels, (n_users, n_items)) - levels // 2).astype(np.float32)
    masked = rng.random((n_users, n_items)) < hidden
    found = top_k(scores, k, sparse.csr_array(masked.astype(np.float32)))
    assert found.tolist() == plainly(scores, k, masked)
    assert found.shape == (n_users, min(k, n_items))


def test_the_scores_handed_in_stay_as_they_were():
    scores = np.arange(12, dtype=np.float32).reshape(3, 4)
    before = scores.copy()
    top_k(scores, 2, sparse.csr_array(np.eye(3, 4, dtype=np.float32)))
    assert (scores == before).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_cannot_be_ordered_is_refused_by_name(bad):
    scores = np.zeros((BLOCK + 5, 40), np.float32)
    scores[BLOCK + 2, 17] = bad
    with pytest.raises(DataError, match=rf"of user row {BLOCK + 2}, item row 17 is not finite"):
        top_k(scores, 3)


def test_large_finite_scores_are_fine():
    scores = np.full((2, 40), 3e38, np.float32)
    assert top_k(scores, 2).tolist() == [[0, 1], [0, 1]]


def test_negative_zero_ties_with_zero():
    assert top_k(np.array([[-0.0, 0.0, -0.0]], np.float32), 3).tolist() == [[0, 1, 2]]


def test_hits_never_count_an_empty_place():
    relevant = sparse.csr_array(np.array([[0, 1, 0, 1]], np.float32))
    assert hits(np.array([[3, -1, 2, 1]]), relevant).tolist() == [[True, False, False, True]]
