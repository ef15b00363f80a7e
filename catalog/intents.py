"""Typed intents: what a shopper praised, complained of, returned or sought, with the words that say so.

An intent points at its evidence: `text[start:end]` of one event's text is what the shopper wrote or said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import polars as pl

from catalog.columns import Schema

IntentKind = Literal["praised", "complained_of", "returned", "sought", "budget", "recipient"]
INTENT_KINDS: tuple[str, ...] = get_args(IntentKind)

TextSource = Literal["review", "praise", "complaint", "return", "query", "call"]
TEXT_SOURCES: tuple[str, ...] = get_args(TextSource)

OPINIONS: frozenset[str] = frozenset({"praised", "complained_of", "returned"})
"""Kinds that judge something, and so have a polarity."""

INTENTS: Schema = {
    "event_id": pl.String,
    "user_id": pl.String,
    "item_id": pl.String,
    "timestamp": pl.Datetime("us", "UTC"),
    "source": pl.String,
    "kind": pl.String,
    "aspect": pl.String,
    "value": pl.String,
    "polarity": pl.Int8,
    "amount": pl.Float64,
    "start": pl.Int32,
    "end": pl.Int32,
}
"""One row an intent, in the order of the log and within a text by place; `timestamp` is the event's."""

INTENTS_FILE = "intents.parquet"
"""The table of an artifact `intents/<name>`."""


@dataclass(frozen=True, slots=True)
class IntentSpan:
    """One intent of one text.

    Attributes:
        kind: What is said.
        value: The words in lower case, blanks single: "polka dots", "my wife", "under 50 euros".
        start: First character of the evidence in the source text.
        end: One behind its last.
        aspect: The facet it belongs to (`material`, `price`, `delivery`, ...); None where nothing tells. Of a budget
            `max`, `min` or `about`.
        polarity: 1 for, -1 against, None where it does not apply. Something sought "without" is -1.
        amount: Of a budget, in the shop's currency as far as anyone knows.
    """

    kind: IntentKind
    value: str
    start: int
    end: int
    aspect: str | None = None
    polarity: int | None = None
    amount: float | None = None

    def stands_in(self, text: str) -> bool:
        """Whether the evidence is a part of `text` that holds more than blanks."""
        return 0 <= self.start < self.end <= len(text) and bool(text[self.start : self.end].strip())


def shown_value(words: str) -> str:
    """Return the words of an evidence as `IntentSpan.value` has them.

    Example:
        >>> shown_value("Polka  Dots")
        'polka dots'
    """
    return " ".join(words.split()).casefold()
