"""Titles and descriptions: what the record says about a piece, and nothing the eye alone should find."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import numpy as np

from catalog.boutique.phrases import (
    CARE_LINES,
    FUNCTION_LINES,
    FUNCTION_WORDS,
    OCCASION_LINES,
    OPENINGS,
    THEME_ADJECTIVES,
    THEME_STORIES,
    TITLES,
)  # fmt: skip
from catalog.boutique.pieces import Piece

T = TypeVar("T")

COLOUR_TOLD = 0.88
"""Share of items whose record names the colour: shops forget some."""


def pick(rng: np.random.Generator, options: tuple[T, ...]) -> T:
    """Return one of `options`, each as likely."""
    return options[int(rng.integers(len(options)))]


def describe(piece: Piece) -> tuple[str, str]:
    """Return title and description. Variants of one parent share their words but the shade."""
    rng = np.random.default_rng([piece.seed, 31])
    words = {
        "brand": piece.brand.name,
        "name": piece.name,
        "noun": pick(rng, piece.category.nouns),
        "theme": pick(rng, THEME_ADJECTIVES[piece.theme]),
        "function": pick(rng, FUNCTION_WORDS[piece.function]),
        "material": piece.material,
        "shade": piece.shade,
    }
    title = _article(pick(rng, TITLES).format(**words))
    lines = [
        pick(rng, THEME_STORIES[piece.theme]),
        pick(rng, FUNCTION_LINES[piece.function][piece.category.family]),
        pick(rng, OCCASION_LINES[piece.occasion]),
        pick(rng, CARE_LINES[piece.material]),
    ]
    order = [0, *(1 + rng.permutation(3)).tolist()] if rng.random() < 0.6 else rng.permutation(4).tolist()
    opening = _article(pick(rng, OPENINGS).format(**words))
    return title, " ".join([opening, *(lines[k] for k in order)])


def _article(text: str) -> str:
    """Mend `a` before a vowel sound, and begin with a capital."""
    words = text.split(" ")
    for k, (word, after) in enumerate(pairwise(words)):
        if word == "a" and (after[:1].lower() in "aeio" or after.lower().startswith("urban")):
            words[k] = "an"
    joined = " ".join(words)
    return joined[:1].upper() + joined[1:]


def attributes(piece: Piece) -> dict[str, tuple[str, ...]]:
    """Return the facets of the record: material and occasion always, colour mostly."""
    told = np.random.default_rng([piece.seed, 37, len(piece.shade)]).random() < COLOUR_TOLD
    facets: dict[str, tuple[str, ...]] = {"material": (piece.material,), "occasion": (piece.occasion,)}
    return {"colour": (piece.colour,), **facets} if told else facets
