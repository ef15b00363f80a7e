"""The factors a taste is made of, their levels, and which medium gives each away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from catalog.boutique.drawing.patterns import PATTERNS

Medium = Literal["picture", "video", "text", "record"]
"""Where a factor can be read: pixels, moving pixels, title and description, or structured fields."""

SILHOUETTES = ("tall", "wide", "round", "angular")
PATTERN_NAMES = (*PATTERNS, "ombre")
OCCASIONS = ("everyday", "gift", "wedding", "travel", "office", "garden party", "holidays", "quiet evening")
THEMES = ("nordic", "coastal", "vintage", "artisan", "city", "countryside", "playful", "bookish")
FUNCTIONS = (
    "easy care", "low impact", "portable", "hard wearing", "comforting", "weatherproof", "personalised", "space saving",
)  # fmt: skip
PRICE_LEVELS = ("budget", "fair", "middle", "fine", "luxury")


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing shoppers differ about.

    Attributes:
        name: Column of the truth's item table.
        levels: Its values.
        seen_in: Media that give it away; where it is one, only that medium does.
        share: Share of the variance of a shopper's preference it explains, over items that have it.
    """

    name: str
    levels: tuple[str, ...]
    seen_in: frozenset[Medium]
    share: float


SHARES: dict[str, tuple[frozenset[Medium], float]] = {
    "category": (frozenset({"picture", "text", "record"}), 0.20),
    "pattern": (frozenset({"picture"}), 0.21),
    "silhouette": (frozenset({"picture"}), 0.10),
    "motion": (frozenset({"video"}), 0.25),
    "colour": (frozenset({"picture", "record"}), 0.09),
    "theme": (frozenset({"text"}), 0.13),
    "function": (frozenset({"text"}), 0.10),
    "occasion": (frozenset({"text", "record"}), 0.05),
    "price": (frozenset({"record"}), 0.04),
    "brand": (frozenset({"text", "record"}), 0.03),
}
"""Medium and weight of every factor. Frozen before any model saw the shop; do not tune it on one."""
