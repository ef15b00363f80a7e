"""Fitting a video network to impressions and clicks, counted by film."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from catalog.vectors import Floats
from embedding.divergence import require_numbers
from embedding.torch_running import torch_threads
from embedding.video.config import Pooling, VideoEncoderConfig
from embedding.video.frame_job import FrameSequence
from embedding.video.network import Batch, VideoNetwork, time_code

Values = NDArray[np.float64]

_MOST_MOTION = 4.0
"""Times the usual motion; a flash moves no further."""


@dataclass(frozen=True, eq=False)
class Projection:
    """What is done to a frame vector before the network: centred, turned to its principal directions, spread alike.

    Attributes:
        mean: (d,) float32.
        basis: (d, c) float32.
        still: Mean of `motion` over the films, which one stands for.
    """

    mean: Floats
    basis: Floats
    still: float

    @classmethod
    def of(cls, films: Sequence[FrameSequence], components: int) -> Projection:
        """Return the projection of these films' frames, each film counting alike."""
        rows = np.concatenate([film.vectors / np.sqrt(len(film.vectors)) for film in films]).astype(np.float64)
        weight = np.concatenate([np.full(len(film.vectors), 1 / np.sqrt(len(film.vectors))) for film in films])
        mean = (rows * weight[:, None]).sum(axis=0) / (weight**2).sum()
        centred = rows - weight[:, None] * mean
        values, vectors = np.linalg.eigh(centred.T @ centred / len(films))
        order = np.argsort(-values, kind="stable")[:components]
        values, vectors = np.maximum(values[order], 0), vectors[:, order]
        # A direction's sign is arbitrary: the largest entry points up, whatever library found it.
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(order))])
        # Half-way to white: what varies most still counts most, and noise is not blown up.
        scale = np.maximum(values, 1e-4 * max(values.max(initial=0.0), 1e-12)) ** -0.25
        scale = scale / np.sqrt((values * scale**2).mean() or 1.0)
        moving = float(np.mean([motion(film).mean() for film in films]))
        return cls(mean.astype(np.float32), (vectors * scale).astype(np.float32), moving or 1.0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return it as named tables; `from_arrays` reads them."""
        return {"mean": self.mean, "basis": self.basis, "still": np.array([self.still])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Projection:
        """Read what `arrays` gave."""
        return cls(arrays["mean"], arrays["basis"], float(arrays["still"][0]))

    @property
    def width(self) -> int:
        """Width of what the network reads: the directions, and one for motion."""
        return int(self.basis.shape[1]) + 1

    def __call__(self, film: FrameSequence) -> Floats:
        """Return what the network reads of a film, (t, `width`)."""
        shows = (film.vectors - self.mean) @ self.basis
        moves = np.minimum(motion(film) / self.still, _MOST_MOTION) - 1
        return np.concatenate([shows, moves[:, None]], axis=1).astype(np.float32)


def motion(film: FrameSequence) -> Floats:
    """Return how far each frame lies from its neighbours of the same scene, (t,); 0 where it has none."""
    apart = np.linalg.norm(np.diff(film.vectors, axis=0), axis=1) * (np.diff(film.scenes) == 0)
    total, count = np.zeros(len(film.vectors)), np.zeros(len(film.vectors))
    for side in (slice(None, -1), slice(1, None)):
        total[side] += apart
        count[side] += np.diff(film.scenes) == 0
    return np.asarray(total / np.maximum(count, 1), np.float32)


def batch_of(films: Sequence[FrameSequence], source: NDArray[np.int64], projection: Projection) -> Batch:
    """Return films padded to the longest; `source` (n,) is 0 for marketing and 1 for items."""
    most = max(len(film.vectors) for film in films)
    width = projection.width
    frames = np.zeros((len(films), most, width), np.float32)
    seconds, scenes = (np.zeros((len(films), most), np.float32) for _ in range(2))
    real = np.zeros((len(films), most), bool)
    for row, film in enumerate(films):
        count = len(film.vectors)
        frames[row, :count], real[row, :count] = projection(film), True
        seconds[row, :count], scenes[row, :count] = film.seconds, film.scenes
    length = torch.tensor([film.length for film in films], dtype=torch.float32)
    times = time_code(torch.from_numpy(seconds), torch.from_numpy(scenes), length)
    return Batch(torch.from_numpy(frames), times, torch.from_numpy(real), torch.from_numpy(source))


def make_network(config: VideoEncoderConfig, pooling: Pooling, inputs: int) -> VideoNetwork:
    """Return a network with fresh weights."""
    return VideoNetwork(
        pooling, inputs, width=config.width, out=config.dim, blocks=config.blocks, heads=config.heads,
        queries=config.queries, dropout=config.dropout,
    )  # fmt: skip


def fit_network(
    batch: Batch, clicks: Values, shown: Values, config: VideoEncoderConfig, pooling: Pooling, *, seed: int
) -> VideoNetwork:
    """Return a network fitted by the log loss of every impression; films of no impression teach nothing.

    Args:
        batch: (n) films.
        clicks: (n,) clicks.
        shown: (n,) impressions.
        config: How it is fitted.
        pooling: How frames become one vector.
        seed: Of weights, dropout and noise; torch's own generator is left as it was.

    Raises:
        ConfigError: When the training diverges.
    """
    with torch.random.fork_rng(devices=[]), torch_threads(config.threads):
        torch.manual_seed(seed)
        network = make_network(config, pooling, batch.frames.shape[-1])
        _start(network, batch, clicks, shown)
        decayed = [p for p in network.parameters() if p.dim() > 1]
        plain = [p for p in network.parameters() if p.dim() <= 1]
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=config.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, config.steps))
        k, n = torch.from_numpy(clicks).float(), torch.from_numpy(shown).float()
        network.train()
        for step in range(1, config.steps + 1):
            logits = network(_roughened(batch, config))
            loss = (n * nn.functional.softplus(logits) - k * logits).sum() / n.sum().clamp_min(1)
            _require_numbers((loss.detach(),), step, config)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            _require_numbers((network(batch), *network.parameters()), config.steps, config)
        return network


def predict(network: VideoNetwork, batch: Batch, threads: int = 1) -> tuple[Floats, Values]:
    """Return video vectors (n, out) and log odds of a click (n,)."""
    with torch.inference_mode(), torch_threads(threads):
        vectors = network.vectors(batch).numpy().astype(np.float32)
        return vectors, network(batch).numpy().astype(np.float64)


def _start(network: VideoNetwork, batch: Batch, clicks: Values, shown: Values) -> None:
    """Begin at each source's own click-through, so that only differences between films are left to learn."""
    source = batch.source.numpy()
    with torch.no_grad():
        for kind in (0, 1):
            seen = float(shown[source == kind].sum())
            rate = (float(clicks[source == kind].sum()) + 0.5) / (seen + 10.0)
            network.base[kind] = math.log(rate / (1 - rate))


def _require_numbers(values: Iterable[Tensor], step: int, config: VideoEncoderConfig) -> None:
    require_numbers(values, of="encoders.video", at=f"step {step}", rate=config.learning_rate)


def _rate(step: int, steps: int) -> float:
    warm = max(steps // 10, 1)
    return (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


def _roughened(batch: Batch, config: VideoEncoderConfig) -> Batch:
    """Leave some frames out and blur what the others show; a film always keeps a frame."""
    kept = batch.real & (torch.rand(batch.real.shape) >= config.frame_dropout)
    none = ~kept.any(dim=1, keepdim=True)
    kept = torch.where(none, batch.real, kept)
    frames: Tensor = batch.frames + config.noise * torch.randn_like(batch.frames)
    return Batch(frames, batch.times, kept, batch.source)
