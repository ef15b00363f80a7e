"""What a sentence may lean on: records of issued items, what tools said, what the shopper said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent.gate.figures import all_in_digits, in_digits
from agent.gate.tallies import Tally, tallies
from agent.gate.vocabulary import ShopWords, kind_of, phrase, tokens
from agent.handles import HandleBook
from agent.money import number
from catalog.items import Catalog
from catalog.nouns import Caption, Item
from tools.titles import spoken_title

NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])\d+(?:[.,]\d+)?")


FREE_TEXT = frozenset({"title", "description", "captions", "text", "url"})
"""Fields of a tool's facts that hold words of others; titles are known by the records of the items issued."""

ECHOED = frozenset({"filters"})
"""Fields of a tool's facts that repeat what the mind asked: they show what was counted, and are no source of words."""


@dataclass(frozen=True, eq=False)
class Record:
    """One item as the gate reads it."""

    item: Item
    captions: tuple[Caption, ...] = ()

    @cached_property
    def title_words(self) -> frozenset[str]:
        """Words of the title, as far as prose says it."""
        return frozenset(tokens(spoken_title(self.item.title or "")))

    @cached_property
    def names(self) -> str:
        """The words of the fields a shop fills in on purpose: the title as prose says it, brand, categories.."""
        item = self.item
        title = spoken_title(item.title) if item.title else None
        attributes = (f"{name} {' '.join(values)}" for name, values in item.attributes.items())
        return _phrases(title, item.brand, *item.categories, *attributes, *item.sizes)

    @cached_property
    def phrase(self) -> str:
        """Every word any field of the record has, in order, for whole-phrase look-ups."""
        item = self.item
        return self.names + _phrases(item.title, item.description, item.language, *(c.text for c in self.captions))

    @cached_property
    def words(self) -> frozenset[str]:
        """Words of `phrase`."""
        return frozenset(self.phrase.split())

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Numbers any field of the record has."""
        item = self.item
        text = json.dumps([item.title, item.brand, item.categories, dict(item.attributes), item.description,
                           item.sizes, [c.text for c in self.captions]], ensure_ascii=False)  # fmt: skip
        known = (item.price, item.rating, item.rating_count)
        return frozenset(numbers(text) | numbers(all_in_digits(text))) | {float(n) for n in known if n is not None}

    def explicit(self, kind: str) -> frozenset[str]:
        """Return the words of every attribute of one kind (`color`), empty when the record has no such attribute."""
        given = self.item.attributes.items()
        return frozenset(w for name, values in given if kind_of(name) == kind for v in values for w in tokens(v))

    def supports(self, word: str, kind: str) -> bool:
        """Whether the record says `word`. An attribute of that kind, where there is one, outweighs loose prose."""
        explicit = self.explicit(kind)
        if explicit:
            return word in explicit or word in self.title_words
        return word in self.words


def _phrases(*texts: str | None) -> str:
    return " ".join(phrase(text) for text in texts if text)


def numbers(text: str) -> set[float]:
    """Return every number in `text`."""
    return {number(m.group()) for m in NUMBER.finditer(text)}


class Grounds:
    """Collects, turn by turn, what may be said.

    Args:
        catalog: The records.
        captions: Captions by item id.
        book: Handles issued in this conversation.
        words: Names the catalogue knows.

    Attributes:
        sizes: Those that the answer keeps to, in small letters: said today or told before.
    """

    def __init__(
        self, catalog: Catalog, captions: Mapping[str, tuple[Caption, ...]], book: HandleBook, words: ShopWords
    ) -> None:
        self.catalog = catalog
        self.book = book
        self.words = words
        self.wishes = " "
        self.facts = " "
        self.wish_numbers: set[float] = set()
        self.sizes: frozenset[str] = frozenset()
        self.fact_numbers: set[float] = set()
        self.found = 0
        self.fits = False
        self.missed = False
        self.recorded = False
        self.tallies: list[Tally] = []
        self.listed: set[int] = set()
        self.lists: list[tuple[str, ...]] = []
        self._captions = captions
        self._records: dict[str, Record] = {}

    def heard(self, message: str) -> None:
        """Add what the shopper said: their words may be repeated, their numbers too."""
        self.wishes += phrase(message)
        self.wish_numbers |= numbers(message) | numbers(in_digits(message))

    def told(self, text: str, facts: Mapping[str, Any], found: int = 0, items: Sequence[str] = ()) -> None:
        """Add what a tool said beside its items; `found` is how many items it gave, `items` are their ids."""
        if items:
            self.lists.append(tuple(items))
        said = f"{text} {json.dumps(_structured(facts), ensure_ascii=False, default=str)}"
        self.facts += phrase(said)
        self.fact_numbers |= numbers(said)
        self.found = max(self.found, found)
        self.recorded |= bool(facts.get("recorded"))
        self.tallies.extend(tallies(facts))
        if "total" in facts:
            self.fits = found > 0 and not facts.get("nearest") and not facts.get("blocking")
            self.missed |= not self.fits
            self.listed |= {int(facts["total"]), found}

    def record(self, item_id: str) -> Record:
        """Return the record of an item."""
        if item_id not in self._records:
            self._records[item_id] = Record(self.catalog[item_id], self._captions.get(item_id, ()))
        return self._records[item_id]

    def issued(self) -> list[Record]:
        """Return the records of every item this conversation may name."""
        return [self.record(item_id) for item_id in self.book.issued().values() if item_id in self.catalog]

    def found_together(self, one: Record, other: Record) -> bool:
        """Whether one tool call gave both items."""
        return any(one.item.item_id in ids and other.item.item_id in ids for ids in self.lists)

    def names_kind(self, word: str) -> bool:
        """Whether a token is one of the catalogue's kinds, checked values or makers."""
        return f" {word} " in self.words.kinds or word in self.words.values or word in self.words.brands

    def knows_phrase(self, text: str, subjects: Iterable[Record] = ()) -> bool:
        """Whether `text`, word for word, may be said.

        It may when the shopper or a tool said it, when a field of an issued record names it, or when it stands
        anywhere in the record of one of `subjects`. Loose prose counts for its own item only: a description that
        advertises something else must not lend it a voice.
        """
        wanted = phrase(text)
        if not wanted.strip() or wanted in self.wishes or wanted in self.facts:
            return True
        return any(wanted in record.names for record in self.issued()) or any(wanted in r.phrase for r in subjects)

    def knows_word(self, word: str, subjects: Iterable[Record] = ()) -> bool:
        """Whether one token may be said; see `knows_phrase`."""
        spaced = f" {word} "
        if spaced in self.wishes or spaced in self.facts:
            return True
        return any(spaced in record.names for record in self.issued()) or any(word in r.words for r in subjects)


def _structured(value: Any) -> Any:
    """Return a tool's facts without the free text merchants and customers wrote and without the mind's own words."""
    if isinstance(value, Mapping):
        return {name: _structured(inner) for name, inner in value.items() if name not in FREE_TEXT | ECHOED}
    if isinstance(value, list | tuple):
        return [_structured(inner) for inner in value]
    return value
