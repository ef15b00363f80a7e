"""Whether shoppers turned to one item beyond all proportion: a broken tracker, a bot, an attack, or a hit."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import polars as pl

CHANCE = 2.0
"""Standard errors by which a share must have grown more than is allowed."""

FEW = 10
"""Shoppers below whom nothing is a surge: a few may well agree, and there is little in them to learn from."""


@dataclass(frozen=True)
class Surge:
    """An item whose share in what shoppers take has grown.

    Attributes:
        item_id: Which.
        before, after: Its share, in which each shopper weighs the same: somebody who took four items gives each a
            quarter.
        shoppers: How many took anything after.
    """

    item_id: str
    before: float
    after: float
    shoppers: int

    def __str__(self) -> str:
        return (
            f"{self.after:.0%} of what {self.shoppers:,} shoppers took is the item {self.item_id!r} "
            f"({self.before:.1%} before)"
        )


def surge_of(before: pl.DataFrame, after: pl.DataFrame, most: float) -> Surge | None:
    """Return the item whose share grew most, where that is by more than `most` beyond chance; None for few shoppers.

    Args:
        before: What shoppers took, `user_id` and `item_id`.
        after: Likewise, since.
        most: How much a share may grow.

    Source: Agresti and Coull, The American Statistician 52 (1998): two takers and two who are not are added.
    """
    shoppers = after["user_id"].n_unique()
    if shoppers < FEW:
        return None
    had = dict(_shares(before).iter_rows())
    grown = [Surge(item, had.get(item, 0.0), share, shoppers) for item, share in _shares(after).iter_rows()]
    first = max(grown, key=lambda each: (each.after - each.before, each.item_id))
    middle = (first.after * shoppers + 2) / (shoppers + 4)
    least = middle - CHANCE * sqrt(middle * (1 - middle) / (shoppers + 4))
    return first if least - first.before > most else None


def _shares(taken: pl.DataFrame) -> pl.DataFrame:
    """Return `item_id` and its share of what shoppers took; the shares sum to 1."""
    pairs = taken.select("user_id", "item_id").unique()
    weighed = pairs.with_columns(weight=1 / pl.len().over("user_id"))
    sums = weighed.group_by("item_id", maintain_order=True).agg(pl.col("weight").sum())
    return sums.with_columns(pl.col("weight") / pairs["user_id"].n_unique())
