"""The training itself: rounds of steps, recall on what was held out after each, the best round kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.progress import SILENT, Progress
from catalog.vectors import Floats
from embedding.clip_training.batches import batches
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.pictures import Pixels, normalised
from embedding.clip_training.recall import recalls
from embedding.clip_training.rows import Ints
from embedding.clip_training.step import Shown, Step, exact, text_rows
from embedding.clip_training.towers import Towers, text_trunk

if TYPE_CHECKING:
    import torch

_WARM = 0.05
"""Share of the steps in which the rate of learning rises."""


@dataclass(frozen=True)
class HeldOut:
    """Items that are measured and not learned from: their rows, and the very pixels the model will see in use."""

    rows: Ints
    pixels: Pixels


@dataclass
class Fitted:
    """How a training went.

    Attributes:
        epochs: The round that was best, or how many were run where nothing was held out.
        recall: Recall of that round; {} where nothing was held out.
        history: Mean recall after each round.
        weights: The model's weights of that round.
    """

    epochs: int
    recall: dict[str, float] = field(default_factory=dict)
    history: list[float] = field(default_factory=list)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)


def fit_towers(
    towers: Towers,
    shown: Shown,
    rows: Ints,
    config: ClipTrainingConfig,
    *,
    seed: int,
    held_out: HeldOut | None = None,
    epochs: int | None = None,
    task: str = "train clip",
    progress: Progress = SILENT,
) -> Fitted:
    """Fit a model on `rows`; it ends with the weights of its best round.

    Args:
        towers: The model, changed in place.
        shown: What there is to see.
        rows: Items to learn from.
        config: How.
        seed: Of the order, of the pictures' changes and of the aids that are thrown away after.
        held_out: Ends the training `config.patience` rounds after the best one; None: `epochs` rounds are run.
        epochs: Where to stop on the same schedule, as an earlier training found it.
        task: What the progress says.
        progress: Told of every round.
    """
    import torch

    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    last = config.epochs if epochs is None else min(epochs, config.epochs)
    with exact(config), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        step = Step(towers, shown, config, generator)
        steps = len(batches(rows, shown.examples.categories, size=config.batch_size, hard=config.hard, rng=rng))
        fitted = Fitted(0)
        progress.start(task, last)
        for epoch in range(last):
            order = batches(rows, shown.examples.categories, size=config.batch_size, hard=config.hard, rng=rng)
            for at, some in enumerate(order):
                step.learn(some, _rate((epoch + at / len(order)) / config.epochs, steps * config.epochs), rng)
            step.require_numbers()
            note = ""
            if held_out is not None:
                found = measured(towers, shown, held_out)
                fitted.history.append(float(np.mean(list(found.values()))))
                note = f"recall {fitted.history[-1]:.4f}"
                if fitted.history[-1] > max(fitted.history[:-1], default=-1.0):
                    fitted.epochs, fitted.recall, fitted.weights = epoch + 1, found, _kept(towers)
            progress.advance(1, note)
            if held_out is not None and epoch + 1 - fitted.epochs >= config.patience:
                break
        progress.finish()
        if held_out is None:
            fitted.epochs, fitted.weights = last, _kept(towers)
        towers.model.load_state_dict(fitted.weights, strict=False)
        towers.model.eval()
    return fitted


def measured(towers: Towers, shown: Shown, held_out: HeldOut) -> dict[str, float]:
    """Return the recall of held-out items among themselves, each shown by its first picture and its whole text."""
    whole = shown.examples.said[held_out.rows, 0]
    pictures = picture_vectors(towers, held_out.pixels)
    return recalls(pictures, text_vectors(towers, shown, whole), whole)


def picture_vectors(towers: Towers, pixels: Pixels, *, batch: int = 64) -> Floats:
    """Return (n, d) unit vectors of pictures as the model sees them in use."""
    import torch
    from torch.nn import functional

    towers.model.eval()
    device = next(towers.model.parameters()).device
    with torch.inference_mode():
        parts = []
        for at in range(0, len(pixels), batch):
            seen = torch.from_numpy(pixels[at : at + batch]).to(device).float() / 255
            parts.append(functional.normalize(towers.model.encode_image(normalised(seen, towers.preprocess)), dim=1))
    return np.asarray(torch.cat(parts).float().cpu().numpy(), np.float32)


def text_vectors(towers: Towers, shown: Shown, texts: Ints, *, batch: int = 64) -> Floats:
    """Return (n, d) unit vectors of texts, named by their rows in the examples' texts."""
    import torch
    from torch.nn import functional

    towers.model.eval()
    with torch.inference_mode():
        parts = [text_rows(towers, shown, texts[at : at + batch]) for at in range(0, len(texts), batch)]
        return np.asarray(functional.normalize(torch.cat(parts), dim=1).float().cpu().numpy(), np.float32)


def see_texts(
    towers: Towers, texts: Sequence[str], config: ClipTrainingConfig, progress: Progress = SILENT
) -> torch.Tensor | None:
    """Return what the frozen trunk makes of the texts, once for every training; None where it learns as well."""
    if not towers.frozen_text:
        return None
    with exact(config):
        towers.model.text.to(config.device)
        return text_trunk(towers, texts, progress=progress).cpu()


def _rate(done: float, steps: int) -> float:
    """Return the share of the highest rate at a point from 0 to 1: a short rise, then half a cosine."""
    warm = max(_WARM, 1 / max(steps, 1))
    return done / warm + 1e-3 if done < warm else 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


def _kept(towers: Towers) -> dict[str, Any]:
    """Return a copy of the weights that may have moved."""
    state = towers.model.state_dict()
    still = "text.transformer." if towers.frozen_text else None
    return {name: value.clone() for name, value in state.items() if not (still and name.startswith(still))}
