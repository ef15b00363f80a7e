"""Cost as work grows: seconds and memory of every model at 1, 2, 4 and 8 times users, items and interactions.

    python -m bench.growth [--models ease lirdrec ...] [--scales 1 2 4 8]

Generated data (plumbing): tastes and features of low rank, popularity with a long tail. Models trained in
epochs run two. Each measurement has a process of its own on one thread, so that the peak of its memory is its
own: what the process held at most, less what it held before the fit. The exponent is the slope of log cost
over log scale; 1 is linear in the work, 2 is what a dense item-by-item matrix costs, 3 what solving it costs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.base import TrainingData
from models.registry import RECOMMENDERS, build

USERS, ITEMS, ROWS = 2_000, 1_000, 40_000
"""Size of scale 1."""
WIDTH = 128
"""Of either modality."""
EPOCHS = 2


@dataclass(frozen=True)
class Cost:
    """What one fit and one batch of scores took; `refused` says why there was none."""

    fit_seconds: float = float("nan")
    epochs: int = 0
    score_seconds: float = float("nan")
    megabytes: float = float("nan")
    refused: str | None = None


def main() -> None:
    """Measure every model at every scale and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=sorted(RECOMMENDERS), help="rows; all by default")
    parser.add_argument("--scales", nargs="+", type=int, default=[1, 2, 4, 8], help="times the smallest size")
    given = parser.parse_args()
    sizes = ", ".join(f"{s}x = {USERS * s:,} users, {ITEMS * s:,} items, {ROWS * s:,} rows" for s in given.scales)
    print(f"generated data (plumbing); {sizes}; one thread\n")
    columns = "".join(f" {s}x s | {s}x MB |" for s in given.scales)
    print(f"| model |{columns} time exponent | memory exponent | scoring 512 users at {given.scales[-1]}x |")
    print("|---" * (2 * len(given.scales) + 4) + "|")
    for model in given.models:
        costs = [measured(model, scale) for scale in given.scales]
        cells = [f" {c.fit_seconds:.2f} | {c.megabytes:,.0f} |" if not c.refused else " refused | |" for c in costs]
        last = costs[-1].score_seconds
        print(
            f"| {model} |{''.join(cells)} {exponent(given.scales, [c.fit_seconds for c in costs])} | "
            f"{exponent(given.scales, [c.megabytes for c in costs])} | {1000 * last:.0f} ms |",
            flush=True,
        )
        for cost in costs:
            if cost.refused:
                print(f"  {cost.refused}")


def exponent(scales: Sequence[int], costs: Sequence[float]) -> str:
    """Return the slope of log cost over log scale, as text."""
    points = [(s, c) for s, c in zip(scales, costs, strict=True) if np.isfinite(c) and c > 0]
    if len(points) < 2:
        return "-"
    scale, cost = np.log(np.array(points, np.float64).T)
    slope = np.polyfit(scale, cost, 1)[0]
    return f"{slope:.2f}"


def measured(model: str, scale: int) -> Cost:
    """Return the cost of one model at one scale, from a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_alone) as pool:
        return pool.submit(cost_of, model, scale).result()


def _alone() -> None:
    import os

    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)


def cost_of(name: str, scale: int) -> Cost:
    """Fit and score once, here."""
    data = generated(scale)
    fields = RECOMMENDERS[name][1].model_fields
    overrides: dict[str, Any] = {"epochs": EPOCHS} if "epochs" in fields else {}
    model = build(name, overrides)
    held = _memory("VmRSS")
    _forget_peak()
    started = time.perf_counter()
    try:
        report = model.fit(data, seed=0)
    except DataError as error:
        return Cost(refused=str(error))
    fit_seconds = time.perf_counter() - started
    megabytes = max(_memory("VmHWM") - held, 0.1)
    model.score_users(np.arange(8))
    started = time.perf_counter()
    model.score_users(np.arange(512))
    return Cost(fit_seconds, report.epochs, time.perf_counter() - started, megabytes)


def _forget_peak() -> None:
    """Let the process's peak begin anew (Linux), so that making the data does not hide the fit."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory(field: str) -> float:
    """Return a figure of this process in MB: `VmRSS` is what it holds, `VmHWM` the most since the peak was reset."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def generated(scale: int, rank: int = 12) -> TrainingData:
    """Return interactions and two modalities of `scale` times the smallest size."""
    rng = np.random.default_rng(scale)
    n_users, n_items, n_rows = USERS * scale, ITEMS * scale, ROWS * scale
    tastes = rng.normal(size=(n_users, rank)).astype(np.float32)
    traits = rng.normal(size=(n_items, rank)).astype(np.float32)
    pull = np.exp(rng.normal(0, 1, n_items))
    # Each row: a shopper weighs up 16 items drawn by pull and takes the one that suits best.
    who = rng.integers(n_users, size=n_rows)
    seen = np.searchsorted(np.cumsum(pull) / pull.sum(), rng.random((n_rows, 16))).clip(max=n_items - 1)
    suits = np.einsum("nd,nkd->nk", tastes[who], traits[seen])
    what = seen[np.arange(n_rows), suits.argmax(axis=1)]
    users, items = IdMap(map(str, range(n_users)), "user"), IdMap(map(str, range(n_items)))
    train = Interactions(users, items, who.astype(np.int32), what.astype(np.int32), np.arange(n_rows) * 1_000_000)
    modalities = {}
    for role in ("picture", "text"):
        noise = rng.normal(0, 1, (n_items, WIDTH))
        vectors = (traits @ rng.normal(size=(rank, WIDTH)) + noise).astype(np.float32)
        modalities[role] = EmbeddingTable(items, vectors, role)
    return TrainingData(train, modalities)


if __name__ == "__main__":
    main()
