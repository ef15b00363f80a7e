"""Why an item is recommended: a short reason, and the evidence it was put together from.

Reasons are written here, from records, the pipeline's own account and the shopper's events; a model has no part in
them. Each states only what its evidence shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.gate.grounds import Grounds, Record
from agent.gate.vocabulary import kind_of, tokens, word_set
from agent.messages import clean
from agent.money import price_text
from agent.signals import NOTHING, Signals, signals_of
from agent.trace import ToolRun
from catalog.nouns import NEGATIVE_KINDS, Evidence, Interaction

_DID = {"purchase": "bought", "cart": "put in your cart", "rating": "rated", "praise": "praised", "click": "looked at",
        "view": "looked at", "session": "looked at", "history": "chose before"}  # fmt: skip
_EMPTY = word_set(
    "a an the of for with and or in on to is are it its at by from some any something please me my i want need like "
    "show find looking good nice best cheap cheaper than under over below above item product thing one this that not "
    "no up"
)
_COMPARED = {
    "keyword": "words shared (BM25)",
    "text": "likeness of its text",
    "caption": "likeness of its caption",
    "picture": "likeness of its picture",
    "video": "likeness of its film",
    "fused": "likeness of all of it",
}
_PARTS = 2
_CLOSE = 0.4
"""Likeness (cosine) from which an item counts as close to one of its category the shopper knows."""
_VERY_CLOSE = 0.75
"""The same across categories."""


@dataclass(frozen=True)
class Fragment:
    """A piece of a reason and what proves it.

    Attributes:
        theme: What several items may share (one earlier purchase); said of one item, it is left out at the next.
        plain: Whether it says so little that anything else goes before it.
    """

    text: str
    evidence: tuple[Evidence, ...]
    theme: str | None = None
    plain: bool = False


@dataclass(frozen=True)
class Explained:
    """A reason and its evidence."""

    reason: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Explainer:
    """Explains the items of one answer.

    Attributes:
        grounds: Records, and what the shopper said.
        events: The shopper's own events, newest first.
    """

    grounds: Grounds
    events: Sequence[Interaction] = ()

    def explain(self, item_ids: Sequence[str], run: ToolRun | None) -> dict[str, Explained]:
        """Return why each item stands in the answer; reasons of different items differ where their records do.

        Args:
            item_ids: Items, best first.
            run: The call that found them, None when they were found in an earlier turn.
        """
        signals = signals_of(run.trace) if run is not None else {}
        result: dict[str, Explained] = {}
        reasons: set[str] = set()
        themes: set[str] = set()
        for item_id in item_ids:
            record = self.grounds.record(item_id)
            main = list(self._main(record, run, signals.get(item_id, NOTHING)))
            strong = list(_fresh(main, themes))
            spare = [*strong, *self._more(record), *(part for part in main if part not in strong)]
            parts, spare = spare[:_PARTS], spare[_PARTS:]
            while _sentence(parts) in reasons and spare:
                parts.append(spare.pop(0))
            reason = _sentence(parts)
            reasons.add(reason)
            themes |= {part.theme for part in parts if part.theme is not None}
            behind = [*parts, *(part for part in main if part not in parts)]
            evidence = [each for part in behind for each in part.evidence]
            evidence += [*_ground(run), *_ranked_by(signals.get(item_id))]
            result[item_id] = Explained(reason, tuple(_distinct(evidence)))
        return result

    def _main(self, record: Record, run: ToolRun | None, signals: Signals) -> Iterator[Fragment]:
        """Yield what ties the item to this wish and this shopper, strongest first."""
        asked = self._asked(run)
        covered: set[str] = set()
        yield from self._wished_fields(record, asked, covered)
        yield from self._limit(record, run)
        yield from _pictured(signals)
        yield from self._closest(record, signals, covered)
        yield from self._same_maker(record)
        yield from _seen(record, asked, covered)
        yield from _mentioned(record, asked, covered)
        yield from _popular(record, run, signals)

    def _more(self, record: Record) -> Iterator[Fragment]:
        """Yield what tells the item from its neighbours in the list."""
        item = record.item
        if item.rating is not None:
            people = "shopper" if item.rating_count == 1 else "shoppers"
            count = f" by {item.rating_count} {people}" if item.rating_count else ""
            yield _field(f"rated {item.rating:g}{count}", "rating", item.rating)
        for kind in ("material", "color", "pattern"):
            for name, values in item.attributes.items():
                if kind_of(name) == kind and values:
                    yield _field(" and ".join(clean(v, 40) for v in values), name, list(values))
        price = price_text(item.price, item.currency)
        if price:
            yield _field(price, "price", item.price)
        if item.brand:
            yield _field(f"by {clean(item.brand, 60)}", "brand", item.brand)
        if item.categories:
            yield _field(f"from {clean(item.categories[-1], 60)}", "category", item.categories[-1])
        if item.title:
            yield _field(clean(item.title, 120), "title", item.title)

    def _asked(self, run: ToolRun | None) -> list[str]:
        """Return the words of the wish: what was searched for, as far as the shopper said it."""
        if run is None:
            return []
        filters = run.arguments.get("filters")
        wanted = {name: v for name, v in filters.items() if name != "not"} if isinstance(filters, Mapping) else {}
        text = f"{run.arguments.get('query') or ''} {_texts(wanted)}"
        return [w for w in dict.fromkeys(tokens(text)) if w not in _EMPTY and f" {w} " in self.grounds.wishes]

    def _wished_fields(self, record: Record, asked: list[str], covered: set[str]) -> Iterator[Fragment]:
        item = record.item
        values: list[str] = []
        evidence: list[Evidence] = []
        given = [(name, value) for name, found in item.attributes.items() for value in found]
        for name, value in [*given, *([("brand", item.brand)] if item.brand else [])]:
            words = tokens(value)
            if words and all(word in asked for word in words) and not covered.issuperset(words):
                covered.update(words)
                values.append(clean(value, 40) if name != "brand" else f"by {clean(value, 60)}")
                evidence.append(Evidence("field", name, value, f"{clean(name, 40)}: {clean(value, 60)}"))
        for category in reversed(item.categories):
            words = tokens(category)
            if words and all(word in asked for word in words) and not covered.issuperset(words):
                covered.update(words)
                evidence.append(Evidence("field", "category", category, f"category: {clean(category, 60)}"))
                break
        if values:
            yield Fragment(f"{_listed(values[:3])}, as you asked", tuple(evidence))
        elif evidence:
            yield Fragment(f"one of the {clean(str(evidence[0].value), 60)} you asked for", tuple(evidence), plain=True)

    def _limit(self, record: Record, run: ToolRun | None) -> Iterator[Fragment]:
        item = record.item
        filters = run.arguments.get("filters") if run is not None else None
        bounds = filters.get("price") if isinstance(filters, Mapping) else None
        if item.price is None or not isinstance(bounds, Mapping):
            return
        price = price_text(item.price, item.currency) or ""
        highest = bounds.get("max")
        if isinstance(highest, int | float) and item.price <= highest:
            # "under 40" may have become a limit of 39.99.
            said = [n for n in self.grounds.wish_numbers if item.price <= n and abs(n - highest) < 0.02]
            text = f"{price}, within your limit of {price_text(said[0], item.currency)}" if said else price
            yield _field(text, "price", item.price)

    def _closest(self, record: Record, signals: Signals, covered: set[str]) -> Iterator[Fragment]:
        if signals.example is None or signals.example[0] not in self.grounds.catalog:
            return
        item_id, why, likeness = signals.example
        other = self.grounds.record(item_id)
        title = clean(other.item.title or "", 120)
        if not title or item_id == record.item.item_id:
            return
        if why in _DID and likeness < (_CLOSE if _same_kind(record, other) else _VERY_CLOSE):
            return
        shared = [v for n, vs in record.item.attributes.items() for v in vs if v in other.item.attributes.get(n, ())]
        shared = [value for value in shared if not covered.issuperset(tokens(value))]
        both = f": both {_listed([clean(v, 40) for v in shared[:2]])}" if shared else ""
        near = Evidence("signal", "likeness", round(likeness, 3), f"likeness to {title}: {likeness:.2f}")
        if why in _DID:
            event = Evidence("event", why, item_id, f"you {_DID[why]} {title}")
            yield Fragment(f"close to {title}, which you {_DID[why]}{both}", (event, near), theme=item_id)
        else:
            yield Fragment(f"like {title}{both}", (near,))

    def _same_maker(self, record: Record) -> Iterator[Fragment]:
        if not record.item.brand:
            return
        for event in self.events:
            did = _DID.get(event.kind)
            if did is None or event.kind in NEGATIVE_KINDS or event.item_id not in self.grounds.catalog:
                continue
            other = self.grounds.record(event.item_id).item
            if other.item_id != record.item.item_id and other.brand == record.item.brand and other.title:
                title, brand = clean(other.title, 120), clean(record.item.brand, 60)
                evidence = Evidence("event", event.kind, event.item_id, f"you {did} {title}")
                yield Fragment(f"by {brand}, like {title}, which you {did}", (evidence,), theme=event.item_id)
                return


def _pictured(signals: Signals) -> Iterator[Fragment]:
    """Yield that an item was found by a picture, with its score in every way it could be compared."""
    compared = {name: value for name, value in signals.modalities.items() if name != "keyword"}
    if compared:
        evidence = tuple(
            Evidence("signal", name, round(value, 4), f"{_COMPARED.get(name, name)}: {value:.2f}")
            for name, value in signals.modalities.items()
        )
        yield Fragment("among what comes closest to the picture", evidence, theme="picture")


def _same_kind(record: Record, other: Record) -> bool:
    return bool(record.item.categories) and record.item.categories[-1:] == other.item.categories[-1:]


def _seen(record: Record, asked: list[str], covered: set[str]) -> Iterator[Fragment]:
    for caption in record.captions:
        words = [w for w in dict.fromkeys(tokens(caption.text)) if w in asked and w not in covered]
        if words:
            covered.update(words)
            evidence = Evidence("caption", "picture", words, clean(caption.text, 200))
            clause = next(part for part in re.split(r"[,.;]", caption.text) if words[0] in tokens(part))
            shown = clean(clause, 80)
            yield Fragment(f"its picture shows {shown[:1].lower()}{shown[1:]}", (evidence,))
            return


def _mentioned(record: Record, asked: list[str], covered: set[str]) -> Iterator[Fragment]:
    for name, text in (("title", record.item.title), ("description", record.item.description)):
        words = [w for w in dict.fromkeys(tokens(text or "")) if w in asked and w not in covered and len(w) > 2]
        if words:
            covered.update(words)
            evidence = Evidence("field", name, words, _around(words[0], text or ""))
            yield Fragment(f"its {name} says {_listed(words[:3])}", (evidence,))


def _around(word: str, text: str) -> str:
    """Return about a hundred characters of `text` around the first mention of `word`, cut between words."""
    whole = clean(text, 2000)
    at = max(whole.casefold().find(word), 0)
    start = whole.rfind(" ", 0, max(at - 40, 0)) + 1 if at > 40 else 0
    cut = whole[start : start + 100].rsplit(" ", 1)[0] if len(whole) - start > 100 else whole[start:]
    return f"{'... ' if start else ''}{cut}{' ...' if start + len(cut) < len(whole) else ''}"


def _popular(record: Record, run: ToolRun | None, signals: Signals) -> Iterator[Fragment]:
    ground = run.facts.get("ground") if run is not None else None
    if ground == "popularity" or (ground is None and "popularity" in signals.sources):
        value = signals.features.get("popularity", record.item.rating_count)
        if value:
            evidence = Evidence("signal", "popularity", value, f"popularity {value:g}")
            yield Fragment("popular with other shoppers", (evidence,))


def _fresh(parts: Sequence[Fragment], told: set[str]) -> Iterator[Fragment]:
    """Yield what is worth saying: not plain, and of each theme one part, none that was told before."""
    seen = set(told)
    for part in parts:
        if not part.plain and part.theme not in seen:
            yield part
        if part.theme is not None:
            seen.add(part.theme)


def _ground(run: ToolRun | None) -> Iterator[Evidence]:
    ground = run.facts.get("ground") if run is not None else None
    if ground in ("history", "session"):
        told = {"history": "ordered by your history", "session": "ordered by what you looked at"}[ground]
        yield Evidence("signal", "ground", ground, told)


def _ranked_by(signals: Signals | None) -> Iterator[Evidence]:
    if signals is None:
        return
    for source, rank in signals.sources.items():
        if rank > 0:
            yield Evidence("signal", source, rank, f"place {rank} by {source}")
    if (clicks := signals.features.get("ctr")) is not None:
        yield Evidence("model", "ctr", round(clicks, 4), f"chance of a click, shown first: {clicks:.1%}")
    strongest = sorted(signals.contributions.items(), key=lambda pair: -abs(pair[1]))[:3]
    for name, value in strongest:
        yield Evidence("model", name, round(value, 4), f"{name} moved its score by {value:+.3f}")


def _field(text: str, name: str, value: Any) -> Fragment:
    return Fragment(text, (Evidence("field", name, value, f"{clean(name, 40)}: {text}"),))


def _sentence(parts: Sequence[Fragment]) -> str:
    text = "; ".join(part.text for part in parts)
    return f"{text[:1].upper()}{text[1:]}." if text else "It is in the shop's catalogue."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _texts(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_texts(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return " ".join(_texts(inner) for inner in value)
    return value if isinstance(value, str) else ""


def _distinct(evidence: Sequence[Evidence]) -> Iterator[Evidence]:
    seen: set[tuple[str, str, str]] = set()
    for each in evidence:
        key = (each.kind, each.name, each.text)
        if key not in seen:
            seen.add(key)
            yield each
