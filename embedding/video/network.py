"""The networks: a temporal transformer with position-aware attention pooling, and mean pooling as its baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from embedding.video.config import Pooling

_PERIODS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
"""Seconds of the waves that tell absolute time; a minute and more is left to the last."""
_HALF_WAVES = (1, 2, 3, 4, 6)
"""Half waves over a film's whole length that tell relative time."""
_OPENING, _END = -4, -3
"""Columns of `time_code` that fade from the film's first moment on, and up to its last."""
_STEEP = 6.0
"""Weight of those columns at the start: most of an opening query's attention lies on the first second."""
TIME_WIDTH = 2 * len(_PERIODS) + 2 * len(_HALF_WAVES) + 5


@dataclass(frozen=True, slots=True)
class Batch:
    """Films padded to one length.

    Attributes:
        frames: (b, t, d) prepared frame vectors.
        times: (b, t, `TIME_WIDTH`) of `time_code`.
        real: (b, t) bool, False where padded.
        source: (b,) 0 for marketing, 1 for items.
    """

    frames: Tensor
    times: Tensor
    real: Tensor
    source: Tensor

    def take(self, rows: Tensor) -> Batch:
        """Return the films at `rows`."""
        return Batch(self.frames[rows], self.times[rows], self.real[rows], self.source[rows])


def time_code(seconds: Tensor, scenes: Tensor, length: Tensor) -> Tensor:
    """Return where each frame stands in time, (b, t, `TIME_WIDTH`).

    Sines of seconds (Vaswani et al., Attention Is All You Need, 2017, section 3.5), half waves over the film's length,
    the share that has passed, seconds since the scene began, and the film's length.

    Args:
        seconds: (b, t) true times.
        scenes: (b, t) when each frame's scene began.
        length: (b,) seconds of the film.
    """
    whole = length[:, None].clamp_min(1e-3)
    share = (seconds / whole).clamp(0, 1)
    waves = [2 * math.pi * seconds / period for period in _PERIODS] + [math.pi * k * share for k in _HALF_WAVES]
    # Steep near both ends: what happens in the first and in the last second.
    parts = [f(wave) for wave in waves for f in (torch.sin, torch.cos)]
    parts += [share, torch.exp(-seconds), torch.exp(-(whole - seconds).clamp_min(0))]
    parts += [torch.log1p((seconds - scenes).clamp_min(0)), torch.log1p(whole).expand_as(seconds)]
    return torch.stack(parts, dim=-1)


class _Block(nn.Module):
    """One pre-norm transformer block; its output begins at nothing, so the network begins as attention pooling."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.between = nn.LayerNorm(width)
        self.think = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        for last in (self.attend.out_proj, self.think[-1]):
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: Tensor, padded: Tensor) -> Tensor:
        normed = self.before(x)
        x = x + self.attend(normed, normed, normed, key_padding_mask=padded, need_weights=False)[0]
        out: Tensor = x + self.think(self.between(x))
        return out


class _TemporalPooling(nn.Module):
    """Transformer blocks over frames and times, then queries that attend by what a frame shows and when."""

    def __init__(self, d: int, width: int, out: int, blocks: int, heads: int, queries: int, dropout: float) -> None:
        super().__init__()
        self.see = nn.Linear(d, width)
        self.when = nn.Linear(TIME_WIDTH, width, bias=False)
        self.blocks = nn.ModuleList([_Block(width, heads, dropout) for _ in range(blocks)])
        self.key = nn.Linear(width, queries, bias=False)
        self.moment = nn.Linear(TIME_WIDTH, queries, bias=False)
        self.value = nn.Linear(width, width)
        self._begin(queries)
        self.out = nn.Linear(queries * width, out)
        self.drop = nn.Dropout(dropout)

    def _begin(self, queries: int) -> None:
        """Let queries begin at the whole film, at its opening and at its end in turn; training moves them."""
        nn.init.zeros_(self.when.weight)
        nn.init.zeros_(self.moment.weight)
        with torch.no_grad():
            for query in range(queries):
                if query % 3:
                    self.moment.weight[query, _OPENING if query % 3 == 1 else _END] = _STEEP

    def forward(self, batch: Batch) -> Tensor:
        padded = ~batch.real
        x = self.see(self.drop(batch.frames)) + self.when(batch.times)
        for block in self.blocks:
            x = block(x, padded)
        weight = self.key(x) + self.moment(batch.times)  # (b, t, q)
        weight = weight.masked_fill(padded[..., None], -torch.inf).softmax(dim=1)
        pooled = torch.einsum("btq,btw->bqw", weight, torch.nn.functional.gelu(self.value(x)))
        out: Tensor = self.out(self.drop(pooled.flatten(1)))
        return out


class _MeanPooling(nn.Module):
    """The mean of a film's frames through a network of about the same size; it cannot tell before from after."""

    def __init__(self, d: int, hidden: int, out: int, dropout: float) -> None:
        super().__init__()
        self.think = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(d, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, out)
        )

    def forward(self, batch: Batch) -> Tensor:
        real = batch.real[..., None].to(batch.frames.dtype)
        mean = (batch.frames * real).sum(dim=1) / real.sum(dim=1)
        out: Tensor = self.think(mean)
        return out


class VideoNetwork(nn.Module):
    """Films to unit vectors (b, out), and those to log odds of a click (b,)."""

    def __init__(
        self, pooling: Pooling, d: int, *, width: int, out: int, blocks: int, heads: int, queries: int, dropout: float
    ) -> None:
        super().__init__()
        self.pool: nn.Module = (
            _TemporalPooling(d, width, out, blocks, heads, queries, dropout)
            if pooling == "temporal"
            else _MeanPooling(d, 4 * width, out, dropout)
        )
        self.head = nn.Linear(out, 1, bias=False)
        self.base = nn.Parameter(torch.zeros(2))
        self.gain = nn.Parameter(torch.tensor(1.0))

    def vectors(self, batch: Batch) -> Tensor:
        """Return (b, out), rows of length 1."""
        return nn.functional.normalize(self.pool(batch), dim=-1)

    def forward(self, batch: Batch) -> Tensor:
        """Return log odds of a click, (b,)."""
        out: Tensor = self.gain * self.head(self.vectors(batch)).squeeze(-1) + self.base[batch.source]
        return out
