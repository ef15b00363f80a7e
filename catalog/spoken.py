"""What was said in recorded calls joins what was written of the same events."""

from __future__ import annotations

import polars as pl

TRANSCRIPTS_FILE = "transcripts.parquet"
"""The table of an artifact `transcripts/<name>`: `event_id`, `recording`, `text` and more."""


def with_spoken(log: pl.DataFrame, transcripts: pl.DataFrame) -> pl.DataFrame:
    """Return an interaction table whose `text` holds what was written and, on a line of its own, what was said.

    Args:
        log: Interaction table.
        transcripts: `event_id` and `text`, null where nothing was heard.
    """
    said = transcripts.filter(pl.col("text").is_not_null()).unique("event_id", keep="first", maintain_order=True)
    joined = log.join(
        said.select("event_id", pl.col("text").alias("_said")), on="event_id", how="left", maintain_order="left"
    )
    both = pl.concat_str("text", "_said", separator="\n", ignore_nulls=True)
    return joined.with_columns(text=pl.when(pl.col("_said").is_null()).then("text").otherwise(both)).drop("_said")
