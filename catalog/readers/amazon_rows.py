"""Rows of Amazon review files (2023, and 2014 that MMRec's data sets come from) under our column names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from catalog.readers.rows import Record
from catalog.readers.values import as_text

REVIEW_COLUMNS = ("user_id", "item_id", "timestamp", "value", "text", "asin", "helpful_vote", "verified_purchase")
"""What `review_of` gives; the last three rest in the event's context."""

ITEM_COLUMNS = (
    "item_id", "title", "description", "price", "currency", "brand", "categories", "images", "videos", "rating",
    "rating_count", "main_category", "subtitle", "author", "details",
)  # fmt: skip
"""What `item_of_meta` gives; the last four become attributes, the members of `details` one each."""

_LARGEST_FIRST = ("hi_res", "large", "thumb")
_NUMBER = r"\$?\s*(\d[\d,]*(?:\.\d+)?)"
_PRICE = re.compile(rf"\s*(?:from\s+)?{_NUMBER}(?:\s*[-–]\s*{_NUMBER})?\s*", re.IGNORECASE)
_NO_PRICE = frozenset({"", "none", "null", "nan", "-", "–", "—"})


def review_of(row: Record) -> Record:
    """Return one review, of 2023 (`parent_asin`, milliseconds) or 2014 (`reviewerID`, seconds).

    The item is the parent: the variant bought (`asin`) is kept where it differs. Title and text are one text.
    """
    asin = row.get("asin")
    parent = row.get("parent_asin") or asin or row.get("item_id")
    said = [as_text(row.get(name)) for name in ("title", "summary", "text", "reviewText")]
    return {
        "user_id": row.get("user_id", row.get("reviewerID")),
        "item_id": parent,
        "timestamp": row.get("timestamp", row.get("sort_timestamp", row.get("unixReviewTime"))),
        "value": row.get("rating", row.get("overall")),
        "text": "\n".join(part for part in said if part) or None,
        "asin": asin if asin and asin != parent else None,
        "helpful_vote": _helpful(row) or None,
        "verified_purchase": row.get("verified_purchase"),
    }


def item_of_meta(row: Record) -> Record:
    """Return one product; what is no noun of ours (`bought_together`, `related`, ranks) is left out.

    The description is followed by the features, which are sentences. Prices are US dollars.
    """
    price = price_of(row.get("price"))
    return {
        "item_id": row.get("parent_asin") or row.get("asin"),
        "title": row.get("title"),
        "description": "\n".join([*_lines(row.get("description")), *_lines(row.get("features"))]) or None,
        "price": price,
        "currency": "USD" if price is not None else None,
        "brand": row.get("store") or row.get("brand"),
        "categories": _categories(row),
        "images": images_of(row.get("images")) or _lines(row.get("imUrl")),
        "videos": _videos(row.get("videos")),
        "rating": row.get("average_rating"),
        "rating_count": row.get("rating_number"),
        "main_category": row.get("main_category"),
        "subtitle": row.get("subtitle"),
        "author": _author(row.get("author")),
        "details": _details(row.get("details")),
    }


def price_of(value: Any) -> Any:
    """Return a price as a number, or as it stands when it is none.

    Example:
        >>> price_of("from 12.99"), price_of("$1,299.00"), price_of("5 - 9"), price_of("—"), price_of("cheap")
        (12.99, 1299.0, 5.0, None, 'cheap')
    """
    if not isinstance(value, str):
        return value
    if value.strip().casefold() in _NO_PRICE:
        return None
    found = _PRICE.fullmatch(value)
    return float(found[1].replace(",", "")) if found else value


def images_of(value: Any) -> list[str]:
    """Return the largest form of each picture: of a list of objects, or of one object of lists (the Parquet form)."""
    pictures: list[Mapping[str, Any]] = []
    if isinstance(value, Mapping):
        columns = [value.get(size) or [] for size in _LARGEST_FIRST]
        pictures += [dict(zip(_LARGEST_FIRST, sizes, strict=True)) for sizes in zip_longest(*columns)]
    elif isinstance(value, list):
        pictures += [each for each in value if isinstance(each, Mapping)]
    largest = (next((str(each[size]) for size in _LARGEST_FIRST if each.get(size)), None) for each in pictures)
    return [url for url in largest if url]


def _videos(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        value = [{"url": url} for url in value.get("url") or []]
    urls = (each.get("url") for each in value if isinstance(each, Mapping)) if isinstance(value, list) else ()
    return [str(url) for url in urls if url]


def _lines(value: Any) -> list[str]:
    lines = value if isinstance(value, list) else [value]
    return [text for text in map(as_text, lines) if text]


def _categories(row: Mapping[str, Any]) -> list[str]:
    """The path; of 2014's several paths the first; without one the main category."""
    path = row.get("categories") or []
    if isinstance(path, list) and path and isinstance(path[0], list):
        path = path[0]
    return _lines(path) or _lines(row.get("main_category"))


def _author(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else value


def _details(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, Mapping):
        return None
    return {str(name): each for name, each in value.items() if not isinstance(each, Mapping)}


def _helpful(row: Mapping[str, Any]) -> Any:
    helpful = row.get("helpful_vote", row.get("helpful"))
    return helpful[0] if isinstance(helpful, list) and helpful else helpful
