"""What was taken together, and whom a pair is drawn from."""

import numpy as np
import polars as pl
import pytest

from catalog.errors import DataError
from catalog.ids import IdMap
from embedding.fusion.baskets import Baskets, baskets_of

ITEMS = IdMap([f"i{n}" for n in range(6)])


def events(*rows):
    return pl.DataFrame(rows * 5, schema=["user_id", "session_id", "item_id"], orient="row").with_row_index().select(
        pl.col("user_id") + "-" + (pl.col("index") // len(rows)).cast(pl.String),
        pl.col("session_id") + "-" + (pl.col("index") // len(rows)).cast(pl.String),
        "item_id",
    )  # fmt: skip


LOG = events(
    ("a", "s1", "i0"), ("a", "s1", "i1"), ("a", "s2", "i2"), ("a", "s2", "i3"), ("a", "s2", "i3"), ("b", "s3", "i4"),
    ("a", "s1", "gone"),
)  # fmt: skip


def test_a_shoppers_items_are_one_basket_each_item_once_and_lone_ones_are_left_out():
    found = baskets_of(LOG, ITEMS)
    assert len(found) == 5 and found.items.tolist() == [0, 1, 2, 3] * 5
    assert found.counts.tolist() == [5, 5, 5, 5, 0, 0]
    assert found.hold(np.array([0, 4]), np.array([5, 3, 3])).tolist() == [[False, True, True]] * 2


def test_sessions_part_what_shoppers_join():
    found = baskets_of(LOG, ITEMS, "session")
    assert sorted(found.items[a:b].tolist() for a, b in zip(found.starts, found.starts[1:], strict=False)) == [
        *[[0, 1]] * 5, *[[2, 3]] * 5,
    ]  # fmt: skip


def test_a_partner_is_another_item_of_the_same_basket_and_each_is_drawn():
    found = Baskets(np.array([0, 1, 2, 4, 5]), np.array([0, 3, 5]), 6)
    entries = np.repeat(np.arange(5), 200)
    drawn = found.partners(entries, np.random.default_rng(0))
    pairs = {(int(a), int(b)) for a, b in zip(found.items[entries], drawn, strict=True)}
    assert pairs == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (4, 5), (5, 4)}


def test_chosen_baskets_keep_their_items():
    found = Baskets(np.array([0, 1, 2, 4, 5]), np.array([0, 3, 5]), 6).take(np.array([1]))
    assert (found.items.tolist(), found.starts.tolist(), found.of_row.tolist()) == ([4, 5], [0, 2], [0, 0])


def test_too_few_are_told_with_how_many_would_do():
    with pytest.raises(DataError, match="fusion: 2 takes share a shopper with another; at least 4 would be needed"):
        baskets_of(LOG.head(2), ITEMS)
