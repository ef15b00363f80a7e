"""`Spool`: a table that grows on disk in Parquet shards, so that parsing holds one shard at a time."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from catalog.columns import Schema
from catalog.vectors import Mask


class Spool:
    """Shards of one schema, in order; the folder goes when the spool does.

    Args:
        schema: Columns of every shard.
        frames: Written as they come.
    """

    def __init__(self, schema: Schema, frames: Iterable[pl.DataFrame] = ()) -> None:
        self.schema = schema
        self._folder = Path(tempfile.mkdtemp(prefix="vitrine-import-"))
        self._heights: list[int] = []
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        for frame in frames:
            self.add(frame)

    def __len__(self) -> int:
        return sum(self._heights)

    def add(self, frame: pl.DataFrame) -> None:
        """Write one shard."""
        if frame.height:
            frame.write_parquet(self._path(len(self._heights)), compression="lz4")
            self._heights.append(frame.height)

    def shards(self) -> Iterator[pl.DataFrame]:
        """Yield the shards, one in memory at a time."""
        return (pl.read_parquet(self._path(n)) for n in range(len(self._heights)))

    def select(self, *columns: str | pl.Expr) -> pl.DataFrame:
        """Return a few columns of all rows."""
        none = pl.DataFrame(schema=self.schema)
        return pl.concat([none.select(*columns), *(shard.select(*columns) for shard in self.shards())])

    def take(self, keep: Mask) -> pl.DataFrame:
        """Return the rows where `keep` (n_rows,) is true, all columns."""
        ends = np.cumsum(self._heights)
        pieces = [
            shard.filter(pl.Series(keep[end - shard.height : end]))
            for end, shard in zip(ends.tolist(), self.shards(), strict=True)
        ]
        return pl.concat([pl.DataFrame(schema=self.schema), *pieces])

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.parquet"
