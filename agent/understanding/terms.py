"""Terms: what a phrase of the shopper may name in a catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from agent.understanding.words import keys
from catalog.items import Catalog
from catalog.nouns import Item

TermKind = Literal["category", "brand", "attribute", "size"]
Phrase = tuple[str, ...]

MAX_VALUE_WORDS = 6
"""A value of more words is prose, not a facet."""

COMMON = 5
"""Items from which a lower-case phrase of an open facet ("time travel") is a value one may ask for."""


@dataclass(frozen=True, slots=True)
class Term:
    """A facet and the values of it a phrase stands for; `values` are spelt as the catalogue spells them.

    Attributes:
        kind: Which part of a filter it fills.
        name: The attribute's name; "" for the other kinds.
        values: One or more values, any of which satisfies.
    """

    kind: TermKind
    name: str
    values: tuple[str, ...]

    @property
    def facet(self) -> tuple[TermKind, str]:
        """Which facet it belongs to."""
        return self.kind, self.name


@dataclass
class Facet:
    """One facet of the catalogue: its values with the rows (item positions) that have them."""

    kind: TermKind
    name: str
    rows: dict[str, set[int]] = field(default_factory=dict)

    def add(self, value: str, row: int) -> None:
        """Note that the item at `row` has `value`."""
        self.rows.setdefault(value, set()).add(row)

    @cached_property
    def parts(self) -> Counter[str]:
        """Every single value with its uses, lists such as "English, French" taken apart."""
        counted: Counter[str] = Counter()
        for value, rows in self.rows.items():
            for part in parts(value, self.kind) or (value,):
                counted[part] += len(rows)
        return counted

    @cached_property
    def closed(self) -> bool:
        """Whether its values form a small set a shopper may choose from, as colours do and keywords do not."""
        return len(self.parts) <= 60 or sum(self.parts.values()) >= 12 * len(self.parts)

    @cached_property
    def people(self) -> bool:
        """Whether its values are names of people: two or three capitalised words each, most of them."""
        sample = list(self.parts)[:200]
        named = sum(2 <= len(v.split()) <= 3 and all(w[:1].isupper() for w in v.split()) for v in sample)
        return self.kind == "attribute" and not self.closed and named * 5 >= len(sample) * 4

    @cached_property
    def prose(self) -> bool:
        """Whether its values are sentences or codes rather than names."""
        sample = list(self.rows)[:200]
        wordy = sum(len(value.split()) > MAX_VALUE_WORDS and not _is_list(value) for value in sample)
        return wordy * 2 > len(sample) or all(value.replace(".", "").isdigit() and len(value) > 4 for value in sample)


def facets(catalog: Catalog) -> list[Facet]:
    """Return the facets of a catalogue: categories, brands, sizes, then each attribute that is not prose."""
    found: dict[tuple[TermKind, str], Facet] = {}
    for row, item in enumerate(catalog):
        for kind, name, value in _values(item):
            found.setdefault((kind, name), Facet(kind, name)).add(value, row)
    return [facet for facet in found.values() if facet.kind != "attribute" or not facet.prose]


def phrases(facet: Facet, value: str) -> Iterator[Phrase]:
    """Yield the phrases that name `value`: itself, and the parts of a list such as "Tom Hanks, Tim Allen".

    In an open facet (keywords, cast) a single lower-case word is no name, and filtering by it would hide items; a
    phrase is one where enough items have it.
    """
    for text in dict.fromkeys((value, *parts(value, facet.kind))):
        phrase = keys(text)
        named = len(phrase) > 1 and (text[:1].isupper() or facet.parts[text] >= COMMON)
        if phrase and len(phrase) <= MAX_VALUE_WORDS and (facet.kind != "attribute" or facet.closed or named):
            yield phrase


def by_phrase(facets: Iterable[Facet]) -> dict[Phrase, list[set[int]]]:
    """Return the rows that have each value of the attributes, or a part of a list, by its singular words."""
    found: dict[Phrase, list[set[int]]] = {}
    for facet in facets:
        for value, rows in facet.rows.items() if facet.kind == "attribute" else ():
            for phrase in {keys(each) for each in (value, *parts(value, facet.kind))}:
                found.setdefault(phrase, []).append(rows)
    return found


def surnames(facets: Iterable[Facet]) -> dict[str, list[Term]]:
    """Return everyone of a last name of more than three letters, by the singular word of it, a term a facet."""
    found: dict[str, list[Term]] = {}
    for facet in facets:
        by_name: dict[str, list[str]] = {}
        for value in facet.rows if facet.people else ():
            for name in {keys(part)[-1] for part in parts(value, facet.kind) or (value,) if keys(part)}:
                by_name.setdefault(name, []).append(value)
        for name, values in by_name.items():
            found.setdefault(name, []).append(Term(facet.kind, facet.name, tuple(values)))
    return {name: terms for name, terms in found.items() if len(name) > 3}


def _values(item: Item) -> Iterable[tuple[TermKind, str, str]]:
    for category in item.categories:
        yield "category", "", category
    if item.brand:
        yield "brand", "", item.brand
    for size in item.sizes:
        yield "size", "", size
    for name, values in item.attributes.items():
        for value in values:
            yield "attribute", name, value


def _is_list(value: str) -> bool:
    return any(mark in value for mark in ("|", ",", ";"))


def parts(value: str, kind: TermKind) -> list[str]:
    """Return the single values of a list such as "Tom Hanks, Tim Allen", [] where `value` is no list."""
    marks = "|;," + ("&/" if kind == "category" else "/")
    text = value
    for mark in marks[1:]:
        text = text.replace(mark, marks[0])
    if kind == "brand" or marks[0] not in text:
        return []
    return [part.strip() for part in text.split(marks[0]) if part.strip()]
