"""Pieces of a reason, each with what proves it, and how they are put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.gate.vocabulary import word_set
from agent.messages import clean
from catalog.nouns import Evidence

DID = {"purchase": "bought", "cart": "put in your cart", "rating": "rated", "praise": "praised", "click": "looked at",
       "view": "looked at", "session": "looked at", "history": "chose before"}  # fmt: skip
"""What a shopper did, by the kind of the event."""

EMPTY = word_set(
    "a an the of for with and or in on to is are it its at by from some any something please me my i want need like "
    "show find looking good nice best cheap cheaper than under over below above item product thing one this that not "
    "no up"
)
"""Words of a wish that say nothing of what is wanted."""


@dataclass(frozen=True)
class Fragment:
    """A piece of a reason and what proves it.

    Attributes:
        text: A clause.
        evidence: What proves it.
        theme: What several items may share (one earlier purchase); said of one item, it is left out at the next.
        plain: Whether it says so little that anything else goes before it.
    """

    text: str
    evidence: tuple[Evidence, ...]
    theme: str | None = None
    plain: bool = False


def field_fragment(text: str, name: str, value: Any) -> Fragment:
    """Return a clause that one field of the record says."""
    return Fragment(text, (Evidence("field", name, value, f"{clean(name, 40)}: {text}"),))


def fresh(parts: Sequence[Fragment], told: set[str]) -> Iterator[Fragment]:
    """Yield what is worth saying: not plain, and one part with a theme, of a theme that was not told before."""
    themed = False
    for part in parts:
        if not part.plain and (part.theme is None or (part.theme not in told and not themed)):
            themed = themed or part.theme is not None
            yield part


def sentence(parts: Sequence[Fragment]) -> str:
    """Return the clauses as one sentence."""
    text = "; ".join(part.text for part in parts)
    return f"{text[:1].upper()}{text[1:]}." if text else "It is in the shop's catalogue."


def listed(words: Sequence[str]) -> str:
    """Return words as a list in prose.

    Example:
        >>> listed(["blue", "round", "small"])
        'blue, round and small'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def around(word: str, text: str) -> str:
    """Return about a hundred characters of `text` around the first mention of `word`, cut between words."""
    whole = clean(text, 2000)
    at = max(whole.casefold().find(word), 0)
    start = whole.rfind(" ", 0, max(at - 40, 0)) + 1 if at > 40 else 0
    cut = whole[start : start + 100].rsplit(" ", 1)[0] if len(whole) - start > 100 else whole[start:]
    return f"{'... ' if start else ''}{cut}{' ...' if start + len(cut) < len(whole) else ''}"


def distinct(evidence: Sequence[Evidence]) -> Iterator[Evidence]:
    """Yield each piece of evidence once."""
    seen: set[tuple[str, str, str]] = set()
    for each in evidence:
        key = (each.kind, each.name, each.text)
        if key not in seen:
            seen.add(key)
            yield each
