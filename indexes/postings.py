"""Term postings as flat arrays: which items carry a term, how strongly, and in which fields."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.mapped import mapped
from catalog.vectors import Floats
from indexes.fields import FIELDS
from indexes.words import terms as split

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]

_ARRAYS = ("starts", "rows", "weights", "fields")


@dataclass(frozen=True, eq=False)
class Postings:
    """Weights of every (term, item) pair, term by term, rows ascending within a term.

    Attributes:
        n_items: Rows there are.
        terms: Term -> column.
        starts: (n_terms + 1,) int64, where each term's pairs begin.
        rows: (n_pairs,) int64 item rows.
        weights: (n_pairs,) float32, what the term adds to the item's score.
        fields: (n_pairs,) uint8, bit f set when the term stands in `FIELDS[f]`.
    """

    n_items: int
    terms: Mapping[str, int]
    starts: Ints
    rows: Ints
    weights: Floats
    fields: Bits

    def columns(self, terms: Iterable[str]) -> Ints:
        """Return the distinct known columns of `terms`."""
        return np.array(sorted({self.terms[t] for t in terms if t in self.terms}), np.int64)

    def scores(self, columns: Ints) -> npt.NDArray[np.float64]:
        """Return the summed weights of `columns` for every item, (n_items,) float64."""
        total = np.zeros(self.n_items)
        for column in columns:
            pairs = slice(self.starts[column], self.starts[column + 1])
            total[self.rows[pairs]] += self.weights[pairs]  # rows are distinct within a term
        return total

    def entry(self, term: str, row: int) -> tuple[float, int] | None:
        """Return the weight and field bits of one pair, or None when the item lacks the term."""
        column = self.terms.get(term)
        if column is None:
            return None
        start, end = self.starts[column], self.starts[column + 1]
        place = start + np.searchsorted(self.rows[start:end], row)
        if place == end or self.rows[place] != row:
            return None
        return float(self.weights[place]), int(self.fields[place])

    def strongest(self, row: int, limit: int) -> Ints:
        """Return the columns of an item's `limit` heaviest terms."""
        pairs = np.flatnonzero(self.rows == row)
        heaviest = pairs[np.argsort(-self.weights[pairs], kind="stable")[:limit]]
        return np.sort(np.searchsorted(self.starts, heaviest, side="right") - 1)

    def save(self, folder: Path) -> None:
        """Write the arrays as `.npy` and the terms as Parquet."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        pl.DataFrame({"term": list(self.terms)}, schema={"term": pl.String}).write_parquet(folder / "terms.parquet")
        np.save(folder / "n_items.npy", np.array(self.n_items), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open what `save` wrote; the arrays are mapped."""
        arrays = {name: mapped(folder / f"{name}.npy") for name in (*_ARRAYS, "n_items")}
        terms = pl.read_parquet(folder / "terms.parquet")["term"].to_list()
        n_items = int(arrays.pop("n_items"))
        return cls(n_items, {term: column for column, term in enumerate(terms)}, **arrays)


@dataclass(frozen=True, eq=False)
class TermCounts:
    """Field-weighted term frequencies, before any scoring; attributes as in `Postings`.

    `frequencies` (n_pairs,) is the weighted count of the pair, `lengths` (n_items,) the weighted length.
    """

    terms: Mapping[str, int]
    starts: Ints
    rows: Ints
    frequencies: Floats
    fields: Bits
    lengths: Floats

    def weighted(self, k1: float, b: float) -> Postings:
        """Return postings whose weights are BM25's (see `keyword.KeywordIndex`)."""
        n = len(self.lengths)
        held = np.diff(self.starts)
        idf = np.log1p((n - held + 0.5) / (held + 0.5))
        mean = float(self.lengths.mean()) if n else 0.0
        norm = k1 * (1 - b + b * self.lengths / (mean or 1.0))
        tf = self.frequencies.astype(np.float64)
        weights = np.repeat(idf, held) * tf * (k1 + 1) / (tf + norm[self.rows])
        return Postings(n, self.terms, self.starts, self.rows, weights.astype(np.float32), self.fields)


def count_terms(texts: Iterable[Mapping[str, str]], weights: Mapping[str, float]) -> TermCounts:
    """Count the terms of every item's fields, each field as often as its weight says."""
    columns: dict[str, int] = {}
    term_of: list[int] = []
    row_of: list[int] = []
    frequency_of: list[float] = []
    bits_of: list[int] = []
    lengths: list[float] = []
    for row, fields in enumerate(texts):
        frequency: defaultdict[str, float] = defaultdict(float)
        bits: defaultdict[str, int] = defaultdict(int)
        length = 0.0
        for bit, name in enumerate(FIELDS):
            weight = weights.get(name, 0.0)
            if not weight or not fields[name]:
                continue
            counted = Counter(split(fields[name]))
            length += weight * counted.total()
            for term, count in counted.items():
                frequency[term] += weight * count
                bits[term] |= 1 << bit
        for term, weighted in frequency.items():
            term_of.append(columns.setdefault(term, len(columns)))
            row_of.append(row)
            frequency_of.append(weighted)
            bits_of.append(bits[term])
        lengths.append(length)
    order = np.argsort(np.array(term_of, np.int64), kind="stable")  # rows stay ascending within a term
    sizes = np.bincount(np.array(term_of, np.int64), minlength=len(columns))
    return TermCounts(
        columns,
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.array(row_of, np.int64)[order],
        np.array(frequency_of, np.float32)[order],
        np.array(bits_of, np.uint8)[order],
        np.array(lengths, np.float32),
    )
