"""What was shown, where on the page, and whether it was clicked: the log's impressions as rows with a label."""

from __future__ import annotations

import polars as pl

OPENED_KINDS = ("click", "view")
"""Kinds that say a shopper looked at an item's page."""

LAST_POSITION = 1_000_000
"""No page is longer; what clients send is anything, and a number beyond an integer's would end every training."""


def labelled_impressions(log: pl.DataFrame) -> pl.DataFrame:
    """Return one row an impression, in order of time, with what came of it in this log.

    A click belongs to the impression whose `request_id` it cites; where an impression has none, to that of the same
    shopper, session and item. Impressions of one `slate` were shown together.

    Args:
        log: Table with the columns of `columns.INTERACTIONS`; `context` may hold `position` (from 1), `propensity`
            (the chance to be shown, 0 to 1) and `device`.

    Returns:
        `slate`, `user_id`, `session_id`, `item_id`, `timestamp`, `position` (Int64, null where unknown), `propensity`
        (Float64, likewise), `device`, `clicked` (Boolean). A position below 1 or beyond `LAST_POSITION`, and a
        propensity outside 0 to 1, are unknown: a page or a client that counts otherwise says nothing of the place.
    """
    shown = log.filter(pl.col("kind") == "impression").sort("timestamp", maintain_order=True)
    clicks = log.filter(pl.col("kind") == "click")
    cited = clicks.filter(pl.col("request_id").is_not_null()).select("request_id", "item_id").unique()
    place = ["user_id", "session_id", "item_id"]
    met = clicks.filter(pl.col("session_id").is_not_null()).select(place).unique()
    found = shown.join(
        cited.with_columns(pl.lit(True).alias("_cited")),
        on=["request_id", "item_id"],
        how="left",
        maintain_order="left",
    ).join(met.with_columns(pl.lit(True).alias("_met")), on=place, how="left", maintain_order="left")
    moment = pl.concat_str(
        pl.col("user_id"), pl.col("session_id").fill_null(""), pl.col("timestamp").dt.epoch("us").cast(pl.String),
        separator="|",
    )  # fmt: skip
    return found.select(
        pl.coalesce(pl.col("request_id"), moment).alias("slate"),
        "user_id",
        "session_id",
        "item_id",
        "timestamp",
        _within("position", 1, LAST_POSITION).cast(pl.Int64).alias("position"),
        _within("propensity", 0, 1).alias("propensity"),
        said("device").alias("device"),
        pl.when(pl.col("request_id").is_not_null())
        .then(pl.col("_cited").fill_null(False))
        .otherwise(pl.col("_met").fill_null(False))
        .alias("clicked"),
    )


def _within(name: str, least: float, most: float) -> pl.Expr:
    """Return a number of the events' `context`; null where it is none, or is out of bounds (NaN is)."""
    number = said(name).cast(pl.Float64, strict=False)
    return pl.when(number.is_between(least, most) & number.is_not_nan()).then(number)


def said(name: str) -> pl.Expr:
    """Return what the events' `context` says under a name, as text; null where it says nothing."""
    return pl.col("context").str.json_path_match(f"$.{name}")
