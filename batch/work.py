"""The working phase of a job: pieces through the engine, results into shards, counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from batch.base import BatchEngine, Mid, Piece, Result, Steps, Usage
from batch.plan import JobConfig, Todo
from batch.shards import Finished, Shards
from catalog.errors import MediaError
from catalog.progress import Progress


@dataclass(slots=True)
class Tally:
    """What the working phase came to.

    Attributes:
        worked: Pieces given to the engine that came back.
        times: How many rows of the work those stand for.
        failed: How many of those rows failed.
        busy: Seconds spent in `infer`, summed over workers.
        usage: Tokens.
        lost: Rows without a result that this run does not work on: unreadable, or left alone.
        opened: Pieces of the first batch of each worker, which waits until its model is loaded.
        opening: Seconds until those came back.
    """

    worked: int = 0
    times: int = 0
    failed: int = 0
    busy: float = 0.0
    usage: Usage = field(default_factory=Usage)
    lost: int = 0
    opened: int = 0
    opening: float = 0.0


def do_work(
    todo: Iterator[Todo],
    prepare: Callable[[Piece], Any],
    infer: Callable[[Sequence[Any]], Sequence[Result]],
    shards: Shards,
    engine: BatchEngine,
    config: JobConfig,
    run: int,
    progress: Progress,
    tally: Tally,
) -> None:
    """Work on every piece and shard the results; on the way out, also by an error of the engine, flush.

    Raises:
        DataError: When a shard cannot be written.
    """
    waiting: list[Finished] = []
    begun = flushed = time.monotonic()
    steps: Steps[Todo, Ready[Any], Done] = Steps(Prepare(prepare), Infer(infer))
    batches = engine.run(todo, steps, batch_size=config.batch_size, workers=config.workers, decoders=config.decoders)
    try:
        for number, batch in enumerate(batches, 1):
            tally.busy += batch.seconds
            rows = 0
            for done in batch.results:
                waiting.append(Finished(done.key, done.result, done.tried + 1, run))
                rows += done.times
                tally.failed += done.times * (done.result.failure is not None)
                tally.usage += done.result.usage or Usage()
            tally.worked += len(batch.results)
            tally.times += rows
            if number <= config.workers:
                tally.opened, tally.opening = tally.worked, time.monotonic() - begun
            failed = tally.failed + tally.lost
            progress.advance(rows, f"{failed:,} failed" if failed else "")
            if len(waiting) >= config.flush_rows or time.monotonic() - flushed >= config.flush_seconds:
                # Taken out first: a disk that refuses them once is not asked again on the way out.
                results, waiting = waiting, []
                shards.add(results)
                flushed = time.monotonic()
    finally:
        if waiting:
            shards.add(waiting)


@dataclass(frozen=True, slots=True)
class Ready(Generic[Mid]):
    """A prepared piece under its key, or the failure it ended in."""

    key: str
    times: int
    tried: int
    prepared: Mid | None
    failed: Result | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a key."""

    key: str
    times: int
    tried: int
    result: Result


@dataclass(frozen=True, slots=True)
class Prepare(Generic[Mid]):
    """`prepare` of a job, with the faults of one piece made its failure."""

    step: Callable[[Piece], Mid | Result]

    def __call__(self, todo: Todo) -> Ready[Mid]:
        """Prepare one piece."""
        try:
            prepared = self.step(todo.piece)
        except MediaError as error:
            prepared = Result.failed("media", str(error))
        key = str(todo.piece.key)
        if isinstance(prepared, Result):
            return Ready(key, todo.times, todo.tried, None, prepared)
        return Ready(key, todo.times, todo.tried, prepared)


@dataclass(frozen=True, slots=True)
class Infer(Generic[Mid]):
    """`infer` of a job, given only what could be prepared."""

    step: Callable[[Sequence[Mid]], Sequence[Result]]

    def __call__(self, batch: Sequence[Ready[Mid]]) -> list[Done]:
        """Infer a batch."""
        good = [each for each in batch if each.failed is None]
        # A prepared piece may itself be None; `failed` alone says that there is none.
        results = self.step([each.prepared for each in good]) if good else ()  # type: ignore[misc]
        if len(results) != len(good):
            raise AssertionError(f"{len(results)} results for {len(good)} pieces")
        given = iter(results)
        return [
            Done(each.key, each.times, each.tried, each.failed if each.failed is not None else next(given))
            for each in batch
        ]
