"""One step of the training: pictures and texts of some items, the losses, and the optimiser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.vectors import Floats
from embedding.clip_training.batches import not_negatives
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.examples import Examples
from embedding.clip_training.losses import classified, contrastive
from embedding.clip_training.pictures import Pictures, augmented, normalised
from embedding.clip_training.rows import Ints
from embedding.clip_training.towers import Towers, picture_features
from embedding.divergence import require_numbers
from embedding.torch_running import torch_threads

if TYPE_CHECKING:
    import torch

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


class Step:
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
        self._steps = 0

    def learn(self, rows: Ints, share: float, rng: np.random.Generator) -> float:
        """Take one step on some items and return its loss.

        Raises:
            ConfigError: When the training has gone astray: a loss that is no number.
        """
        import torch
        from torch.nn import functional

        examples, model = self._shown.examples, self._towers.model
        self._steps += 1
        self._mode()
        said = examples.said[rows]
        text = _shown_texts(said, self._worth, rng)
        first, count = self._shown.pictures.first[rows], self._shown.pictures.count[rows]
        at = first + (rng.random(len(rows)) * count).astype(np.int64)
        pixels = torch.from_numpy(self._shown.pictures.pixels[at]).to(self._device)
        seen = normalised(augmented(pixels, self._sides, self._generator), self._towers.preprocess)
        features, pictures = picture_features(model, seen.contiguous(memory_format=torch.channels_last))
        texts = text_rows(self._towers, self._shown, text)
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
        self.require_numbers((loss.detach(),))
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * share
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._learned, _CLIP_NORM)
        self._optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, _MOST_SCALE)
        return float(loss.detach())

    def require_numbers(self, values: Iterable[torch.Tensor] | None = None) -> None:
        """Refuse to go on where values, or without any the weights, are no numbers any more.

        Raises:
            ConfigError: Naming the step.
        """
        at = f"step {self._steps}"
        given = self._learned if values is None else values
        require_numbers(given, of="encoders.clip", at=at, rate=self._config.learning_rate)

    def _mode(self) -> None:
        self._towers.model.train()
        if self._towers.frozen_text:
            self._towers.model.text.transformer.eval()


def text_rows(towers: Towers, shown: Shown, texts: Ints) -> Any:
    """Return (b, d) what the text tower makes of texts, not brought to length 1."""
    import torch

    device = next(towers.model.parameters()).device
    if shown.trunk is not None:
        return towers.model.text.proj(shown.trunk[torch.from_numpy(texts)].to(device))
    words = [shown.examples.texts[at] for at in texts]
    return towers.model.encode_text(towers.tokenizer(words).to(device))


@contextmanager
def exact(config: ClipTrainingConfig) -> Iterator[None]:
    """Let torch compute the same inside the block every time; on a GPU it would refuse, and is let be."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(torch.device(config.device).type == "cpu")
    try:
        with torch_threads(config.threads):
            yield
    finally:
        torch.use_deterministic_algorithms(before)


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
