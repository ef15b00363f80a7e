"""Who competes: spaces of vectors by name, what made them, and the controls each is held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from eval.captions.cost import Cost
from eval.cells import shuffled

RANDOM = "random vectors"
RANDOM_WIDTH = 384


@dataclass(frozen=True, eq=False)
class Contender:
    """One space of vectors.

    Attributes:
        name: Of the space.
        captioner: Whose captions were embedded, with its model; None where the space holds no captions.
        prompt: First characters of the hash of what the captioner was asked; None where nothing was.
        embedder: Who made the vectors; None where they were brought along.
        stale: Whether the captions were made anew since they were embedded.
        cost: None where no job's report tells.
        learned_from: The (user id, item id) pairs of the log that its vectors know of: events it was trained on,
            reviews it was made of.
        learned_anew: Whether its vectors were learned from train rows alone, for this scoreboard.
    """

    name: str
    table: EmbeddingTable
    captioner: str | None = None
    prompt: str | None = None
    embedder: str | None = None
    stale: bool = False
    cost: Cost | None = None
    learned_from: frozenset[tuple[str, str]] = frozenset()
    learned_anew: bool = False

    def dealt(self, seed: int) -> EmbeddingTable:
        """Return its vectors on the wrong items."""
        return shuffled(self.table, seed)


def random_table(items: IdMap, seed: int) -> EmbeddingTable:
    """Return standard normal vectors for all items."""
    rng = np.random.default_rng(seed)
    return EmbeddingTable(items, rng.standard_normal((len(items), RANDOM_WIDTH), np.float32), RANDOM)
