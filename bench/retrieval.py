"""Recall@200, latency and memory of the vector indexes, with and without filters, beside exact search of the same run.

    python -m bench.retrieval [--sizes 10000 100000 200000 1000000] [--kinds flat scan hnsw ivf_pq] [--half]
    python -m bench.retrieval --sizes 10000000 --kinds flat ivf_pq --half --queries 50      # needs 5 GB of disk

Generated vectors of 64, labelled so: clusters (twice the root of their number, sizes by rank to the power -0.7),
centres and spread drawn with numbers that fall off as rank to the power -0.25, spread 0.8 of the centres', then made
unit. The 200th neighbour of a query has a cosine of about 0.55. Uniform vectors would be harder for every approximate
index and are like no embedding. Queries are drawn as the vectors are, and are none of them.

Filters let half, a twentieth and one in 200 pass, drawn at random, and a twentieth by whole clusters, as a category
would. Each index is saved, opened by a process of its own (mapped from disk, as it is served), and asked on one thread:
a latency is a whole `search`, candidates included, by the clock (p50, p99) and, since others use the machine too, by
the processor time of its thread (cpu p99). Memory is what that process holds above its own libraries and ids.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.growth import _memory
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats, Mask
from indexes.base import Query
from indexes.config import VectorIndexConfig
from indexes.flat import FlatIndex
from indexes.opening import build_vectors, open_vectors_index
from indexes.unit import unit_rows

K, DIM, STEP = 200, 64, 500_000
FALL = np.arange(1, DIM + 1) ** -0.25
"""How the numbers of a vector fall off."""


@dataclass(frozen=True)
class Asked:
    """One filter of one size: who passes, and the true neighbours (q, K) of every query."""

    name: str
    allowed: Mask | None
    true: npt.NDArray[np.int64]


class Mixture:
    """The generated vectors of one size."""

    def __init__(self, n: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.clusters = round(2 * n**0.5)
        self.centres = rng.normal(size=(self.clusters, DIM)) * FALL
        weights = np.arange(1, self.clusters + 1) ** -0.7
        self.labels = rng.choice(self.clusters, n, p=weights / weights.sum())
        self.rng = rng

    def around(self, labels: npt.NDArray[np.int64]) -> Floats:
        """Return one unit vector around the centre of each label."""
        spread = 0.8 * self.rng.normal(size=(len(labels), DIM)) * FALL
        return unit_rows(np.asarray(self.centres[labels] + spread, np.float32))

    def write(self, path: Path) -> None:
        """Write the vectors, a part at a time."""
        out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(self.labels), DIM))
        for start in range(0, len(out), STEP):
            out[start : start + STEP] = self.around(self.labels[start : start + STEP])
        out.flush()

    def filters(self) -> dict[str, Mask | None]:
        """Return who passes, by name."""
        n, rng = len(self.labels), self.rng
        chosen = rng.permutation(self.clusters)
        sizes = np.bincount(self.labels, minlength=self.clusters)[chosen].cumsum()
        few = chosen[: max(1, int(np.searchsorted(sizes, n * 0.05)))]
        return {
            "100%": None,
            **{f"{share:.1%}".replace(".0%", "%"): rng.random(n) < share for share in (0.5, 0.05, 0.005)},
            "5% by cluster": np.isin(self.labels, few),
        }


def measure(n: int, given: argparse.Namespace, folder: Path) -> None:
    """Generate one size, build every kind and print what each does."""
    mixture = Mixture(n, given.seed)
    mixture.write(folder / "all.npy")
    wishes = mixture.around(mixture.rng.choice(mixture.labels, given.queries))
    masks = mixture.filters()
    table = EmbeddingTable(IdMap(map(str, range(n))), np.load(folder / "all.npy", mmap_mode="r"), "generated")
    flat = FlatIndex.build(table)
    np.save(folder / "wishes.npy", wishes)
    for number, allowed in enumerate(masks.values()):
        if allowed is not None:
            np.save(folder / f"allowed-{number}.npy", allowed)
        np.save(folder / f"true-{number}.npy", flat.search_many(wishes, K, allowed=allowed).rows)
    (folder / "filters.json").write_text(json.dumps(list(masks)))
    base: dict[str, float] = {}
    for kind in given.kinds:
        half = {"ivf_pq": {"vectors": "half"}} if given.half else {}
        config = VectorIndexConfig.model_validate({"kind": kind, **half})
        began = time.perf_counter()
        index = build_vectors(table, config)
        spent = time.perf_counter() - began
        home = folder / kind
        home.mkdir()
        index.save(home)
        label = kind if kind == index.kind else f"{kind} = {index.kind}"
        del index
        disk = sum(path.stat().st_size for path in home.iterdir()) / 1e6
        command = [sys.executable, "-m", "bench.retrieval", "--probe", str(home)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for row in found["rows"]:
            ratio = row["p50"] / base.setdefault(row["filter"], row["p50"])
            times = f"{row['p50']:.2f} | {row['p99']:.2f} | {row['cpu']:.2f} | {ratio:.2f} | {row['many']:.2f}"
            size = f"{found['mb']:,.0f} | {disk:,.0f} | {spent:,.0f}"
            print(f"| {n:,} | {label} | {row['filter']} | {row['recall']:.3f} | {times} | {size} |", flush=True)
        print(f"(ids: {found['ids_mb']:,.0f} MB)", file=sys.stderr)


def probe(home: Path) -> dict[str, Any]:
    """Open one index in this process and return what it does, on one thread."""
    import faiss
    import polars as pl

    folder = home.parent
    faiss.omp_set_num_threads(1)
    wishes = np.load(folder / "wishes.npy")
    asked = [
        Asked(
            name,
            np.load(folder / f"allowed-{number}.npy") if (folder / f"allowed-{number}.npy").exists() else None,
            np.load(folder / f"true-{number}.npy"),
        )
        for number, name in enumerate(json.loads((folder / "filters.json").read_text()))
    ]
    FlatIndex.build(EmbeddingTable(IdMap("ab"), wishes[:2], "warm")).search(Query(vector=wishes[0]), 2)
    empty = _memory("VmRSS")
    ids = IdMap(pl.read_parquet(home / "ids.parquet")["item_id"].to_list())
    ids_mb = _memory("VmRSS") - empty
    del ids
    index = open_vectors_index(home)
    rows = [_asked(index, wishes, each) for each in asked]
    return {"rows": rows, "mb": max(0.0, _memory("VmRSS") - empty - ids_mb), "ids_mb": ids_mb}


def _asked(index: Any, wishes: Floats, asked: Asked) -> dict[str, Any]:
    for wish in wishes[:10]:
        index.search(Query(vector=wish), K, allowed=asked.allowed)
    hits, seconds, worked = 0, [], []
    for wish, true in zip(wishes, asked.true, strict=True):
        began, at = time.perf_counter(), time.thread_time()
        found = index.search(Query(vector=wish), K, allowed=asked.allowed)
        seconds.append(time.perf_counter() - began)
        worked.append(time.thread_time() - at)
        hits += len({int(each.item_id) for each in found} & set(true[true >= 0].tolist()))
    began = time.perf_counter()
    index.search_many(wishes, K, allowed=asked.allowed)
    many = (time.perf_counter() - began) / len(wishes)
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    cpu = float(np.percentile(worked, 99)) * 1e3
    recall = hits / max(1, int((asked.true >= 0).sum()))
    return {"filter": asked.name, "recall": recall, "p50": p50, "p99": p99, "cpu": cpu, "many": many * 1e3}


def main() -> None:
    """Print one line a size, kind and filter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 200_000])
    parser.add_argument("--kinds", nargs="+", default=["flat", "scan", "hnsw", "ivf_pq"])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--half", action="store_true", help="keep the vectors of ivf_pq in two bytes a number")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.probe:
        print(json.dumps(probe(given.probe)))
        return
    print("generated vectors; ms on one thread, ratio to the first kind named, memory and disk in MB, build in s")
    print("| vectors | index | filter | recall@200 | p50 | p99 | cpu p99 | ratio | batch | memory | disk | build |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for n in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            measure(n, given, Path(folder))


if __name__ == "__main__":
    main()
