"""Searches: the named words are blank, the named field is empty, the price is unknown.

Each item under test is put into the catalogue again as copies (as it is, without the evidence, without something else
of the same field); a search sees one of the copies at a time, in the item's stead. So all of them are indexed and
embedded alike, and at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from agent.explanation import Explained, Explainer
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords, tokens
from agent.handles import HandleBook
from agent.trace import ToolRun, jsonable
from catalog.items import Catalog
from catalog.nouns import Caption, Item
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable
from embedding.item_text import CATALOGUE_PARTS, item_text
from eval.explain.claims import GONE, Claim, Place, Trial, claims_of, place_of
from eval.explain.config import FaithfulnessConfig
from eval.explain.wording import Asked, Rng, texts_of, wishes, without
from indexes.base import Index
from indexes.flat import FlatIndex
from indexes.job import KEYWORD
from indexes.keyword import KeywordIndex
from tools.answers import answer
from tools.base import Shopper
from tools.pipeline.nouns import PipelineRequest, PipelineResult, Ranked
from tools.pipeline.run import run
from tools.shop import Shop
from tools.spaces import sees_look, takes_words


@dataclass(frozen=True)
class _Test:
    """A claim, with the ids of the copies it is put to the test by."""

    number: int
    asked: Asked
    claim: Claim
    item_id: str
    whole: str
    named: str
    other: str | None


class Wishes:
    """Takes evidence away from what searches found; the shopper is a stranger.

    Args:
        shop: Neither its events nor its indexes change.
        config: How many, how deep.
        now: When it is searched.
    """

    def __init__(self, shop: Shop, config: FaithfulnessConfig, now: datetime) -> None:
        self.shop, self.config, self.now = shop, config, now
        self._copies: list[tuple[Item, tuple[Caption, ...]]] = []
        self._fewer: dict[tuple[int, str], Mapping[str, Ranked]] = {}
        self._stood: dict[str, Place] = {}

    def trials(self, progress: Progress = SILENT) -> list[Trial]:
        """Return what came of every search."""
        rng = np.random.default_rng([self.config.seed, 3])
        pass
        tests: list[_Test] = []
        found: list[Trial] = []
        for number, asked in enumerate(wishes(self.shop, self.config.wishes, rng)):
            page = self._found(self.shop, asked, self.config.top_n)
            explained = self._explained(asked, page)
            found += self._by_retriever(number, asked, page, explained, rng)
            tests += self._by_words(number, asked, explained, rng)
        if not tests:
            progress.finish()
            return found
        shop, every = _with_copies(self.shop, self._copies), [item.item_id for item, _ in self._copies]
        for test in tests:
            found.append(self._trial(shop, every, test))
            progress.advance()
        progress.finish()
        return found

    def _by_words(self, number: int, asked: Asked, explained: Mapping[str, Explained], rng: Rng) -> Iterator[_Test]:
        said = tokens(asked.query)
        for item_id, told in explained.items():
            claims = list(claims_of(told, (), said))
            whole = self._copied(item_id, None, ()) if claims else ""
            for claim in claims:
                others = self._others(item_id, claim, said, rng)
                named = self._copied(item_id, claim, claim.value)
                other = self._copied(item_id, claim, others) if others else None
                yield _Test(number, asked, claim, item_id, whole, named, other)

    def _by_retriever(
        self, number: int, asked: Asked, page: PipelineResult, explained: Mapping[str, Explained], rng: Rng
    ) -> Iterator[Trial]:
        """Yield what became of items without the index that is said to have found them, or without another."""
        sources = list(page.trace.get("sources", ()))
        claims = [
            (i, c) for i, told in explained.items() for c in claims_of(told, sources, ()) if c.kind == "retriever"
        ]
        if not claims or page.blocking:
            return
        before = _places(self._found(self.shop, asked, self.config.depth))
        for item_id, claim in claims:
            others = [name for name in sources if name != claim.name]
            control = (str(rng.choice(others)),) if others else ()
            after = [self._without_index(number, asked, name) for name in (claim.name, *control)]
            places = [place_of(found, item_id) for found in after]
            yield Trial(number, item_id, claim, place_of(before, item_id), places[0], places[1] if places[1:] else None)

    def _without_index(self, number: int, asked: Asked, name: str) -> Mapping[str, Ranked]:
        key = (number, name)
        if key not in self._fewer:
            fewer = {each: index for each, index in self.shop.indexes.items() if each != name}
            self._fewer[key] = _places(self._found(replace(self.shop, indexes=fewer), asked, self.config.depth))
        return self._fewer[key]

    def _found(self, shop: Shop, asked: Asked, top_n: int, exclude: Sequence[str] = ()) -> PipelineResult:
        request = PipelineRequest(
            Shopper(), self.now, "search", asked.query, asked.filters, exclude=tuple(exclude), top_n=top_n,
            reach=self.config.reach(self.shop),
        )  # fmt: skip
        return run(shop, request, ())

    def _explained(self, asked: Asked, page: PipelineResult) -> Mapping[str, Explained]:
        request = PipelineRequest(Shopper(), self.now, "search", asked.query, asked.filters)
        told = answer("search_items", request, page)
        arguments = {"query": asked.query, "filters": asked.filters.model_dump(mode="json")}
        ids = tuple(each.item_id for each in told.candidates)
        call = ToolRun("search_items", arguments, items=ids, facts=told.facts, trace=jsonable(told.trace))
        catalog = self.shop.catalog
        grounds = Grounds(catalog, self.shop.captions, HandleBook(catalog), ShopWords.of(Catalog([])))
        grounds.heard(asked.query)
        return Explainer(grounds).explain(ids, call)

    def _copied(self, item_id: str, claim: Claim | None, words: Sequence[str]) -> str:
        item, captions = self.shop.catalog[item_id], self.shop.captions.get(item_id, ())
        if claim is not None:
            item, captions = without(item, captions, claim, words)
        name = f"{item_id}~{len(self._copies)}"
        self._copies.append((replace(item, item_id=name, parent_id=None), captions))
        return name

    def _others(self, item_id: str, claim: Claim, said: Sequence[str], rng: Rng) -> tuple[str, ...]:
        """Return as many words of the same fields that nobody asked for."""
        if claim.kind == "price":
            return ()
        item, captions = self.shop.catalog[item_id], self.shop.captions.get(item_id, ())
        words = tokens(" ".join(texts_of(item, captions, claim)))
        left = [word for word in dict.fromkeys(words) if len(word) > 2 and word not in said]
        many = min(len(claim.value), len(left))
        return tuple(str(each) for each in rng.choice(left, many, replace=False)) if many else ()

    def _trial(self, shop: Shop, every: Sequence[str], test: _Test) -> Trial:
        def place(copy: str) -> Place:
            if copy not in self._stood:
                gone = [each for each in (*every, test.item_id) if each != copy]
                found = self._found(shop, test.asked, self.config.depth, gone)
                # Where nothing else fits, the nearest are given without the constraint: it no longer answers the wish.
                self._stood[copy] = GONE if found.blocking else place_of(_places(found), copy)
            return self._stood[copy]

        other = None if test.other is None else place(test.other)
        return Trial(test.number, test.item_id, test.claim, place(test.whole), place(test.named), other)


def _places(result: PipelineResult) -> dict[str, Ranked]:
    return {each.item_id: each for each in result.ranked}


def _with_copies(shop: Shop, copies: Sequence[tuple[Item, tuple[Caption, ...]]]) -> Shop:
    catalog = Catalog([*shop.catalog, *(item for item, _ in copies)])
    captions = {**shop.captions, **{item.item_id: told for item, told in copies}}
    ids = Catalog([item for item, _ in copies]).ids
    spaces: dict[str, EmbeddingTable] = {}
    for name, table in shop.spaces.items():
        if not takes_words(shop, name):
            continue
        parts = ("captions",) if sees_look(name) else CATALOGUE_PARTS
        vectors = shop.embedder.embed([item_text(item, told, parts=parts) for item, told in copies])
        spaces[name] = EmbeddingTable(
            Catalog([*(shop.catalog[each] for each in table.ids), *(item for item, _ in copies)]).ids,
            np.concatenate([table.vectors, vectors]),
            table.space,
        )
    indexes: dict[str, Index] = {name: FlatIndex.build(table) for name, table in spaces.items()}
    if KEYWORD in shop.indexes:
        indexes[KEYWORD] = KeywordIndex.build(catalog, captions)
    assert len(ids) == len(copies)
    return replace(
        shop, catalog=catalog, captions=captions, spaces=spaces, indexes=indexes, recommender=None, retrievers={},
        ranker=None, ctr=None, scorers={}, statistics=None, further={},
    )  # fmt: skip
