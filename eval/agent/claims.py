"""What an answer says of ratings and makers, held against the records; `eval.grounding` sees to names and prices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalog.nouns import Item

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_RATING = re.compile(r"\brated (?:at )?(\d(?:\.\d+)?)|\b(\d(?:\.\d+)?) stars?\b", re.IGNORECASE)
_MAKER = re.compile(r"\b(?:made|designed|crafted|produced|sold) by ([A-Z][\w'-]+)")


class Claims:
    """Knows the ratings and the words of a catalogue's records.

    Args:
        items: Every item of the catalogue.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = {item.item_id: item for item in items}
        self._ratings = {item.rating for item in self._items.values() if item.rating is not None}
        self._words = {word for item in self._items.values() for word in _words(_record(item))}

    def faults(self, turn: Mapping[str, Any], said: str) -> list[str]:
        """Return the claims of one answer that no record backs; the shopper's own words are no claim."""
        shown = [self._items[i] for each in turn["recommendations"] if (i := str(each["item_id"])) in self._items]
        found = self._sentences(str(turn["text"]), shown, said)
        for each in turn["recommendations"]:
            item = self._items.get(str(each["item_id"]))
            found += self._sentences(str(each.get("reason") or ""), [], said, item)
        return found

    def _sentences(self, text: str, shown: Sequence[Item], said: str, about: Item | None = None) -> list[str]:
        found = []
        for sentence in _SENTENCE.split(text):
            named = [about] if about else [item for item in shown if item.title and item.title in sentence]
            ratings = {item.rating for item in named if item.rating is not None} if named else self._ratings
            for match in _RATING.finditer(sentence):
                stated = match[1] or match[2]
                if stated not in said and not any(_rounds_to(rating, stated) for rating in ratings):
                    found.append(f"invented rating: {match[0]!r} in {sentence.strip()!r}")
            found += [
                f"invented maker: {match[1]!r} in {sentence.strip()!r}"
                for match in _MAKER.finditer(sentence)
                if not set(_words(match[1])) <= self._words | set(_words(said))
            ]
        return found


def _rounds_to(rating: float, stated: str) -> bool:
    decimals = len(stated.partition(".")[2])
    return abs(rating - float(stated)) <= 0.5 * 10.0**-decimals + 1e-9


def _record(item: Item) -> str:
    values = [value for each in item.attributes.values() for value in each]
    return " ".join(filter(None, [item.title, item.brand, *item.categories, *values, item.description]))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
