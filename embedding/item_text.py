"""`item_text`: the one template that turns an item into the text an embedder reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from catalog.errors import ConfigError, did_you_mean
from catalog.nouns import Caption, Item

Part = Literal["title", "brand", "categories", "attributes", "captions", "description"]
PARTS: tuple[Part, ...] = get_args(Part)

TEMPLATE = 1
"""Version of the template; stands in content keys, so that a change re-embeds everything."""

CATALOGUE_PARTS: tuple[Part, ...] = ("title", "brand", "categories", "attributes", "description")
"""What the shop wrote. Captions have a space of their own."""


def item_text(
    item: Item,
    captions: Sequence[Caption] = (),
    *,
    parts: tuple[Part, ...] = CATALOGUE_PARTS,
    budget_chars: int = 2000,
) -> str:
    """Return the item's text: its parts in their fixed order, as sentences divided by ". ".

    Title and brand come first, then categories (comma separated), attributes (`name: value, value`,
    comma separated), captions, and the description last, since it is the longest and embedders read
    only so far. Parts the item lacks leave no trace; "" when it has none of them.

    Args:
        item: The item.
        captions: Its captions; the same words twice (two alike pictures) count once.
        parts: Which parts; their order in the text is always that of `PARTS`.
        budget_chars: The text is cut at the last word that fits.

    Raises:
        ConfigError: When a part is unknown.

    Example:
        >>> item_text(Item("1", title="Mug", categories=("Kitchen", "Mugs"), description="Holds tea."))
        'Mug. Kitchen, Mugs. Holds tea.'
    """
    for part in parts:
        if part not in PARTS:
            raise ConfigError(f"unknown part {part!r} of an item's text. {did_you_mean(part, list(PARTS))}")
    attributes = ", ".join(
        f"{name.replace('_', ' ')}: {', '.join(values)}" for name, values in item.attributes.items() if values
    )
    said: dict[Part, str | None] = {
        "title": item.title,
        "brand": item.brand,
        "categories": ", ".join(item.categories),
        "attributes": attributes,
        "captions": " ".join(dict.fromkeys(c.text.strip() for c in captions)),
        "description": item.description,
    }
    sentences = [" ".join(text.split()) for part in PARTS if part in parts and (text := said[part])]
    text = ". ".join(s.rstrip(".") if at < len(sentences) - 1 else s for at, s in enumerate(sentences) if s)
    return _cut(text, budget_chars)


def _cut(text: str, budget: int) -> str:
    if len(text) <= budget:
        return text
    head = text[:budget]
    return head if text[budget].isspace() else (head.rsplit(None, 1)[0] if " " in head else head)
