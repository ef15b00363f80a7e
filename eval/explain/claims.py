"""What an explanation claims to have moved its item, and what became of the item when that was taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.explanation import Explained
from agent.gate.vocabulary import tokens
from catalog.nouns import Evidence
from indexes.job import KEYWORD
from tools.pipeline.nouns import Ranked

Kind = Literal["event", "retriever", "feature", "caption", "description", "title", "field", "price"]
"""How the evidence is removed: the shopper never did it; nobody proposes it; the feature stands at its reference; the
words are blank wherever they are named, values of fields that consist of them go; the price is unknown."""

KINDS: tuple[Kind, ...] = ("event", "retriever", "feature", "caption", "description", "title", "field", "price")


@dataclass(frozen=True, slots=True)
class Claim:
    """One piece of named evidence.

    Attributes:
        name: Of the retriever, the feature, the event's kind, or the first field that says it.
        value: Words, or an item's id.
        fields: Every field that is named as saying it.
    """

    kind: Kind
    name: str
    value: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands, from 1, and its score; `rank` None: no longer within the depth that is looked at."""

    rank: int | None
    score: float


GONE = Place(None, float("-inf"))


@dataclass(frozen=True, slots=True)
class Trial:
    """One piece of evidence put to the test.

    Attributes:
        request: Which list; items of one list are not independent.
        before: With everything.
        named: Without the evidence.
        other: Without something else of the same kind that no explanation of this item names; None where there is
            nothing else.
    """

    request: int
    item_id: str
    claim: Claim
    before: Place
    named: Place
    other: Place | None = None
    about: Mapping[str, float] = field(default_factory=dict)


def fell(before: Place, after: Place) -> bool:
    """Whether an item stands lower than before, or nowhere."""
    return after.rank is None or (before.rank is not None and after.rank > before.rank)


def lost(before: Place, after: Place) -> bool:
    """Whether its score is lower than before."""
    return after.score < before.score - 1e-9


def place_of(found: Mapping[str, Ranked], item_id: str) -> Place:
    """Return where an item stands in a list."""
    ranked = found.get(item_id)
    if ranked is None:
        return GONE
    # The score of a search is told in shares of the best find's: the first would keep its own whatever it lost.
    words = sum(source.score for source in ranked.sources if source.name == KEYWORD)
    unscaled = words + ranked.features["cosine"] if "cosine" in ranked.features else ranked.score
    return Place(ranked.rank, float(ranked.features.get("ranker", unscaled)))


def claims_of(explained: Explained, retrievers: Collection[str], asked: Collection[str]) -> Iterator[Claim]:
    """Yield what an explanation says moved the item.

    A field that is only told (a rating, a maker nobody asked for) is no claim. A word named in several fields is one:
    it is taken out of all of them.

    Args:
        explained: Of one item.
        retrievers: Names of the sources of its list.
        asked: The words of the wish, as `agent.gate.vocabulary.tokens` gives them.
    """
    places: dict[str, list[str]] = {}
    for each in explained.evidence:
        if each.kind == "event":
            yield Claim("event", each.name, (str(each.value),))
        elif each.kind == "signal" and each.name in retrievers:
            yield Claim("retriever", each.name)
        elif each.kind == "field" and each.name == "price" and "your limit" in each.text:
            yield Claim("price", "price")
        elif each.kind in ("caption", "field"):
            for word in _words(each, asked):
                places.setdefault(word, []).append("caption" if each.kind == "caption" else each.name)
    for fields in dict.fromkeys(tuple(dict.fromkeys(found)) for found in places.values()):
        words = tuple(word for word, found in places.items() if tuple(dict.fromkeys(found)) == fields)
        yield Claim(_kind(fields), fields[0], words, fields)


def _words(evidence: Evidence, asked: Collection[str]) -> list[str]:
    if isinstance(evidence.value, list) and (evidence.kind == "caption" or evidence.name in ("title", "description")):
        return [str(each) for each in evidence.value]
    words = tokens(evidence.value) if isinstance(evidence.value, str) else []
    return words if set(words) <= set(asked) else []


def _kind(fields: Sequence[str]) -> Kind:
    texts: dict[str, Kind] = {"caption": "caption", "title": "title", "description": "description"}
    return texts.get(fields[0], "field")
