"""Assembly: results in the order of the work, a few thousand rows at a time, whatever order they were made in."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from batch.base import DETAIL, FAILURE, KEY, Schema
from batch.index import ABSENT, Ints
from batch.plan import Listing
from batch.shards import ATTEMPTS, Shards
from catalog.shown import shown_text

REASON = "reason"
AT, WITHOUT = "_at", "_absent"
_LOST: Schema = {FAILURE: pl.String, DETAIL: pl.String, ATTEMPTS: pl.Int32}
HELD_BYTES = 16 << 20
"""Results that wait in memory for those before them; beyond, they wait on disk."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The finished rows of a job, label and value columns, in work order; read once.

    Attributes:
        count: How many there are.
        schema: Their columns.
        frames: Tables of a few thousand rows.
    """

    count: int
    schema: Schema
    frames: Iterable[pl.DataFrame]


Assemble = Callable[[Path, Rows], None]
"""Writes the artifact's data files into a folder."""


def write_frames(path: Path, frames: Iterable[pl.DataFrame], schema: Schema) -> None:
    """Write one Parquet file from tables, one at a time; each becomes a row group."""
    import pyarrow.parquet as parquet

    def arrow(frame: pl.DataFrame) -> Any:
        return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items()).to_arrow(
            compat_level=pl.CompatLevel.oldest()
        )

    with parquet.ParquetWriter(path, arrow(pl.DataFrame(schema=schema)).schema, compression="zstd") as writer:
        for frame in frames:
            writer.write_table(arrow(frame))


def shown(column: pl.Series) -> pl.Series:
    """Return texts whose URLs carry neither password nor key; see `shown_text`."""
    if not column.str.contains("://", literal=True).any():
        return column
    texts = [text if text is None else shown_text(text) for text in column]
    return pl.Series(column.name, texts, pl.String)


class Assembly:
    """Where each row of a listing has its result.

    Args:
        listing: The work.
        shards: The results.

    Raises:
        DamagedShard: When a failure cannot be read after all.
    """

    def __init__(self, listing: Listing, shards: Shards) -> None:
        self._listing, self._shards = listing, shards
        index = shards.index()
        found = index.find(listing.marks)
        self._places = np.append(index.places, np.int32(ABSENT))[found]
        self._failed = np.append(index.entries["failed"], False)[found]
        self.finished = (found != ABSENT) & ~self._failed
        del index, found
        self._lost = self._read_lost()
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.pending = 0
        self.digest = self._digest()

    @property
    def failure_schema(self) -> Schema:
        """Columns of `failures`."""
        texts: Schema = dict.fromkeys([*self._listing.labels, KEY, REASON, DETAIL], pl.String)
        return {**texts, ATTEMPTS: pl.Int32}

    def failures(self) -> Iterator[pl.DataFrame]:
        """Yield the rows without a result: labels, key, reason, detail and how often each was tried.

        What could not be read at all has no count: it is looked at anew in every run.
        """
        for frame in self._frames():
            bad = frame.filter(pl.col(FAILURE).is_not_null())
            if len(bad):
                table = bad.rename({FAILURE: REASON}).select(list(self.failure_schema))
                yield table.with_columns(shown(table[name]) for name in (*self._listing.labels, DETAIL))

    def rows(self) -> Rows:
        """Return the finished rows."""
        labels: Schema = dict.fromkeys(self._listing.labels, pl.String)
        return Rows(int(self.finished.sum()), {**labels, **self._shards.values}, self._rows())

    def _read_lost(self) -> pl.DataFrame:
        """Return the row number, failure, detail and attempts of what failed, in work order."""
        rows = np.flatnonzero(self._failed).astype(np.int32)
        parts = [
            table.with_columns(pl.Series(AT, rows[which], pl.UInt32))
            for which, table in self._shards.at(self._places[rows], list(_LOST))
        ]
        return pl.concat(parts).sort(AT) if parts else pl.DataFrame(schema={**_LOST, AT: pl.UInt32})

    def _frames(self) -> Iterator[pl.DataFrame]:
        """Yield labels, key and what came of each row, with its number."""
        for first, frame in self._listing.frames():
            own = frame.select(*self._listing.labels, KEY, pl.col(FAILURE).alias("_own"), pl.col(DETAIL).alias("_why"))
            low, high = np.searchsorted(self._lost[AT].to_numpy(), (first, first + len(frame))).tolist()
            lost = self._lost.slice(low, high - low)
            yield (
                own.with_row_index(AT, first)
                .join(lost, on=AT, how="left", maintain_order="left")
                .with_columns(
                    pl.coalesce("_own", FAILURE).alias(FAILURE),
                    pl.coalesce("_why", DETAIL).alias(DETAIL),
                    pl.Series(WITHOUT, self._places[first : first + len(frame)] == ABSENT),
                )
            )

    def _digest(self) -> str:
        """Hash labels, keys and what came of them; count failures by reason on the way."""
        digest = hashlib.sha256()
        for frame in self._frames():
            said = [pl.col(name).fill_null("\0") for name in (*self._listing.labels, KEY, FAILURE, DETAIL)]
            bad = pl.col(FAILURE).is_not_null()
            tries = pl.when(bad).then(pl.col(ATTEMPTS).cast(pl.String)).fill_null("")
            absent = pl.col(WITHOUT).cast(pl.String)
            text = frame.select(pl.concat_str(*said, absent, tries, separator="\x1f")).to_series()
            digest.update("\x1e".join(text).encode())
            self.pending += int(frame.select((pl.col(WITHOUT) & ~bad).sum()).item())
            for reason, detail in frame.filter(bad).select(FAILURE, DETAIL).iter_rows():
                self.reasons[reason] += 1
                self.examples.setdefault(reason, detail)
        return digest.hexdigest()

    def _rows(self) -> Iterator[pl.DataFrame]:
        rows = np.flatnonzero(self.finished).astype(np.int32)
        waiting = _Waiting(self._listing, rows)
        for which, values in self._shards.at(self._places[rows], list(self._shards.values)):
            yield from waiting.take(rows[which], values)


class _Waiting:
    """Results that came before those ahead of them in the work.

    Args:
        listing: The work.
        rows: Numbers of the rows that are to come (n,), ascending.
    """

    def __init__(self, listing: Listing, rows: Ints) -> None:
        self._listing = listing
        self._ends = np.cumsum(listing.lengths)
        self._parts: dict[int, list[pl.DataFrame | Path]] = {}
        self._missing = np.diff(np.searchsorted(rows, self._ends), prepend=0)
        self._order = np.flatnonzero(self._missing)[::-1].tolist()
        self._held, self._spilled = 0, 0

    def take(self, at: Ints, values: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Keep values of some rows, by ascending number; yield the frames that are complete and next in order."""
        rows = values.with_columns(pl.Series(AT, at))
        bounds = np.searchsorted(at, self._ends)
        for number in np.flatnonzero(np.diff(bounds, prepend=0)).tolist():
            first = int(bounds[number - 1]) if number else 0
            part = rows.slice(first, int(bounds[number]) - first)
            self._parts.setdefault(number, []).append(part)
            self._missing[number] -= len(part)
            self._held += int(part.estimated_size())
        while self._order and not self._missing[self._order[-1]]:
            yield self._frame(self._order.pop())
        if self._held > HELD_BYTES:
            self._spill()

    def _frame(self, number: int) -> pl.DataFrame:
        parts = [pl.read_parquet(p) if isinstance(p, Path) else p for p in self._parts.pop(number)]
        self._held -= min(self._held, sum(int(part.estimated_size()) for part in parts))
        rows = pl.concat(parts)
        if not rows[AT].is_sorted():
            rows = rows.sort(AT)
        first = sum(self._listing.lengths[:number])
        labels = self._listing.frame(number).select(self._listing.labels)[rows[AT].cast(pl.Int64) - first]
        return labels.hstack(rows.drop(AT))

    def _spill(self) -> None:
        assert self._listing.folder is not None
        for parts in self._parts.values():
            for at, part in enumerate(parts):
                if isinstance(part, pl.DataFrame):
                    path = self._listing.folder / f"waiting-{self._spilled:08d}.parquet"
                    part.write_parquet(path, compression="lz4")
                    parts[at] = path
                    self._spilled += 1
        self._held = 0
