"""What every index shares: checks of a query, and the best rows of a score column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.vectors import Mask
from indexes.base import Query

FEW = 512
"""Scores up to which all are sorted."""


def check(query: Query, k: int, kinds: tuple[str, ...], name: str, allowed: Mask | None, n_items: int) -> str:
    """Return which one of `kinds` the query carries.

    Raises:
        DataError: When `k` < 1, none or several kinds are given, the kind is not one of `kinds`, or
            `allowed` has another length than the index, or is no mask (its numbers would be taken for rows).
    """
    if k < 1:
        raise DataError(f"index {name!r}: k={k!r}; 1 or more would be valid")
    given = [kind for kind in ("text", "vector", "item_id") if getattr(query, kind) is not None]
    if len(given) != 1 or given[0] not in kinds:
        raise DataError(
            f"index {name!r}: query carries {' and '.join(given) or 'nothing'}; exactly one of {', '.join(kinds)} "
            "would be valid"
        )
    if allowed is not None and allowed.shape != (n_items,):
        raise DataError(f"index {name!r}: allowed has shape {allowed.shape!r}; ({n_items},) would be valid")
    if allowed is not None and allowed.dtype != np.bool_:
        raise DataError(f"index {name!r}: allowed is of {str(allowed.dtype)!r}; bool would be valid")
    return given[0]


def best(scores: npt.NDArray[Any], k: int) -> npt.NDArray[np.int64]:
    """Return the positions of the `k` highest scores (n,), best first, ties by lower position."""
    n = len(scores)
    if n <= FEW:  # sorting them all takes less than finding out which
        return np.argsort(-scores, kind="stable")[:k]
    if k < n:
        bar = np.partition(scores, n - k)[n - k]
        above = np.flatnonzero(scores > bar)
        level = np.flatnonzero(scores == bar)[: k - len(above)]
        chosen = np.sort(np.concatenate([above, level]))
    else:
        chosen = np.arange(n)
    order = np.argsort(-scores[chosen], kind="stable")
    return np.asarray(chosen[order], np.int64)
