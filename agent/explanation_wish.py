"""What of an item answers the wish: values of its record, its price, words of its captions and texts.

A word counts where the shopper said it and the record says it; every place it stands in is evidence, since the item
would be found by any of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from agent.explanation_fragments import EMPTY, Fragment, around, field_fragment, listed
from agent.gate.grounds import Grounds, Record
from agent.gate.vocabulary import spans, tokens
from agent.messages import clean
from agent.money import price_text
from agent.trace import ToolRun
from agent.understanding.lexicon import FILLERS
from catalog.nouns import Evidence
from indexes.words import terms
from tools.titles import speaks_for_shop, without_links


def asked_words(grounds: Grounds, run: ToolRun | None) -> list[str]:
    """Return the words of the wish: what was searched for, as far as the shopper said it."""
    if run is None:
        return []
    filters = run.arguments.get("filters")
    wanted = {name: v for name, v in filters.items() if name != "not"} if isinstance(filters, Mapping) else {}
    text = f"{run.arguments.get('query') or ''} {_texts(wanted)}"
    # A word that the search passes over found nothing.
    return [w for w in dict.fromkeys(tokens(text)) if w not in EMPTY and terms(w) and f" {w} " in grounds.wishes]


def filtered(run: ToolRun | None) -> frozenset[tuple[str, str]]:
    """Return the attributes and values a call was filtered by, the values in small letters."""
    filters = run.arguments.get("filters") if run is not None else None
    wanted = filters.get("attributes") if isinstance(filters, Mapping) else None
    given = wanted.items() if isinstance(wanted, Mapping) else ()
    return frozenset((name, str(v).casefold()) for name, values in given if isinstance(values, list) for v in values)


def wished(
    record: Record, asked: Sequence[str], covered: set[str], filters: Collection[tuple[str, str]] = ()
) -> Iterator[Fragment]:
    """Yield the values of the record that were asked for; their words are then covered.

    A value that was filtered by was asked for also where only a part of it was said: "Hitchcock".
    """
    item = record.item
    values: list[str] = []
    evidence: list[Evidence] = []
    kinds = {word for category in item.categories for word in tokens(category)}
    # Of a bag, a department called bags says nothing.
    given = [(name, v) for name, found in item.attributes.items() for v in found if not kinds.issuperset(tokens(v))]
    for name, value in [*given, *([("brand", item.brand)] if item.brand else [])]:
        words = tokens(value)
        meant = all(word in asked for word in words) or (
            (name, value.casefold()) in filters and any(word in asked for word in words)
        )
        if words and meant and not covered.issuperset(words):
            covered.update(words)
            values.append(clean(value, 40) if name != "brand" else f"by {clean(value, 60)}")
            evidence.append(Evidence("field", name, value, f"{clean(name, 40)}: {clean(value, 60)}"))
    for category in reversed(item.categories):
        words = tokens(category)
        if words and all(word in asked for word in words) and not covered.issuperset(words):
            covered.update(words)
            evidence.append(Evidence("field", "category", category, f"category: {clean(category, 60)}"))
            break
    named = [each for each in asked if each in covered]
    also = (*_in_captions(record, named), *_in_texts(record, named))
    if values:
        yield Fragment(f"{listed(values[:3])}, as you asked", (*evidence, *also))
    elif evidence:
        told = f"one of the {clean(str(evidence[0].value), 60)} you asked for"
        yield Fragment(told, (*evidence, *also), plain=True)


def highest_price(run: ToolRun | None) -> float | None:
    """Return the highest price a call was filtered by, None without one."""
    filters = run.arguments.get("filters") if run is not None else None
    bounds = filters.get("price") if isinstance(filters, Mapping) else None
    highest = bounds.get("max") if isinstance(bounds, Mapping) else None
    return highest if isinstance(highest, int | float) else None


def limited(grounds: Grounds, record: Record, highest: float) -> Iterator[Fragment]:
    """Yield the price that keeps to the limit."""
    item = record.item
    if item.price is not None and item.price <= highest:
        price = price_text(item.price, item.currency) or ""
        # "under 40" may have become a limit of 39.99.
        said = [n for n in grounds.wish_numbers if item.price <= n and abs(n - highest) < 0.02]
        text = f"{price}, within your limit of {price_text(said[0], item.currency)}" if said else price
        yield field_fragment(text, "price", item.price)


def sized(record: Record, sizes: Collection[str]) -> Iterator[Fragment]:
    """Yield the size that was asked for, or told before, where the item comes in it; `sizes` in small letters."""
    found = [size for size in record.item.sizes if size.casefold() in sizes]
    if found:
        shown = [clean(size, 20) for size in found[:3]]
        evidence = Evidence("field", "sizes", found, f"sizes: {clean(', '.join(record.item.sizes), 100)}")
        yield Fragment(f"comes in size {listed(shown)}", (evidence,))


def seen(record: Record, asked: Sequence[str], covered: set[str]) -> Iterator[Fragment]:
    """Yield what a caption shows of the wish."""
    for caption in record.captions:
        words = [w for w in dict.fromkeys(tokens(caption.text)) if w in asked and w not in covered]
        if words:
            covered.update(words)
            clause = _clause(caption.text, words[0])
            shown = _shown(clean(without_links(clause), 80))
            if speaks_for_shop(clause):
                continue
            evidence = (*_in_captions(record, words), *_in_texts(record, words))
            yield Fragment(f"its picture shows {shown}", evidence)
            return


def _clause(text: str, word: str) -> str:
    """Return the clause of a text that has a word; of "A wide, round bowl" not the half without its article."""
    sentence = next(part for part in re.split(r"[.;]", text) if word in tokens(part))
    parts = sentence.split(",")
    at = next((n for n, part in enumerate(parts) if word in tokens(part)), len(parts) - 1)
    alone = _ARTICLE.match(parts[at]) or _PLACED.match(parts[at].strip())
    whole = at and _ARTICLE.match(parts[0]) and not alone
    return ",".join(parts[: at + 1]) if whole else parts[at]


_ARTICLE = re.compile(r"\s*(?:an?|the)\b", re.IGNORECASE)
_LABELLED = re.compile(r"(?P<label>[^\W\d_]+): (?P<said>.+)")
_PLACED = re.compile(r"(?:on|in|at|with|without|against|under|above|over|near|beside|filling|small in)\b")


def _shown(clause: str) -> str:
    """Return a clause of a caption as the object of "its picture shows".

    Example:
        >>> [_shown(each) for each in ("Pattern: polka dots", "Pattern: plain", "Silhouette: on a foot", "A red mug")]
        ['polka dots', 'a plain pattern', 'it on a foot', 'a red mug']
    """
    text = clause[:1].lower() + clause[1:]
    found = _LABELLED.fullmatch(text)
    if found is not None:
        text = found["said"][:1].lower() + found["said"][1:]
        if " " not in text:
            return f"{'an' if text[:1] in 'aeiou' else 'a'} {text} {found['label']}"
    return f"it {text}" if _PLACED.match(text) else text


def mentioned(record: Record, asked: Sequence[str], covered: set[str]) -> Iterator[Fragment]:
    """Yield what its title and its description say of the wish."""
    for name, text in _written(record, asked):
        found = {w: said for w, said in _surfaces(text).items() if w in asked and w not in covered and _word(w)}
        telling = {said for w, said in found.items() if w not in FILLERS}
        found = {w: said for w, said in found.items() if w not in FILLERS or _beside(said, telling, text)}
        if found:
            covered.update(found)
            words = list(found)[:3]
            if name == "title" and set(tokens(text)) <= {*asked, *found}:
                told = "its title says it"  # who asks for a title knows what it says
                yield Fragment(told, tuple(_in_texts(record, list(found))), plain=True)
            else:
                said = _together([found[word] for word in words], text)
                yield Fragment(f"its {name} says {said}", tuple(_in_texts(record, list(found))))


def _word(word: str) -> bool:
    return len(word) > 2 and not word.isdigit()


def _beside(filler: str, telling: Collection[str], text: str) -> bool:
    """Whether a word that says nothing alone stands beside one that does: the "star" of "Star Wars"."""
    low = text.casefold()
    return any(f"{filler} {word}" in low or f"{word} {filler}" in low for word in telling)


def _surfaces(text: str) -> dict[str, str]:
    """Return each word of a text as it is compared -> as it is written, in small letters, the first time."""
    found: dict[str, str] = {}
    for word, start, end in spans(text):
        found.setdefault(word, text[start:end].casefold())
    return found


def _together(words: Sequence[str], text: str) -> str:
    """Return words as prose, those that stand together in the text as one."""
    phrase = " ".join(words)
    return phrase if phrase in text.casefold() else listed(words)


def _in_captions(record: Record, words: Collection[str]) -> Iterator[Evidence]:
    for caption in record.captions:
        found = [w for w in dict.fromkeys(tokens(caption.text)) if w in words]
        if found:
            yield Evidence("caption", "picture", found, clean(caption.text, 200))


def _in_texts(record: Record, words: Collection[str]) -> Iterator[Evidence]:
    for name, text in _written(record, words):
        found = [w for w in dict.fromkeys(tokens(text)) if w in words]
        if found:
            whole = (record.item.title if name == "title" else record.item.description) or text
            yield Evidence("field", name, found, around(found[0], whole))


def _written(record: Record, asked: Collection[str]) -> Iterator[tuple[str, str]]:
    maker = record.item.brand or ""
    named = next(iter(tokens(maker)), None)
    for name, text in (("title", record.item.title or ""), ("description", record.item.description or "")):
        if named is not None and named not in asked:  # "Amberley Works" says nothing of a bag for work
            text = re.sub(re.escape(maker), " ", text, flags=re.IGNORECASE)
        yield name, text


def _texts(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_texts(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return " ".join(_texts(inner) for inner in value)
    return value if isinstance(value, str) else ""
