"""A model that keeps a diary, in whatever process it runs, and a job around it: for tests and benches of engines."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from batch.assembly import Rows, write_frames
from batch.base import BatchEngine, JobReport, Piece, Result, Usage, Work
from batch.job import JobConfig, run_job
from catalog.errors import MediaError, ServiceError
from catalog.workspace import Workspace

JOB, ROWS = "squares/diary", "rows.parquet"


class Entry(NamedTuple):
    """A line of the diary: which step had which number in which process."""

    step: str
    number: int
    process: int


@dataclass(frozen=True, slots=True)
class DiaryModel:
    """Squares numbers.

    Attributes:
        diary: Folder; every process writes a file of its own there.
        seconds: What a batch costs.
        fails: Numbers that end as a failure.
        unreadable: Numbers that `prepare` cannot read.
        outage: At this number the service is gone.
        kills: The first process to infer this number dies there, as by SIGKILL.
        always: Every process that infers `kills` dies.
    """

    diary: Path
    seconds: float = 0.0
    fails: tuple[int, ...] = ()
    unreadable: tuple[int, ...] = ()
    outage: int | None = None
    kills: int | None = None
    always: bool = False

    def prepare(self, piece: Piece) -> int:
        """Return the number of a piece.

        Raises:
            MediaError: When it is one of the unreadable.
        """
        number = int(piece.payload["number"])
        self._note("prepare", number)
        if number in self.unreadable:
            raise MediaError(f"{number} cannot be read")
        return number

    def infer(self, numbers: Sequence[int]) -> list[Result]:
        """Return the squares.

        Raises:
            ServiceError: At the outage.
        """
        if self.kills in numbers:
            self._die()
        if self.outage in numbers:
            raise ServiceError("squares: nobody answers", retryable=True)
        time.sleep(self.seconds)
        for number in numbers:
            self._note("infer", number)
        return [self._square(number) for number in numbers]

    def _square(self, number: int) -> Result:
        if number in self.fails:
            return Result.failed("odd day", f"no square of {number}", Usage(1))
        return Result({"square": number**2}, usage=Usage(1, 2))

    def _die(self) -> None:
        try:
            (self.diary / "killed").touch(exist_ok=self.always)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, step: str, number: int) -> None:
        with (self.diary / f"{os.getpid()}.diary").open("a") as file:
            file.write(f"{step} {number}\n")


def read_diary(folder: Path) -> list[Entry]:
    """Return what all processes wrote; the order of the lines of one process is kept."""
    lines = [(path, line.split()) for path in sorted(folder.glob("*.diary")) for line in path.read_text().splitlines()]
    return [Entry(step, int(number), int(path.stem)) for path, (step, number) in lines]


def square_pieces(count: int) -> list[Piece]:
    """Return pieces of the numbers below `count`; every tenth is a duplicate of the one before."""
    numbers = [n - 1 if n % 10 == 9 else n for n in range(count)]
    return [Piece({"item_id": f"i{at}"}, f"key-{n}", {"number": n}) for at, n in enumerate(numbers)]


def run_squares(store: Path, model: DiaryModel, count: int, engine: BatchEngine, config: JobConfig) -> JobReport:
    """Run the job of the first `count` numbers.

    Raises:
        ServiceError: At the outage, or when the engine gave up.
    """
    model.diary.mkdir(parents=True, exist_ok=True)
    return run_job(
        Workspace(store),
        JOB,
        work=Work.of(square_pieces(count), ("item_id",), {"number": pl.Int64}),
        prepare=model.prepare,
        infer=model.infer,
        schema={"square": pl.Int64},
        assemble=_assemble,
        engine=engine,
        config=config,
    )


def squares(store: Path) -> dict[str, bytes]:
    """Return the data files of the artifact."""
    return {path.name: path.read_bytes() for path in sorted(Workspace(store).path(JOB).glob("*.parquet"))}


def _assemble(folder: Path, rows: Rows) -> None:
    write_frames(folder / ROWS, rows.frames, rows.schema)
