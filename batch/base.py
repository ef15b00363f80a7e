"""The batch seam: who runs `process` over many pieces of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class BatchEngine(Protocol):
    """Maps chunks of work to chunks of results; the local pipeline and Ray implement it.

    `process` is given up to `batch_size` pieces and returns one result a piece, in order; it turns
    per-piece faults into failure results itself. What it raises is a bug or an outage and stops the run.
    Results may come back in any order of chunks.
    """

    name: str

    def run(
        self, work: Iterable[In], process: Callable[[Sequence[In]], Sequence[Out]], *, batch_size: int, workers: int
    ) -> Iterator[Sequence[Out]]:
        """Yield the results of each chunk as it completes."""
