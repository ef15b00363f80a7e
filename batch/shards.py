"""`Shards`: finished results on disk by content key, a small atomic file at a time.

A folder of Parquet files with the columns `key`, `failure`, `detail` and the job's own value columns.
A success outlives every failure of the same key; files are replaced by one at the end of a job.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from batch.base import Result

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

KEY, FAILURE, DETAIL = "key", "failure", "detail"
_HEAD: dict[str, pl.DataType | type[pl.DataType]] = {KEY: pl.String, FAILURE: pl.String, DETAIL: pl.String}

log = logging.getLogger(__name__)


class Shards:
    """The results kept so far in `folder`; `schema` names the value columns of a success."""

    def __init__(self, folder: Path, schema: Schema) -> None:
        self.folder = folder
        self.schema: dict[str, pl.DataType | type[pl.DataType]] = {**_HEAD, **schema}
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(".tmp-*"):
            leftover.unlink(missing_ok=True)

    def add(self, results: Sequence[tuple[str, Result]]) -> None:
        """Write results by key as one new file, whole or not at all."""
        rows = [
            {KEY: key, FAILURE: result.failure, DETAIL: result.detail, **(result.values or {})}
            for key, result in results
        ]
        numbers = (int(p.stem.rsplit("-", 1)[1]) for p in self._files())
        self._write(pl.DataFrame(rows, schema=self.schema, orient="row"), max(numbers, default=0) + 1)

    def read(self) -> pl.DataFrame:
        """Return one row a key, sorted by key: its success where there is one, else its last failure."""
        frames = [frame for path in self._files() if (frame := self._read(path)) is not None]
        if not frames:
            return pl.DataFrame(schema=self.schema)
        table = pl.concat(frames).with_row_index("_age")
        newest = table.sort([pl.col(FAILURE).is_null(), "_age"]).unique(KEY, keep="last", maintain_order=True)
        return newest.drop("_age").sort(KEY)

    def compact(self, table: pl.DataFrame) -> None:
        """Put `table`, what `read` gave, in place of all files; a kill in between loses nothing."""
        files = self._files()
        if len(files) < 2:
            return
        self._write(table, int(files[-1].stem.rsplit("-", 1)[1]) + 1)
        for path in files:
            path.unlink()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("part-*.parquet"))

    def _write(self, table: pl.DataFrame, number: int) -> None:
        path = self.folder / f"part-{number:08d}.parquet"
        temporary = self.folder / f".tmp-{os.getpid()}-{path.name}"
        with temporary.open("wb") as file:
            table.write_parquet(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def _read(self, path: Path) -> pl.DataFrame | None:
        """Read one file; one that is damaged or of another layout is dropped, and its work done again."""
        try:
            table = pl.read_parquet(path)
        except pl.exceptions.PolarsError as error:
            log.warning("shard dropped path=%s reason=%r", path, str(error))
            path.unlink()
            return None
        if dict(table.schema) != dict(pl.Schema(self.schema)):
            log.warning("shard dropped path=%s reason='columns of another layout'", path)
            path.unlink()
            return None
        return table
