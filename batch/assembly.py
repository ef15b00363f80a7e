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
from batch.index import ABSENT
from batch.plan import Listing
from batch.shards import ATTEMPTS, Shards

REASON = "reason"
AT, FRAME, WITHOUT = "_at", "_frame", "_absent"
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
                yield bad.rename({FAILURE: REASON}).select(list(self.failure_schema))

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
        ends = np.cumsum(self._listing.lengths)
        waiting = _Waiting(self._listing, np.diff(np.searchsorted(rows, ends), prepend=0).tolist())
        for which, values in self._shards.at(self._places[rows], list(self._shards.values)):
            at = rows[which]
            frame = np.searchsorted(ends, at, side="right")
            yield from waiting.take(values.with_columns(pl.Series(AT, at), pl.Series(FRAME, frame)))


class _Waiting:
    """Results that came before those ahead of them in the work.

    Args:
        listing: The work.
        counts: How many rows each of its frames is to have.
    """

    def __init__(self, listing: Listing, counts: list[int]) -> None:
        self._listing = listing
        self._parts: dict[int, list[pl.DataFrame | Path]] = {}
        self._missing = counts
        self._order = [number for number, count in enumerate(counts) if count][::-1]
        self._held, self._spilled = 0, 0

    def take(self, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Keep rows, and yield the frames that are complete and next in order."""
        for part in rows.partition_by(FRAME, maintain_order=True):
            number = part[FRAME][0]
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
        rows = pl.concat(parts).sort(AT)
        first = sum(self._listing.lengths[:number])
        labels = self._listing.frame(number).select(self._listing.labels)[rows[AT].cast(pl.Int64) - first]
        return labels.hstack(rows.drop(AT, FRAME))

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
