"""Tables of any length, a few thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from batch.base import PLANNED_ROWS

BUFFER_BYTES = 1 << 18
"""Of each column read at once; without it, the whole column of a row group is."""


def read_tables(path: Path, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file a few thousand rows at a time."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path, buffer_size=BUFFER_BYTES) as file:
        for batch in file.iter_batches(PLANNED_ROWS, columns=columns, use_threads=False):
            table = pl.from_arrow(batch)
            assert isinstance(table, pl.DataFrame)
            yield table if columns is None else table.select(columns)


def even(frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Yield the same rows in tables of `rows` each; the last may be shorter."""
    waiting = pl.DataFrame()
    for frame in frames:
        waiting = pl.concat([waiting, frame]) if len(waiting) else frame
        while len(waiting) >= rows:
            yield waiting.head(rows)
            waiting = waiting.slice(rows)
    if len(waiting):
        yield waiting
