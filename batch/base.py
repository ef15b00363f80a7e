"""The batch seam: who runs the steps of a job over many pieces of work; and the nouns of a job.

A piece is a row: labels that say where its result belongs, a content key, and payload columns. So a plan of
millions of pieces is columns on disk; a `Piece` object lives only from the plan to its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import polars as pl

In = TypeVar("In")
Mid = TypeVar("Mid")
Out = TypeVar("Out")
T = TypeVar("T")

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

KEY, FAILURE, DETAIL = "key", "failure", "detail"
PLANNED_ROWS = 2048
"""Pieces planned, spilled and read back at once."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a model read and wrote; adds with `+`."""

    prompt: int = 0
    completion: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.completion + other.completion)


@dataclass(frozen=True, slots=True)
class Steps(Generic[In, Mid, Out]):
    """What an engine does with work.

    Attributes:
        prepare: Reads and decodes one piece; many at once, no model.
        infer: Gives a batch to the model; one result a piece, in order. What it holds can be sent to another
            process before its model is loaded.
    """

    prepare: Callable[[In], Mid]
    infer: Callable[[Sequence[Mid]], Sequence[Out]]


@dataclass(frozen=True, slots=True)
class Batch(Generic[Out]):
    """The results of one call of `infer`, and the seconds that call took."""

    results: Sequence[Out]
    seconds: float


class BatchEngine(Protocol):
    """Runs the steps over work; the local pipeline and Ray implement it.

    Work is read lazily and never far ahead: memory does not grow with it. Batches may come back in any order.
    What a step raises is a bug or an outage: it stops the run, after what was finished has been given out.
    """

    name: str

    def run(
        self, work: Iterable[In], steps: Steps[In, Mid, Out], *, batch_size: int, workers: int, decoders: int
    ) -> Iterator[Batch[Out]]:
        """Yield each batch as it completes.

        Args:
            work: Pieces; once it ends, what was taken from it is finished.
            steps: What is done with each.
            batch_size: Prepared pieces given to `infer` at once; the last batch may be smaller.
            workers: Calls of `infer` at the same time.
            decoders: Calls of `prepare` at the same time; 1 keeps the order of the work.
        """


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one piece: the values of its row, or why there is none.

    `failure` is a short reason that many pieces can share ("refusal"), `detail` the whole line, `usage` what
    it cost in tokens, failed or not.
    """

    values: Mapping[str, Any] | None
    failure: str | None = None
    detail: str | None = None
    usage: Usage | None = None

    @classmethod
    def failed(cls, reason: str, detail: str, usage: Usage | None = None) -> Result:
        """Return a failure."""
        return cls(None, reason, detail, usage)


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of work.

    Attributes:
        label: Columns that say where the result belongs, e.g. item_id and media.
        key: Content key: input bytes, model, prompt and parameters. Pieces of one key are done once.
            None when the input could not even be read; `failed` says why.
        payload: What `prepare` needs, as plain column values.
        failed: The failure of a piece without a key.
    """

    label: Mapping[str, str | None]
    key: str | None
    payload: Mapping[str, Any]
    failed: Result | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """All pieces of a job as columns, in the order of the artifact's rows.

    Attributes:
        labels: Names of the label columns (text).
        payload: The payload columns.
        frames: Tables of `labels`, `key`, `payload`, `failure` and `detail`, a few thousand rows each; read once.
    """

    labels: tuple[str, ...]
    payload: Schema
    frames: Iterable[pl.DataFrame]

    @property
    def schema(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        """Columns of a frame."""
        return planned_schema(self.labels, self.payload)

    @classmethod
    def of(cls, pieces: Iterable[Piece], labels: tuple[str, ...], payload: Schema) -> Work:
        """Return work from pieces, which may be a generator: they are read a few thousand at a time."""
        return cls(labels, payload, _frames(iter(pieces), planned_schema(labels, payload)))


def planned_schema(labels: Sequence[str], payload: Schema) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the columns of a frame of work."""
    texts: Schema = dict.fromkeys([*labels, KEY], pl.String)
    return {**texts, **payload, FAILURE: pl.String, DETAIL: pl.String}


def _frames(pieces: Iterator[Piece], schema: Schema) -> Iterator[pl.DataFrame]:
    while some := list(islice(pieces, PLANNED_ROWS)):
        rows = [
            {
                **piece.label,
                KEY: piece.key,
                **piece.payload,
                FAILURE: piece.failed.failure if piece.failed else None,
                DETAIL: piece.failed.detail if piece.failed else None,
            }
            for piece in some
        ]
        yield pl.DataFrame(rows, schema=schema, orient="row")


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
        pending: Pieces not yet worked on, since the run was limited.
        resting: How many of `failed` were left alone, since they failed before.
        seconds: Wall clock of this run.
        phases: Phase -> seconds of it: plan, work, write.
        busy: Share of the engine's time spent in `infer` while there was work, 0 to 1.
        rate: Pieces worked on a second while there was work, failures among them.
        usage: Tokens of this run.
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
    pending: int = 0
    resting: int = 0
    phases: Mapping[str, float] = field(default_factory=dict)
    busy: float = 0.0
    rate: float = 0.0
    usage: Usage = Usage()
    meta: Mapping[str, Any] = field(default_factory=dict)
