"""How the fusion network learns: what was taken together lies together, and what describes an item lies near it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from catalog.progress import SILENT, Progress
from catalog.vectors import Floats, Mask
from embedding.divergence import require_numbers
from embedding.fusion.baskets import Baskets, Rows
from embedding.fusion.config import FusionConfig
from embedding.fusion.inputs import RoleInputs
from embedding.torch_running import require_device, torch_threads

if TYPE_CHECKING:
    from torch import Tensor

    from embedding.fusion.network import FusionNetwork

AT_ONCE = 2048
"""Items that are encoded together."""
JUDGED = 2000
"""Held-out takes that a round is judged by at most."""
LEAST_HELD_OUT = 5
"""Fewer held-out baskets than this decide nothing: the number of rounds is then `epochs`."""


@dataclass(frozen=True)
class FusionFit:
    """How a fit went.

    Attributes:
        baskets: Shoppers or sessions with two items or more.
        takes: Their entries.
        epochs: Rounds until the one that was kept.
        history: NDCG@20 on the held-out baskets before the first round and after each; empty without any.
        seconds: Wall clock.
    """

    baskets: int
    takes: int
    epochs: int
    history: tuple[float, ...]
    seconds: float


def train_network(
    inputs: RoleInputs, baskets: Baskets, config: FusionConfig, *, seed: int, progress: Progress = SILENT
) -> tuple[FusionNetwork, FusionFit]:
    """Fit a network on pairs out of `baskets` and return it with the best state on those held out.

    Args:
        inputs: Of every item of the catalogue, in its order.
        baskets: Over rows of the same catalogue.
        config: How.
        seed: Of weights, pairs, batches and the part held out.
        progress: Told of every round.

    Raises:
        ConfigError: When torch cannot use the device, or the training diverges.
    """
    import torch

    from embedding.fusion.network import FusionNetwork

    started = time.perf_counter()
    require_device(config.device, "encoders.fusion.device")
    known = _with_vectors(baskets, inputs)
    train, held = _held_out(known, config, np.random.default_rng([seed, 1]))
    with torch_threads(config.threads), torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = FusionNetwork({role: table.shape[1] for role, table in inputs.vectors.items()}, config)
        network.begin(inputs.vectors)
        network.to(config.device)
        history: list[float] = []
        best, kept = -1.0, 0
        state: dict[str, Tensor] = {}
        progress.start("fusion", config.epochs)
        for epoch in _rounds(network, inputs, train, config, np.random.default_rng([seed, 2])):
            encoded = encode_all(network, inputs, config)
            _require_numbers((torch.from_numpy(encoded), *network.parameters()), epoch, config)
            value = judged(encoded, held) if len(held) >= LEAST_HELD_OUT else 0.0
            history.append(value)
            progress.advance(int(epoch > 0), f"ndcg@20 {value:.4f}")
            if value > best or len(held) < LEAST_HELD_OUT:
                best, kept = value, epoch
                state = {name: table.detach().clone() for name, table in network.state_dict().items()}
            if epoch - kept >= config.patience:
                break
        progress.finish()
        network.load_state_dict(state)
    network.eval()
    shown = tuple(history) if len(held) >= LEAST_HELD_OUT else ()
    return network, FusionFit(len(known), len(known.items), kept, shown, time.perf_counter() - started)


def encode_all(network: FusionNetwork, inputs: RoleInputs, config: FusionConfig, *, asked: bool = False) -> Floats:
    """Return the fused vectors, (n, dim) float32."""
    import torch

    network.eval()
    n = len(inputs.present)
    out = np.empty((n, config.dim), np.float32)
    with torch.inference_mode():
        for start in range(0, n, AT_ONCE):
            at = np.arange(start, min(n, start + AT_ONCE))
            vectors, present = _tensors(inputs, at, inputs.present[at], config.device)
            out[at] = network(vectors, present, asked).cpu().numpy()
    return out


def judged(items: Floats, baskets: Baskets) -> float:
    """Return the mean NDCG@20 of each take when its basket's other items, together, look for it.

    Vectors are centred first, as recommenders read them; items of the basket that are not sought are not shown.
    """
    centred = items - items.mean(axis=0)
    centred = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    entries = np.arange(len(baskets.items))
    entries = entries[:: max(1, len(entries) // JUDGED)][:JUDGED]
    gains = np.zeros(len(entries))
    for at, entry in enumerate(entries):
        basket = baskets.of_row[entry]
        own = baskets.items[baskets.starts[basket] : baskets.starts[basket + 1]]
        target = baskets.items[entry]
        scores = centred @ (centred[own].sum(axis=0) - centred[target])
        better = scores > scores[target]
        better[own] = False
        rank = int(better.sum())
        gains[at] = 1 / np.log2(rank + 2) if rank < 20 else 0.0
    return float(gains.mean()) if len(gains) else 0.0


def _rounds(
    network: FusionNetwork, inputs: RoleInputs, baskets: Baskets, config: FusionConfig, rng: np.random.Generator
) -> Iterator[int]:
    """Yield 0 before the first round, and the number of each after it."""
    import torch

    weights = list(network.parameters())
    first = [table.detach().clone() for table in weights]
    optimiser = torch.optim.Adam(weights, lr=config.learning_rate, fused=True)
    frequency = np.maximum(baskets.counts, 1) / max(len(baskets.items), 1)
    log_q = torch.from_numpy((config.popularity * np.log(frequency)).astype(np.float32)).to(config.device)
    yield 0
    for epoch in range(1, config.epochs + 1):
        network.train()
        order = rng.permutation(len(baskets.items))
        for start in range(0, len(order), config.batch_size):
            entries = order[start : start + config.batch_size]
            if len(entries) < 2:
                continue  # one pair alone has no negative
            loss = _loss(network, inputs, baskets, entries, log_q, config, rng)
            _require_numbers((loss.detach(),), epoch, config)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            if config.pull:
                with torch.no_grad():
                    for table, begun in zip(weights, first, strict=True):
                        table.lerp_(begun, config.pull)
        yield epoch


def _require_numbers(values: Iterable[Tensor], epoch: int, config: FusionConfig) -> None:
    require_numbers(values, of="encoders.fusion", at=f"epoch {epoch}", rate=config.learning_rate)


def _loss(
    network: FusionNetwork,
    inputs: RoleInputs,
    baskets: Baskets,
    entries: Rows,
    log_q: Tensor,
    config: FusionConfig,
    rng: np.random.Generator,
) -> Tensor:
    """Return the loss of a batch: pairs both ways, and pseudo queries of the first item for either of the two."""
    import torch

    one, other = baskets.items[entries], baskets.partners(entries, rng)

    def encoded(rows: Rows, present: Mask, asked: bool) -> Tensor:
        vectors, mask = _tensors(inputs, rows, present, config.device)
        found: Tensor = network(vectors, mask, asked)
        return found

    def seen(rows: Rows) -> Mask:
        return some_hidden(inputs.present[rows], np.full(len(rows), config.modality_dropout), rng)

    both = np.concatenate([one, other])
    left, right = encoded(both, seen(both), False).chunk(2)
    taken = baskets.of_row[entries]
    loss = (
        contrast(left, right, other, baskets, taken, one, log_q, config)
        + contrast(right, left, one, baskets, taken, other, log_q, config)
    ) / 2
    if config.query_weight:
        # A shopper may say a little or all: the share hidden is itself drawn anew for each query.
        query = encoded(one, some_hidden(inputs.present[one], rng.random(len(one)), rng), True)
        itself = rng.random(len(one)) < 0.5
        targets = np.where(itself, one, other)
        chosen = torch.where(torch.from_numpy(itself)[:, None].to(left.device), left, right)
        loss = loss + config.query_weight * contrast(query, chosen, targets, baskets, taken, None, log_q, config)
    return loss


def contrast(
    anchors: Tensor,
    targets: Tensor,
    rows: Rows,
    baskets: Baskets,
    taken: Rows,
    own: Rows | None,
    log_q: Tensor,
    config: FusionConfig,
) -> Tensor:
    """Return the mean log-loss of each row's own target among the batch's, less what popularity alone would explain.

    A target that the row's own basket holds, the same item a second time and the anchor itself are no negatives.

    Source:
        van den Oord et al. 2018 (InfoNCE); Yi et al., RecSys 2019, equation 4 (`s_c = s - log p`).
    """
    import torch
    from torch.nn import functional

    at = torch.from_numpy(rows).to(anchors.device)
    scores = anchors @ targets.T / config.temperature - log_q[at][None]
    false = baskets.hold(taken, rows) | (rows[:, None] == rows[None])
    if own is not None:
        false |= own[:, None] == rows[None]
    np.fill_diagonal(false, False)
    hidden = torch.from_numpy(false).to(anchors.device)
    return functional.cross_entropy(scores.masked_fill(hidden, -torch.inf), torch.arange(len(rows)).to(anchors.device))


def some_hidden(present: Mask, chance: npt.NDArray[np.float64], rng: np.random.Generator) -> Mask:
    """Return `present` (b, roles) with each role of a row hidden at that row's `chance`; one is always left."""
    drawn = rng.random(present.shape)
    kept: Mask = present & (drawn >= chance[:, None])
    spared = np.where(present, drawn, -1.0).argmax(axis=1)
    rows = np.flatnonzero(~kept.any(axis=1))
    kept[rows, spared[rows]] = present[rows, spared[rows]]
    return kept


def _tensors(inputs: RoleInputs, rows: Rows, present: Mask, device: str) -> tuple[list[Tensor], Tensor]:
    import torch

    vectors = [torch.from_numpy(table[rows]).to(device) for table in inputs.vectors.values()]
    return vectors, torch.from_numpy(np.ascontiguousarray(present)).to(device)


def _with_vectors(baskets: Baskets, inputs: RoleInputs) -> Baskets:
    """Return the baskets without items that have no vector at all, and without those of one item then."""
    known = np.asarray(inputs.present.any(axis=1))
    if known.all():
        return baskets
    kept = known[baskets.items]
    sizes = np.bincount(baskets.of_row[kept], minlength=len(baskets))
    whole = Baskets(baskets.items[kept], np.concatenate([[0], np.cumsum(sizes)]), baskets.n_items)
    return whole.take(np.flatnonzero(sizes > 1))


def _held_out(baskets: Baskets, config: FusionConfig, rng: np.random.Generator) -> tuple[Baskets, Baskets]:
    order = rng.permutation(len(baskets))
    n_held = int(len(baskets) * config.held_out)
    if n_held < LEAST_HELD_OUT:
        return baskets, baskets.take(np.empty(0, np.int64))
    return baskets.take(np.sort(order[n_held:])), baskets.take(np.sort(order[:n_held]))
