"""The searchable words of an item, field by field."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.nouns import Caption, Item

FIELDS: tuple[str, ...] = ("title", "brand", "categories", "attributes", "description", "captions")
"""Searchable fields; the position of a field is its bit in the postings, so the order is part of the format."""


def item_fields(item: Item, captions: Iterable[Caption] = ()) -> dict[str, str]:
    """Return one text a field of `FIELDS`; a missing field is ""."""
    attributes = (f"{name} {' '.join(values)}" for name, values in item.attributes.items())
    return {
        "title": item.title or "",
        "brand": item.brand or "",
        "categories": " ".join(item.categories),
        "attributes": " ".join([*attributes, *item.sizes]),
        "description": item.description or "",
        "captions": " ".join(caption.text for caption in captions),
    }
