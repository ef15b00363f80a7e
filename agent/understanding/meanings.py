"""Synonyms through sentence vectors: a "couch" is a "sofa" where the catalogue says sofa."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from agent.understanding.spelling import mashed
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import keys, singular
from catalog.vectors import Floats
from embedding.base import TextEmbedder


class MeaningsConfig(BaseModel):
    """How near a word must come to a value to stand for it; a wrong synonym hides items, a missed one does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(0.66, gt=0, le=1)
    """Least cosine between word and value. With MiniLM cup/mug is 0.71, trainers/sneakers 0.50."""

    margin: float = Field(0.08, ge=0, le=1)
    """How much nearer than the next value it must be."""

    values: int = Field(200, ge=0)
    """Most values that are embedded, the most frequent first. 0 switches synonyms off."""


class VectorMeanings:
    """Nearest facet value by sentence vector.

    Args:
        vocabulary: Whose values may be meant.
        embedder: Turns words into unit vectors.
        config: Thresholds.
    """

    def __init__(self, vocabulary: Vocabulary, embedder: TextEmbedder, config: MeaningsConfig | None = None) -> None:
        self._config = config or MeaningsConfig()
        self._known = vocabulary.meanings[: self._config.values]
        self._embedder = embedder
        self._table: Floats | None = None
        self._one = lru_cache(maxsize=4096)(self._nearest)

    def warm(self) -> None:
        """Embed the values now, so that the first shopper does not wait."""
        if self._table is None and self._known:
            self._table = self._embedder.embed([" ".join(keys(value)) for value, _ in self._known])

    def nearest(self, texts: Sequence[str]) -> list[Term | None]:
        """Return for each text the term it means, or None when nothing is near enough."""
        return [self._one(text) for text in texts]

    def _nearest(self, text: str) -> Term | None:
        self.warm()
        if self._table is None or mashed(text):
            return None
        scores = self._table @ self._embedder.embed([singular(text)])[0]
        order = np.argsort(-scores)[:2]
        best = float(scores[order[0]])
        second = float(scores[order[1]]) if len(order) > 1 else 0.0
        near = best >= self._config.threshold and best - second >= self._config.margin
        return self._known[int(order[0])][1] if near else None
