"""One page of results, each with the evidence its place rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from catalog.ids import Rows
from catalog.vectors import EmbeddingTable, Floats
from tools.pipeline.nouns import Closest, PipelineRequest, Ranked
from tools.pipeline.pool import Pool
from tools.pipeline.rerank import Reranked, contributions
from tools.pipeline.wish import units_of
from tools.shop import Shop
from tools.spaces import spaces_of
from tools.taste import Taste

COMPARED = 20
"""Latest liked items a result is compared with to find the closest."""


class Told(Mapping[str, float]):
    """The contributions of one result: TreeSHAP takes as long as the ranking, so it runs when someone looks."""

    def __init__(self, page: Page, place: int) -> None:
        self._page, self._place = page, place

    def _values(self) -> Mapping[str, float]:
        return self._page.contributions.get(self._place, {})

    def __getitem__(self, name: str) -> float:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())


class Features(Mapping[str, float]):
    """The named values of one result: of its order, and those the ranker saw, which nobody reads of most results.

    Args:
        own: What the order was made of.
        seen: What the ranker saw (f,), NaN where it is unknown.
        names: Of `seen`.
    """

    def __init__(self, own: Mapping[str, float], seen: Floats, names: tuple[str, ...]) -> None:
        self._own, self._seen, self._names = own, seen, names

    @cached_property
    def _values(self) -> Mapping[str, float]:
        seen = zip(self._names, self._seen.tolist(), strict=True)
        return {**{name: value for name, value in seen if value == value}, **self._own}

    def __getitem__(self, name: str) -> float:
        if name in self._own:
            return self._own[name]
        if name not in self._names:  # who asks for what nobody knows must not make the others read
            raise KeyError(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Page:
    """What one page shares: the contributions of all its results are computed together, at the first look."""

    def __init__(self, told: Callable[[], dict[int, dict[str, float]]]) -> None:
        self._told = told

    @cached_property
    def contributions(self) -> dict[int, dict[str, float]]:
        """By place on the page, what each feature added to the score."""
        return self._told()


def ranked_page(
    shop: Shop, request: PipelineRequest, taste: Taste, kept: Pool, order: Reranked | None
) -> tuple[Ranked, ...]:
    """Return the asked page of `kept` with matched words, the closest liked item and the ranker's contributions."""
    page = kept.take(np.arange(len(kept))[request.offset : request.offset + request.top_n])
    ids = shop.catalog.ids.at(page.rows)
    shared = Page(lambda: contributions(shop, order, page.rows))
    told, sources, scores = page.told(), page.sources(), page.score.tolist()
    seen = _seen(order, page.rows)
    near = closest(shop, request, taste, ids)
    keyword = shop.words
    chances = page.features.get("propensity")
    return tuple(
        Ranked(
            item_id=item_id,
            rank=request.offset + place + 1,
            score=scores[place],
            sources=sources[place],
            features=Features(told[place], *seen[place]) if place in seen else told[place],
            matched=keyword.matched_terms(request.query, item_id) if keyword and request.query else (),
            contributions=Told(shared, place) if place in seen else {},
            closest=near.get(item_id),
            propensity=1.0 if chances is None else float(chances[place]),
        )
        for place, item_id in enumerate(ids)
    )


def _seen(order: Reranked | None, rows: Rows) -> dict[int, tuple[Floats, tuple[str, ...]]]:
    """Return, for the places of a page of catalogue rows, what the ranker saw (f,), and the names of it."""
    if order is None or order.table is None:
        return {}
    places, at = order.seen(rows)
    return {
        place: (values, order.table.names)
        for place, values in zip(places.tolist(), order.table.values[at], strict=True)
    }


def closest(shop: Shop, request: PipelineRequest, taste: Taste, item_ids: Sequence[str]) -> dict[str, Closest]:
    """Return, for each item, the example (else the liked item) most like it, over all asked spaces."""
    reasons = {item_id: "example" for item_id in request.like} or dict(taste.why[-COMPARED:])
    asked = request.spaces if request.spaces is not None else spaces_of(shop)
    spaces = [space for space in asked if len(shop.table(space).ids)]
    if not (reasons and item_ids and spaces):
        return {}
    examples = list(reasons)
    # (n, spaces * examples): what has no vector in a space is at right angles to everything there
    likeness = np.concatenate([_likeness(shop.table(space), item_ids, examples) for space in spaces], axis=1)
    found: dict[str, Closest] = {}
    told = zip(item_ids, likeness.argmax(axis=1).tolist(), likeness.max(axis=1).tolist(), strict=True)
    for item_id, column, cosine in told:
        if cosine > 0:
            space, example = divmod(column, len(examples))
            found[item_id] = Closest(examples[example], reasons[examples[example]], spaces[space], cosine)
    return found


def _likeness(table: EmbeddingTable, item_ids: Sequence[str], examples: Sequence[str]) -> Floats:
    """Return the cosine of each item with each example, (n, examples); no item is close to itself."""
    n, rows = len(item_ids), table.ids.rows([*item_ids, *examples], missing=-1)
    units = units_of(table, rows)
    likeness: Floats = units[:n] @ units[n:].T
    likeness[rows[:n, None] == rows[n:]] = -1.0
    return likeness
