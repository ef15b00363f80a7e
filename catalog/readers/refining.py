"""What an import may leave out or add before it is saved: repeated reviews, all but a k-core, a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog import split_rules
from catalog.columns import LABEL_PREFIX
from catalog.errors import DataError
from catalog.log import positives
from catalog.vectors import Mask

Codes = npt.NDArray[np.int64]


class RefineConfig(BaseModel):
    """Options of every `vitrine import`; each changes what is imported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k_core: int | None = Field(None, ge=1)
    """Keep only users of at least k distinct items and items of at least k distinct users, again and again until
    all that is left are such; None keeps everybody."""
    dedup_reviews: bool = False
    """Of one user's events of one kind about one item, count those of the same moment or the same text once: the
    first stays."""
    split_rule: Literal["mmrec"] | None = None
    """Add `x_label`: per user at random one item each to valid and test when fewer than ten, else 10% each."""
    split_seed: int = Field(0, ge=0)
    """Of `split_rule`."""
    positives: tuple[str, ...] | None = None
    """Kinds that `split_rule` splits; None: purchase and cart where present, else all that do not speak against."""

    @property
    def asked(self) -> bool:
        """Whether anything is to be done."""
        return self.k_core is not None or self.dedup_reviews or self.split_rule is not None


@dataclass(frozen=True)
class Refined:
    """Which rows of a log stay.

    Attributes:
        keep: (n_rows,).
        counts: `repeated_reviews`, `outside_core` (rows left out by each).
    """

    keep: Mask
    counts: Mapping[str, int] = field(default_factory=dict)


def key_columns() -> list[str | pl.Expr]:
    """Return what `refine_rows` looks at: all of a log that needs to be in memory at once."""
    text = pl.when(pl.col("text").is_not_null()).then(pl.col("text").hash())
    return ["user_id", "item_id", "kind", "timestamp", text.alias("text")]


def refine_rows(keys: pl.DataFrame, config: RefineConfig) -> Refined:
    """Say which rows stay: first the repeated reviews go, then all outside the k-core.

    Args:
        keys: A log's `key_columns`.
        config: What is asked.

    Raises:
        DataError: When no k-core is left.
    """
    keep = np.ones(keys.height, np.bool_)
    counts: dict[str, int] = {}
    if config.dedup_reviews:
        before = int(keep.sum())
        keep[keep] = first_reviews(keys.filter(pl.Series(keep)))
        counts["repeated_reviews"] = before - int(keep.sum())
    if config.k_core is not None:
        left = keys.filter(pl.Series(keep))
        inside = k_core(_codes(left["user_id"]), _codes(left["item_id"]), config.k_core)
        if not inside.any():
            raise DataError(
                f"--k-core {config.k_core} leaves none of {left.height} interactions; a smaller k would be valid"
            )
        keep[keep] = inside
        counts["outside_core"] = left.height - int(inside.sum())
    return Refined(keep, counts)


def first_reviews(keys: pl.DataFrame) -> Mask:
    """Return (n_rows,) which rows repeat no earlier one: same user, item and kind, and the same moment or text."""
    who = ("user_id", "item_id", "kind")
    moment = pl.struct(*who, "timestamp").is_first_distinct()
    text = pl.col("text").is_null() | pl.struct(*who, "text").is_first_distinct()
    return keys.select(moment & text).to_series().to_numpy()


def k_core(users: Codes, items: Codes, k: int) -> Mask:
    """Return (n_rows,) which rows lie in the k-core of the bipartite graph; a pair counts once however often it stands.

    Args:
        users: (n_rows,) codes from 0.
        items: (n_rows,) codes from 0.
        k: Least number of distinct partners on either side.

    Source: Seidman, Network structure and minimum degree, Social Networks 1983.
    """
    if not len(users):
        return np.zeros(0, np.bool_)
    width = int(items.max()) + 1
    pairs, place = np.unique(users * width + items, return_inverse=True)
    ends = [pairs // width, pairs % width]
    alive = np.ones(len(pairs), np.bool_)
    while True:
        weak = np.zeros(len(pairs), np.bool_)
        for end in ends:
            degree = np.bincount(end[alive], minlength=int(end.max()) + 1)
            weak |= degree[end] < k
        weak &= alive
        if not weak.any():
            return np.asarray(alive[place])
        alive &= ~weak


def with_split(log: pl.DataFrame, config: RefineConfig) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the log with `x_label`, and the rows of each part; rows that are no positives are train.

    The label is that of the pair, so it stands on every row of the pair, and `make_split` on the same
    log with the same seed and without a label column gives the same three sets.

    Raises:
        DataError: When the log has an `x_label` of its own.
    """
    if LABEL_PREFIX in log.columns:
        raise DataError(f"--split-rule {config.split_rule}: the log has a given {LABEL_PREFIX!r} already")
    counted = positives(log, config.positives)
    parted = split_rules.at_random(split_rules.once(counted), config.split_seed)
    part = parted.select("user_id", "item_id", pl.col(split_rules.PART).cast(pl.Int64).alias(LABEL_PREFIX))
    labelled = log.join(part, on=["user_id", "item_id"], how="left", maintain_order="left")
    labelled = labelled.with_columns(pl.col(LABEL_PREFIX).fill_null(0))
    sizes = part[LABEL_PREFIX].value_counts().rows()
    found: dict[int, int] = dict(sizes)
    return labelled, {name: found.get(n, 0) for n, name in enumerate(("train", "valid", "test"))}


def _codes(ids: pl.Series) -> Codes:
    return ids.rank("dense").to_numpy().astype(np.int64) - 1
