"""`Pool`: the candidates of one request as columns; objects are made for the shown page alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from catalog.ids import Rows
from catalog.vectors import Floats, Mask
from indexes.fusion import RRF_K, SourceRank
from indexes.ranking import best

Column = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Proposed:
    """What one source proposes, best first: catalogue rows (k,), each once, and its own scores (k,)."""

    rows: Rows
    scores: Floats

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Reach:
    """How far the first stage reaches: which rows may be proposed, (n_items,) bool, and how many a source proposes."""

    allowed: Mask
    k: int
    hidden: int = -1
    """How many rows may not be proposed; counted where it is not given."""

    few: ClassVar[int] = 500
    """Hidden rows up to which a search asks for that many more and drops them: it costs less than a filter."""

    def __post_init__(self) -> None:
        if self.hidden < 0:
            object.__setattr__(self, "hidden", len(self.allowed) - int(np.count_nonzero(self.allowed)))


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates in order, best first.

    Attributes:
        rows: (m,) catalogue rows, each once.
        score: (m,) float64, comparable within the pool.
        names: The s sources.
        ranks: (m, s) the rank from 1 at which each source proposed it, 0 where it did not.
        said: (m, s) float64 that source's own score, NaN where it said nothing.
        features: Named values (m,) the order was made of, NaN where a candidate has none.
    """

    rows: Rows
    score: npt.NDArray[np.float64]
    names: tuple[str, ...] = ()
    ranks: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    said: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    features: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: Rows) -> Pool:
        """Return candidates that no source proposed, all with score 0."""
        return cls(rows, np.zeros(len(rows)), (), np.zeros((len(rows), 0), np.int64), np.zeros((len(rows), 0)))

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: npt.NDArray[Any]) -> Pool:
        """Return some candidates, in the order of `which` (places, or a mask)."""
        return Pool(
            self.rows[which],
            self.score[which],
            self.names,
            self.ranks[which],
            self.said[which],
            {name: column[which] for name, column in self.features.items()},
        )

    def joined(self, rows: Rows) -> Pool:
        """Return the pool with further rows behind, which no source proposed and score 0."""
        n, s = len(rows), len(self.names)
        return Pool(
            np.concatenate([self.rows, rows]),
            np.concatenate([self.score, np.zeros(n)]),
            self.names,
            np.concatenate([self.ranks, np.zeros((n, s), np.int64)]),
            np.concatenate([self.said, np.full((n, s), np.nan)]),
            {name: np.concatenate([column, np.full(n, np.nan)]) for name, column in self.features.items()},
        )

    def scored(self, score: Column, **features: Column) -> Pool:
        """Return the pool in the order of new scores (m,), best first, equals in the order they stand in."""
        pool = replace(self, score=np.asarray(score, np.float64), features={**self.features, **features})
        return pool.take(np.argsort(-pool.score, kind="stable"))

    def noted(self, **features: Column) -> Pool:
        """Return the pool with further named values (m,)."""
        return replace(self, features={**self.features, **features})

    def sources(self) -> list[tuple[SourceRank, ...]]:
        """Return which sources proposed each candidate."""
        told = zip(self.ranks.tolist(), self.said.tolist(), strict=True)
        return [
            tuple(SourceRank(n, r, s) for n, r, s in zip(self.names, ranks, said, strict=True) if r)
            for ranks, said in told
        ]

    def told(self) -> list[dict[str, float]]:
        """Return the named values of each candidate."""
        columns = {name: column.tolist() for name, column in self.features.items()}
        every = ({name: column[place] for name, column in columns.items()} for place in range(len(self)))
        return [{name: float(value) for name, value in values.items() if value == value} for values in every]


def top(values: Floats, reach: Reach) -> Proposed:
    """Return the rows of the greatest finite values (n,) among those allowed, ties by lower row."""
    seen = np.asarray(values, np.float32)
    # What neighbours say of most items is 0: where enough stand above it, the others need not be looked at.
    near = np.flatnonzero((seen > 0) & reach.allowed & (seen < np.inf))
    if len(near) < reach.k:
        near = np.flatnonzero(np.isfinite(seen) & reach.allowed)
    rows = near[best(seen[near], reach.k)]
    return Proposed(rows, seen[rows])


def united(lists: Mapping[str, Proposed], weights: Mapping[str, float], k: int = RRF_K) -> Pool:
    """Unite ranked lists: `score = sum_source weight / (k + rank)`, ties by lower row; as `indexes.fusion.fuse` does.

    Args:
        lists: By source name, best first.
        weights: How much a source counts (1 where left out).
        k: How flat the top is.

    Source: Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods" (SIGIR 2009).
    """
    names = tuple(lists)
    found: Sequence[Rows] = [each.rows for each in lists.values()]
    every = np.concatenate([np.empty(0, np.int64), *found])
    order, place = np.argsort(every, kind="stable"), np.zeros(len(every), np.int64)
    ranked = every[order]
    new = np.append(True, ranked[1:] != ranked[:-1])[: len(every)]
    rows, place[order] = ranked[new], np.cumsum(new) - 1
    ranks = np.zeros((len(rows), len(names)), np.int64)
    said = np.full((len(rows), len(names)), np.nan)
    score = np.zeros(len(rows))
    start = 0
    for at, (name, each) in enumerate(lists.items()):
        mine, rank = place[start : start + len(each)], np.arange(1, len(each) + 1)
        start += len(each)
        ranks[mine, at], said[mine, at] = rank, each.scores
        score[mine] += weights.get(name, 1.0) / (k + rank)
    return Pool(rows, score, names, ranks, said).scored(score)
