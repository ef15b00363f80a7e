"""What goes into the pipeline and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from catalog.filters import Filters
from catalog.ids import Rows, no_rows
from catalog.vectors import Floats
from indexes.fusion import SourceRank
from indexes.keyword import TermMatch
from models.base import Ground as ModelGround
from tools.base import Shopper
from tools.relaxation import Blocking

Sort = Literal["relevance", "price_asc", "price_desc", "rating", "newest"]
Unite = Literal["scores", "ranks"]
Mode = Literal["search", "recommend", "similar", "rank"]

Ground: TypeAlias = ModelGround | Literal["query", "example", "catalogue"]
"""What the order rests on: the words asked for, an example item, the catalogue's own order (a sort), or, as models say
it, the shopper's `history`, `session`, the items' `content` or `popularity`."""


@dataclass(frozen=True, eq=False)
class PipelineRequest:
    """What is wanted.

    Attributes:
        shopper, now: Who asks and when; events up to `now` count.
        mode: `search` and `similar` put what was asked first, `recommend` the shopper's taste (and leaves out
            what they own or turned down), `rank` orders exactly `only` and drops nothing.
        query: Free words.
        filters: What must hold.
        like, unlike: Item ids as examples and counter-examples.
        vectors: Further wishes as vectors by space, e.g. an uploaded picture's; with any, all sources are united as
            `unite` says, since their scores are on scales that do not compare.
        weights: How much a source (`keyword`, a space) counts in that; 1 where left out.
        unite: By the sources' `scores`, each brought to one scale, or by their `ranks` alone.
        spaces: Spaces to search in; None is all of them.
        exclude: Item ids not to show.
        barred: Catalogue rows that the shopper's own words speak against, each once: `recommend` leaves them out, a
            `search` whose filters say all puts them last.
        only: With `rank`, the ids to order.
        sort, top_n, offset: The page.
        reach: Candidates each source may propose, the same for every page of one search, so that what is on a page and
            how many there are over all does not depend on the page; None: as many as this page needs.
        request_id: Under which the slate is logged; without one nothing is explored, so the answer has no chance in it.
    """

    shopper: Shopper
    now: datetime
    mode: Mode = "search"
    query: str | None = None
    filters: Filters = field(default_factory=Filters)
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    vectors: Mapping[str, Floats] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    unite: Unite = "scores"
    spaces: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    barred: Rows = field(default_factory=no_rows)
    only: tuple[str, ...] | None = None
    sort: Sort = "relevance"
    top_n: int = 10
    offset: int = 0
    reach: int | None = None
    request_id: str | None = None

    @property
    def wishes(self) -> bool:
        """Whether anything says what is wanted, beyond filters."""
        return bool(self.query or self.like or self.vectors)


@dataclass(frozen=True, slots=True)
class Closest:
    """The liked (or example) item a result is most like: why it counts (`purchase`, `example`...), where, how near."""

    item_id: str
    why: str
    space: str
    cosine: float


@dataclass(frozen=True)
class Ranked:
    """One result and everything its place rests on; the evidence of every explanation.

    Attributes:
        rank: From 1, over all pages.
        score: Comparable within one result list.
        sources: Which retrievers proposed it, at which rank, with which score of their own.
        features: Named values the order was made of.
        matched: Words of the query that stand in the item, and in which fields.
        contributions: What each feature added to the re-ranker's score, where one ranked.
        closest: The liked or example item it is most like, if any.
        propensity: The chance of this item at this place under the policy that served it; 1 where nothing was drawn.
    """

    item_id: str
    rank: int
    score: float
    sources: tuple[SourceRank, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    matched: tuple[TermMatch, ...] = ()
    contributions: Mapping[str, float] = field(default_factory=dict)
    closest: Closest | None = None
    propensity: float = 1.0


@dataclass(frozen=True)
class PipelineResult:
    """The page, and an honest account of it.

    Attributes:
        ranked: Best first.
        total: How many results there are over all pages.
        ground: What the order rests on.
        blocking: When nothing fits, the constraint to give up; `ranked` then holds the nearest without it.
        nearest: Whether `ranked` does not quite answer the wish.
        unknown_words: Words of the query no item has.
        unavailable: Ids that would stand on this page or before it but are out of stock, best first.
        variants: By result, the ids of its variants that gave up their place.
        wishes: What was looked for in each space, (d,).
        trace: JSON-ready: stages with milliseconds, candidates by source, drops by reason, degraded sources.
    """

    ranked: tuple[Ranked, ...]
    total: int
    ground: Ground
    blocking: Blocking | None = None
    nearest: bool = False
    unknown_words: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wishes: Mapping[str, Floats] = field(default_factory=dict)
    trace: Mapping[str, Any] = field(default_factory=dict)
