"""`run_job`: a long job that a kill cannot hurt.

Every piece of work has a content key. Finished results go to small files in `<artifact>/.parts/`, so a run that
dies loses at most the last second of work; the next run does only what is missing or failed, whatever happened
to the catalogue in between. At the end the artifact is assembled in the order of the work, so its bytes do not
depend on how often the job was interrupted. Neither the plan nor the assembly holds the results in memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from batch.assembly import Assemble, Assembly, write_frames
from batch.base import FAILURE, BatchEngine, JobReport, Mid, Piece, Result, Schema, Work
from batch.index import Index, Mask
from batch.lock import exclusive
from batch.pause import Pause, paused_text, pausing
from batch.plan import RESTING, REUSED, TODO, UNREADABLE, JobConfig, Listing, Plan, make_plan
from batch.report import JobPlan, estimate, is_steady, keep_report
from batch.shards import DamagedShard, Shards, needing_room
from batch.work import Tally, do_work
from catalog.errors import DataError, JobPaused
from catalog.media.refs import BY_URL
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace, content_key, write_text

__all__ = ["FAILURES", "JobConfig", "plan_job", "run_job"]

FAILURES = "failures.parquet"
PARTS = ".parts"
LISTED = ".work"
UNFINISHED = ".unfinished"
"""Holds the number of a run that was cut off; the next one takes it up under the same number."""
LAST_RUN = 2**31 - 1
"""What a column of runs can hold; a note that says more is damaged."""
LAYOUT = 2

log = logging.getLogger(__name__)

Meta = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


def run_job(
    workspace: Workspace,
    name: str,
    *,
    work: Work,
    prepare: Callable[[Piece], Mid | Result],
    infer: Callable[[Sequence[Mid]], Sequence[Result]],
    schema: Schema,
    assemble: Assemble,
    engine: BatchEngine,
    config: JobConfig | None = None,
    meta: Meta | None = None,
    progress: Progress = SILENT,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobReport:
    """Do what is missing of `work`, then write the artifact `name`.

    Args:
        workspace: Where the artifact stands.
        name: E.g. `captions/pixels`.
        work: All pieces, in the order of the artifact's rows.
        prepare: Reads and decodes one piece, many at once; a `Result` (a failure) ends it there, and so does
            a `MediaError`. Anything else it raises stops the run.
        infer: One result a prepared piece, in order; called from several threads at once when workers > 1.
        schema: Value columns of a finished piece.
        assemble: Writes the artifact's data files.
        engine: Who runs the steps.
        config: How it runs.
        meta: Provenance for the manifest, or a call that gives it once the work is listed; counts are added.
        progress: Told of every piece, finished, reused or failed.
        limit: New pieces to work on at most; the artifact then holds what there is, and its manifest says
            how many are pending.
        retry_all: Try even what failed `max_attempts` times.

    Returns:
        Counts of pieces, rates and tokens; `runs.json` beside the manifest keeps them. `failures.parquet` in the
        artifact names every piece that failed.

    Raises:
        DataError: When there is no work at all, or no room to write.
        BusyError: When another run of the same job is going on.
        JobPaused: After SIGINT or SIGTERM; what was begun is finished and kept.
        ServiceError: When the model is unreachable; what was finished is kept.
    """
    config, clock, tally = config or JobConfig(), _Clock(), Tally()
    home = workspace.root / name
    unfinished, cut_off = home / PARTS / UNFINISHED, True
    with needing_room(home), exclusive(home / ".lock", name), pausing() as pause:
        shards = Shards(home / PARTS, schema)
        listing = Listing(work, home / PARTS / LISTED, pause)
        try:
            _check(listing, name, pause)
            index = shards.index()
            cut_off = unfinished.is_file()
            run = _run_number(unfinished, index)
            before: Mask | None = None
            while True:
                plan = make_plan(listing.marks, index, config, run=run, limit=limit, retry_all=retry_all)
                before = plan.status == REUSED if before is None else before
                del index
                clock.lap("plan")
                todo_rows = int(plan.times.sum())
                wanted = len(listing) - plan.count(TODO) + todo_rows
                tally.lost = plan.count(UNREADABLE) + plan.count(RESTING)
                progress.start(name, wanted, done=wanted - todo_rows - tally.lost)
                try:
                    if tally.lost:
                        progress.advance(tally.lost, f"{tally.lost:,} failed")
                    todo = plan.feed(listing, pause)
                    do_work(todo, prepare, infer, shards, engine, config, run, progress, tally)
                finally:
                    progress.finish()
                    clock.lap("work")
                if pause and tally.times < todo_rows:
                    raise _paused(pause, name, len(listing), plan, tally)
                shards.compact()
                try:
                    assembly = Assembly(listing, shards)
                    key, written = _write(workspace, name, assembly, assemble, meta)
                    break
                except DamagedShard:  # dropped where it was found; its pieces are missing again
                    index = shards.index()
            clock.lap("write")
        finally:
            listing.remove()
            if not (cut_off or tally.worked):  # nothing came of this run: none is to be taken up
                unfinished.unlink(missing_ok=True)
        report = _report(name, key, written, listing, assembly, before, tally, clock, config)
        report = replace(report, resting=plan.count(RESTING))
        opening = {"opened": tally.opened, "opening": round(tally.opening, 3)}
        sizes = {"batch_size": config.batch_size, "workers": config.workers, "decoders": config.decoders}
        keep_report(home, report, tally.worked, {"engine": engine.name, **opening, **sizes})
        unfinished.unlink(missing_ok=True)
    return report


def plan_job(
    workspace: Workspace,
    name: str,
    *,
    work: Work,
    schema: Schema,
    config: JobConfig | None = None,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobPlan:
    """Return what `run_job` with these arguments would do; nothing is written.

    Raises:
        DataError: When there is no work at all.
        JobPaused: After SIGINT or SIGTERM.
    """
    config, home = config or JobConfig(), workspace.root / name
    with pausing() as pause:
        urls = 0

        def counted() -> Iterator[pl.DataFrame]:
            nonlocal urls
            for frame in work.frames:
                urls += int((frame[FAILURE].cast(pl.String) == BY_URL).sum())
                yield frame

        listing = Listing(replace(work, frames=counted()), None, pause)
        _check(listing, name, pause)
    index = Shards(home / PARTS, schema, writable=False).index()
    run = _run_number(home / PARTS / UNFINISHED, index, note=False)
    whole = make_plan(listing.marks, index, config, run=run, retry_all=retry_all)
    count = len(whole.todo) if limit is None else min(limit, len(whole.todo))
    rows = int(whole.times[:count].sum())
    seconds, usage = estimate(home, count)
    return JobPlan(
        name,
        len(listing),
        reused=whole.count(REUSED),
        todo=count,
        duplicates=rows - count,
        retried=int(np.count_nonzero(whole.tried[:count])),
        resting=whole.count(RESTING),
        unreadable=whole.count(UNREADABLE),
        left=whole.count(TODO) - rows,
        seconds=seconds,
        usage=usage,
        at_most=not is_steady(home),
        unfetched=urls,
    )


class _Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.begin = self._last = time.monotonic()
        self.phases = {"plan": 0.0, "work": 0.0, "write": 0.0}

    def lap(self, phase: str) -> None:
        now = time.monotonic()
        self.phases[phase] += now - self._last
        self._last = now


def _check(listing: Listing, name: str, pause: Pause) -> None:
    if pause.signal is not None:
        raise JobPaused(f"paused: {name} was still being planned; run the same command to go on", signal=pause.signal)
    if not len(listing):
        raise DataError(f"{name!r}: there is nothing to work on")


def _run_number(path: Path, index: Index, *, note: bool = True) -> int:
    """Return the number of the run that was cut off, or else the next one; and note it as begun."""
    with suppress(FileNotFoundError, ValueError):
        if path.is_file() and 1 <= (number := int(path.read_text(encoding="utf-8"))) <= LAST_RUN:
            return number
    number = min(index.latest_run() + 1, LAST_RUN)
    if note:
        write_text(path, f"{number}\n")
    return number


def _paused(pause: Pause, name: str, rows: int, plan: Plan, tally: Tally) -> JobPaused:
    done = plan.count(REUSED) + tally.times - tally.failed
    assert pause.signal is not None
    return JobPaused(paused_text(name, done, rows, tally.failed), signal=pause.signal)


def _write(
    workspace: Workspace, name: str, assembly: Assembly, assemble: Assemble, meta: Meta | None
) -> tuple[str, dict[str, Any]]:
    """Assemble the artifact unless the very same one stands already, undamaged; return its key and metadata."""
    rows = assembly.rows()
    said = dict(meta() if callable(meta) else meta or {})
    said |= {"rows": rows.count, "failed": assembly.reasons.total(), "failures": dict(sorted(assembly.reasons.items()))}
    if assembly.pending:
        said["pending"] = assembly.pending
    key = content_key(LAYOUT, said, assembly.digest)
    same = workspace.has(name, key)
    fault = workspace.fault(name) if same else None
    if fault is not None:
        log.warning("artifact written again name=%s reason=%r", name, fault)
    if not same or fault is not None:
        with workspace.writing(name, key, said) as folder:
            assemble(folder, rows)
            write_frames(folder / FAILURES, assembly.failures(), assembly.failure_schema)
    return key, said


def _report(
    name: str,
    key: str,
    meta: Mapping[str, Any],
    listing: Listing,
    assembly: Assembly,
    before: Mask,
    tally: Tally,
    clock: _Clock,
    config: JobConfig,
) -> JobReport:
    now = assembly.finished & ~before
    work = clock.phases["work"]
    return JobReport(
        name,
        key,
        done=int(now.sum()),
        reused=int((assembly.finished & before).sum()),
        failed=assembly.reasons.total(),
        seconds=time.monotonic() - clock.begin,
        failures=dict(assembly.reasons.most_common()),
        examples=assembly.examples,
        duplicates=int(now.sum()) - len(np.unique(listing.marks[now])),
        pending=assembly.pending,
        phases={phase: round(seconds, 3) for phase, seconds in clock.phases.items()},
        busy=min(1.0, tally.busy / (work * config.workers)) if work and tally.worked else 0.0,
        rate=tally.worked / work if work else 0.0,
        usage=tally.usage,
        meta=meta,
    )
