"""Keyword search: BM25 over weighted fields, as one sparse matrix."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.id_files import read_ids
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.nouns import Candidate, Caption
from catalog.vectors import Mask
from indexes.base import Query
from indexes.fields import FIELDS, item_fields
from indexes.postings import Postings, count_terms
from indexes.ranking import best, check
from indexes.words import words


class KeywordConfig(BaseModel):
    """How words are weighed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k1: float = Field(1.2, ge=0)
    """How soon a repeated word stops adding; changes results."""
    b: float = Field(0.75, ge=0, le=1)
    """How much long texts are held back; changes results."""
    weights: Mapping[str, float] = {
        "title": 3.0, "brand": 2.0, "categories": 2.0, "attributes": 1.5, "description": 1.0, "captions": 0.7,
    }  # fmt: skip
    """How many times a word of each field counts; a field left out is not searched."""
    like_terms: int = Field(25, ge=1)
    """Strongest terms of an item that stand for it when searching by item id."""


@dataclass(frozen=True, slots=True)
class TermMatch:
    """A word of the wish that stands in an item: as written, the fields it stands in, what it adds to the score."""

    word: str
    fields: tuple[str, ...]
    weight: float


class KeywordIndex:
    """BM25 with weighted fields (simple BM25F) and the always positive idf.

    `tf = sum_f w_f tf_f`, `len = sum_f w_f len_f`, `idf = ln(1 + (N - df + 0.5) / (df + 0.5))`,
    `score = sum_t idf * tf (k1 + 1) / (tf + k1 (1 - b + b len / mean len))`. A word said twice in a
    wish counts once. Items that share no term with the wish are never returned.

    Source: Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (2004).
    """

    name = "keyword"

    def __init__(self, items: IdMap, postings: Postings, config: KeywordConfig) -> None:
        self.items = items
        self.config = config
        self._postings = postings

    @classmethod
    def build(
        cls,
        catalog: Catalog,
        captions: Mapping[str, Iterable[Caption]] | None = None,
        config: KeywordConfig | None = None,
    ) -> Self:
        """Index every item's words and, where given, what was read from its media."""
        config = config or KeywordConfig()
        texts = (item_fields(item, (captions or {}).get(item.item_id, ())) for item in catalog)
        counts = count_terms(texts, config.weights)
        return cls(catalog.ids, counts.weighted(config.k1, config.b), config)

    def search(self, query: Query, k: int, *, allowed: Mask | None = None) -> list[Candidate]:
        """Return up to `k` items that share a term with the query; see `indexes.base.Index.search`."""
        kind = check(query, k, ("text", "item_id"), self.name, allowed, len(self.items))
        if kind == "item_id":
            own = self.items.row(str(query.item_id))
            columns = self._postings.strongest(own, self.config.like_terms)
        else:
            own = None
            columns = self._postings.columns(term for term, _ in words(str(query.text)))
        scores = self._postings.scores(columns)
        if allowed is not None:
            scores[~allowed] = 0
        if own is not None:
            scores[own] = 0
        found = np.flatnonzero(scores > 0)
        order: npt.NDArray[np.int64] = found[best(scores[found], k)]
        return [Candidate(self.items.ids[row], float(scores[row]), self.name) for row in order]

    def matched_terms(self, text: str, item_id: str) -> tuple[TermMatch, ...]:
        """Return which words of `text` stand in an item, in the order written, for explanations.

        Raises:
            NotFoundError: When the item is not indexed.
        """
        row = self.items.row(item_id)
        found: dict[str, TermMatch] = {}
        for term, word in words(text):
            entry = self._postings.entry(term, row)
            if entry is not None and term not in found:
                weight, bits = entry
                fields = tuple(name for bit, name in enumerate(FIELDS) if bits >> bit & 1)
                found[term] = TermMatch(word, fields, weight)
        return tuple(found.values())

    def known_terms(self, text: str) -> frozenset[str]:
        """Return the search terms of `text` that some item has."""
        return frozenset(term for term, _ in words(text) if term in self._postings.terms)

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """Return the words of `text` that no item has, as written: what the shop has no word for."""
        return tuple(dict.fromkeys(word for term, word in words(text) if term not in self._postings.terms))

    def save(self, folder: Path) -> None:
        """Write the postings as `.npy`, ids and terms as Parquet, the configuration as JSON."""
        self._postings.save(folder)
        pl.DataFrame({"item_id": list(self.items)}, schema={"item_id": pl.String}).write_parquet(folder / "ids.parquet")
        (folder / "index.json").write_text(json.dumps(self.config.model_dump()), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        config = KeywordConfig(**json.loads((folder / "index.json").read_text(encoding="utf-8")))
        return cls(read_ids(folder / "ids.parquet"), Postings.load(folder), config)
