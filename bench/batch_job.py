"""What the batch job costs beside the model: time, memory, planning, and real models.

    python -m bench.batch_job [--only a|b|c|d] [--pictures N] [--items N N] [--rows N] [--texts N] [--folder DIR]

Made data (plumbing). a: a stub captioner of 100 ms for 16 pictures, 512-pixel JPEGs; goal: the job takes at most 5%
more than the stub. b: peak memory at 10,000 and 200,000 items, captions and vectors; goal: flat. c: planning a
resumed run of 1,000,000 media whose hashes are known; goal: 60 s and 1.5 GB. d: MiniLM and a small open_clip model of
random weights against the bare library loop in the same run; goal: 0.95. Every measured run of a, b and c has a
process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from PIL import Image

from batch.hashes import NAME, HashCache
from batch.local import LocalEngine
from batch.report import earlier_runs
from bench.batch_models import Instant, models
from captioning.base import Picture, Words
from captioning.job import CaptionJobConfig, caption_catalog, plan_captions
from catalog.columns import INTERACTIONS, ITEMS, USERS
from catalog.shop_data import ShopData, save_shop
from catalog.vectors import Floats
from catalog.workspace import Workspace
from embedding.base import TextEmbedder
from embedding.job import EmbedJobConfig, embed_catalog

BATCH, SECONDS = 16, 0.1
"""Pictures in a batch of the stub, and what it takes for one."""
DISTINCT = 32
"""Pictures drawn; the others are these with a number after their end, which no decoder reads."""
FEW = 1000
"""Pieces of a resumed run that is measured for its plan."""
LINKS = 1000
"""Files in a folder."""


class Cost(NamedTuple):
    """Seconds of wall clock, peak megabytes of the process, and what was counted."""

    seconds: float
    megabytes: float
    pieces: int


class Stub:
    """A captioner that waits as long as a model would."""

    name, model, prompt_sha = "stub", "stub", "0" * 64

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return the reference of each picture."""
        time.sleep(self._seconds)
        return [Words(f"A picture that is named {picture.media}.") for picture in pictures]


class StubVectors(TextEmbedder):
    """An embedder of 384 random numbers a text."""

    name, model, dim = "stub", "stub", 384

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, 384) float32, each row of length 1."""
        rows = np.random.default_rng(len(texts[0])).standard_normal((len(texts), self.dim), np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Run the parts asked for and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["a", "b", "c", "d"], help="one part")
    parser.add_argument("--pictures", type=int, default=10_000, help="of a")
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 200_000], help="of b")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of c")
    parser.add_argument("--texts", type=int, default=1_500, help="of d; half as many pictures")
    parser.add_argument("--folder", type=Path, help="where the made data stay for the next time; else they go")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        parts: dict[str, Callable[[], None]] = {
            "a": lambda: overlap(folder / "a", given.pictures),
            "b": lambda: memory(folder / "b", given.items),
            "c": lambda: planning(folder / "c", given.rows),
            "d": lambda: models(folder / "d", given.texts),
        }
        print(f"load {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores", flush=True)
        for name, part in parts.items():
            if given.only in (None, name):
                part()


def overlap(folder: Path, count: int) -> None:
    """Part a."""
    store = made(folder, count, side=512, quality=85)
    cost = alone(run_captions, store, SECONDS)
    engine = -(-count // BATCH) * SECONDS
    phases = earlier_runs(store / "captions/stub")[-1]
    print(
        f"a: {cost.pieces:,} pictures: {cost.seconds:.1f} s, the engine's own {engine:.1f} s: "
        f"{cost.seconds / engine - 1:+.1%} (goal +5%), engine busy {phases['busy']:.1%} of the working phase, "
        f"phases {phases['phases']}, peak {cost.megabytes:,.0f} MB",
        flush=True,
    )


def memory(folder: Path, counts: Sequence[int]) -> None:
    """Part b."""
    for what, run in (("captions", run_captions), ("vectors", run_vectors)):
        costs = [alone(run, made(folder / str(count), count, side=32, quality=50), 0.0) for count in counts]
        said = ", ".join(f"{cost.pieces:,} items {cost.megabytes:,.0f} MB ({cost.seconds:.0f} s)" for cost in costs)
        print(f"b: {what}: {said}: {costs[-1].megabytes / costs[0].megabytes:.2f} times (goal 1)", flush=True)


def planning(folder: Path, rows: int) -> None:
    """Part c."""
    store = folder / f"store-{rows}"
    if not (store / "ready").exists():
        alone(resumed, store, rows)
        (store / "ready").touch()
    cost = alone(run_plan, store, 0.0)
    print(
        f"c: {rows:,} media, {cost.pieces:,} of them to do: a dry run plans in {cost.seconds:.1f} s (goal 60), "
        f"peak {cost.megabytes:,.0f} MB (goal 1,500)",
        flush=True,
    )
    cost = alone(run_a_few, store, 0.0)
    phases = earlier_runs(store / "captions/stub")[-1]["phases"]
    print(
        f"c: a run that does {cost.pieces:,} of them: plan {phases['plan']:.1f} s, write {phases['write']:.1f} s, "
        f"peak {cost.megabytes:,.0f} MB",
        flush=True,
    )


def alone(run: object, store: Path, argument: float) -> Cost:
    """Run a function of this module in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, run, store, argument).result()


def _measured(run: object, store: Path, argument: float) -> Cost:
    assert callable(run)
    begin = time.monotonic()
    count = run(store, argument)
    seconds = time.monotonic() - begin
    return Cost(seconds, _peak_megabytes(), count)


def _peak_megabytes() -> float:
    """Return the most memory this program held; `ru_maxrss` would count what its parent held before it began."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run_captions(store: Path, seconds: float) -> int:
    """Caption every picture of a store by the stub, from nothing."""
    workspace = Workspace(store)
    workspace.remove("captions/stub")
    (store / NAME).unlink(missing_ok=True)
    config = CaptionJobConfig(batch_size=BATCH, workers=1, decoders=2)
    report = caption_catalog(workspace, Stub(seconds), engine=LocalEngine(), config=config)
    assert not report.failed
    return report.done


def run_vectors(store: Path, seconds: float) -> int:
    """Embed the title of every item by the stub, from nothing."""
    workspace = Workspace(store)
    workspace.remove("embeddings/text-stub")
    return embed_catalog(workspace, StubVectors(), engine=LocalEngine(), config=EmbedJobConfig()).done


def run_plan(store: Path, seconds: float) -> int:
    """Plan the resumed run of a store."""
    return plan_captions(Workspace(store), Stub(0.0)).todo


def run_a_few(store: Path, seconds: float) -> int:
    """Resume the run of a store, and do a few."""
    config = CaptionJobConfig(batch_size=100, workers=1)
    return caption_catalog(Workspace(store), Stub(0.0), engine=Instant(), config=config, limit=FEW).done


def made(folder: Path, count: int, *, side: int, quality: int) -> Path:
    """Return a store of `count` items with one picture each, all of different bytes."""
    store = folder / f"store-{count}"
    if (store / "ready").exists():
        return store
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(min(DISTINCT, count)):
        coarse = Image.fromarray(rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8))
        buffer = io.BytesIO()
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=quality)
        drawn.append(buffer.getvalue())
    refs = _refs(store, count, "jpg")
    for at, ref in enumerate(refs):
        (store / ref).write_bytes(drawn[at % len(drawn)] + at.to_bytes(4, "big"))
    _save(store, refs)
    (store / "ready").touch()
    return store


def resumed(store: Path, rows: float) -> int:
    """Write a store of `rows` media whose hashes are known and of which nine in ten are captioned.

    The files are links to a few, so that a million cost minutes, not hours; the hash of each is made up.
    """
    store.mkdir(parents=True, exist_ok=True)
    refs = _refs(store, int(rows), "jpg")
    for first in range(0, len(refs), LINKS):
        source = store / refs[first]
        source.write_bytes(b"one of a thousand")
        for ref in refs[first + 1 : first + LINKS]:
            os.link(source, store / ref)
    _save(store, refs)
    know(store, refs)
    config = CaptionJobConfig(batch_size=4096, workers=1, decoders=1, flush_rows=65_536, flush_seconds=60)
    done = len(refs) * 9 // 10
    caption_catalog(Workspace(store), Stub(0.0), engine=Instant(), config=config, limit=done)
    return done


def know(store: Path, refs: Sequence[str]) -> None:
    """Fill the hash cache with a hash of each reference's own."""
    with HashCache(store) as cache:
        for first in range(0, len(refs), LINKS):
            some = refs[first : first + LINKS]
            cache.learn([(ref, hashlib.sha256(ref.encode()).hexdigest()) for ref in some])


def _refs(store: Path, count: int, form: str) -> list[str]:
    for number in range(-(-count // LINKS)):
        (store / "media" / f"{number:05d}").mkdir(parents=True, exist_ok=True)
    return [f"media/{at // LINKS:05d}/{at:08d}.{form}" for at in range(count)]


def _save(store: Path, refs: Sequence[str]) -> None:
    count = len(refs)
    own = {
        "item_id": [f"i{at}" for at in range(count)],
        "title": [f"Thing of number {at}" for at in range(count)],
        "images": [[ref] for ref in refs],
    }
    table = pl.DataFrame(own, schema_overrides={name: ITEMS[name] for name in own})
    rest = [pl.lit(None, dtype).alias(name) for name, dtype in ITEMS.items() if name not in own]
    empty = [name for name, dtype in ITEMS.items() if name not in own and isinstance(dtype, pl.List)]
    table = table.with_columns(rest).with_columns(pl.col(name).fill_null(pl.lit([], ITEMS[name])) for name in empty)
    shop = ShopData("bench", table.select(list(ITEMS)), pl.DataFrame(schema=INTERACTIONS), pl.DataFrame(schema=USERS))
    save_shop(Workspace(store), shop)


if __name__ == "__main__":
    main()
