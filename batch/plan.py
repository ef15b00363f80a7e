"""The plan of a run: which pieces are finished, which rest, which are to do; as columns, a few bytes a piece.

The work is listed once. Its rows go to files below `.parts`, a few thousand each; in memory stay the 128-bit
mark of each key and what is to be done with it.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from batch.base import KEY, Piece, Work
from batch.index import Index, Ints, Marks, marks_of
from batch.pause import Pause
from batch.shards import no_room
from catalog.errors import DataError

UNREADABLE, REUSED, RESTING, TODO = range(4)
"""What a plan makes of a piece: no key, a result, a failure that is left alone, work."""


BatchSize = Annotated[int, Field(ge=1, le=65_536)]
Threads = Annotated[int, Field(ge=1, le=256)]
"""More than any machine has use for is a slip of the finger, and would end it."""


class JobConfig(BaseModel):
    """How a job runs; nothing here changes what it makes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: BatchSize = 16
    """Pieces given to the model at once."""
    workers: Threads = 2
    """Batches the model works on at the same time."""
    decoders: Threads = 2
    """Pieces read and decoded at the same time, ahead of the model."""
    flush_rows: int = Field(256, ge=1)
    """Results kept in memory before they are written to a shard."""
    flush_seconds: float = Field(1.0, ge=0)
    """Seconds after which they are written anyway."""
    retry_failed: bool = True
    """Whether pieces that failed in an earlier run are tried again."""
    max_attempts: int = Field(3, ge=1)
    """Tries of a piece that fails, over all runs; after them it is left alone until `--retry-all`, or until
    its input or a setting changes."""


@dataclass(frozen=True, slots=True)
class Todo:
    """A piece on its way: how often its key stands in the work, and how often it was tried before."""

    piece: Piece
    times: int
    tried: int


class Listing:
    """The rows of the work on disk, in order: one file a frame.

    Args:
        folder: Where the files go; None keeps only the marks (a dry run).
    """

    def __init__(self, work: Work, folder: Path | None, pause: Pause) -> None:
        self.labels, self.payload = work.labels, tuple(work.payload)
        self.folder = folder
        self.lengths: list[int] = []
        if folder is not None:
            self.remove()
            folder.mkdir(parents=True)
        marks = bytearray()  # grows in one place; a list of small arrays would leave holes behind
        for frame in work.frames:
            if pause:
                break
            if not len(frame):
                continue
            if folder is not None:
                self._spill(frame.select(list(work.schema)))
            marks += marks_of(frame[KEY]).tobytes()
            self.lengths.append(len(frame))
        self.marks: Marks = np.frombuffer(marks, "S16") if marks else np.empty(0, "S16")

    def _spill(self, frame: pl.DataFrame) -> None:
        path, buffer = self._path(len(self.lengths)), io.BytesIO()
        frame.write_parquet(buffer, compression="lz4")
        try:
            path.write_bytes(buffer.getbuffer())
        except OSError as error:
            self.remove()
            raise DataError(no_room(path, error)) from error

    def __len__(self) -> int:
        return len(self.marks)

    def frames(self) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield the number of the first row of each frame, and the frame."""
        first = 0
        for number, length in enumerate(self.lengths):
            yield first, self.frame(number)
            first += length

    def frame(self, number: int) -> pl.DataFrame:
        """Return one frame."""
        return pl.read_parquet(self._path(number))

    def remove(self) -> None:
        """Remove the files."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        assert self.folder is not None
        return self.folder / f"{number:06d}.parquet"


@dataclass(frozen=True)
class Plan:
    """What is to be done with each row of a listing.

    Attributes:
        status: Of each row, in order.
        todo: Row numbers of the pieces to do: the first of each key, at most as many as the run is limited to.
        times: For each of `todo`, how often its key stands in the work.
        tried: For each of `todo`, how often it was tried before.
    """

    status: npt.NDArray[np.uint8]
    todo: Ints
    times: Ints
    tried: Ints

    def count(self, status: int) -> int:
        """Return how many rows have a status."""
        return int(np.count_nonzero(self.status == status))

    def feed(self, listing: Listing, pause: Pause) -> Iterator[Todo]:
        """Yield the pieces to do, read back a frame at a time; ends early when a pause is asked for."""
        at = 0
        for first, frame in listing.frames():
            end = int(np.searchsorted(self.todo, first + len(frame)))
            now, at = slice(at, end), end
            rows = frame[self.todo[now] - first].iter_rows(named=True)
            for row, often, before in zip(rows, self.times[now].tolist(), self.tried[now].tolist(), strict=True):
                if pause:
                    return
                yield Todo(_piece(row, listing), often, before)


def make_plan(
    marks: Marks,
    index: Index,
    config: JobConfig,
    *,
    run: int,
    limit: int | None = None,
    retry_all: bool = False,
) -> Plan:
    """Return the plan of a run.

    Args:
        marks: Of the key of each piece, in order.
        index: What `Shards.index` says.
        config: Says which failures are tried again.
        run: Number of this run. A failure of the same run, which was cut off, waits for the next one.
        limit: Pieces to do at most.
        retry_all: Whether every failure is tried again.
    """
    known = index.entries
    again = (known["attempts"] < config.max_attempts) & (known["run"] != run) if config.retry_failed else False
    kinds = np.where(known["failed"], np.where(again | np.bool_(retry_all), TODO, RESTING), REUSED).astype(np.uint8)
    found = index.find(marks)
    status = np.append(kinds, np.uint8(TODO))[found]  # what is absent stands last
    status[marks == b""] = UNREADABLE
    wanted = np.flatnonzero(status == TODO).astype(np.int32)
    _, firsts, times = np.unique(marks[wanted], return_index=True, return_counts=True)
    order = np.argsort(firsts)[:limit]
    todo = wanted[firsts[order]]
    tried = np.append(known["attempts"], np.int32(0))[found[todo]]
    return Plan(status, todo, times[order].astype(np.int32), tried)


def _piece(row: dict[str, Any], listing: Listing) -> Piece:
    return Piece({name: row[name] for name in listing.labels}, row[KEY], {name: row[name] for name in listing.payload})
