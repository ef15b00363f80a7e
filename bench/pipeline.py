"""Latency of the two-stage pipeline by stage, one thread, beside the same work as it is usually written.

    python -m bench.pipeline [--items 200000] [--requests 100] [--store FOLDER]

A generated shop (plumbing): 200,000 items, five retrievers (the served ALS model over all items, item-kNN, likeness to
what was liked in two vector spaces, popularity), 100 candidates each, about 500 together, LightGBM LambdaRank of 200
trees over them, then stock, one variant a parent and MMR. Every request is of another shopper, events in SQLite.

The usual way does the same steps with the same models, features and trees, as a notebook that became a service does
them (`bench/pipeline_baseline.py`): every item scored and sorted in pandas, candidates as objects, MMR over dicts.
What differs is only how: its page is compared with ours.

Milliseconds by the clock (p50, p99) and, since others use the machine too, by processor time of the thread (cpu p50).
`explain` is without TreeSHAP, which runs when someone looks at the evidence; its cost is in the last line.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.pipeline_baseline import Naive
from bench.pipeline_shop import NOW, opened_shop
from catalog.errors import ConfigError
from tools.base import Shopper
from tools.pipeline.nouns import PipelineRequest, PipelineResult
from tools.pipeline.pool import Reach
from tools.pipeline.run import run
from tools.pipeline.taste_scores import taste_at_hand, taste_scores
from tools.shop import Shop
from tools.taste import taste_of

WARM = 5
"""Requests that are not counted: the first ones fill what is kept."""


Given = TypeVar("Given")


@dataclass(frozen=True)
class Spent:
    """Milliseconds by the clock and of the thread's processor time, one a request."""

    wall: list[float]
    cpu: list[float]


def main() -> None:
    """Build, ask, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=100, help="up to 190")
    parser.add_argument("--pool", type=int, default=100, help="candidates a retriever")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", default="auto", help="of the vector indexes")
    parser.add_argument("--store", type=Path, help="where the generated shop is kept; a temporary folder by default")
    given = parser.parse_args()
    if not 1 <= given.requests <= 190:
        raise ConfigError(f"--requests {given.requests!r}; 1 to 190 would be valid")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.store or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shop = opened_shop(given.items, given.seed, folder, given.pool, given.kind)
        requests = [
            PipelineRequest(Shopper(f"u{user}", f"s{user}"), NOW, "recommend", top_n=10)
            for user in range(given.requests + WARM)
        ]
        ours = timed(lambda request: run(shop, request), requests)
        naive = Naive(shop)
        theirs = timed(naive.recommend, requests)
        results = [run(shop, request) for request in requests[WARM:]]
        same = [
            len({each.item_id for each in result.ranked} & set(naive.recommend(request))) / 10
            for result, request in zip(results, requests[WARM:], strict=True)
        ]
        found = [recalled(shop, request, given.pool) for request in requests[WARM:]]
        explained = timed(lambda result: [dict(each.contributions) for each in result.ranked], results, warm=0)
    candidates = [next(s for s in r.trace["stages"] if s["stage"] == "unite")["candidates"] for r in results]
    print(
        f"{given.items:,} items, {len(results[0].trace['sources'])} retrievers, {np.median(candidates):.0f} "
        f"candidates, {len(requests) - WARM} requests, one thread (generated shop, plumbing)\n"
    )
    print("| stage | p50 ms | p99 ms | cpu p50 ms |")
    print("|---|---|---|---|")
    for stage, clock in by_stage(results):
        print(f"| {stage} | {clock} | |")
    for name, spent in {"**whole**": ours, "usual way": theirs}.items():
        print(f"| {name} | {row(spent.wall)} | {np.median(spent.cpu):.2f} |")
    print(f"\nTreeSHAP of ten places, when looked at: {np.median(explained.cpu):.2f} ms of processor time.")
    print(f"Of the served model's best {given.pool} the search finds {np.mean(found):.1%}.")
    print(f"The usual way's ten are ours to {np.mean(same):.1%}.")


def timed(ask: Callable[[Given], object], given: list[Given], warm: int = WARM) -> Spent:
    """Return what each took but for the first `warm`."""
    wall, cpu = [], []
    for each in given:
        began, spent = time.perf_counter(), time.thread_time()
        ask(each)
        cpu.append(1000 * (time.thread_time() - spent))
        wall.append(1000 * (time.perf_counter() - began))
    return Spent(wall[warm:], cpu[warm:])


def recalled(shop: Shop, request: PipelineRequest, k: int) -> float:
    """Return which share of the served model's best `k` the first stage finds."""
    taste = taste_of(shop, request.shopper, request.now)
    reach = Reach(np.ones(len(shop.catalog), np.bool_), k)
    ways = (taste_scores, taste_at_hand)
    true, found = (way(shop, request.shopper, taste).top(reach).rows.tolist() for way in ways)
    return len({*true} & {*found}) / k


def by_stage(results: list[PipelineResult]) -> list[tuple[str, str]]:
    """Return each stage with its figures."""
    names = [stage["stage"] for stage in results[0].trace["stages"]]
    rows = []
    for name in names:
        stages = [next(s for s in r.trace["stages"] if s["stage"] == name) for r in results]
        rows.append((name, row([s["ms"] for s in stages])))
    return rows


def row(values: list[float]) -> str:
    """Return p50 and p99 as cells."""
    return f"{np.median(values):.2f} | {np.percentile(values, 99):.2f}"


if __name__ == "__main__":
    main()
