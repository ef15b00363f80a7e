"""A judge of answers: does it name anything, or any price, that the catalogue does not hold?

It reads what the shopper reads (the wire form of an answer) and the item records, and shares no code
with the agent's gate, so that a mistake in one cannot hide in the other. It needs no LLM.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from catalog.nouns import Item

Fault = Literal["unknown item", "wrong title", "wrong price", "invented price", "invented name", "bare handle"]

_AMOUNT = r"\d{1,3}(?:[ ,.]\d{3})+(?!\d)(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_PRICE = re.compile(
    rf"(?:(?:EUR|USD|GBP|€|\$|£)\s?(?P<after>{_AMOUNT}))|(?:(?P<before>{_AMOUNT})\s?(?:EUR|USD|GBP|€|\$|£|euros?\b|dollars?\b))",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z][\w'-]*(?:\s+(?:of|the|de|and|&|in|for)?\s*[A-Z][\w'-]*)+")
_JOINED = re.compile(r"\s+(?:and|&)\s+")
_OPENERS = frozenset({
    "a", "an", "and", "are", "both", "by", "can", "could", "do", "for", "from", "here", "i", "if", "in", "is", "it",
    "its", "like", "my", "no", "not", "of", "on", "only", "shall", "should", "so", "the", "then", "there", "these",
    "this", "to", "we", "what", "which", "with", "would", "you", "your",
})  # fmt: skip
"""Grammar that opens a sentence with a capital, also where a record happens to hold the word."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_HANDLE = re.compile(r"(?<![\w&])#\d+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing said that no record backs."""

    fault: Fault
    text: str


class Judge:
    """Knows the records of one catalogue, and nothing of how an answer was made.

    Args:
        items: Every item of the catalogue.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = {item.item_id: item for item in items}
        self._known = {word for item in self._items.values() for word in _words(_record_text(item))}
        self._titles = [_flat(_record_text(item)) for item in self._items.values()]
        self._long = sorted((item.title for item in self._items.values() if item.title), key=len, reverse=True)
        self._prices = {_cents(item.price) for item in self._items.values() if item.price is not None}

    def judge(self, answer: Mapping[str, Any], *, said: str = "") -> list[Finding]:
        """Return every fault of one answer.

        Args:
            answer: `{"text", "recommendations": [{"item_id", "title", "price", ...}]}` as on the wire.
            said: What the shopper wrote so far; repeating their own words and numbers is no invention.
        """
        recommended = list(answer.get("recommendations") or ())
        findings = [finding for entry in recommended for finding in self._entry(entry)]
        findings += self._prose(str(answer.get("text") or ""), recommended, said)
        for entry in recommended:
            findings += self._prose(str(entry.get("reason") or ""), recommended, said, about=entry)
        return findings

    def _entry(self, entry: Mapping[str, Any]) -> list[Finding]:
        item = self._items.get(str(entry.get("item_id")))
        if item is None:
            return [Finding("unknown item", repr(entry.get("item_id")))]
        findings = []
        if entry.get("title") != (item.title or item.item_id):
            findings.append(Finding("wrong title", f"{entry.get('title')!r} for {item.item_id!r}, {item.title!r}"))
        if entry.get("price") != item.price:
            findings.append(Finding("wrong price", f"{entry.get('price')!r} for {item.item_id!r}, {item.price!r}"))
        return findings

    def _prose(
        self,
        text: str,
        recommended: Sequence[Mapping[str, Any]],
        said: str,
        about: Mapping[str, Any] | None = None,
    ) -> list[Finding]:
        """Judge one text; a reason is `about` its entry, whose price may stand beside the name of another item."""
        findings = [Finding("bare handle", found) for found in _HANDLE.findall(text)]
        said_amounts = {_amount(number) for number in re.findall(_AMOUNT, said)}
        for sentence in _SENTENCE.split(text):
            mine = self._items.get(str(about.get("item_id"))) if about else None
            own = {_cents(mine.price)} if mine and mine.price is not None else set()
            findings += self._amounts(sentence, recommended, said_amounts | own)
            findings += self._names(sentence, said)
        return findings

    def _amounts(
        self, sentence: str, recommended: Sequence[Mapping[str, Any]], said_amounts: set[int]
    ) -> list[Finding]:
        """A price beside a named item must be that item's; any other must be some item's, or the shopper's own."""
        named = [
            item
            for entry in recommended
            if (item := self._items.get(str(entry.get("item_id")))) and item.title and item.title in sentence
        ]
        allowed = {_cents(item.price) for item in named if item.price is not None} if named else self._prices
        return [
            Finding("invented price", f"{match[0]!r} in {sentence.strip()!r}")
            for match in _PRICE.finditer(sentence)
            if (cents := _amount(match["after"] or match["before"])) not in allowed and cents not in said_amounts
        ]

    def _names(self, sentence: str, said: str) -> list[Finding]:
        """A run of capitalised words must stand in one record, or be made of the shopper's own words."""
        mine = set(_words(said))
        findings = []
        sentence = self._without_titles(sentence)
        for match in _NAME.finditer(sentence):
            name = match[0]
            if match.start() == 0 and self._ordinary(name.split()[0]):
                name = name.split(maxsplit=1)[1] if " " in name else ""
            if self._stands(name, mine) or all(self._stands(each, mine) for each in _JOINED.split(name)):
                continue
            findings.append(Finding("invented name", name))
        return findings

    def _stands(self, name: str, mine: set[str]) -> bool:
        """Whether one record holds the words that are not `mine`; a single word is no name."""
        words = [word for word in _words(name) if word not in mine]
        if len(words) < 2 or any(_flat(name) in title for title in self._titles):
            return True
        return any(set(words) <= set(title.split()) for title in self._titles)

    def _without_titles(self, sentence: str) -> str:
        """Blank out whole titles, so that "Then The Harbour Vase" does not run two names together."""
        for title in self._long:
            if title in sentence:
                sentence = sentence.replace(title, " ,, ")
        return sentence

    def _ordinary(self, word: str) -> bool:
        """Whether a capital at the head of a sentence is only the sentence's."""
        return word.casefold() in _OPENERS or word.casefold() not in self._known


def _record_text(item: Item) -> str:
    values = [value for values in item.attributes.values() for value in values]
    return " ".join(filter(None, [item.title, item.brand, *item.categories, *values, item.description]))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _flat(text: str) -> str:
    return " ".join(_words(text))


def _cents(price: float) -> int:
    return round(price * 100)


def _amount(text: str) -> int:
    """Return `1,299.50`, `1 299,50` or `40` in hundredths."""
    match = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", text.strip())
    assert match is not None
    whole, fraction = re.sub(r"\D", "", match[1]), match[2] or ""
    return int(whole or 0) * 100 + int((fraction + "00")[:2])
