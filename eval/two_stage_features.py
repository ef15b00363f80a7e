"""What the second stage knows of a shopper and a candidate: all of it from the rows it may see."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from catalog.log import Interactions
from catalog.split_rules import CLOCK_STARTS
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.item_features import training_features
from models.sequence_linear.grams import in_sequence, shopper_weights, together

DAY = 86_400_000_000
"""Microseconds."""

HALF_LIVES = (30.0, 365.0)
"""Days, of the decayed popularity."""

RECENT, NEAREST, REACH = 5, 3, 2.0

Rows = npt.NDArray[np.int64]


class History:
    """Histories in the order of time, and what the log says of items, over the train rows of one fit.

    Args:
        train: Positives; each shopper's last row is the moment up to which others' rows are counted for that shopper,
            so that popularity and recency tell nobody of a later time.
        modalities: Embedding tables by role.
    """

    def __init__(self, train: Interactions, modalities: Mapping[str, EmbeddingTable]) -> None:
        order = np.lexsort((train.item_rows, train.timestamps, train.user_rows))
        self._items = train.item_rows[order].astype(np.int64)
        self._starts = np.searchsorted(train.user_rows[order], np.arange(len(train.users) + 1))
        self._times = train.timestamps[order]
        self._log_counts = np.log1p(np.bincount(train.item_rows, minlength=len(train.items)))
        matrix = train.csr()
        weights = shopper_weights(matrix, 0.5)
        self._closeness = {
            "together": _normalised(together(matrix, weights)),
            "sequence": _normalised(in_sequence(train, weights, REACH)),
        }
        features = training_features("two_stage", modalities, train.items) if modalities else None
        self._units: dict[str, Floats] = (
            {} if features is None else {r: unit_rows(t - features.means[r]) for r, t in features.inputs.items()}
        )
        newest = int(train.timestamps.max(initial=0))
        self._clock = _Clock(train) if newest / 1e6 >= CLOCK_STARTS.timestamp() else None
        near = ("max", "top", "recent", "last", "between")
        self.names = (
            "popularity", "activity", "popularity_to_own",
            *(f"{what}.{name}" for name in self._closeness for what in near),
            *(f"{what}.{role}" for role in self._units for what in (*near[:-1], "mean")),
            *(_Clock.NAMES if self._clock else ()),
        )  # fmt: skip

    def features(self, user: int, items: Rows) -> Floats:
        """Return (n, f) float32 of the candidates `items` (n,) of a shopper; NaN without a history."""
        own = self._items[self._starts[user] : self._starts[user + 1]]
        if not len(own):
            return np.full((len(items), len(self.names)), np.nan, np.float32)
        popularity = self._log_counts[items]
        columns: list[npt.NDArray[np.floating]] = [
            popularity,
            np.full(len(items), np.log(len(own))),
            popularity - self._log_counts[own].mean(),
        ]
        for table in self._closeness.values():
            near = table[np.ix_(own, items)]
            columns += [*_summary(near), (near[1:] + near[:-1]).max(axis=0) if len(own) > 1 else near[0]]
        for units in self._units.values():
            near = units[own] @ units[items].T
            columns += [*_summary(near), near.mean(axis=0)]
        if self._clock:
            columns += self._clock.columns(items, int(self._times[self._starts[user + 1] - 1]))
        return np.stack(columns, axis=1).astype(np.float32)


def _summary(near: Floats) -> list[npt.NDArray[np.floating]]:
    """Return how close (h, n) a history is to each candidate: the nearest, the nearest few, the last few, the last."""
    top = np.partition(near, -NEAREST, axis=0)[-NEAREST:].mean(axis=0) if len(near) > NEAREST else near.mean(axis=0)
    return [near.max(axis=0), top, near[-RECENT:].mean(axis=0), near[-1]]


def _normalised(gram: Floats) -> Floats:
    """Return a Gram matrix as cosines with a zero diagonal."""
    length = np.sqrt(np.maximum(np.diag(gram), 1e-9)).astype(np.float32)
    cosines: Floats = gram / length[:, None] / length
    np.fill_diagonal(cosines, 0.0)
    return cosines


class _Clock:
    """Popularity with decay and recency of items at any moment, from the rows before it."""

    NAMES = (*(f"popularity_{int(days)}d" for days in HALF_LIVES), "popularity_until", "days_since_taken")

    def __init__(self, train: Interactions) -> None:
        order = np.lexsort((train.timestamps, train.item_rows))
        rows, times = train.item_rows[order].astype(np.int64), train.timestamps[order]
        self._first = int(times.min())
        self._days = (times - self._first) / DAY
        self._span = float(self._days.max()) + 1.0
        self._keys = rows * self._span + self._days
        self._starts = np.searchsorted(rows, np.arange(len(train.items) + 1))
        self._decayed = {days: _decayed(self._days, self._starts, days) for days in HALF_LIVES}

    def columns(self, items: Rows, moment: int) -> list[npt.NDArray[np.floating]]:
        """Return a column for each of `NAMES`, from rows strictly before `moment`."""
        day = (moment - self._first) / DAY
        at = np.searchsorted(self._keys, items * self._span + day)
        seen = at - self._starts[items]
        last = np.where(seen > 0, at - 1, 0)
        gap = np.where(seen > 0, day - self._days[last], np.nan)
        decayed = [np.where(seen > 0, sums[last] * 0.5 ** (gap / days), 0) for days, sums in self._decayed.items()]
        return [*(np.log1p(column) for column in decayed), np.log1p(seen), np.log1p(gap)]


def _decayed(days: npt.NDArray[np.float64], starts: Rows, half_life: float) -> npt.NDArray[np.float64]:
    """Return at each row of an item the decayed sum of that row and those before it."""
    sums = np.ones(len(days))
    sizes = np.diff(starts)
    for place in range(1, int(sizes.max(initial=0))):
        at = starts[:-1][sizes > place] + place
        sums[at] += sums[at - 1] * 0.5 ** ((days[at] - days[at - 1]) / half_life)
    return sums
