"""Seconds and memory of an epoch of LIRDRec at the size of Amazon Baby: exact, default, plain transcription.

    python -m bench.lirdrec_epoch [--users 19445 --items 7050 --rows 160792 --widths 4096 384] [--threads 2]

Generated data (plumbing). Each mode has a process of its own, so that the peak of its memory is its own. The plain
transcription is written below from the equations alone: dense encoders every batch, COO products, triples sampled
by a Python loop. Exact and plain start from the same parameters and see the same triples: their losses must agree
to 1e-4. The encoders' products are the bound of the exact mode; the machine's own rate is measured in its process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor
from torch.nn import functional

from bench.growth import _forget_peak, _memory
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.graphs import bipartite_graph, item_graph
from models.lirdrec.learner import build_network, equal_batches
from models.lirdrec.modalities import build_features
from models.lirdrec.network import Network
from models.lirdrec.products import times_transpose
from models.lirdrec.training import epochs
from models.triples import TripleSampler

EXACT = LIRDRecConfig(reduction="none", batch_size=2048, learning_rate=1e-4)
CONFIGS = {
    "exact": EXACT,
    "exact, bfloat16": EXACT.model_copy(update={"precision": "bfloat16"}),
    "default": LIRDRecConfig(),
    "plain": EXACT,
}


@dataclass(frozen=True)
class Size:
    """Of the generated data."""

    users: int
    items: int
    rows: int
    widths: tuple[int, ...]
    threads: int
    epochs: int


@dataclass(frozen=True)
class Run:
    """What one mode took."""

    seconds: tuple[float, ...]
    losses: tuple[float, ...]
    megabytes: float
    rates: dict[str, float]
    batches: int


def main() -> None:
    """Measure the three modes one after another and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=19_445)
    parser.add_argument("--items", type=int, default=7_050)
    parser.add_argument("--rows", type=int, default=160_792)
    parser.add_argument("--widths", type=int, nargs="+", default=[4096, 384])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    size = Size(given.users, given.items, given.rows, tuple(given.widths), given.threads, given.epochs)
    print(f"generated data (plumbing): {size}")
    runs = {}
    for mode in CONFIGS:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            runs[mode] = pool.submit(run, mode, size).result()
        each = ", ".join(f"{s:.2f}" for s in runs[mode].seconds)
        print(
            f"{mode}: {np.mean(runs[mode].seconds):.2f} s an epoch ({each}), {runs[mode].batches} steps, "
            f"peak {runs[mode].megabytes:,.0f} MB above the data",
            flush=True,
        )
    exact, plain, default = runs["exact"], runs["plain"], runs["default"]
    apart = float(np.max(np.abs(np.subtract(exact.losses, plain.losses))))
    print(f"losses: exact {exact.losses}, plain {plain.losses}, at most {apart:.1e} apart")
    assert apart < 1e-4, "the exact mode is not exact"
    rounded = runs["exact, bfloat16"].losses
    print(f"losses: bfloat16 {rounded}, at most {np.max(np.abs(np.subtract(exact.losses, rounded))):.1e} from exact")
    work = encoder_gflop(size, 64) * exact.batches
    print(f"encoders: {encoder_gflop(size, 64):.0f} GFLOP a batch, {work:,.0f} an epoch")
    for library, rate in exact.rates.items():
        print(
            f"  this machine multiplies such matrices at {rate:.0f} GFLOP/s by {library}: an epoch takes "
            f"{work / rate:.1f} s at least, and exact runs at {work / rate / np.mean(exact.seconds):.2f} of that rate"
        )
    slow = np.mean(plain.seconds)
    print(f"plain / exact {slow / np.mean(exact.seconds):.1f}, plain / default {slow / np.mean(default.seconds):.1f}")


def encoder_gflop(size: Size, dim: int) -> float:
    """Return the products of all encoders in one step, forward and backward, in GFLOP."""
    wide = 2 * sum(size.widths)  # each modality's own branch, and the transformed branch over all
    inner = size.items * wide * 4 * dim * 2 * 2  # forward, and the weights' gradient; features have none
    outer = size.items * 4 * dim * dim * (len(size.widths) + 1) * 2 * 3
    return (inner + outer) / 1e9


def run(mode: str, size: Size) -> Run:
    """Train one mode of `CONFIGS` in this process."""
    torch.set_num_threads(size.threads)
    train, tables = generated(size)
    config = CONFIGS[mode]
    features = build_features(tables, train.items, config)
    network = build_network(train, features, config, seed=0)
    sampler = TripleSampler(train, config.batch_size or equal_batches(len(train)))
    rates = measured_rates(size)
    held = _memory("VmRSS")
    _forget_peak()
    seconds, losses = [], []
    trained = plainly(network, sampler, train, features.units, config) if mode == "plain" else None
    ours = epochs(network, sampler, config, np.random.default_rng(0))
    for _ in range(size.epochs):
        began = time.perf_counter()
        losses.append(next(trained) if trained else next(ours).loss)
        seconds.append(time.perf_counter() - began)
    return Run(tuple(seconds), tuple(losses), _memory("VmHWM") - held, rates, sampler.batches)


def measured_rates(size: Size) -> dict[str, float]:
    """Return GFLOP/s in a product of the widest encoder's shape, by torch's own linear layer and by oneDNN."""
    left, right = torch.randn(size.items, sum(size.widths)), torch.randn(256, sum(size.widths))
    rates = {}
    products: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"torch": functional.linear, "oneDNN": times_transpose}
    for library, product in products.items():
        spent = []
        for _ in range(5):
            began = time.perf_counter()
            product(left, right)
            spent.append(time.perf_counter() - began)
        rates[library] = 2 * left.shape[0] * left.shape[1] * 256 / min(spent) / 1e9
    return rates


def generated(size: Size) -> tuple[Interactions, dict[str, EmbeddingTable]]:
    """Return random interactions and features."""
    rng = np.random.default_rng(0)
    users, items = IdMap(map(str, range(size.users)), "user"), IdMap(map(str, range(size.items)))
    pairs = np.unique(rng.integers(0, size.users * size.items, size.rows))
    who, what = np.divmod(pairs, size.items)
    train = Interactions(users, items, who.astype(np.int32), what.astype(np.int32), np.zeros(len(pairs), np.int64))
    tables = {
        f"m{at}": EmbeddingTable(items, rng.standard_normal((size.items, width), np.float32), f"m{at}")
        for at, width in enumerate(size.widths)
    }
    return train, tables


def plainly(
    start: Network,
    sampler: TripleSampler,
    train: Interactions,
    units: dict[str, npt.NDArray[np.float32]],
    config: LIRDRecConfig,
) -> Iterator[float]:
    """Yield the mean loss of each epoch of the equations written straight down, from `start`'s parameters.

    The triples are drawn twice: by a Python loop, whose time counts and whose result is dropped, and as the other
    modes draw them, so that the losses can be compared.
    """
    parameters = {name: value.detach().clone().requires_grad_() for name, value in start.named_parameters()}
    names = start.names
    inputs = {name: start._features[name] for name in names}
    n_users = len(train.users)
    graph = coo(stacked(bipartite_graph(train.csr())))
    alike = coo(item_graph(list(units.values()), config.neighbours, config.graph_weight))
    taken = {(int(u), int(i)) for u, i in zip(train.user_rows, train.item_rows, strict=True)}
    optimiser = torch.optim.Adam(parameters.values(), lr=config.learning_rate)
    rng, loop_rng = np.random.default_rng(0), np.random.default_rng(1)
    w1, w2, alpha, epoch = config.copy_weight, 1 - config.copy_weight, None, 0
    while True:
        epoch += 1
        w1 = w1 * config.copy_decay**epoch
        w1, w2 = w1 / (w1 + w2), w2 / (w1 + w2)
        if alpha is not None:
            parameters["theta"].data.copy_(alpha)
        for user in train.user_rows.tolist():  # one uniform negative a positive, drawn until it is not a positive
            while (user, int(loop_rng.integers(len(train.items)))) in taken:
                pass
        losses = []
        for triples in sampler.epoch(rng):
            users_in, items_in = [], []
            for name in names:
                p = {key.removeprefix(f"branch_{name}."): v for key, v in parameters.items() if f"_{name}." in key}
                hidden = functional.leaky_relu(functional.linear(inputs[name], p["inner.weight"], p["inner.bias"]))
                both = functional.normalize(torch.cat([p["users"], functional.linear(hidden, p["outer.weight"])]))
                # Row normalisation of the stacked table is that of its halves.
                users_in.append(both[:n_users])
                items_in.append(both[n_users:])
            layer = torch.cat([torch.cat(users_in, 1), torch.cat(items_in, 1)])
            total = layer
            for _ in range(config.n_ui_layers):
                layer = torch.sparse.mm(graph, layer)
                total = total + layer
            users, items = total[:n_users], total[n_users:]
            items = items + torch.sparse.mm(alike, items)
            parts = users.chunk(len(names), 1)
            scores = torch.cat([_scorer(parameters, n, part) for n, part in zip(names, parts, strict=True)], 1)
            weights = torch.softmax(w1 * scores + w2 * parameters["theta"], 1)
            users = torch.cat([part * weights[:, at : at + 1] for at, part in enumerate(parts)], 1)
            u, i, j = torch.from_numpy(triples)
            margin = (users[u] * (items[i] - items[j])).sum(1)
            loss = functional.softplus(-margin).mean()
            loss = loss + config.regularisation * (users.square().mean() + items.square().mean())
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            alpha = weights.detach()
            losses.append(loss.item())
        yield float(np.mean(losses))


def _scorer(parameters: dict[str, Tensor], name: str, part: Tensor) -> Tensor:
    inner = functional.linear(
        part, parameters[f"branch_{name}.scorer.0.weight"], parameters[f"branch_{name}.scorer.0.bias"]
    )
    return functional.linear(
        functional.leaky_relu(inner),
        parameters[f"branch_{name}.scorer.2.weight"],
        parameters[f"branch_{name}.scorer.2.bias"],
    )


def stacked(bipartite: sparse.csr_array) -> sparse.csr_array:
    """Return the square graph of users over items."""
    n_users, n_items = bipartite.shape
    users = sparse.csr_array((n_users, n_users), dtype=np.float32)
    items = sparse.csr_array((n_items, n_items), dtype=np.float32)
    upper = sparse.hstack([users, bipartite], format="csr")
    return sparse.csr_array(sparse.vstack([upper, sparse.hstack([bipartite.T.tocsr(), items], format="csr")]))


def coo(matrix: sparse.csr_array) -> Tensor:
    """Return a COO tensor."""
    entries = matrix.tocoo()
    at = torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64))
    return torch.sparse_coo_tensor(at, torch.from_numpy(entries.data), entries.shape, check_invariants=False).coalesce()


if __name__ == "__main__":
    main()
