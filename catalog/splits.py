"""`make_split`: which interactions a model learns from, is chosen on and is judged by (design, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from catalog import split_rules
from catalog.columns import LABEL_PREFIX
from catalog.errors import ConfigError, DataError, did_you_mean
from catalog.ids import IdMap, Rows
from catalog.log import Interactions, Rows32, positives

ProtocolName = Literal["mmrec", "last", "temporal"]
PROTOCOLS: tuple[str, ...] = get_args(ProtocolName)


@dataclass(frozen=True, eq=False)
class Split:
    """Three disjoint sets of positives over one pair of id worlds.

    Attributes:
        train, valid, test: Positives, each (user, item) pair in one part only; every part shares `users`
            and `items`. Under `last`, and under `temporal` for returning users, valid precedes test in time.
        protocol: Which rule made it.
        meta: What a report must say: `source` (label column or rule), `seed`, rows of each part,
            `repeats` (rows dropped since the pair stands in the same or an earlier part),
            `unknown_items` and `dropped_users` (users of valid or test without a train row, with
            `dropped_rows`), and for `temporal` the cuts `valid_from` and `test_from`.
        cold_users: Rows (n,) of users met in valid or test but never in train; only `temporal` keeps any.
        cold_items: Rows (n,) of items met in valid or test but never in train.
    """

    train: Interactions
    valid: Interactions
    test: Interactions
    protocol: ProtocolName
    meta: Mapping[str, Any]
    cold_users: Rows
    cold_items: Rows

    @property
    def users(self) -> IdMap:
        """The protocol's users, in order of first appearance in the log."""
        return self.train.users

    @property
    def items(self) -> IdMap:
        """Every item of the catalogue."""
        return self.train.items


def make_split(
    log: pl.DataFrame,
    items: IdMap,
    *,
    protocol: ProtocolName,
    label_column: str | None = None,
    positives: tuple[str, ...] | None = None,
    seed: int = 0,
) -> Split:
    """Split the positives of `log` by one protocol.

    - `mmrec`: the given labels (`x_label` unless named otherwise); without any, MMRec's rule at
      random: per user one item each to valid and test when there are fewer than ten, else 10% each.
      Users absent from train are dropped.
    - `last`: each user's last item is test, the one before it valid. Users absent from train are dropped.
    - `temporal`: one cut in time for all, at 80% and 90% of the rows; cold users and items are kept.

    A (user, item) pair counts once: with given labels the earliest part wins (train, then valid), else
    its first appearance in time is the one that is split. Equal times keep the order of the log.

    Args:
        log: Table with the columns of `columns.INTERACTIONS` and any `x_label*`.
        items: The whole catalogue; rows of other items are dropped and counted.
        protocol: One of `mmrec`, `last`, `temporal`.
        label_column: A given split (0 train, 1 valid, 2 test) in place of the protocol's own cut; the
            protocol still says what happens to cold users.
        positives: Kinds that count; see `catalog.log.positives`.
        seed: Of the random rule.

    Raises:
        ConfigError: When the protocol is unknown.
        DataError: When the log is empty or has no positive, the label column is unknown or holds
            anything but 0, 1, 2, no train row is left, or `temporal` would cut ranks in place of times.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"unknown protocol {protocol!r}. {did_you_mean(str(protocol), list(PROTOCOLS))}")
    label = _label_column(log, protocol, label_column)
    known, unknown_items = _known_positives(log, items, positives)
    cuts: dict[str, str] = {}
    if label is not None:
        parted, source = split_rules.given(known, label), label
    elif protocol == "mmrec":
        parted, source = split_rules.at_random(split_rules.once(known), seed), "random"
    elif protocol == "last":
        parted, source = split_rules.leave_last_out(split_rules.once(known)), "last of each user"
    else:
        parted, cuts = split_rules.global_cut(split_rules.once(known))
        source = "one cut in time"
    rows = _earliest_part(parted)
    meta = {"source": source, "seed": seed, "unknown_items": unknown_items, **cuts}
    return _assemble(rows, items, protocol, {**meta, "repeats": known.height - rows.height})


def _label_column(log: pl.DataFrame, protocol: str, wanted: str | None) -> str | None:
    given = [name for name in log.columns if name.startswith(LABEL_PREFIX)]
    if wanted is None:
        return LABEL_PREFIX if protocol == "mmrec" and LABEL_PREFIX in given else None
    if wanted not in given:
        raise DataError(f"label column {wanted!r} is not in the log. {did_you_mean(wanted, given)}")
    return wanted


def _known_positives(log: pl.DataFrame, items: IdMap, kinds: tuple[str, ...] | None) -> tuple[pl.DataFrame, int]:
    """Return the positives of known items in log order, and how many were of unknown items."""
    if not log.height:
        raise DataError("the log is empty: there is no interaction to split")
    counted = positives(log, kinds)
    if not counted.height:
        have = ", ".join(sorted(log["kind"].unique().to_list()))
        asked = f"of kind {', '.join(kinds)}" if kinds else "that counts as a positive"
        raise DataError(f"none of {log.height} interactions is {asked}; the log has {have}")
    known = counted.filter(pl.col("item_id").is_in(list(items.ids)))
    if not known.height:
        example = counted["item_id"][0]
        raise DataError(f"no positive is of a known item (of {len(items)}); the log has {example!r}, for one")
    return known, counted.height - known.height


def _earliest_part(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep each (user, item) pair in its earliest part only, in the order of the log."""
    order = rows.with_row_index("_order").sort("part", "_order")
    return order.unique(["user_id", "item_id"], keep="first", maintain_order=True).sort("_order").drop("_order")


def _assemble(rows: pl.DataFrame, items: IdMap, protocol: ProtocolName, meta: dict[str, Any]) -> Split:
    trained = rows.filter(pl.col("part") == 0)
    if not trained.height:
        raise DataError(f"protocol {protocol!r} ({meta['source']}) leaves no train row of {rows.height} positives")
    cold = rows.filter(~pl.col("user_id").is_in(trained["user_id"].unique().implode()))
    meta["dropped_users"] = meta["dropped_rows"] = 0
    if protocol != "temporal":
        meta["dropped_users"], meta["dropped_rows"] = cold["user_id"].n_unique(), cold.height
        rows = rows.join(cold.select("user_id").unique(), on="user_id", how="anti", maintain_order="left")
    users = IdMap(rows["user_id"].unique(maintain_order=True).to_list(), "user")
    train, valid, test = (Interactions.from_log(rows.filter(pl.col("part") == part), users, items) for part in range(3))
    meta.update(train=len(train), valid=len(valid), test=len(test))
    return Split(
        train,
        valid,
        test,
        protocol,
        meta,
        cold_users=_only_later(train.user_rows, valid.user_rows, test.user_rows),
        cold_items=_only_later(train.item_rows, valid.item_rows, test.item_rows),
    )


def _only_later(train: Rows32, valid: Rows32, test: Rows32) -> Rows:
    """Return the rows met in valid or test and never in train, ascending."""
    return np.setdiff1d(np.concatenate([valid, test]), train).astype(np.int64)
