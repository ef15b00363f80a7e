"""What shoppers wrote of an item: which of it, how much, and from before when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from catalog.columns import LABEL_PREFIX
from catalog.errors import DataError, did_you_mean
from catalog.nouns import Kind
from embedding.item_text import cut_text, plain

SOURCES_FILE = "reviews.parquet"
SOURCES = {"item_id": pl.String, "user_id": pl.String, "timestamp": pl.Datetime("us", "UTC")}
"""Columns of the file that says whose words an item's text holds; the leakage audit reads it."""


class ReviewConfig(BaseModel):
    """Which reviews become part of an item's text; all of it changes vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(5, ge=1)
    """Reviews of an item at most."""
    choose: Literal["spread", "recent", "informative"] = "spread"
    """`spread`: the newest of each star in turn, the commonest star first, so that praise and blame both stand
    there; `recent`: the newest; `informative`: those of the most words, up to sixty, the newer first."""
    chars: int = Field(400, ge=1)
    """Characters of one review, cut at a sentence."""
    kinds: tuple[Kind, ...] = ("rating", "purchase", "praise")
    """Kinds of events whose text counts as a review; notes of a return and complaints are the shop's own business."""
    as_of: AwareDatetime | None = None
    """Only what was written before this moment. None: everything, which no evaluation may read."""
    transcripts: str | None = None
    """Transcripts whose words join the text of their events, such as `whisper`: calls of `kinds` are reviews too."""
    label_column: str | None = None
    """Only rows that this given split (`x_label`, ...) calls train. None: whatever they are called."""


def chosen_reviews(log: pl.DataFrame, config: ReviewConfig) -> pl.DataFrame:
    """Return the reviews that speak for each item, best first: `item_id, user_id, timestamp, text`.

    The same log and settings always give the same rows, whatever the order of the log.

    Raises:
        DataError: When the label column is not in the log.
    """
    if config.label_column is not None and config.label_column not in log.columns:
        given = [name for name in log.columns if name.startswith(LABEL_PREFIX)]
        near = did_you_mean(config.label_column, given)
        raise DataError(f"embedding.reviews.label_column is {config.label_column!r}, which is not in the log. {near}")
    wanted = pl.col("kind").is_in(list(config.kinds)) & (pl.col("text").str.strip_chars().str.len_chars() > 0)
    if config.as_of is not None:
        wanted &= pl.col("timestamp") < config.as_of
    if config.label_column is not None:
        wanted &= pl.col(config.label_column) == 0
    newest = ["item_id", "timestamp", "event_id"]
    rows = (
        log.filter(wanted)
        .sort(newest, descending=[False, True, False])
        .unique(["item_id", "text"], keep="first", maintain_order=True)
    )
    order, descending = _ORDERS[config.choose]
    ranked = rows.with_columns(**_RANKS).sort(["item_id", *order, "timestamp", "event_id"], descending=[
        False, *descending, True, False,
    ])  # fmt: skip
    return ranked.group_by("item_id", maintain_order=True).head(config.count).select(*SOURCES, "text")


_STAR = pl.col("value").round().fill_null(-1.0)
_RANKS: dict[str, pl.Expr] = {
    "_star": _STAR,
    "_turn": pl.int_range(pl.len()).over("item_id", _STAR),
    "_like": pl.len().over("item_id", _STAR),
    "_words": pl.col("text").str.count_matches(r"\w+").clip(upper_bound=60),
}
_ORDERS: dict[str, tuple[list[str], list[bool]]] = {
    "spread": (["_turn", "_like", "_star"], [False, True, True]),
    "recent": ([], []),
    "informative": (["_words"], [True]),
}


def review_texts(chosen: pl.DataFrame, config: ReviewConfig) -> dict[str, tuple[str, ...]]:
    """Return the texts of `chosen_reviews` by item, each cut to its length."""
    found: dict[str, tuple[str, ...]] = {}
    for item_id, text in chosen.select("item_id", "text").iter_rows():
        short = cut_text(plain(text), config.chars, sentence=True)
        found[item_id] = (*found.get(item_id, ()), short)
    return found


def reviews_meta(chosen: pl.DataFrame, config: ReviewConfig) -> Mapping[str, Any]:
    """Return what a manifest says of the reviews in a space."""
    latest = chosen["timestamp"].max()
    return {
        **config.model_dump(mode="json"),
        "used": len(chosen),
        "latest": None if latest is None else str(latest),
    }
