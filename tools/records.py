"""An item's record as JSON-ready values, for facts."""

from __future__ import annotations

from typing import Any

from catalog.nouns import Item
from tools.shop import Shop


def record(item: Item) -> dict[str, Any]:
    """Return the record fields an answer may state; what is not known is left out."""
    fields: dict[str, Any] = {
        "item_id": item.item_id,
        "title": item.title,
        "price": item.price,
        "currency": item.currency,
        "brand": item.brand,
        "categories": list(item.categories),
        "attributes": {name: list(values) for name, values in item.attributes.items()},
        "sizes": list(item.sizes),
        "rating": item.rating,
        "rating_count": item.rating_count,
        "available": item.availability,
    }
    return {name: value for name, value in fields.items() if value is not None and value != [] and value != {}}


def full_record(shop: Shop, item: Item) -> dict[str, Any]:
    """Return the record with the description, what was read from the media, and the variants' ids."""
    variants = [
        other.item_id
        for other in shop.catalog
        if item.parent_id is not None and other.parent_id == item.parent_id and other is not item
    ]
    further = {
        "description": item.description,
        "url": item.url,
        "captions": [caption.text for caption in shop.captions.get(item.item_id, ())],
        "variants": variants,
    }
    return {**record(item), **{name: value for name, value in further.items() if value}}


def comparable(item: Item) -> dict[str, Any]:
    """Return one flat level of the record, attributes by their own names, for a table."""
    flat = record(item)
    attributes: dict[str, list[str]] = flat.pop("attributes", {})
    flat.pop("item_id")
    return {**flat, **{f"attributes.{name.casefold()}": values for name, values in attributes.items()}}
