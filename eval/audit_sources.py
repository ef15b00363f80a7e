"""Rows that a table was made from, held against the parts of a split."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.log import Interactions
from catalog.splits import Split

Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outside:
    """How many of the rows are of test pairs, of validation pairs, and at or after a temporal cut."""

    test: int
    valid: int
    late: int


def outside(sources: pl.DataFrame, split: Split) -> Outside:
    """Count the rows that no model of the split may know.

    Args:
        sources: `item_id, user_id, timestamp`.
        split: The parts of the report.
    """
    pairs = _pairs(sources, split)
    test, valid = (int(np.isin(pairs, _taken(part)).sum()) for part in (split.test, split.valid))
    return Outside(test, valid, _late(sources, split))


def _pairs(sources: pl.DataFrame, split: Split) -> Pairs:
    """Return each row as user row times items plus item row, -1 where the split knows neither."""
    users = split.users.rows(sources["user_id"].to_list(), missing=-1)
    items = split.items.rows(sources["item_id"].to_list(), missing=-1)
    return np.where((users >= 0) & (items >= 0), users.astype(np.int64) * len(split.items) + items, -1)


def _taken(part: Interactions) -> Pairs:
    return part.user_rows.astype(np.int64) * len(part.items) + part.item_rows


def _late(sources: pl.DataFrame, split: Split) -> int:
    if split.protocol != "temporal" or "test_from" not in split.meta:
        return 0
    return int((sources["timestamp"] >= datetime.fromisoformat(split.meta["test_from"])).sum())
