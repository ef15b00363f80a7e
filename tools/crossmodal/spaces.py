"""Which spaces a query of several media reaches, and what each one answers by."""

from __future__ import annotations

from tools.crossmodal.config import Modality
from tools.shop import Shop
from tools.spaces import spaces_of, takes_words

FUSED = "fused"
_BY_PREFIX: dict[str, Modality] = {
    "text": "text", "caption": "caption", "picture": "picture", "video": "video", FUSED: "fused",
}  # fmt: skip


def modality_of(space: str) -> Modality | None:
    """Return what a space answers by; None for one that was brought along and says nothing of itself."""
    return _BY_PREFIX.get(space.partition("-")[0])


def reached(shop: Shop) -> tuple[str, ...]:
    """Return the spaces that can be searched: everybody's, then those for pictures, films and all of it."""
    return (*spaces_of(shop), *(space for space in shop.further if space in shop.indexes and space not in shop.spaces))


def caption_spaces(shop: Shop) -> tuple[str, ...]:
    """Return the spaces of captions that take words."""
    return tuple(s for s in spaces_of(shop) if modality_of(s) == "caption" and takes_words(shop, s))
