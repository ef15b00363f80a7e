"""Recommendations: an event never happened, a retriever proposes nothing, a feature stands at its reference.

Shoppers are the log's own, come back under ids that neither the model nor the statistics know, with their events as
live ones: what a newcomer did since the last training. Only so can an event be taken away without fitting everything
anew, and the whole pipeline runs as it serves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import numpy as np
import polars as pl

from agent.explanation import Explained, Explainer
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.trace import ToolRun, jsonable
from catalog.items import Catalog
from catalog.nouns import Interaction, Kind
from catalog.progress import SILENT, Progress
from eval.explain.claims import Claim, Place, Trial, claims_of, place_of
from eval.explain.config import FaithfulnessConfig
from models.feature_table import FeatureTable
from tools.answers import answer, ranked_trace
from tools.base import Shopper
from tools.because import Because, because
from tools.evidence import evidence_of, holding
from tools.pipeline.nouns import PipelineRequest, PipelineResult, Ranked
from tools.pipeline.run import run
from tools.shop import Shop

Rng = np.random.Generator

NAMED_FEATURES = 3
"""Features that an explanation names first."""


Without = dict[str, Mapping[str, Ranked]]


@dataclass(frozen=True)
class _Listed:
    """One shopper's list: what they did, and what they get, by item."""

    number: int
    events: tuple[Interaction, ...]
    result: PipelineResult

    @property
    def shopper(self) -> Shopper:
        """Somebody whom neither model nor statistics know."""
        return Shopper(f"faithfulness-{self.number}")


class Histories:
    """Takes evidence away from recommendations.

    Args:
        shop: Its events are neither read nor written.
        log: The catalogue's log, where the shoppers come from.
        config: How many, how deep.
    """

    def __init__(self, shop: Shop, log: pl.DataFrame, config: FaithfulnessConfig) -> None:
        self.shop = shop
        self.config = config
        latest = log["timestamp"].max()
        assert isinstance(latest, datetime)
        self.now = latest + config.pause
        self._log = log
        self._fewer: dict[str, Shop] = {}

    def trials(self, progress: Progress = SILENT) -> list[Trial]:
        """Return what came of every shopper's list."""
        rng = np.random.default_rng([self.config.seed, 1])
        found: list[Trial] = []
        progress.start("recommendations without their evidence", self.config.shoppers)
        for number, events in enumerate(shoppers(self._log, self.config, rng)):
            found += self._of_shopper(number, events, np.random.default_rng([self.config.seed, 2, number]))
            progress.advance()
        progress.finish()
        return found

    def _of_shopper(self, number: int, events: tuple[Interaction, ...], rng: Rng) -> Iterator[Trial]:
        listed = self._listed(self.shop, number, events)
        request, page = self._request(number, self.config.top_n), self._page(listed)
        held = because(self.shop, request, page, past=events, tried=self.config.tried)
        explained = self._explained(listed, held)
        every = [ranked_trace(each, held) for each in listed.result.ranked]
        sources = listed.result.trace["sources"]
        without: Without = {}
        for ranked, entry in zip(page.ranked, every, strict=False):
            claims = list(claims_of(explained[ranked.item_id], sources, ()))
            evidence = evidence_of(self.shop, entry, proposed=sources, others=every)
            claims += [Claim("feature", name) for name in holding(evidence["features"], NAMED_FEATURES)]
            for claim in claims:
                named = {c.value[0] if c.value else c.name for c in claims if c.kind == claim.kind}
                yield self._trial(listed, ranked, claim, named, without, rng)

    def _trial(
        self, listed: _Listed, ranked: Ranked, claim: Claim, named: set[str], without: Without, rng: Rng
    ) -> Trial:
        if claim.kind == "feature":
            others = [name for name in self._features(ranked) if name not in named]
            told = [self._at_reference(listed, ranked, name) for name in (claim.name, *_one(others, rng))]
            return Trial(listed.number, ranked.item_id, claim, told[0][0], told[0][1], told[1][1] if told[1:] else None)
        if claim.kind == "retriever":
            others = [name for name in listed.result.trace["sources"] if name not in named]
            pairs = [
                self._without_retriever(listed, ranked, name, without) for name in (claim.name, *_one(others, rng))
            ]
        else:
            others = sorted({e.item_id for e in listed.events} - named - {ranked.item_id})
            gone = (*claim.value[:1], *_one(others, rng))
            pairs = [self._without_event(listed, ranked, item, without) for item in gone]
        (before, after), other = pairs[0], pairs[1] if pairs[1:] else None
        # Ranks are counted among what both lists may hold, so each removal has a place before of its own.
        return Trial(
            listed.number, ranked.item_id, claim, before, after, None if other is None else _shifted(before, *other)
        )

    def _request(self, number: int, top_n: int) -> PipelineRequest:
        shopper = Shopper(f"faithfulness-{number}")
        return PipelineRequest(shopper, self.now, "recommend", top_n=top_n, reach=self.config.reach(self.shop))

    def _listed(self, shop: Shop, number: int, events: tuple[Interaction, ...], gone: str = "") -> _Listed:
        request = replace(self._request(number, self.config.depth), exclude=(gone,) if gone else ())
        return _Listed(number, events, run(shop, request, events))

    def _page(self, listed: _Listed) -> PipelineResult:
        return replace(listed.result, ranked=listed.result.ranked[: self.config.top_n])

    def _explained(self, listed: _Listed, held: Mapping[str, tuple[Because, ...]]) -> Mapping[str, Explained]:
        page = self._page(listed)
        told = answer("recommend_items", self._request(listed.number, self.config.top_n), page, because=held)
        ids = [each.item_id for each in page.ranked]
        call = ToolRun("recommend_items", {}, items=tuple(ids), facts=told.facts, trace=jsonable(told.trace))
        catalog = self.shop.catalog
        grounds = Grounds(catalog, self.shop.captions, HandleBook(catalog), ShopWords.of(Catalog([])))
        return Explainer(grounds).explain(ids, call)

    def _without_event(self, listed: _Listed, ranked: Ranked, gone: str, without: Without) -> tuple[Place, Place]:
        """Return the place of an item among all but `gone`, before and after the shopper had to do with that."""
        key = f"event {gone}"
        if key not in without:
            rest = tuple(event for event in listed.events if event.item_id != gone)
            without[key] = _places(self._listed(self.shop, listed.number, rest, gone).result, gone)
        return place_of(_places(listed.result, gone), ranked.item_id), place_of(without[key], ranked.item_id)

    def _without_retriever(self, listed: _Listed, ranked: Ranked, name: str, without: Without) -> tuple[Place, Place]:
        key = f"retriever {name}"
        if key not in without:
            if name not in self._fewer:
                self._fewer[name] = _without_source(self.shop, list(listed.result.trace["sources"]), name)
            without[key] = _places(self._listed(self._fewer[name], listed.number, listed.events).result)
        return place_of(_places(listed.result), ranked.item_id), place_of(without[key], ranked.item_id)

    def _features(self, ranked: Ranked) -> list[str]:
        names = self.shop.ranker.names if self.shop.ranker is not None else ()
        return [name for name in names if name in ranked.features]

    def _at_reference(self, listed: _Listed, ranked: Ranked, name: str) -> tuple[Place, Place]:
        """Return the item's place by the ranker alone, as it is and with one feature at the median of the list."""
        ranker = self.shop.ranker
        assert ranker is not None
        rows = [each for each in listed.result.ranked if "ranker" in each.features]
        values = np.array([[each.features.get(n, np.nan) for n in ranker.names] for each in rows], np.float32)
        at, column = rows.index(ranked), ranker.names.index(name)
        changed = values.copy()
        known = values[:, column][~np.isnan(values[:, column])]
        changed[at, column] = np.median(known) if len(known) else np.nan
        ids = tuple(each.item_id for each in rows)
        before, after = (ranker.score(FeatureTable(ranker.names, ids, table)) for table in (values, changed))
        return _placed(before, at), _placed(after, at)


def _places(result: PipelineResult, gone: str = "") -> dict[str, Ranked]:
    """Return a list by item, ranks counted without `gone`."""
    rest = [each for each in result.ranked if each.item_id != gone]
    return {each.item_id: replace(each, rank=rank) for rank, each in enumerate(rest, start=1)}


def _shifted(before: Place, mine: Place, after: Place) -> Place:
    """Return where the control leaves an item, told against the same place before as the evidence is."""
    if after.rank is None or before.rank is None or mine.rank is None:
        return after
    return Place(before.rank + after.rank - mine.rank, before.score + after.score - mine.score)


def _placed(scores: np.ndarray[tuple[int], np.dtype[np.float32]], at: int) -> Place:
    return Place(1 + int((scores > scores[at]).sum()), float(scores[at]))


def _one(others: Sequence[str], rng: Rng) -> tuple[str, ...]:
    return (str(rng.choice(list(others))),) if others else ()


def _without_source(shop: Shop, sources: Sequence[str], name: str) -> Shop:
    """Return the shop with every source of a list but one."""
    quotas = shop.pipeline.retrievers
    kept = {
        each: quotas.get(each, quotas.get(each.split(":", 1)[0], shop.pipeline.pool))
        for each in sources
        if each != name
    }
    return replace(shop, pipeline=shop.pipeline.model_copy(update={"retrievers": kept}))


def shoppers(log: pl.DataFrame, config: FaithfulnessConfig, rng: Rng) -> Iterator[tuple[Interaction, ...]]:
    """Yield the events of shoppers with enough of a past and not too much of it, oldest first."""
    done = log.filter(pl.col("kind") != "impression").sort("timestamp", maintain_order=True)
    counts = done.group_by("user_id").agg(pl.col("item_id").n_unique().alias("n"))
    low, high = config.events
    users = counts.filter(pl.col("n").is_between(low, high))["user_id"].sort().to_list()
    for at in rng.permutation(len(users))[: config.shoppers].tolist():
        rows = done.filter(pl.col("user_id") == users[at]).iter_rows(named=True)
        yield tuple(
            Interaction(
                str(row["event_id"]), users[at], row["item_id"], row["timestamp"], cast(Kind, row["kind"]),
                value=row["value"],
            )
            for row in rows
        )  # fmt: skip
