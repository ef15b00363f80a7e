"""A text embedder that remembers: the same words again and again, of a vocabulary that hardly changes, cost nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from catalog.vectors import Floats
from embedding.base import TextEmbedder
from embedding.tokens import TokenCounter


class RememberedTexts(TextEmbedder):
    """Passes new texts on and answers known ones from memory; those asked for longest ago are forgotten first.

    Args:
        embedder: Who knows.
        limit: Texts that are remembered.
    """

    def __init__(self, embedder: TextEmbedder, limit: int = 20_000) -> None:
        self.name, self.model, self.dim = embedder.name, embedder.model, embedder.dim
        self._embedder, self._limit = embedder, limit
        self._known: OrderedDict[str, Floats] = OrderedDict()

    def embed(self, texts: Sequence[str]) -> Floats:
        """See `TextEmbedder.embed`."""
        found = {text: vector for text in texts if (vector := self._known.get(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found |= zip(new, self._embedder.embed(new), strict=True)
            self._known.update((text, found[text]) for text in new)
            while len(self._known) > self._limit:
                self._known.popitem(last=False)
        return np.stack([found[text] for text in texts]) if texts else np.empty((0, self.dim), np.float32)

    def embed_queries(self, texts: Sequence[str]) -> Floats:
        """See `TextEmbedder.embed_queries`; what shoppers ask is not remembered."""
        return self._embedder.embed_queries(texts)

    def counter(self) -> TokenCounter | None:
        """See `TextEmbedder.counter`."""
        return self._embedder.counter()
