"""One epoch of LIRDRec's default mode at the size of a large shop: 500,000 users and 200,000 items on two cores.

    python -m bench.lirdrec_scale [--users 500000 --items 200000 --rows 10000000 --widths 512 384] [--threads 2]

Generated data (plumbing). Timed apart, with the peak of the process's memory above the data: reading the features
(principal components, cosine transform), the graphs (exact nearest neighbours of every item in every modality, then
the user-item graph), and one epoch of training. Every size can be given smaller.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from bench.growth import _forget_peak, _memory
from bench.lirdrec_epoch import Size, generated
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.learner import build_network, equal_batches
from models.lirdrec.modalities import build_features
from models.lirdrec.training import epochs
from models.triples import TripleSampler

Made = TypeVar("Made")


def main() -> None:
    """Build, train one epoch, and print what each part took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=500_000)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 384])
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    size = Size(given.users, given.items, given.rows, tuple(given.widths), given.threads, 1)
    print(f"generated data (plumbing): {size}", flush=True)
    train, tables = generated(size)
    config, held = LIRDRecConfig(), _memory("VmRSS")
    print(f"the data itself holds {held:,.0f} MB")
    features = timed("features", held, lambda: build_features(tables, train.items, config))
    widths = ", ".join(f"{name} {table.shape[1]}" for name, table in features.inputs.items())
    network = timed("graphs and parameters", held, lambda: build_network(train, features, config, 0))
    count = sum(parameter.numel() for parameter in network.parameters())
    sampler = timed("sampler", held, lambda: TripleSampler(train, equal_batches(len(train))))
    epoch = timed("one epoch", held, lambda: next(epochs(network, sampler, config, np.random.default_rng(0))))
    print(f"{len(train):,} rows in {sampler.batches} steps, {count:,} parameters on {widths}; loss {epoch.loss:.4f}")


def timed(what: str, held: float, make: Callable[[], Made]) -> Made:
    """Return what `make` makes, and print its seconds and the memory at its peak."""
    _forget_peak()
    began = time.perf_counter()
    made = make()
    spent = time.perf_counter() - began
    print(f"{what}: {spent:.1f} s, peak {_memory('VmHWM') - held:,.0f} MB above the data", flush=True)
    return made


if __name__ == "__main__":
    main()
