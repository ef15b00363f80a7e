"""Colour families: navy is a blue, whatever the catalogue calls its shades."""

from __future__ import annotations

from agent.understanding.words import keys

_FAMILIES = {
    "blue": "blue navy cobalt azure indigo sapphire ultramarine cerulean denim sky",
    "green": "green olive emerald lime mint sage khaki moss forest jade",
    "red": "red crimson scarlet burgundy maroon ruby cherry vermilion",
    "pink": "pink rose fuchsia magenta blush salmon",
    "purple": "purple violet lilac lavender mauve plum aubergine",
    "yellow": "yellow mustard lemon ochre amber",
    "orange": "orange terracotta apricot tangerine rust peach coral",
    "brown": "brown chocolate chestnut cognac coffee mocha walnut",
    "beige": "beige cream ivory sand ecru taupe camel",
    "grey": "grey anthracite charcoal slate ash",
    "black": "black ebony jet onyx",
    "white": "white snow chalk",
    "gold": "gold golden",
    "silver": "silver chrome",
    "turquoise": "turquoise teal aqua cyan petrol",
}
_FAMILY_OF = {shade: family for family, shades in _FAMILIES.items() for shade in shades.split()}


def family(colour: str) -> str | None:
    """Return the family of a colour word or phrase ("dark navy" -> "blue"), or None where it names no colour."""
    found = (_FAMILY_OF.get(word) for word in reversed(keys(colour)))
    return next((name for name in found if name is not None), None)


def is_family(word: str) -> bool:
    """Whether `word` names a whole family, as "blue" does and "navy" does not."""
    return word in _FAMILIES
