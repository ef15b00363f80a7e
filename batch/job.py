"""`run_job`: a long job that a kill cannot hurt.

Every piece of work has a content key. Finished results go to small files in `<artifact>/.parts/`, so
a run that dies loses at most the last second of work; the next run does only what is missing or
failed, whatever happened to the catalogue in between. At the end the artifact is assembled in the
order of the work, so its bytes do not depend on how often the job was interrupted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from batch.base import BatchEngine, JobReport, Piece, Result, T
from batch.lock import exclusive
from batch.shards import DETAIL, FAILURE, KEY, Schema, Shards
from catalog.errors import DataError
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace, content_key

FAILURES = "failures.parquet"
PARTS = ".parts"
LAYOUT = 1

Assemble = Callable[[Path, pl.DataFrame], None]
"""Writes the artifact's files: a folder, and the finished rows (label and value columns) in work order."""


class JobConfig(BaseModel):
    """How a job runs; nothing here changes what it makes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int = Field(16, ge=1)
    """Pieces given to the model at once."""
    workers: int = Field(2, ge=1)
    """Chunks worked on at the same time."""
    flush_rows: int = Field(256, ge=1)
    """Results kept in memory before they are written to a shard."""
    flush_seconds: float = Field(1.0, ge=0)
    """Seconds after which they are written anyway."""
    retry_failed: bool = True
    """Whether pieces that failed in an earlier run are tried again."""


def run_job(
    workspace: Workspace,
    name: str,
    *,
    work: Sequence[Piece[T]],
    process: Callable[[Sequence[Piece[T]]], Sequence[Result]],
    schema: Schema,
    assemble: Assemble,
    engine: BatchEngine,
    config: JobConfig | None = None,
    meta: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> JobReport:
    """Do what is missing of `work`, then write the artifact `name`.

    Args:
        workspace: Where the artifact stands.
        name: E.g. `captions/pixels`.
        work: All pieces, in the order of the artifact's rows.
        process: One result a piece, in order; called from several threads at once when workers > 1.
        schema: Value columns of a finished piece.
        assemble: Writes the artifact's data files.
        engine: Who runs `process`.
        config: How it runs.
        meta: Provenance for the manifest; counts are added.
        progress: Told of every piece, finished, reused or failed.

    Returns:
        Counts of pieces. `failures.parquet` in the artifact names every piece without a result.

    Raises:
        DataError: When there is no work at all.
        BusyError: When another run of the same job is going on.
        ServiceError: When the model is unreachable; what was finished is kept.
    """
    if not work:
        raise DataError(f"{name!r}: there is nothing to work on")
    config = config or JobConfig()
    begin = time.monotonic()
    home = workspace.root / name
    with exclusive(home / ".lock", name):
        shards = Shards(home / PARTS, schema)
        settled = shards.read()
        if config.retry_failed:
            settled = settled.filter(pl.col(FAILURE).is_null())
        kept = set(settled[KEY])
        times = Counter(p.key for p in work if p.key is not None and p.key not in kept)
        missing = list({p.key: p for p in work if p.key in times}.values())
        lost = sum(p.key is None for p in work)
        progress.start(name, len(work), done=len(work) - times.total() - lost)
        try:
            if lost:
                progress.advance(lost, f"{lost} unreadable")
            _do(missing, times, process, shards, engine, config, progress)
        finally:
            progress.finish()
        table = shards.read()
        shards.compact(table)
        finished, failures = _join(work, table, schema)
        key, written = _write(workspace, name, finished, failures, schema, assemble, dict(meta or {}))
    reused = sum(key in kept for key in finished[KEY])
    firsts = failures.unique("reason", keep="first", maintain_order=True)
    return JobReport(
        name,
        key,
        done=len(finished) - reused,
        reused=reused,
        failed=len(failures),
        seconds=time.monotonic() - begin,
        failures=dict(Counter(failures["reason"]).most_common()),
        examples=dict(firsts.select("reason", DETAIL).iter_rows()),
        duplicates=len(finished) - reused - len(set(finished[KEY]) - kept),
        meta=written,
    )


def _do(
    missing: list[Piece[T]],
    times: Mapping[str, int],
    process: Callable[[Sequence[Piece[T]]], Sequence[Result]],
    shards: Shards,
    engine: BatchEngine,
    config: JobConfig,
    progress: Progress,
) -> None:
    """Work on every missing piece and shard the results; on the way out, also by an error, flush.

    Progress counts a key as often as it stands in the work (`times`): duplicates are done with their first.
    """

    def keyed(chunk: Sequence[Piece[T]]) -> list[tuple[str, Result]]:
        results = process(chunk)
        if len(results) != len(chunk):
            raise AssertionError(f"{len(results)} results for {len(chunk)} pieces")
        return [(str(piece.key), result) for piece, result in zip(chunk, results, strict=True)]

    waiting: list[tuple[str, Result]] = []
    failed = 0
    flushed = time.monotonic()
    try:
        for results in engine.run(missing, keyed, batch_size=config.batch_size, workers=config.workers):
            waiting += results
            failed += sum(times[key] for key, result in results if result.failure is not None)
            progress.advance(sum(times[key] for key, _ in results), f"{failed} failed" if failed else "")
            if len(waiting) >= config.flush_rows or time.monotonic() - flushed >= config.flush_seconds:
                shards.add(waiting)
                waiting, flushed = [], time.monotonic()
    finally:
        if waiting:
            shards.add(waiting)


def _join(work: Sequence[Piece[T]], table: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return finished rows and failures, each in work order."""
    names = list(work[0].label)
    pieces = pl.DataFrame(
        [
            {
                **piece.label,
                KEY: piece.key,
                "_failure": piece.failed.failure if piece.failed else None,
                "_detail": piece.failed.detail if piece.failed else None,
            }
            for piece in work
        ],
        schema=dict.fromkeys([*names, KEY, "_failure", "_detail"], pl.String),
        orient="row",
    )
    joined = pieces.join(table, on=KEY, how="left", maintain_order="left").with_columns(
        pl.coalesce("_failure", FAILURE).alias(FAILURE), pl.coalesce("_detail", DETAIL).alias(DETAIL)
    )
    bad = pl.col(FAILURE).is_not_null()
    failures = joined.filter(bad).select(*names, KEY, pl.col(FAILURE).alias("reason"), DETAIL)
    return joined.filter(~bad).select(*names, KEY, *schema), failures


def _write(
    workspace: Workspace,
    name: str,
    finished: pl.DataFrame,
    failures: pl.DataFrame,
    schema: Schema,
    assemble: Assemble,
    meta: dict[str, Any],
) -> tuple[str, dict[str, Any]]:
    """Assemble the artifact unless the very same one stands already; return its key and metadata."""
    counts = dict(sorted(Counter(failures["reason"]).items()))
    meta |= {"rows": len(finished), "failed": len(failures), "failures": counts}
    names = [column for column in finished.columns if column not in schema]
    key = content_key(LAYOUT, meta, finished.select(names).rows(), failures.rows())
    if not workspace.has(name, key):
        with workspace.writing(name, key, meta) as folder:
            assemble(folder, finished.drop(KEY))
            failures.write_parquet(folder / FAILURES)
    return key, meta
