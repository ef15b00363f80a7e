"""`IntentWords`: words of intents as TF-IDF vectors, the same for shoppers and items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy import sparse

from captioning.intents.language import english, tokens
from captioning.intents.vocabulary import stem
from catalog.vectors import Floats

Rows = Sequence[Sequence[str]]


def intent_words(text: str) -> list[str]:
    """Return the stems of a text without the words that hold a sentence together, in order.

    Example:
        >>> intent_words("how easy it is to clean the polka dots")
        ['easy', 'clean', 'polka', 'dot']
    """
    return list(_stems(text))


@lru_cache(maxsize=1 << 16)
def _stems(text: str) -> tuple[str, ...]:
    # Shoppers repeat themselves: most values are met thousands of times.
    function = english().function
    words = (token.word for token in tokens(text))
    return tuple(stem(word) for word in words if word[0].isalnum() and word not in function)


@dataclass(frozen=True, eq=False)
class IntentWords:
    """A vocabulary with weights.

    Attributes:
        words: Column j is `words[j]`.
        weights: (w,) float32, `log(n_rows / rows that have it)`.
    """

    words: tuple[str, ...]
    weights: Floats

    @classmethod
    def of(cls, rows: Rows, *, least: int = 1) -> IntentWords:
        """Return the words of rows of stems, those of fewer than `least` rows or of all rows left out."""
        counts = Counter(word for row in rows for word in set(row))
        kept = tuple(sorted(word for word, n in counts.items() if least <= n < max(len(rows), 2)))
        return cls(kept, np.asarray([np.log(len(rows) / counts[word]) for word in kept], np.float32))

    def vectors(self, rows: Rows, amounts: Iterable[float] | None = None) -> sparse.csr_array:
        """Return rows of stems as vectors (n, w) float32: one more than the log of a count, by weight.

        Args:
            rows: Stems; unknown ones count nothing.
            amounts: What a row is multiplied with; None: 1.
        """
        cells = [
            (row, self._columns[word], 1 + np.log(count))
            for row, found in enumerate(rows)
            for word, count in Counter(found).items()
            if word in self._columns
        ]
        at, columns, values = np.asarray(cells, np.float64).reshape(-1, 3).T
        table = sparse.csr_array(
            (values, (at.astype(np.int64), columns.astype(np.int64))), shape=(len(rows), len(self.words))
        )
        scale = np.ones(len(rows)) if amounts is None else np.asarray(list(amounts), np.float64)
        found = sparse.diags_array(scale) @ table @ sparse.diags_array(self.weights.astype(np.float64))
        return sparse.csr_array(found).astype(np.float32)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {word: at for at, word in enumerate(self.words)}


def unit(table: sparse.csr_array) -> sparse.csr_array:
    """Return rows of length 1; a row of zeros stays zeros."""
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1))).ravel()
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ table).astype(np.float32)
