"""Which events an export holds, under which label, and how a moment is written."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from catalog.columns import LABEL_PREFIX
from catalog.errors import DataError, did_you_mean
from catalog.log import positives
from catalog.readers.fields import labels
from catalog.readers.refining import RefineConfig, with_split
from catalog.shop_data import ShopData


@dataclass(frozen=True)
class Selection:
    """The positives of a shop in the order of its log.

    Attributes:
        log: Their rows, with `x_label` and any further `x_label_*`.
        source: Where `x_label` came from: the name of the given column, or the rule and its seed.
        left_out: Events that are no positives of a known item.
        with_value: Whether any of them has a value.
        with_kind: Whether the kinds must be written: some differ from what a reader would take them for.
    """

    log: pl.DataFrame
    source: str
    left_out: int
    with_value: bool
    with_kind: bool


def select_events(
    shop: ShopData, *, label_column: str | None = None, kinds: tuple[str, ...] | None = None, seed: int = 0
) -> Selection:
    """Return what is exported: models elsewhere take every row for a success, so only positives are given out.

    Args:
        shop: Items and log.
        label_column: The given split that becomes `x_label`; None takes `x_label`, else draws by MMRec's rule.
        kinds: Kinds that count as a positive.
        seed: Of the rule.

    Raises:
        DataError: When there is no positive, or the label column is unknown.
    """
    known = shop.items.select("item_id")
    found = positives(shop.log, kinds).join(known, on="item_id", how="semi", maintain_order="left")
    if not found.height:
        raise DataError(f"{shop.name!r} has no positive of a known item, so there is nothing to export")
    given = labels(found.columns)
    if label_column is not None and label_column not in given:
        raise DataError(f"label column {label_column!r} is not in the log. {did_you_mean(label_column, given)}")
    wanted = label_column or (LABEL_PREFIX if LABEL_PREFIX in given else None)
    if wanted is None:
        found, _ = with_split(found, RefineConfig(split_rule="mmrec", split_seed=seed, positives=kinds))
        source = f"MMRec's rule, seed {seed}"
    else:
        found, source = found.with_columns(pl.col(wanted).alias(LABEL_PREFIX)), wanted
    with_value = found["value"].null_count() < found.height
    with_kind = bool((found["kind"] != ("rating" if with_value else "click")).any())
    return Selection(found, source, shop.log.height - found.height, with_value, with_kind)


def seconds_text(column: str = "timestamp") -> pl.Expr:
    """Return a moment as seconds since the epoch, with as many decimals as it needs and no more."""
    micros = pl.col(column).dt.timestamp("us")
    whole, part = micros // 1_000_000, micros % 1_000_000
    decimals = pl.concat_str(pl.lit("."), part.cast(pl.String).str.zfill(6)).str.strip_chars_end("0")
    return pl.concat_str(whole.cast(pl.String), pl.when(part == 0).then(pl.lit("")).otherwise(decimals))


def number_text(column: str) -> pl.Expr:
    """Return a number as text, whole ones without a fraction, a missing one as nothing."""
    value = pl.col(column)
    whole = (value == value.round()) & (value.abs() < 1e15)
    exact = value.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(whole).then(exact).otherwise(value.cast(pl.String)).fill_null("")
