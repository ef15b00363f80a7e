"""The run report: how fast a job went, kept as JSON beside its artifact; earlier reports give the estimate."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from batch.base import JobReport, Usage
from catalog.workspace import write_text

RUNS = "runs.json"
KEPT = 20
"""Reports that are kept, the newest last."""
LATELY = 5
"""Runs that an estimate looks back on."""

Count = Annotated[int, Field(ge=0, le=2**53)]

log = logging.getLogger(__name__)


class _Phases(BaseModel):
    work: float = Field(0.0, ge=0, allow_inf_nan=False)


class _Tokens(BaseModel):
    prompt: Count
    completion: Count


class _Run(BaseModel):
    """What an estimate reads of a report."""

    model_config = ConfigDict(strict=True)

    worked: Count
    opened: Count = 0
    opening: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    phases: _Phases
    usage: _Tokens


@dataclass(frozen=True)
class JobPlan:
    """What a run would do.

    Attributes:
        name: The artifact it would write.
        pieces: All of them.
        reused: Those with a result.
        todo: Those it would work on, each content once.
        duplicates: Those that get their result with one of `todo`.
        retried: How many of `todo` failed before.
        resting: Those that failed too often, or are not retried.
        unreadable: Those whose input cannot be read.
        left: Those a limit leaves for later.
        seconds: Estimated from earlier runs of this job; None where there was none.
        usage: Estimated tokens, likewise.
        at_most: Whether `seconds` count the loading of a model, since earlier runs were too short to tell it apart.
        unfetched: How many of `unreadable` are named by URL and not brought yet; a run brings them first.
    """

    name: str
    pieces: int
    reused: int
    todo: int
    duplicates: int
    retried: int
    resting: int
    unreadable: int
    left: int = 0
    seconds: float | None = None
    usage: Usage | None = None
    at_most: bool = False
    unfetched: int = 0

    def text(self) -> str:
        """Return the plan in two lines."""
        counts = [
            f"{self.reused:,} reused",
            f"{self.todo:,} to do" + (f" (failed before: {self.retried:,})" if self.retried else ""),
            *(f"{n:,} {what}" for n, what in self._rest() if n),
        ]
        if not self.todo and self.unfetched:
            estimate = "no estimate: what there is to do is known once they are fetched (vitrine media)"
        elif not self.todo:
            estimate = "nothing to do: the run only puts the artifact in order"
        elif self.seconds is None:
            estimate = "no estimate: no earlier run of this job worked on anything"
        else:
            most = "at most " if self.at_most else ""
            loading = ", the loading of the model counted in" if self.at_most else ""
            estimate = f"{most}about {duration(self.seconds)} at the rate of earlier runs{loading}"
            if self.usage and (self.usage.prompt or self.usage.completion):
                estimate += f", {tokens(self.usage)}"
        return f"{self.name}: {self.pieces:,} pieces: {', '.join(counts)}\n  {estimate}"

    def _rest(self) -> list[tuple[int, str]]:
        return [
            (self.duplicates, "duplicates of those"),
            (self.resting, "failed before and left alone (--retry-all tries them)"),
            (self.unreadable - self.unfetched, "unreadable"),
            (self.unfetched, "by URL, not fetched yet: the run fetches them first"),
            (self.left, "left for later by --limit"),
        ]


def keep_report(home: Path, report: JobReport, worked: int, how: Mapping[str, Any]) -> None:
    """Add a report to `runs.json` in `home`.

    Args:
        home: Folder of the artifact's manifest.
        report: What is kept, without the manifest's own metadata.
        worked: Pieces given to the model.
        how: Engine and sizes.
    """
    said = asdict(report)
    del said["meta"], said["examples"]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    runs = [*earlier_runs(home), {"at": at, **said, "worked": worked, **how}]
    write_text(home / RUNS, json.dumps(runs[-KEPT:], indent=2, ensure_ascii=False) + "\n")


def earlier_runs(home: Path) -> list[dict[str, Any]]:
    """Return the reports kept, the oldest first; a damaged file holds none, and one that is damaged is none."""
    path = home / RUNS
    if not path.is_file():
        return []
    try:
        runs = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(runs, list):
            raise TypeError("no list of reports")
    except (ValueError, TypeError, RecursionError) as error:
        log.warning("run reports dropped path=%s reason=%r", path, str(error))
        return []
    sound = [run for run in runs if _is_sound(run)]
    if len(sound) < len(runs):
        log.warning("run reports dropped path=%s count=%d", path, len(runs) - len(sound))
    return sound


def _is_sound(run: object) -> bool:
    try:
        _Run.model_validate(run)
    except ValidationError:
        return False
    return True


def estimate(home: Path, pieces: int) -> tuple[float | None, Usage | None]:
    """Return seconds and tokens that `pieces` would take, by the latest runs that worked; None where none did.

    The first batches of a run wait for a model to load; they count only where no run went beyond them.
    """
    runs = _late_runs(home)
    worked = sum(run["worked"] for run in runs)
    if not worked:
        return None, None
    after = sum(_after_opening(run) for run in runs)
    if after:
        seconds = (
            sum(max(0.0, _work_seconds(run) - run.get("opening", 0.0)) for run in runs if _after_opening(run)) / after
        )
    else:
        seconds = sum(_work_seconds(run) for run in runs) / worked
    prompt, completion = (sum(run["usage"][kind] for run in runs) / worked for kind in ("prompt", "completion"))
    return seconds * pieces, Usage(round(prompt * pieces), round(completion * pieces))


def is_steady(home: Path) -> bool:
    """Whether a late run went beyond its first batches, so that its rate is free of the loading of a model."""
    return any(_after_opening(run) for run in _late_runs(home))


def _late_runs(home: Path) -> list[dict[str, Any]]:
    return [run for run in earlier_runs(home) if run.get("worked")][-LATELY:]


def _after_opening(run: Mapping[str, Any]) -> int:
    return max(0, int(run["worked"]) - int(run.get("opened", 0)))


def _work_seconds(run: Mapping[str, Any]) -> float:
    return float(run["phases"].get("work", 0.0))


def report_line(report: JobReport) -> str:
    """Return rate, busy share, tokens and seconds by phase in one line."""
    parts = []
    if report.rate:
        parts.append(f"{report.rate:,.1f} pieces/s, engine busy {report.busy:.0%}")
    if report.usage.prompt or report.usage.completion:
        parts.append(tokens(report.usage))
    parts.append(", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in report.phases.items()))
    return "; ".join(parts)


def tokens(usage: Usage) -> str:
    """Return e.g. `1,200 tokens read, 80 written`."""
    return f"{usage.prompt:,} tokens read, {usage.completion:,} written"


def duration(seconds: float) -> str:
    """Return e.g. `42 s`, `7 min`, `3.5 h`, `2.1 days`."""
    for size, unit, digits in ((86_400.0, "days", 1), (3_600.0, "h", 1), (60.0, "min", 0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds:.0f} s"
