"""Rows of train held out to teach the second stage, as the protocol itself holds rows out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.log import Interactions
from eval.two_stage_config import Holdout

FEWEST = 3
"""A shopper with fewer rows keeps them all: retrievers need a history to read."""


@dataclass(frozen=True, eq=False)
class Fold:
    """What retrievers are fitted on, and what the ranker learns from."""

    kept: Interactions
    held: Interactions


def folds(train: Interactions, how: Holdout, number: int, seed: int) -> Iterator[Fold]:
    """Yield disjoint held-out parts: of a shopper's n rows `max(1, n // 10)` each, or the last one once.

    A shopper with too few rows for a further part keeps all of them there; repeats of a pair are kept with the first.
    """
    order = _order(train, how, seed)
    users = train.user_rows[order]
    starts = np.flatnonzero(np.r_[True, users[1:] != users[:-1]])
    size = np.diff(np.r_[starts, len(users)])
    place = np.arange(len(users)) - np.repeat(starts, size)
    part = np.repeat(np.maximum(1, size // 10) if how == "random" else np.ones_like(size), size)
    many = np.repeat(size >= FEWEST, size)
    for fold in range(number if how == "random" else 1):
        chosen = many & (place >= fold * part) & (place < (fold + 1) * part)
        held = np.zeros(len(train), np.bool_)
        held[order[chosen]] = True
        if held.any():
            yield Fold(train.take(~held), train.take(held))


def _order(train: Interactions, how: Holdout, seed: int) -> npt.NDArray[np.int64]:
    """Return row numbers by shopper, those to hold out first."""
    if how == "last":
        place = np.arange(len(train))
        return np.lexsort((-place, -train.timestamps, train.user_rows)).astype(np.int64)
    draw = np.random.default_rng(seed).permutation(len(train))
    return np.lexsort((draw, train.user_rows)).astype(np.int64)
