"""Spaces that were learned from what shoppers took: from which rows, so that nobody is judged on what they know."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from catalog.workspace import Workspace

LEARNED_FILE = "learned.parquet"
"""Beside the vectors: the rows of the log they were learned from."""
LEARNED = {"item_id": pl.String, "user_id": pl.String, "timestamp": pl.Datetime("us", "UTC")}
"""Its columns, as those of `reviews.SOURCES`; the leakage audit reads it."""


def save_learned(events: pl.DataFrame, folder: Path) -> None:
    """Write which rows vectors were learned from into the folder that holds them."""
    events.select(list(LEARNED)).write_parquet(folder / LEARNED_FILE)


def learned_rows(workspace: Workspace, space: str) -> pl.DataFrame | None:
    """Return the rows a space was learned from (`LEARNED`); None where it was made of the catalogue alone."""
    with workspace.reading(f"embeddings/{space}") as folder:
        path = folder / LEARNED_FILE
        return pl.read_parquet(path) if path.is_file() else None
