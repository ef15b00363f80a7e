"""A job for tests of the job itself: it squares numbers, slowly, and writes down every one in a diary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from batch.assembly import Rows, write_frames
from batch.base import BatchEngine, JobReport, Piece, Result, Usage, Work
from batch.job import run_job
from batch.local import LocalEngine
from batch.plan import JobConfig
from catalog.errors import VitrineError
from catalog.workspace import Workspace

NAME = "squares/slow"


class SlowSquares:
    """`infer` of the job: the square of each number, one token read for each digit.

    Args:
        diary: Gets a line for every number; it survives a kill.
        delay: Seconds a batch takes.
        every: A number divisible by it fails; 0: none.
    """

    def __init__(self, diary: Path, delay: float = 0.0, every: int = 0) -> None:
        self._diary, self._delay, self._every = diary, delay, every

    def __call__(self, numbers: Sequence[int]) -> list[Result]:
        """Square a batch."""
        time.sleep(self._delay)
        with self._diary.open("a", encoding="utf-8") as file:
            file.write("".join(f"{number}\n" for number in numbers))
        return [self._one(number) for number in numbers]

    def _one(self, number: int) -> Result:
        usage = Usage(prompt=len(str(number)))
        if self._every and number % self._every == 0:
            return Result.failed("divisible", f"{number} is divisible by {self._every}", usage)
        return Result({"square": number * number}, usage=usage)


def squares(store: Path, infer: SlowSquares, count: int, engine: BatchEngine | None = None, **sizes: Any) -> JobReport:
    """Square the numbers from 1 to `count` into the artifact `squares/slow`."""
    config = JobConfig(**{"batch_size": 4, "workers": 1, "decoders": 2, "flush_rows": 4, **sizes})
    pieces = (Piece({"item_id": f"i{n}"}, f"square {n}", {"number": n}) for n in range(1, count + 1))

    def assemble(folder: Path, rows: Rows) -> None:
        write_frames(folder / "rows.parquet", rows.frames, rows.schema)

    return run_job(
        Workspace(store),
        NAME,
        work=Work.of(pieces, ("item_id",), {"number": pl.Int64}),
        prepare=_number,
        infer=infer,
        schema={"square": pl.Int64},
        assemble=assemble,
        engine=engine or LocalEngine(),
        config=config,
    )


def squares_in_a_process(store: Path, infer: SlowSquares, count: int, said: Any, largest_file: int | None) -> None:
    """Run `squares` as the main work of a process, and send what came of it through the connection `said`."""
    import resource

    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    try:
        said.send(("done", squares(store, infer, count).done))
    except VitrineError as error:
        said.send((type(error).__name__, str(error)))


def _number(piece: Piece) -> int:
    return int(piece.payload["number"])
