"""SIGKILL a batch job at random moments and resume it: the rows must be those of a run that nobody disturbed.

    python -m bench.kills --engine ray --moments 10

Every kill takes the job's process; with Ray also whatever Ray started for it. The diary of the stub model shows
what was done twice: never more than was on its way at the kills.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from batch.base import BatchEngine
from batch.diary import DiaryModel, read_diary, run_squares, squares
from batch.job import JobConfig
from batch.local import LocalEngine

Engine = Literal["local", "ray"]
BATCH, WORKERS, DECODERS = 8, 2, 2
CHILD = (sys.executable, "-m", "bench.kills", "--child")
CONFIG = JobConfig(batch_size=BATCH, workers=WORKERS, decoders=DECODERS, flush_rows=BATCH, flush_seconds=0.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a series of kills came to.

    Attributes:
        kills: How many runs were killed before one came through.
        identical: Whether the artifact's data files have the bytes of an undisturbed run.
        twice: Pieces inferred more than once.
        allowed: How many may be: what was on its way to the driver or to disk, once a kill.
        sessions: Of the runs, as the system numbers them.
    """

    kills: int
    identical: bool
    twice: int
    allowed: int
    sessions: tuple[int, ...]


def make_engine(name: Engine) -> BatchEngine:
    """Return the engine with its default settings."""
    if name == "local":
        return LocalEngine()
    from batch.ray_engine import RayConfig, RayEngine

    return RayEngine(RayConfig(object_store_bytes=100 * 2**20))


def kill_and_resume(folder: Path, engine: Engine, *, moments: int, count: int, seconds: float, seed: int) -> Outcome:
    """Run the job again and again, killing `moments` runs once they have begun to infer.

    Args:
        folder: Empty; gets the store and the diaries.
        engine: Who runs the job.
        moments: Kills, at most; a run that finishes first ends the series.
        count: Pieces of the job.
        seconds: What the stub takes for a batch.
        seed: Of the moments.

    Raises:
        RuntimeError: When a run fails by itself.
    """
    rng = random.Random(seed)
    diary, store = folder / "diary", folder / "store"
    reference = DiaryModel(folder / "reference-diary")
    run_squares(folder / "reference", reference, count, LocalEngine(), CONFIG)
    kills, groups, finished = 0, [], False
    while not finished:
        before = _inferred(diary)
        child = subprocess.Popen(
            [*CHILD, str(folder), "--engine", engine, "--count", str(count), "--seconds", str(seconds)],
            start_new_session=True,
            stderr=subprocess.PIPE,
            text=True,
        )
        groups.append(child.pid)
        # A moment somewhere in this run's share of the work, and a random part of a batch later.
        share = (count - before) // (moments - kills + 1) if kills < moments else count
        target, pause = before + rng.randint(1, max(share, 1)), rng.uniform(0, seconds)
        while child.poll() is None and (kills >= moments or _inferred(diary) < target):
            time.sleep(0.02)
        if child.poll() is None:
            time.sleep(pause)
            child.kill()
            kills += 1
        told = child.communicate()[1]
        finished = child.returncode == 0
        if child.returncode > 0:
            raise RuntimeError(f"a run failed by itself: {told[-2000:]}")
    done = Counter(entry.number for entry in read_diary(diary) if entry.step == "infer")
    return Outcome(
        kills=kills,
        identical=squares(store) == squares(folder / "reference"),
        twice=sum(times - 1 for times in done.values()),
        allowed=kills * BATCH * (2 * (WORKERS + DECODERS) + 2 + WORKERS),
        sessions=tuple(groups),
    )


def _inferred(diary: Path) -> int:
    return sum(entry.step == "infer" for entry in read_diary(diary))


def processes_left(sessions: tuple[int, ...], seconds: float = 90.0) -> int:
    """Return how many processes of these runs are still there; Ray's own take most of a minute to notice a kill."""
    deadline = time.monotonic() + seconds
    while (left := _running(sessions)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


def _running(sessions: tuple[int, ...]) -> int:
    found = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found += int(fields[3]) in sessions and fields[0] != "Z"
    return found


def main() -> None:
    """Run the series and print its outcome."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=0.05, help="what the stub takes for a batch of 8")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        model = DiaryModel(given.child / "diary", seconds=given.seconds)
        run_squares(given.child / "store", model, given.count, make_engine(given.engine), CONFIG)
        return
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_and_resume(
            Path(folder),
            given.engine,
            moments=given.moments,
            count=given.count,
            seconds=given.seconds,
            seed=given.seed,
        )
    seconds = time.monotonic() - begin
    left = processes_left(outcome.sessions)
    print(f"engine {given.engine}, {given.count} pieces, seed {given.seed}, {os.cpu_count()} cores")
    print(f"kills {outcome.kills}, identical {outcome.identical}, {seconds:.0f} s")
    print(f"inferred twice {outcome.twice} (allowed {outcome.allowed}), processes left {left}")
    sys.exit(not outcome.identical or outcome.twice > outcome.allowed or left > 0)


if __name__ == "__main__":
    main()
