"""The pipeline's door: a request to a ranked page with an account of how it came about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from catalog.ids import Rows
from catalog.nouns import Interaction
from catalog.vectors import Floats, Mask
from tools.experiment import arm_for
from tools.pipeline.agreement import agreed_scores
from tools.pipeline.business import pinned, ruled
from tools.pipeline.config import PipelineConfig
from tools.pipeline.exploration import explored, new_rows, urns
from tools.pipeline.factor_taste import FactorTaste
from tools.pipeline.nouns import Ground, PipelineRequest, PipelineResult
from tools.pipeline.page import ranked_page
from tools.pipeline.pool import Pool, Proposed, Reach, united
from tools.pipeline.rerank import Reranked, reranked
from tools.pipeline.retrieve import for_shopper, for_wish, weights_for
from tools.pipeline.rules import Allowed, allowed_rows
from tools.pipeline.score import by_fusion, by_relevance, relevant
from tools.pipeline.select import diversified, sifted
from tools.pipeline.settled import Counts, known_rows, named_values, settled
from tools.pipeline.sorting import browsed, by_price_distance, sorted_by
from tools.pipeline.taste_scores import TasteScores, taste_at_hand
from tools.pipeline.trace import Trace
from tools.pipeline.wish import taste_vectors, wish_vectors
from tools.relaxation import Blocking
from tools.shop import Shop
from tools.taste import Taste, past_events, taste_of


@dataclass
class _State:
    """What the stages hand on; local to one run."""

    shop: Shop
    request: PipelineRequest
    config: PipelineConfig
    trace: Trace
    taste: Taste
    allowed: Allowed
    past: Sequence[Interaction]
    degraded: list[str] = field(default_factory=list)

    @property
    def mask(self) -> Mask:
        """Rows that may be shown."""
        return self.allowed.mask

    @cached_property
    def named(self) -> Counts | None:
        """How many of the values it names each item has (n_items,), where those and filters are all of the wish."""
        return named_values(self.shop, self.request)

    @cached_property
    def aside(self) -> Rows:
        """Rows that may be shown after all others: what the shopper knows, where filters say all there is to a wish."""
        return known_rows(self.shop, self.taste, self.mask) if self.named is not None else np.empty(0, np.int64)

    @cached_property
    def last(self) -> Rows:
        """Rows that stand behind all others: `aside`, and of the candidates what the shopper's words speak against."""
        return np.union1d(self.aside, self.request.barred) if self.named is not None else self.aside

    @property
    def reach(self) -> Reach:
        """What each source may propose, and how much of it."""
        enough = max(self.config.pool, 3 * (self.request.offset + self.request.top_n))
        mask = self.mask.copy() if len(self.aside) else self.mask
        mask[self.aside] = False
        return Reach(mask, self.request.reach or enough)


@dataclass(frozen=True)
class _Found:
    """Scored candidates, best first, and what their order rests on."""

    scored: Pool
    ground: Ground
    lists: Mapping[str, Proposed]
    nearest: bool = False
    reranked: Reranked | None = None
    wishes: Mapping[str, Floats] = field(default_factory=dict)
    taste: TasteScores | FactorTaste | None = None


def run(shop: Shop, request: PipelineRequest, past: Sequence[Interaction] | None = None) -> PipelineResult:
    """Retrieve, unite, rank, diversify.

    A wish (query, examples, vectors) is answered by relevance, in which taste has a small share; without
    one, by the shopper's taste, and for a shopper nobody knows by popularity, which `ground` then says.
    When nothing passes, `blocking` names the constraint to give up and the page holds the nearest.

    Args:
        shop: Open.
        request: What is wanted.
        past: The shopper's events, oldest first, to go by in place of those in the store (what if they had done less?).

    Raises:
        NotFoundError: When an example or an `only` is not in the catalogue.
        ToolRetry: When the sort is not possible in this shop.
    """
    shop = arm_for(shop, request.shopper)
    trace = Trace()
    with trace.stage("shopper") as note:
        past = past_events(request.shopper, shop.events, request.now) if past is None else past
        taste = taste_of(shop, request.shopper, request.now, past)
        note.update(liked=len(taste.liked), disliked=len(taste.disliked), owned=len(taste.owned))
    with trace.stage("filter") as note:
        allowed = _only(shop, request.only) if request.only is not None else allowed_rows(shop, request, taste)
        note.update(left=int(np.count_nonzero(allowed.mask)), hidden=allowed.hidden)
    state = _State(shop, request, shop.pipeline, trace, taste, allowed, past)
    found = _ordered(state, _found(state))
    recommends = found.ground not in ("query", "example", "catalogue") and request.only is None
    house: dict[str, str] = {}
    if shop.pipeline.rules and recommends:
        with trace.stage("rules") as note:
            after = ruled(shop, found.scored)
            found, house = replace(found, scored=after.pool), dict(after.drops)
            note.update(moved=dict(after.moved), dropped=len(house))
    with trace.stage("select") as note:
        available = request.filters.available is not None or _gives_up_stock(allowed)
        keeps_all = request.only is not None
        sieve = sifted(
            shop,
            found.scored,
            drop_unavailable=not (available or keeps_all),
            one_a_parent=not keeps_all,
            depth=request.offset + request.top_n,
        )
        kept = sieve.kept
        if recommends and allowed.blocking is None:
            behind = int(np.isin(kept.rows, state.last).sum()) if len(state.last) else 0
            kept = diversified(shop, kept, request.offset + request.top_n, state.config, among=len(kept) - behind)
        if recommends and any(rule.do == "pin" for rule in state.config.rules):
            kept, placed = pinned(shop, kept, allowed.mask)
            note.update(pinned=placed)
        note.update(kept=len(kept), dropped=len(sieve.drops))
    if recommends and allowed.blocking is None:
        kept = _explored(state, kept, found.taste)
    with trace.stage("explain"):
        page = ranked_page(shop, request, taste, kept, found.reranked)
    trace.notes.update(
        sources={name: len(candidates) for name, candidates in found.lists.items()},
        drops=dict(list({**house, **sieve.drops}.items())[:50]),
        dropped=dict(Counter(why.split(" of ")[0] for why in {**house, **sieve.drops}.values())),
        degraded=state.degraded,
    )
    keyword = shop.words
    return PipelineResult(
        ranked=page,
        total=len(kept),
        ground=found.ground,
        blocking=_counted(state, len(kept)),
        nearest=allowed.blocking is not None or found.nearest,
        unknown_words=keyword.unknown_words(request.query) if keyword and request.query else (),
        unavailable=sieve.unavailable[: request.top_n],
        variants={each.item_id: sieve.variants[each.item_id] for each in page if each.item_id in sieve.variants},
        wishes=found.wishes,
        trace=trace.as_dict(),
    )


def _explored(state: _State, kept: Pool, taste: TasteScores | FactorTaste | None) -> Pool:
    """Draw the exploration slots of the first page, where the request can be logged."""
    request, config = state.request, state.config.exploration
    if not config.share or request.request_id is None or request.offset or request.mode != "recommend":
        return kept
    with state.trace.stage("explore") as note:
        pins = {rule.place for rule in state.config.rules if rule.do == "pin"}
        config = config.model_copy(update={"slots": tuple(slot for slot in config.slots if slot not in pins)})
        none = np.empty(0, np.int64)
        fresh = new_rows(state.shop, kept, state.mask, taste.at) if config.new_share and taste is not None else none
        drawn_from = urns(kept, fresh, request.top_n, config)
        kept = explored(kept, drawn_from, request.request_id, config)
        note.update(slots=[urn.place + 1 for urn in drawn_from], candidates=[len(urn.rows) for urn in drawn_from])
    return kept


def _found(state: _State) -> _Found:
    request = state.request
    if not state.mask.any():
        return _Found(Pool.of_rows(np.empty(0, np.int64)), "catalogue", {})
    if request.wishes:
        return _for_wish(state)
    if request.sort != "relevance":
        return _Found(browsed(state.shop, state.mask, request.sort, state.reach.k), "catalogue", {})
    return _for_shopper(state)


def _for_wish(state: _State) -> _Found:
    shop, request, config = state.shop, state.request, state.config
    with state.trace.stage("retrieve"):
        wishes = wish_vectors(shop, request, config, state.degraded)
        lists = for_wish(shop, request, wishes, state.reach)
    with state.trace.stage("unite") as note:
        fused = _completed(state, united(lists, request.weights))
        note.update(candidates=len(fused))
    with state.trace.stage("rank"):
        scores = _personal(state)
        share = config.taste_share if state.named is None else config.settled_taste
        relevance = _united(state, fused, wishes)
        scored = by_relevance(shop, fused, wishes, scores, config, taste_share=share, relevance=relevance)
    best = float(scored.features["cosine"].max()) if len(scored) else 0.0
    shares_words = bool(len(scored)) and bool(scored.features["words"].any())
    # How near is near was learned for words alone.
    nearest = bool(request.query) and not request.vectors and not shares_words and best < config.min_cosine
    return _Found(scored, "query" if request.query else "example", lists, nearest, wishes=wishes)


def _united(state: _State, fused: Pool, wishes: Mapping[str, Floats]) -> Floats | None:
    """Return how well each candidate of a wish of several media answers, (n,); None where words are all there is."""
    request = state.request
    if not request.vectors:
        return None
    if request.unite == "scores":
        return agreed_scores(state.shop, fused, wishes, request.weights)
    best = float(fused.score.max(initial=0.0)) or 1.0
    return np.asarray(fused.score / best, np.float32)


def _counted(state: _State, kept: int) -> Blocking | None:
    """Return what blocks; with a wish, what counts is how many items would answer it."""
    blocked = state.allowed.blocking
    return blocked if blocked is None or not state.request.query else replace(blocked, relaxed=kept)


def _for_shopper(state: _State) -> _Found:
    shop = state.shop
    with state.trace.stage("retrieve"):
        scores = taste_at_hand(shop, state.request.shopper, state.taste)
        tastes = _liked_vectors(state)
        lists = for_shopper(shop, state.taste, state.request.shopper.user_id, scores, tastes, state.reach)
    with state.trace.stage("unite") as note:
        fused = _completed(state, united(lists, weights_for(lists)))
        note.update(candidates=len(fused))
    with state.trace.stage("rank") as note:
        order = reranked(shop, state.request, state.taste, lists, by_fusion(fused, scores), state.past, scores.plain)
        note.update(ranker=order.table is not None)
    ground: Ground = "session" if tastes and scores.ground == "popularity" else scores.ground
    return _Found(order.scored, ground, lists, reranked=order, taste=scores)


def _ordered(state: _State, found: _Found) -> _Found:
    """Apply an explicit sort, or, when the price was given up, the distance to it."""
    shop, request, blocked = state.shop, state.request, state.allowed.blocking
    by_distance = blocked is not None and blocked.field == "price" and request.filters.price is not None
    if request.sort == "relevance" and blocked is None:
        if state.named is None:
            return found
        return replace(found, scored=settled(found.scored, state.named, state.last))
    with state.trace.stage("sort"):
        about = relevant(shop, found.scored, request.query, state.config) if request.wishes else found.scored
        if request.sort != "relevance":
            about = sorted_by(shop, about, request.sort)
        elif by_distance and request.filters.price is not None:
            about = by_price_distance(shop, about, request.filters.price)
    return replace(found, scored=about)


def _personal(state: _State) -> TasteScores | FactorTaste | None:
    """Taste, where anything is known of the shopper; strangers get what was asked for, and nothing else."""
    return None if state.taste.empty else taste_at_hand(state.shop, state.request.shopper, state.taste)


def _liked_vectors(state: _State) -> Mapping[str, Floats]:
    taste = state.taste
    return taste_vectors(state.shop, taste.liked, sorted(taste.disliked), state.config) if taste.liked else {}


def _completed(state: _State, fused: Pool) -> Pool:
    """Add what no source proposed: with `only`, everything asked about, else what was named or stands aside."""
    if state.request.only is not None:
        return fused.joined(np.setdiff1d(np.flatnonzero(state.mask), fused.rows))
    if state.named is None:
        return fused
    named = np.flatnonzero((state.named > 0) & state.mask)
    return fused.joined(np.setdiff1d(np.union1d(named, state.aside), fused.rows))


def _only(shop: Shop, item_ids: Sequence[str]) -> Allowed:
    mask = np.zeros(len(shop.catalog), np.bool_)
    mask[shop.catalog.ids.rows(list(item_ids))] = True
    return Allowed(mask, None, {})


def _gives_up_stock(allowed: Allowed) -> bool:
    """Whether all that fits is out of stock, so that the nearest are just that."""
    blocked = allowed.blocking
    return blocked is not None and "available" in (blocked.field, *blocked.also)
