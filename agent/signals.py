"""What the pipeline says of one result, told by itself or by a tool's trace; who says less is explained with less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.because import Because
from tools.pipeline.nouns import Ranked


@dataclass(frozen=True, slots=True)
class Held:
    """An item of the shopper's past that holds a result up.

    Attributes:
        item_id: What they had to do with.
        why: How, e.g. `purchase`.
        when: ISO time of the latest such event, where one is known.
        likeness: Its cosine with the result.
        place: Where the result would stand without it; None: not on the page.
    """

    item_id: str
    why: str
    when: str | None
    likeness: float
    place: int | None


@dataclass(frozen=True)
class Signals:
    """Why one result stands where it does.

    Attributes:
        sources: Retriever -> rank it gave, from 1.
        matched: Word of the query -> fields it stands in.
        example: Item it is closest to, why that item counts (`example`, `purchase`...), and how close, 0 to 1.
        features: Named values its score is made of.
        held: What of the shopper's past it would stand lower without, what lowers it most first.
        modalities: How like a picture it is, by each way it could be compared (`picture`, `caption`, `fused`...).
    """

    sources: Mapping[str, int] = field(default_factory=dict)
    matched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    example: tuple[str, str, float] | None = None
    features: Mapping[str, float] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    modalities: Mapping[str, float] = field(default_factory=dict)


NOTHING = Signals()


def signals_at(page: Iterable[Ranked], held: Mapping[str, tuple[Because, ...]]) -> dict[str, Signals]:
    """Return by item id what `signals_of` reads in the trace of a page, where nobody needs the trace.

    Args:
        page: As the pipeline ranked it.
        held: What of the shopper's past results rest on, by item id.
    """
    return {
        each.item_id: Signals(
            sources={source.name: source.rank for source in each.sources},
            matched={match.word: match.fields for match in each.matched},
            example=None if (near := each.closest) is None else (near.item_id, near.why, near.cosine),
            features=each.features,
            held=tuple(map(_because, held.get(each.item_id, ()))),
        )
        for each in page
    }


def _because(of: Because) -> Held:
    when = None if of.when is None else of.when.isoformat()
    return Held(of.item_id, of.why, when, round(of.likeness, 4), of.place)


def signals_of(trace: Any) -> dict[str, Signals]:
    """Return the signals of every result a trace tells of, by item id."""
    return {str(entry["item_id"]): _signals(entry) for entry in _entries(trace)}


def _entries(value: Any) -> Iterator[Mapping[str, Any]]:
    """Find the entries of results: objects with an `item_id` and at least one account of it."""
    if isinstance(value, Mapping):
        if "item_id" in value and any(
            name in value for name in ("sources", "features", "matched", "closest", "because")
        ):
            yield value
            return
        for inner in value.values():
            yield from _entries(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _entries(inner)


def _signals(entry: Mapping[str, Any]) -> Signals:
    closest = entry.get("closest")
    example = None
    if isinstance(closest, Mapping) and closest.get("item_id"):
        example = (str(closest["item_id"]), str(closest.get("why", "example")), _number(closest.get("cosine")))
    return Signals(
        sources=_sources(entry.get("sources")),
        matched=_matched(entry.get("matched")),
        example=example,
        features=_numbers(entry.get("features")),
        held=tuple(_held(entry.get("because"))),
        modalities=_numbers(entry.get("modalities")),
    )


def _held(given: Any) -> Iterator[Held]:
    for each in given if isinstance(given, list | tuple) else ():
        if isinstance(each, Mapping) and each.get("item_id"):
            when, place = each.get("when"), each.get("place")
            yield Held(
                item_id=str(each["item_id"]),
                why=str(each.get("why")),
                when=str(when) if when else None,
                likeness=_number(each.get("likeness")),
                place=int(place) if isinstance(place, int | float) else None,
            )


def _sources(given: Any) -> dict[str, int]:
    if isinstance(given, Mapping):
        return {str(name): int(_number(rank)) for name, rank in given.items()}
    entries = given if isinstance(given, list | tuple) else ()
    named = [(e.get("source", e.get("name")), e.get("rank")) for e in entries if isinstance(e, Mapping)]
    return {str(name): int(_number(rank)) for name, rank in named if name is not None}


def _matched(given: Any) -> dict[str, tuple[str, ...]]:
    if isinstance(given, Mapping):
        return {str(word): tuple(map(str, fields)) for word, fields in given.items()}
    entries = given if isinstance(given, list | tuple) else ()
    return {
        str(e["word"]): tuple(map(str, e.get("fields", ()))) for e in entries if isinstance(e, Mapping) and "word" in e
    }


def _numbers(given: Any) -> dict[str, float]:
    if not isinstance(given, Mapping):
        return {}
    return {str(name): float(v) for name, v in given.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
