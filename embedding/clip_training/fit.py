"""The training itself: rounds of steps, recall on what was held out after each, the best round kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.progress import SILENT, Progress
from catalog.vectors import Floats
from embedding.clip_training.batches import batches, not_negatives
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.examples import Examples
from embedding.clip_training.losses import classified, contrastive
from embedding.clip_training.pictures import Pictures, Pixels, augmented, normalised
from embedding.clip_training.recall import recalls
from embedding.clip_training.rows import Ints
from embedding.clip_training.towers import Towers, picture_features, text_trunk
from embedding.torch_running import torch_threads

if TYPE_CHECKING:
    import torch

_WARM = 0.05
"""Share of the steps in which the rate of learning rises."""
_BASE_RATE = 0.01
"""Of the rate, for a model that was trained before."""
_CLIP_NORM = 1.0
_WHOLE = 0.35
"""How often a step shows an item's whole text; else it shows one part."""
_SHARP = 10.0
"""What unit vectors are multiplied by before they are classified; at length 1 no class could be near certain."""
_MOST_SCALE = math.log(100.0)
"""open_clip's own bound on `logit_scale`."""


@dataclass(frozen=True)
class Shown:
    """What one training reads; texts are those of the examples.

    Attributes:
        examples: Every item, those held out among them.
        pictures: Of every item, a little larger than the model sees them.
        trunk: (texts, w) what the frozen trunk makes of each text; None where the text tower learns as a whole.
    """

    examples: Examples
    pictures: Pictures
    trunk: torch.Tensor | None


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
    with exact(config.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        step = _Step(towers, shown, config, generator)
        steps = len(batches(rows, shown.examples.categories, size=config.batch_size, hard=config.hard, rng=rng))
        fitted = Fitted(0)
        progress.start(task, last)
        for epoch in range(last):
            order = batches(rows, shown.examples.categories, size=config.batch_size, hard=config.hard, rng=rng)
            for at, some in enumerate(order):
                step.learn(some, _rate((epoch + at / len(order)) / config.epochs, steps * config.epochs), rng)
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
        parts = [_texts(towers, shown, texts[at : at + batch]) for at in range(0, len(texts), batch)]
        return np.asarray(functional.normalize(torch.cat(parts), dim=1).float().cpu().numpy(), np.float32)


def see_texts(towers: Towers, texts: Sequence[str], threads: int) -> torch.Tensor | None:
    """Return what the frozen trunk makes of the texts, once for every training; None where it learns as well."""
    if not towers.frozen_text:
        return None
    with exact(threads):
        return text_trunk(towers, texts)


@contextmanager
def exact(threads: int) -> Iterator[None]:
    """Let torch compute the same inside the block every time."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with torch_threads(threads):
            yield
    finally:
        torch.use_deterministic_algorithms(before)


class _Step:
    """One step: pictures and texts of some items, both losses, and the optimiser."""

    def __init__(self, towers: Towers, shown: Shown, config: ClipTrainingConfig, generator: torch.Generator) -> None:
        import torch

        self._towers, self._shown, self._config, self._generator = towers, shown, config, generator
        self._device = torch.device(config.device)
        model = towers.model.to(self._device)
        # Half as fast again on a CPU; what is learned is the same but for the order of sums.
        model.visual.to(memory_format=torch.channels_last)
        self._groups = shown.examples.groups()
        self._worth = _worth(shown.examples.said)
        self._sides = towers.preprocess["size"]
        classes = shown.examples.classes if config.base is None else ()
        with torch.no_grad():
            model.eval()
            blank = torch.zeros(1, 3, *self._sides, device=self._device)
            width = picture_features(model, blank)[0].shape[1]
        dim = towers.config["model_cfg"]["embed_dim"]
        self._heads = torch.nn.ModuleList(torch.nn.Linear(width, n) for n in classes).to(self._device)
        self._joint = torch.nn.ModuleList(torch.nn.Linear(dim, n) for n in classes).to(self._device)
        aids = [*self._heads.parameters(), *self._joint.parameters()]
        learned = [each for each in [*model.parameters(), *aids] if each.requires_grad]
        flat = [each for each in learned if each.ndim < 2]
        wide = [each for each in learned if each.ndim >= 2]
        self._rate = config.learning_rate * (1.0 if config.base is None else _BASE_RATE)
        self._optimiser = torch.optim.AdamW(
            [{"params": wide, "weight_decay": config.weight_decay}, {"params": flat, "weight_decay": 0.0}],
            lr=self._rate,
        )
        self._learned = learned

    def learn(self, rows: Ints, share: float, rng: np.random.Generator) -> float:
        """Take one step on some items and return its loss."""
        import torch
        from torch.nn import functional

        examples, model = self._shown.examples, self._towers.model
        self._mode()
        said = examples.said[rows]
        text = _shown_texts(said, self._worth, rng)
        first, count = self._shown.pictures.first[rows], self._shown.pictures.count[rows]
        at = first + (rng.random(len(rows)) * count).astype(np.int64)
        pixels = torch.from_numpy(self._shown.pictures.pixels[at]).to(self._device)
        seen = normalised(augmented(pixels, self._sides, self._generator), self._towers.preprocess)
        features, pictures = picture_features(model, seen.contiguous(memory_format=torch.channels_last))
        texts = _texts(self._towers, self._shown, text)
        alike = torch.from_numpy(not_negatives(said, text, self._groups[rows])).to(self._device)
        pictures, texts = functional.normalize(pictures, dim=1), functional.normalize(texts, dim=1)
        loss = contrastive(pictures, texts, model.logit_scale.exp(), alike)
        if len(self._heads):
            labels = torch.from_numpy(examples.labels[rows]).to(self._device)
            named = classified(self._heads, features, labels)
            # One set of heads for both sides: what a picture and a text of one kind share, they share in one place.
            for side in (pictures, texts):
                named = named + classified(self._joint, _SHARP * side, labels) / 2
            loss = loss + self._config.labels * named
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * share
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._learned, _CLIP_NORM)
        self._optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, _MOST_SCALE)
        return float(loss.detach())

    def _mode(self) -> None:
        self._towers.model.train()
        if self._towers.frozen_text:
            self._towers.model.text.transformer.eval()


def _worth(said: Ints) -> Floats:
    """Return (parts,) how much each column of texts says: how many distinct ones it has."""
    return np.array([len(np.unique(column[column >= 0])) for column in said.T], np.float32)


def _shown_texts(said: Ints, worth: Floats, rng: np.random.Generator) -> Ints:
    """Return which text of each item a step shows: the whole one, or one of its parts by what they are worth."""
    # The largest of u ** (1 / w) is a draw in proportion to w (Efraimidis and Spirakis, 2006).
    draw = np.where(said >= 0, rng.random(said.shape) ** (1 / np.maximum(worth / worth.max(), 1e-6)), -1.0)
    draw[:, 0] = -1.0
    chosen = np.where((rng.random(len(said)) < _WHOLE) | (draw.max(1) < 0), 0, draw.argmax(1))
    shown: Ints = said[np.arange(len(said)), chosen]
    return shown


def _texts(towers: Towers, shown: Shown, texts: Ints) -> Any:
    """Return (b, d) what the text tower makes of texts, not brought to length 1."""
    import torch

    device = next(towers.model.parameters()).device
    if shown.trunk is not None:
        return towers.model.text.proj(shown.trunk[torch.from_numpy(texts)].to(device))
    words = [shown.examples.texts[at] for at in texts]
    return towers.model.encode_text(towers.tokenizer(words).to(device))


def _rate(done: float, steps: int) -> float:
    """Return the share of the highest rate at a point from 0 to 1: a short rise, then half a cosine."""
    warm = max(_WARM, 1 / max(steps, 1))
    return done / warm + 1e-3 if done < warm else 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


def _kept(towers: Towers) -> dict[str, Any]:
    """Return a copy of the weights that may have moved."""
    state = towers.model.state_dict()
    still = "text.transformer." if towers.frozen_text else None
    return {name: value.clone() for name, value in state.items() if not (still and name.startswith(still))}
