"""The batch seam: who runs `process` over many pieces of work; and the nouns of a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one piece: the values of its row, or why there is none.

    `failure` is a short reason that many pieces can share ("refusal"), `detail` the whole line.
    """

    values: Mapping[str, Any] | None
    failure: str | None = None
    detail: str | None = None

    @classmethod
    def failed(cls, reason: str, detail: str) -> Result:
        """Return a failure."""
        return cls(None, reason, detail)


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """One piece of work.

    Attributes:
        label: Columns that say where the result belongs, e.g. item_id and media.
        key: Content key: input bytes, model, prompt and parameters. Pieces of one key are done once.
            None when the input could not even be read; `failed` says why.
        payload: What `process` needs.
        failed: The failure of a piece without a key.
    """

    label: Mapping[str, str | None]
    key: str | None
    payload: T
    failed: Result | None = None


@dataclass(frozen=True)
class JobReport:
    """How a job went; `failures` counts pieces by reason, the commonest first.

    Attributes:
        name: The artifact written.
        key: Its content key.
        done: Pieces finished now, the duplicates among them.
        duplicates: How many of `done` have the content of an earlier piece, and so its result.
        reused: Pieces whose result was there already.
        failed: Pieces without a result.
        seconds: Wall clock of this run.
        failures: Short reason -> count of pieces.
        examples: Short reason -> the whole line of the first piece.
        meta: What the manifest says.
    """

    name: str
    key: str
    done: int
    reused: int
    failed: int
    seconds: float
    failures: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    duplicates: int = 0
    meta: Mapping[str, Any] = field(default_factory=dict)
