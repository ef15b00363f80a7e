"""Which vector spaces a shop has, what each one sees, and which take words."""

from __future__ import annotations

from typing import Literal

from tools.shop import Shop

Aspect = Literal["look", "words", "both"]

_LOOK = ("caption", "image", "picture", "photo", "visual", "video", "clip")


def spaces_of(shop: Shop, aspect: Aspect = "both") -> tuple[str, ...]:
    """Return the indexed spaces of one aspect: `look` is what pictures show (or captions say of them)."""
    indexed = (name for name in shop.spaces if name in shop.indexes)
    return tuple(name for name in indexed if aspect == "both" or sees_look(name) == (aspect == "look"))


def sees_look(space: str) -> bool:
    """Whether a space, by its name, holds what an item looks like."""
    return any(word in space for word in _LOOK)


def takes_words(shop: Shop, space: str) -> bool:
    """Whether the shop's embedder turns words into vectors of this space."""
    return space.endswith(f"-{shop.embedder.name}") and shop.table(space).dim == shop.embedder.dim
