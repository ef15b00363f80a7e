"""The rules that put each positive into train (0), valid (1) or test (2), as a column `part`."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl

from catalog.errors import DataError

PART = "part"

TRAIN_SHARE, VALID_SHARE = 0.8, 0.1
"""Shares of the rows before the first and between the two cuts of `global_cut`."""

FEWEST = 3
"""A user with fewer distinct items keeps them all in train: one for each part is the least that splits."""

CLOCK_STARTS = datetime(1973, 3, 3, tzinfo=UTC)
"""A log that ends before this (under 10^8 seconds) counts ranks, not time."""


def once(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the first appearance in time of each (user, item) pair, in the order of the log."""
    order = rows.with_row_index("_order").sort("timestamp", "_order")
    return order.unique(["user_id", "item_id"], keep="first", maintain_order=True).sort("_order").drop("_order")


def given(rows: pl.DataFrame, label: str) -> pl.DataFrame:
    """Take the parts from a label column.

    Raises:
        DataError: When a label is anything but 0, 1 or 2.
    """
    wrong = rows.filter(pl.col(label).is_null() | ~pl.col(label).is_in([0, 1, 2]))
    if wrong.height:
        raise DataError(
            f"label column {label!r} holds {wrong[label][0]!r} in {wrong.height} of {rows.height} rows; "
            "0 (train), 1 (valid) or 2 (test) would be valid"
        )
    return rows.with_columns(pl.col(label).cast(pl.Int8).alias(PART))


def at_random(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Split each user's rows at random: one each to valid and test under ten rows, else 10% (rounded down).

    Source: MMRec's preprocessing (enoche/MMRec). `rows` hold each pair once.
    """
    draw = np.random.default_rng(seed).permutation(rows.height)
    drawn = rows.with_columns(pl.Series("_draw", draw))
    place = pl.col("_draw").rank("ordinal").over("user_id")
    return _by_place(drawn, place, size=pl.max_horizontal(1, pl.len().over("user_id") // 10)).drop("_draw")


def leave_last_out(rows: pl.DataFrame) -> pl.DataFrame:
    """Give each user's last row to test and the one before to valid; equal times keep the order of the log."""
    ordered = rows.with_row_index("_order").sort("timestamp", "_order", descending=True)
    place = pl.int_range(1, pl.len() + 1).over("user_id")
    # Place 1 is the last row: swap, since `_by_place` gives the first places to valid.
    swapped = pl.when(place == 1).then(2).when(place == 2).then(1).otherwise(place)
    return _by_place(ordered, swapped, size=pl.lit(1)).sort("_order").drop("_order")


def _by_place(rows: pl.DataFrame, place: pl.Expr, size: pl.Expr) -> pl.DataFrame:
    """Places 1..size become valid, the next `size` test, the rest train."""
    small = pl.len().over("user_id") < FEWEST
    part = pl.when(small | (place > 2 * size)).then(0).when(place > size).then(2).otherwise(1)
    return rows.with_columns(part.cast(pl.Int8).alias(PART))


def global_cut(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Cut all rows at two moments; rows of one moment stay together. Return also the moments.

    Raises:
        DataError: When the timestamps are ranks, or too few distinct to leave a row on each side.
    """
    latest = rows["timestamp"].max()
    assert isinstance(latest, datetime)
    if latest < CLOCK_STARTS:
        raise DataError(
            f"the log ends at {latest.isoformat()}, so its timestamps are ranks and not times: one cut for all users "
            "would compare nothing; protocol 'last', or a label column, would be valid"
        )
    times = rows["timestamp"].sort()
    valid_from = times[int(TRAIN_SHARE * len(times))]
    test_from = times[int((TRAIN_SHARE + VALID_SHARE) * len(times))]
    if not times[0] < valid_from < test_from:
        raise DataError(
            f"{times.n_unique()} distinct timestamps in {len(times)} rows cannot be cut at 80% and 90%; "
            "protocol 'last' or 'mmrec' would be valid"
        )
    when = pl.col("timestamp")
    part = pl.when(when < valid_from).then(0).when(when < test_from).then(1).otherwise(2)
    cuts = {"valid_from": valid_from.isoformat(), "test_from": test_from.isoformat()}
    return rows.with_columns(part.cast(pl.Int8).alias(PART)), cuts
