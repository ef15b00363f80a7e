"""The intents job: every text of a shop's log to typed intents, each with its evidence and its moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from batch.assembly import Rows, write_frames
from batch.base import PLANNED_ROWS, BatchEngine, JobReport, Piece, Result, Schema, Work
from batch.job import JobConfig, plan_job, run_job
from batch.keys import Keys
from batch.report import JobPlan
from captioning.intents.base import Extracted, IntentExtractor, Utterance
from captioning.intents.config import IntentJobConfig
from captioning.intents.sources import shop_texts
from catalog.intents import INTENTS, INTENTS_FILE
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace

LABELS = ("event_id", "source")
SPAN: Schema = {
    "kind": pl.String, "aspect": pl.String, "value": pl.String, "polarity": pl.Int8, "amount": pl.Float64,
    "start": pl.Int32, "end": pl.Int32,
}  # fmt: skip
REFUSED: Schema = {"reason": pl.String, "count": pl.Int32}
SCHEMA: Schema = {"intents": pl.List(pl.Struct(SPAN)), "refused": pl.List(pl.Struct(REFUSED))}
REFUSED_FILE = "refused.parquet"
"""What was answered and not taken, `event_id, source, reason, count`."""
_PAYLOAD: Schema = {"text": pl.String, "stars": pl.Float64}


def extract_intents(
    workspace: Workspace,
    extractor: IntentExtractor,
    *,
    engine: BatchEngine,
    transcripts: str | None = None,
    config: JobConfig | None = None,
    progress: Progress = SILENT,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobReport:
    """Write `intents/<extractor.name>`: one row an intent (`catalog.intents.INTENTS`), in the order of the log.

    A text in which nothing is said is finished without a row; `limit` and `retry_all` are those of `run_job`.

    Raises:
        NotBuiltError: When the catalogue, or the transcripts that are named, are missing.
        NothingToDo: When nobody wrote or said anything.
        BusyError: When the same job is running already.
        ServiceError: When the model is unreachable; what was finished is kept.
    """
    texts = shop_texts(workspace, transcripts)

    def assemble(folder: Path, rows: Rows) -> None:
        lost: list[pl.DataFrame] = []
        write_frames(folder / INTENTS_FILE, (_dated(frame, texts) for frame in _noting(rows.frames, lost)), INTENTS)
        schema: Schema = {**dict.fromkeys(LABELS, pl.String), **REFUSED}
        (pl.concat(lost) if lost else pl.DataFrame(schema=schema)).write_parquet(folder / REFUSED_FILE)

    return run_job(
        workspace,
        f"intents/{extractor.name}",
        work=_work(texts, extractor),
        prepare=_prepare,
        infer=Reading(extractor),
        schema=SCHEMA,
        assemble=assemble,
        engine=engine,
        config=config or IntentJobConfig(),
        meta={
            "extractor": extractor.name,
            "model": extractor.model,
            "settings_sha": extractor.settings_sha,
            "transcripts": transcripts,
            "texts": len(texts),
            "latest": str(texts["timestamp"].max()),
        },
        progress=progress,
        limit=limit,
        retry_all=retry_all,
    )


def plan_intents(
    workspace: Workspace,
    extractor: IntentExtractor,
    *,
    transcripts: str | None = None,
    config: JobConfig | None = None,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobPlan:
    """Return what `extract_intents` would do; nothing is written.

    Raises:
        NotBuiltError: When the catalogue, or the transcripts that are named, are missing.
        NothingToDo: When nobody wrote or said anything.
    """
    texts = shop_texts(workspace, transcripts)
    return plan_job(
        workspace, f"intents/{extractor.name}", work=_work(texts, extractor), schema=SCHEMA,
        config=config or IntentJobConfig(), limit=limit, retry_all=retry_all,
    )  # fmt: skip


def load_intents(workspace: Workspace, name: str) -> pl.DataFrame:
    """Return the rows (`catalog.intents.INTENTS`) of `intents/<name>`.

    Raises:
        NotBuiltError: When it was never made.
        DataError: When it is damaged.
    """
    with workspace.reading(f"intents/{name}") as folder:
        return pl.read_parquet(folder / INTENTS_FILE).select(list(INTENTS))


def refused_intents(workspace: Workspace, name: str) -> dict[str, int]:
    """Return how much of what was answered was not taken, by reason, the commonest first.

    Raises:
        NotBuiltError: When `intents/<name>` was never made.
        DataError: When it is damaged.
    """
    with workspace.reading(f"intents/{name}") as folder:
        lost = pl.read_parquet(folder / REFUSED_FILE)
        counted = lost.group_by("reason").agg(pl.col("count").sum()).sort(["count", "reason"], descending=[True, False])
        return dict(counted.iter_rows())


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts to intents, as a step of a job; can be sent to another process."""

    extractor: IntentExtractor

    def __call__(self, texts: Sequence[Utterance]) -> list[Result]:
        """Read a batch."""
        return [_result(found) for found in self.extractor.extract(texts)]


def _result(found: Extracted) -> Result:
    if found.failure is not None:
        return Result.failed(found.failure.split(":", 1)[0], found.failure, found.usage)
    spans = [{name: getattr(span, name) for name in SPAN} for span in found.spans]
    refused = [{"reason": reason, "count": count} for reason, count in found.refused.items()]
    return Result({"intents": spans, "refused": refused}, usage=found.usage)


def _prepare(piece: Piece) -> Utterance:
    source: Any = piece.label["source"]
    return Utterance(str(piece.payload["text"]), source, piece.payload["stars"])


def _work(texts: pl.DataFrame, extractor: IntentExtractor) -> Work:
    """Return one piece a text; alike texts of one kind and stars are read once."""
    keys = Keys("intents", extractor.name, extractor.model, extractor.settings_sha)

    def pieces() -> Iterator[Piece]:
        for part in texts.iter_slices(PLANNED_ROWS):
            for row in part.iter_rows(named=True):
                key = keys.key(row["text"], row["source"], row["stars"])
                yield Piece({name: row[name] for name in LABELS}, key, {"text": row["text"], "stars": row["stars"]})

    return Work.of(pieces(), LABELS, _PAYLOAD)


def _noting(frames: Iterable[pl.DataFrame], lost: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Pass tables on, and note what was refused."""
    for frame in frames:
        some = frame.select(*LABELS, "refused").filter(pl.col("refused").list.len() > 0)
        if len(some):
            lost.append(some.explode("refused").unnest("refused"))
        yield frame


def _dated(found: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Return one row an intent, with whose it is, of what, and from when."""
    spans = found.select(*LABELS, "intents").filter(pl.col("intents").list.len() > 0).explode("intents")
    events = texts.select(*LABELS, "user_id", "item_id", "timestamp").unique(
        list(LABELS), keep="first", maintain_order=True
    )
    joined = spans.unnest("intents").join(events, on=list(LABELS), how="left", maintain_order="left")
    return joined.select(pl.col(name).cast(dtype) for name, dtype in INTENTS.items())
