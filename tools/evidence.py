"""Everything one place in an answer rests on, as numbers, words with their positions, and dated events.

Read from an entry of a tool's trace (`tools.answers.ranked_trace`), so that an answer of last week is explained by what
it was made from, not by what the shop would say today.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.nouns import Interaction
from catalog.vectors import Floats
from indexes.words import terms
from tools.shop import Shop

if TYPE_CHECKING:
    from models.feature_table import FeatureTable

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

SHARES = ("relevance", "words", "meaning", "taste")
"""Features that are shares from 0 to 1 by their making: how well it answers, by words, by meaning; how far it suits."""

MOST_EVENTS = 10


def evidence_of(
    shop: Shop,
    entry: Mapping[str, Any],
    *,
    proposed: Mapping[str, int],
    others: Sequence[Mapping[str, Any]] = (),
    said: str = "",
    past: Sequence[Interaction] = (),
) -> dict[str, Any]:
    """Return the whole evidence of one place, JSON-ready.

    Args:
        shop: Open; the item is in its catalogue.
        entry: Of the item, from the `ranked` of a trace.
        proposed: How many candidates each source proposed, from the `sources` of that trace.
        others: Every entry of that list: what the item is ahead of.
        said: The wish: free words and the values asked for.
        past: The shopper's events, oldest first.

    Returns:
        `{"item_id", "rank", "score", "signals": [{"name", "rank", "of", "strength"}], "shares": {name: 0 to 1},
        "words": [{"word", "field", "media", "start", "end", "text"}], "events": [{"item_id", "title", "kind", "when",
        "likeness", "moved", "place_without"}], "features": [{"name", "value", "reference", "moved", "without"}]}`.
        A signal's strength is the share of what it proposed that stands at or below the item, `1 - (rank - 1) / of`.
        Positions count characters of the text as the record has it. `moved` of a feature is its SHAP value in the
        ranker's score, `reference` its median in the list, and `without` what the score loses at that reference; those
        that hold the item up by both come first.
    """
    item_id, features = str(entry["item_id"]), _numbers(entry.get("features"))
    return {
        "item_id": item_id,
        "rank": entry.get("rank"),
        "score": entry.get("score"),
        "signals": list(_signals(entry.get("sources"), proposed)),
        "shares": {name: round(min(max(features[name], 0.0), 1.0), 4) for name in SHARES if name in features},
        "words": list(words_of(shop, item_id, said)),
        "events": list(_events(shop, entry, past)),
        "features": _features(shop, features, [_numbers(each.get("features")) for each in others] or [features]),
    }


def contributions_of(shop: Shop, features: Mapping[str, float]) -> dict[str, float]:
    """Return what each feature added to the ranker's score of one item, greatest first; {} where no ranker ordered it.

    Args:
        shop: With the ranker that ordered it.
        features: Of the item, as its trace tells them.
    """
    # A list that no ranker ordered has features of its own, and none of a ranker's score.
    if shop.ranker is None or "ranker" not in features:
        return {}
    names = shop.ranker.names
    told = shop.ranker.explain(_table(names, np.array([[features.get(n, np.nan) for n in names]], np.float32)))
    order = np.argsort(-np.abs(told.values[0]), kind="stable").tolist()
    return {told.names[at]: float(told.values[0, at]) for at in order}


def holding(features: Sequence[Mapping[str, Any]], most: int) -> list[str]:
    """Return the names of the features of an evidence that hold its item up: by SHAP and by what it loses without."""
    return [str(each["name"]) for each in features if each["moved"] > 0 and each["without"] > 0][:most]


def _features(
    shop: Shop, features: Mapping[str, float], rows: Sequence[Mapping[str, float]]
) -> list[dict[str, float | str | None]]:
    moved = contributions_of(shop, features)
    if not moved or shop.ranker is None:
        return []
    names = shop.ranker.names
    table = np.array([[row.get(name, np.nan) for name in names] for row in [features, *rows]], np.float32)
    known = ~np.isnan(table[1:])
    reference = {n: float(np.median(table[1:, at][known[:, at]])) for at, n in enumerate(names) if known[:, at].any()}
    changed = np.repeat(table[:1], len(names) + 1, axis=0)
    for at, name in enumerate(names):
        changed[at + 1, at] = reference.get(name, np.nan)
    scores = shop.ranker.score(_table(names, changed)).astype(np.float64)
    told: list[dict[str, float | str | None]] = []
    for at, name in enumerate(names):
        lost = round(float(scores[0] - scores[at + 1]), 6)
        value, middle = features.get(name), reference.get(name)
        told.append(
            {"name": name, "value": value, "reference": middle, "moved": round(moved[name], 6), "without": lost}
        )
    return sorted(told, key=_weight)


def _weight(feature: Mapping[str, Any]) -> tuple[bool, float, float]:
    held = feature["moved"] > 0 and feature["without"] > 0
    return (not held, -feature["without"] if held else 0.0, -abs(feature["moved"]))


def _table(names: Sequence[str], values: Floats) -> FeatureTable:
    from models.feature_table import FeatureTable

    return FeatureTable(tuple(names), tuple(str(at) for at in range(len(values))), values)


def words_of(shop: Shop, item_id: str, said: str) -> Iterator[dict[str, Any]]:
    """Yield where the words of a wish stand in an item's record and captions, in the forms the search takes as one."""
    wanted = set(terms(said))
    item = shop.catalog[item_id]
    texts: list[tuple[str, str | None, str | None]] = [
        ("title", None, item.title),
        ("brand", None, item.brand),
        *(("categories", None, category) for category in item.categories),
        *((f"attributes.{name}", None, value) for name, values in item.attributes.items() for value in values),
        ("description", None, item.description),
        *(("captions", caption.media, caption.text) for caption in shop.captions.get(item_id, ())),
    ]
    for field, media, text in texts:
        for match in _WORD.finditer(text or ""):
            if wanted & set(terms(match.group())):
                yield {
                    "word": match.group(),
                    "field": field,
                    **({"media": media} if media else {}),
                    "start": match.start(),
                    "end": match.end(),
                    "text": text,
                }


def _signals(given: Any, proposed: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    entries = [each for each in given if isinstance(each, Mapping)] if isinstance(given, list | tuple) else []
    for each in sorted(entries, key=lambda entry: int(entry["rank"])):
        rank = int(each["rank"])
        of = max(int(proposed.get(str(each["source"]), rank)), rank)
        yield {"name": str(each["source"]), "rank": rank, "of": of, "strength": round(1 - (rank - 1) / of, 4)}


def _events(shop: Shop, entry: Mapping[str, Any], past: Sequence[Interaction]) -> Iterator[dict[str, Any]]:
    """Yield the shopper's events the place rests on; those that were tried tell where it would stand without."""
    closest = entry.get("closest")
    tried: dict[str, Mapping[str, Any]] = {str(each["item_id"]): each for each in entry.get("because") or ()}
    near = {}
    if isinstance(closest, Mapping) and closest.get("why") != "example":
        near = {str(closest["item_id"]): closest}
    for item_id in list(dict.fromkeys([*tried, *near]))[:MOST_EVENTS]:
        mine = [event for event in past if event.item_id == item_id and event.kind != "impression"]
        item = shop.catalog.get(item_id)
        told = tried.get(item_id, {})
        when: str | datetime | None = mine[-1].timestamp.isoformat() if mine else told.get("when")
        kind = mine[-1].kind if mine else told.get("why", near.get(item_id, {}).get("why"))
        event: dict[str, Any] = {"item_id": item_id, "title": item.title if item else None, "kind": kind, "when": when}
        event["likeness"] = told["likeness"] if told else round(float(near[item_id]["cosine"]), 4)
        yield {**event, "moved": bool(told), **({"place_without": told["place"]} if told else {})}


def _numbers(given: Any) -> dict[str, float]:
    if not isinstance(given, Mapping):
        return {}
    return {str(name): float(v) for name, v in given.items() if isinstance(v, int | float) and not isinstance(v, bool)}
