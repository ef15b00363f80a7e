from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions, log_frame, positives
from catalog.nouns import Interaction, Kind

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def log_of(*kinds: Kind) -> pl.DataFrame:
    events = (Interaction(f"e{n}", "ann", f"i{n}", NOON, kind) for n, kind in enumerate(kinds))
    return log_frame(events)


def test_events_become_a_table() -> None:
    full = Interaction("e", "ann", "hat", NOON, "rating", "s", 4.0, "fine", {"page": 2}, "r")
    frame = log_frame([full, Interaction("f", "bob", "hat", NOON, "view")])
    assert dict(frame.schema) == INTERACTIONS
    row = frame.row(0, named=True)
    assert json.loads(row["context"]) == {"page": 2} and row["timestamp"] == NOON
    assert frame["context"].to_list()[1] is None
    assert log_frame([]).height == 0


@pytest.mark.parametrize(
    ("kinds", "counted"),
    [
        (("view", "purchase", "cart", "return"), ["purchase", "cart"]),
        (("view", "rating", "impression", "dismiss", "complaint", "praise"), ["view", "rating", "praise"]),
        (("impression",), []),
    ],
)
def test_what_counts_by_default(kinds: tuple[Kind, ...], counted: list[str]) -> None:
    assert positives(log_of(*kinds))["kind"].to_list() == counted


def test_what_counts_as_asked() -> None:
    log = log_of(*get_args(Kind))
    assert positives(log, ("click", "view"))["kind"].to_list() == ["view", "click"]
    with pytest.raises(DataError, match="unknown kind 'clik' in positives; one of impression, "):
        positives(log, ("click", "clik"))


USERS, ITEMS = IdMap(["ann", "bob"], "user"), IdMap("abc")


def interactions(users: list[int], items: list[int]) -> Interactions:
    stamps = np.arange(len(users), dtype=np.int64)
    return Interactions(USERS, ITEMS, np.array(users, np.int32), np.array(items, np.int32), stamps)


def test_a_log_in_rows_leaves_out_the_unknown() -> None:
    rows = [("bob", "c"), ("eve", "a"), ("ann", "z"), ("ann", "a")]
    events = [Interaction(str(n), u, i, NOON + timedelta(seconds=n), "view") for n, (u, i) in enumerate(rows)]
    dense = Interactions.from_log(log_frame(events), USERS, ITEMS)
    assert (dense.user_rows.tolist(), dense.item_rows.tolist()) == ([1, 0], [2, 0])
    assert dense.timestamps.tolist() == [int((NOON.timestamp() + second) * 1e6) for second in (0, 3)]


def test_the_matrix_counts_repeats_once() -> None:
    matrix = interactions([0, 0, 1], [2, 2, 0]).csr()
    assert matrix.toarray().tolist() == [[0, 0, 1], [1, 0, 0]] and matrix.dtype == np.float32


def test_take_keeps_the_worlds() -> None:
    taken = interactions([0, 1, 1], [0, 1, 2]).take(np.array([True, False, True]))
    assert (taken.user_rows.tolist(), taken.item_rows.tolist(), taken.timestamps.tolist()) == ([0, 1], [0, 2], [0, 2])
    assert taken.users is USERS and len(taken) == 2


def test_rows_outside_their_world_are_refused() -> None:
    with pytest.raises(DataError, match=r"user rows 0\.\.2 outside 0\.\.1"):
        interactions([0, 2], [0, 0])
    with pytest.raises(DataError, match=r"item rows -1\.\.0"):
        interactions([0, 0], [0, -1])
    with pytest.raises(DataError, match="columns of 1, 2, 1 rows"):
        Interactions(USERS, ITEMS, np.zeros(1, np.int32), np.zeros(2, np.int32), np.zeros(1, np.int64))
    assert len(interactions([], [])) == 0
