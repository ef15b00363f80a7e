"""The interaction log: the dated table on disk, and its dense form for models and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from catalog.columns import INTERACTIONS
from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.nouns import KINDS, NEGATIVE_KINDS, STRONG_KINDS, Interaction
from catalog.vectors import Mask

Rows32 = npt.NDArray[np.int32]


def log_frame(events: Iterable[Interaction]) -> pl.DataFrame:
    """Return events as a table with the columns of `columns.INTERACTIONS`."""
    rows = [
        {
            **{name: getattr(e, name) for name in INTERACTIONS},
            "context": json.dumps(dict(e.context)) if e.context else None,
        }
        for e in events
    ]
    return pl.DataFrame(rows, schema=INTERACTIONS, orient="row")


def positives(log: pl.DataFrame, kinds: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Return the rows that count as a positive.

    Args:
        log: Table with the columns of `columns.INTERACTIONS`.
        kinds: Kinds that count. None: purchase and cart where present, else every row that does
            not speak against the item.

    Raises:
        DataError: When a kind is unknown.
    """
    for kind in kinds or ():
        if kind not in KINDS:
            raise DataError(f"unknown kind {kind!r} in positives; one of {', '.join(KINDS)} would be valid")
    if kinds is None:
        strong = log.filter(pl.col("kind").is_in(sorted(STRONG_KINDS)))
        return strong if len(strong) else log.filter(~pl.col("kind").is_in([*sorted(NEGATIVE_KINDS), "impression"]))
    return log.filter(pl.col("kind").is_in(list(kinds)))


@dataclass(frozen=True, eq=False)
class Interactions:
    """Positives as rows of two IdMaps, for models and metrics.

    Attributes:
        users, items: Id worlds of the two row columns.
        user_rows, item_rows: (n,) int32.
        timestamps: (n,) int64, microseconds since the epoch, UTC.

    Raises:
        DataError: When lengths disagree or a row is out of range.
    """

    users: IdMap
    items: IdMap
    user_rows: Rows32
    item_rows: Rows32
    timestamps: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.user_rows)
        if len(self.item_rows) != n or len(self.timestamps) != n:
            raise DataError(f"interactions: columns of {n}, {len(self.item_rows)}, {len(self.timestamps)} rows")
        for name, rows, ids in (("user", self.user_rows, self.users), ("item", self.item_rows, self.items)):
            if n and (rows.min() < 0 or rows.max() >= len(ids)):
                raise DataError(f"interactions: {name} rows {rows.min()}..{rows.max()} outside 0..{len(ids) - 1}")

    def __len__(self) -> int:
        return len(self.user_rows)

    @classmethod
    def from_log(cls, log: pl.DataFrame, users: IdMap, items: IdMap) -> Interactions:
        """Return the rows of `log` whose user and item are both known, in log order."""
        user_rows = users.rows(log["user_id"].to_list(), missing=-1)
        item_rows = items.rows(log["item_id"].to_list(), missing=-1)
        keep = (user_rows >= 0) & (item_rows >= 0)
        stamps = log["timestamp"].dt.timestamp("us").to_numpy().astype(np.int64)
        return cls(users, items, user_rows[keep].astype(np.int32), item_rows[keep].astype(np.int32), stamps[keep])

    def take(self, which: Mask | npt.NDArray[np.int64]) -> Interactions:
        """Return the chosen interactions over the same id worlds."""
        return replace(
            self,
            user_rows=self.user_rows[which],
            item_rows=self.item_rows[which],
            timestamps=self.timestamps[which],
        )

    def csr(self) -> sparse.csr_array:
        """Return the binary matrix (n_users, n_items) float32; repeats count once."""
        ones = np.ones(len(self), np.float32)
        matrix = sparse.csr_array((ones, (self.user_rows, self.item_rows)), shape=(len(self.users), len(self.items)))
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix
