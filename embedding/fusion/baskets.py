"""Who took what together: the baskets that pairs are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.vectors import Mask
from embedding.fusion.config import Together

Rows = npt.NDArray[np.int64]

MIN_PAIRED = 4
"""Fewer takes that have a companion teach nothing."""


@dataclass(frozen=True, eq=False)
class Baskets:
    """Item rows of each shopper (or session) that took two items or more; each item once a basket.

    Attributes:
        items: (n,) item rows, basket after basket.
        starts: (baskets + 1,) where each begins, and n.
        n_items: Items of the catalogue.
    """

    items: Rows
    starts: Rows
    n_items: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def of_row(self) -> Rows:
        """The basket of each entry, (n,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    @cached_property
    def counts(self) -> Rows:
        """How many baskets hold each item, (n_items,)."""
        return np.bincount(self.items, minlength=self.n_items)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """(baskets, n_items) of ones."""
        ones = np.ones(len(self.items), np.float32)
        return sparse.csr_array((ones, self.items, self.starts), shape=(len(self), self.n_items))

    def hold(self, baskets: Rows, items: Rows) -> Mask:
        """Return which of `baskets` (b,) holds which of `items` (c,), (b, c)."""
        # A product with one column an item costs far less than columns picked out of a sparse matrix.
        ones = np.ones(len(items), np.float32)
        columns = sparse.csr_array((ones, (items, np.arange(len(items)))), shape=(self.n_items, len(items)))
        found: Mask = (self.matrix[baskets] @ columns).toarray() > 0
        return found

    def take(self, which: Rows) -> Baskets:
        """Return the baskets at `which`."""
        parts = [self.items[self.starts[at] : self.starts[at + 1]] for at in which]
        sizes = np.array([len(part) for part in parts], np.int64)
        joined = np.concatenate(parts) if parts else np.empty(0, np.int64)
        return Baskets(joined, np.concatenate([[0], np.cumsum(sizes)]), self.n_items)

    def partners(self, entries: Rows, rng: np.random.Generator) -> Rows:
        """Return for each entry another item row of its basket, at random."""
        begin = self.starts[self.of_row[entries]]
        size = self.starts[self.of_row[entries] + 1] - begin
        step = 1 + (rng.random(len(entries)) * (size - 1)).astype(np.int64)
        return self.items[begin + (entries - begin + step) % size]


def baskets_of(events: pl.DataFrame, items: IdMap, together: Together = "shopper") -> Baskets:
    """Return the baskets of the positives in `events`.

    Args:
        events: `item_id`, `user_id` and, for sessions, `session_id`; train rows alone.
        items: The catalogue; rows of other items are left out.
        together: What makes a basket.

    Raises:
        DataError: When too few items were taken together.
    """
    group = "user_id" if together == "shopper" else "session_id"
    rows = items.rows(events["item_id"].to_list(), missing=-1)
    known = events.select(pl.col(group).alias("group"), pl.Series("item", rows, pl.Int64)).filter(pl.col("item") >= 0)
    known = known.drop_nulls().unique(maintain_order=True)
    known = known.filter(pl.len().over("group") > 1)
    if len(known) < MIN_PAIRED:
        raise DataError(
            f"fusion: {len(known)} takes share a {together} with another; at least {MIN_PAIRED} would be needed"
        )
    known = known.with_columns(pl.col("group").rank("dense").cast(pl.Int64) - 1).sort("group", "item")
    sizes = np.bincount(known["group"].to_numpy())
    return Baskets(known["item"].to_numpy().copy(), np.concatenate([[0], np.cumsum(sizes)]), len(items))
