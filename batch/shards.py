"""`Shards`: finished results on disk by content key, a small atomic file at a time.

A folder of Parquet files with the columns `key`, `failure`, `detail`, `attempts`, `run` and the job's own value
columns. A success outlives every failure of the same key, and results of other settings stay beside those in
use. Many small files become few larger ones on the way; no file is ever larger than memory likes.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from batch.base import DETAIL, FAILURE, KEY, Result, Schema
from batch.index import ENTRY, Index, Ints, marks_of
from catalog.errors import DataError

ATTEMPTS, RUN = "attempts", "run"
_HEAD: Schema = {KEY: pl.String, FAILURE: pl.String, DETAIL: pl.String, ATTEMPTS: pl.Int32, RUN: pl.Int32}
SMALL_BYTES = 1 << 19
"""Files below this are merged with their neighbours, up to about this size; merging holds several times as much."""
SMALL_FILES = 16
"""So many of them wait before they are."""

_NAME = re.compile(r"part-(\d{8,12})\.parquet")
"""Ours; whatever else lies in the folder is not looked at."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk, a quota or a limit on files says when there is no room."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """A result with what is kept beside it: the key, how often it was tried, and in which run."""

    key: str
    result: Result
    attempts: int
    run: int


class DamagedShard(Exception):
    """A file that could not be read after all; it is gone, and its work is to be done again."""


class Shards:
    """The results kept so far in `folder`.

    Args:
        folder: Where the files are.
        schema: Value columns of a success.
        writable: False only looks: no folder is made, nothing damaged is dropped.
    """

    def __init__(self, folder: Path, schema: Schema, *, writable: bool = True) -> None:
        self.folder = folder
        self.values = dict(schema)
        self._writable = writable
        self._small = 0
        self._number = 0
        if writable:
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(".tmp-*"):
                with suppress(OSError):  # a folder, say: not ours
                    leftover.unlink()
        numbers = _numbers(folder)
        self._number = max(numbers.values(), default=0)
        self._strange = {path for path in numbers if not path.is_file()}
        for path in sorted(self._strange):  # a pipe would be waited for
            log.warning("shard passed over path=%s reason='no regular file'", path)
        # Results of a model of another width: not damage. They wait for the day that model is asked for again.
        self._strange |= {path for path in numbers if path not in self._strange and self._of_another_layout(path)}

    def add(self, results: Sequence[Finished]) -> None:
        """Write results as one new file, whole or not at all.

        Raises:
            DataError: When the disk does not take it; what was written before is kept.
        """
        head = {
            KEY: [each.key for each in results],
            FAILURE: [each.result.failure for each in results],
            DETAIL: [each.result.detail for each in results],
            ATTEMPTS: [each.attempts for each in results],
            RUN: [each.run for each in results],
        }
        rows = [each.result.values or {} for each in results]
        values = [_column(name, [row.get(name) for row in rows], dtype) for name, dtype in self.values.items()]
        self._write(pl.DataFrame(head, schema=_HEAD).with_columns(values))
        self._small += 1
        if self._small >= SMALL_FILES:
            self.compact()

    def index(self) -> Index:
        """Return where each key has its result."""
        self.files = self._files()
        heads = [self._entries(path) for path in self.files]
        self._starts = np.cumsum([0, *map(len, heads)])
        return Index.of(heads)

    def _entries(self, path: Path) -> npt.NDArray[np.void]:
        head = self._read(path, [KEY, FAILURE, ATTEMPTS, RUN])
        entries = np.empty(0 if head is None else len(head), ENTRY)
        if head is not None:
            entries["mark"] = marks_of(head[KEY])
            entries["failed"] = head[FAILURE].is_not_null().to_numpy()
            entries["attempts"], entries["run"] = head[ATTEMPTS].to_numpy(), head[RUN].to_numpy()
        return entries

    def at(self, places: Ints, columns: Sequence[str]) -> Iterator[tuple[Ints, pl.DataFrame]]:
        """Yield, a file at a time, which of some places of the last index it has, and their columns.

        The file that has the first place comes first.

        Raises:
            DamagedShard: When one cannot be read.
        """
        files = (np.searchsorted(self._starts, places, side="right") - 1).astype(np.int32)
        order = np.argsort(files, kind="stable").astype(np.int32)
        bounds = np.searchsorted(files[order], np.arange(len(self.files) + 1))
        groups = [(int(order[low]), number, low) for number, low in enumerate(bounds[:-1]) if low < bounds[number + 1]]
        for _, number, low in sorted(groups):
            which = order[low : bounds[number + 1]]
            table = self._read(self.files[number], list(columns))
            if table is None:
                raise DamagedShard(str(self.files[number]))
            rows = places[which] - self._starts[number]
            yield which, table if np.array_equal(rows, np.arange(len(table))) else table[rows]

    def compact(self) -> None:
        """Merge neighbouring small files; a kill in between loses nothing."""
        self._small = 0
        group: list[Path] = []
        size = 0
        for path in self._files():
            bytes_ = path.stat().st_size
            if size + bytes_ > SMALL_BYTES:
                self._merge(group)
                group, size = [], 0
            group.append(path)
            size += bytes_
        self._merge(group)

    def _merge(self, group: list[Path]) -> None:
        if len(group) < 2:
            return
        frames = [frame for path in group if (frame := self._read(path, [*_HEAD, *self.values])) is not None]
        if frames:  # a key that stands twice is settled by `index`: sorting rows of vectors costs memory
            self._write(pl.concat(frames))
        for path in group:
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        numbers = _numbers(self.folder)
        return sorted((path for path in numbers if path not in self._strange), key=numbers.__getitem__)

    def _write(self, table: pl.DataFrame) -> None:
        self._number += 1
        path = self.folder / f"part-{self._number:08d}.parquet"
        temporary = self.folder / f".tmp-{os.getpid()}-{path.name}"
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        try:
            with temporary.open("wb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise DataError(no_room(path, error)) from error

    def _of_another_layout(self, path: Path) -> bool:
        """Whether a sound file holds results under our keys with values of other types."""
        try:
            schema = pl.read_parquet_schema(path)
        except (OSError, pl.exceptions.PolarsError):
            return False  # damaged: `_read` says so
        return schema.get(KEY) == pl.String and any(
            schema.get(name, type_) != type_ for name, type_ in self.values.items()
        )

    def _read(self, path: Path, columns: list[str]) -> pl.DataFrame | None:
        """Read columns of a file; one that is damaged is dropped, and its work done again.

        A column that the file lacks is filled.
        """
        try:
            schema = pl.read_parquet_schema(path)
            wanted = {**_HEAD, **self.values}
            if any(schema[name] != dtype for name, dtype in wanted.items() if name in schema) or KEY not in schema:
                raise pl.exceptions.SchemaError("columns that are not ours")
            table = pl.read_parquet(path, columns=[name for name in columns if name in schema])
        except OSError as error:
            raise DataError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
        except pl.exceptions.PolarsError as error:
            log.warning("shard dropped path=%s reason=%r", path, str(error))
            if self._writable:
                path.unlink(missing_ok=True)
            return None
        # What an earlier version did not keep: a result was tried once; values that came later are missing.
        first = {ATTEMPTS: 1, RUN: 0}
        filled = [pl.lit(first.get(name), wanted[name]).alias(name) for name in columns if name not in schema]
        return table.with_columns(filled).select(columns)


def _numbers(folder: Path) -> dict[Path, int]:
    """Return the number of everything that is named as a shard is."""
    named = ((path, _NAME.fullmatch(path.name)) for path in folder.glob("part-*.parquet"))
    return {path: int(match[1]) for path, match in named if match}


@contextmanager
def needing_room(path: Path) -> Iterator[None]:
    """Write in the block what belongs to `path`.

    Raises:
        DataError: When the disk has no room for it.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DataError(no_room(path, error)) from error


def no_room(path: Path, error: OSError) -> str:
    """Return the line for a file that the disk does not take."""
    return (
        f"{str(path)!r} cannot be written ({error.strerror or error}); every result finished before is kept: "
        "once that is mended, the same command goes on"
    )


def _column(name: str, values: list[Any], dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    """Return a column; vectors given as arrays (d,) go in as one matrix, never as lists of numbers."""
    if not isinstance(dtype, pl.Array) or not any(isinstance(value, np.ndarray) for value in values):
        return pl.Series(name, values, dtype=dtype)
    width = dtype.shape[0]
    matrix = np.stack([np.zeros(width, np.float32) if value is None else value for value in values])
    present = pl.Series([value is not None for value in values])
    frame = pl.DataFrame([pl.Series(name, matrix, dtype=dtype), present.alias("_present")])
    return frame.select(pl.when("_present").then(pl.col(name)).otherwise(None).alias(name)).to_series()
