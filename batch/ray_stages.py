"""What runs in Ray's processes: the source of blocks, the task that prepares one, the actor that infers it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from batch.base import Batch, Steps
from batch.feed import INFER, PREPARE, SKIPPED
from catalog.errors import ServiceError

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER, BLOCK = "number", "block"


def source(feed: Any, _: pa.Table) -> Iterator[pa.Table]:
    """Yield the blocks of the feed as they come; runs for as long as there is work."""
    import ray

    number = 0
    while (block := ray.get(feed.get.remote(number))) is not None:
        yield _row(number, block)
        number += 1


def prepare_block(feed: Any, steps: bytes, retries: int, table: pa.Table) -> pa.Table:
    """Prepare every piece of a block; a row of pieces and an error."""
    number, block = _content(table)
    try:
        if not block or not _may_begin(feed, PREPARE, number, retries):
            return _row(number, SKIPPED)
        prepare = _steps(steps).prepare
        return _row(number, packed(([prepare(piece) for piece in unpacked(block)], None)))
    except Exception as error:  # noqa: BLE001 - raised again in the driver
        return _row(number, packed(([], _sendable(error))))


class Worker:
    """One actor: its own copy of the steps, whose model loads here."""

    def __init__(self, feed: Any, steps: bytes, retries: int, batch_size: int) -> None:
        self._feed, self._steps, self._retries, self._batch_size = feed, steps, retries, batch_size

    def __call__(self, table: pa.Table) -> pa.Table:
        """Infer a block batch by batch; a row of packed batches and an error, which ends the run for all workers."""
        import ray

        number, block = _content(table)
        done: list[bytes] = []
        error: Exception | None = None
        try:
            if block and _may_begin(self._feed, INFER, number, self._retries):
                pieces, error = unpacked(block)
                infer = _steps(self._steps).infer
                for start in range(0, len(pieces), self._batch_size):
                    begin = time.monotonic()
                    results = infer(pieces[start : start + self._batch_size])
                    done.append(packed(Batch(results, time.monotonic() - begin)))
        except Exception as raised:  # noqa: BLE001 - raised again in the driver
            error = _sendable(raised)
        if error is not None:
            ray.get(self._feed.stop.remote())
        return _row(number, packed((done, error)))


def _may_begin(feed: Any, stage: str, number: int, retries: int) -> bool:
    """Return whether the run still wants this block.

    Raises:
        ServiceError: When the block has cost more workers than it may.
    """
    import ray

    turn: int = ray.get(feed.begin.remote(stage, number))
    if turn > retries + 1:
        raise ServiceError(
            f"{turn - 1} workers of Ray died one after the other at the {stage} step of block {number}, out of memory "
            "as a rule; what was finished is kept. A smaller job.batch_size or a larger batch.ray.cpus_per_worker "
            "would be valid, or a higher batch.ray.max_retries where machines come and go"
        )
    return turn > 0


def _row(number: int, block: bytes) -> pa.Table:
    import pyarrow as pa

    return pa.table({NUMBER: pa.array([number]), BLOCK: pa.array([block], pa.large_binary())})


def _content(table: pa.Table) -> tuple[int, bytes]:
    return table[NUMBER][0].as_py(), table[BLOCK][0].as_py()


@lru_cache(maxsize=2)
def _steps(content: bytes) -> Steps[Any, Any, Any]:
    """Return the steps; a process unpacks them once, and so keeps one model for all of its blocks."""
    steps: Steps[Any, Any, Any] = unpacked(content)
    return steps


def packed(content: Any) -> bytes:
    """Return what travels between processes of one run; it is never kept on disk."""
    from ray import cloudpickle

    return bytes(cloudpickle.dumps(content))  # type: ignore[no-untyped-call]


def unpacked(content: Any) -> Any:
    """Return what `packed` was given; only ever from a process of the same run."""
    from ray import cloudpickle

    return cloudpickle.loads(content)


def _sendable(error: Exception) -> Exception:
    """Return the error with the lines of the worker that raised it, or a plain one where it cannot travel."""
    told = "".join(traceback.format_exception(error))
    try:
        unpacked(packed(error))
    except Exception:  # noqa: BLE001 - anything can go wrong while a foreign exception is pickled
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"In a worker of Ray:\n{told}")
    return error
