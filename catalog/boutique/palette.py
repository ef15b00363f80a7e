"""The shop's colours: families a shopper names, the shades a shop calls them, and colours that go together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog.boutique.drawing.colour import linear, luminance

SHADES: dict[str, tuple[tuple[str, str], ...]] = {
    "red": (("brick", "#b23c2c"), ("cherry", "#bd2231"), ("poppy", "#d8402f")),
    "orange": (("tangerine", "#e2792a"), ("apricot", "#efa05e"), ("pumpkin", "#d8661f")),
    "yellow": (("mustard", "#dba924"), ("lemon", "#f2d648"), ("honey", "#e9b93f")),
    "green": (("sage", "#8aa67c"), ("forest", "#2c5e43"), ("moss", "#66803c"), ("mint", "#9fcfb0")),
    "blue": (("sky", "#83b4da"), ("cobalt", "#2b5cb0"), ("navy", "#243a68"), ("petrol", "#2b6c88")),
    "purple": (("lilac", "#b297d0"), ("plum", "#693a6c"), ("violet", "#7b58ab")),
    "pink": (("rose", "#e08ea0"), ("blush", "#f0bfc0"), ("fuchsia", "#cf4787")),
    "brown": (("chestnut", "#7b4a2e"), ("cocoa", "#593a2b"), ("caramel", "#a46c3c")),
    "beige": (("sand", "#d6c19c"), ("oat", "#e0d2b6")),
    "white": (("ivory", "#f4efe4"), ("chalk", "#f6f5f2")),
    "grey": (("ash", "#a8a9a8"), ("slate", "#697079")),
    "black": (("ink", "#24262c"), ("coal", "#1e1d1d")),
}

FAMILIES = tuple(SHADES)

_NEUTRALS = ("#f4efe4", "#f6f5f2", "#24262c", "#e0d2b6", "#243a68")
_TRIMS = ("#94603a", "#593a2b", "#27272b", "#b98a5a", "#e3d8c3", "#7d3f2c", "#3a4a44")
_ROOMS = (
    ("#e9e4dc", "#dcd4c8"), ("#e3e6e6", "#d2d7d8"), ("#ece2d9", "#dfd0c2"), ("#dfe4dc", "#cfd6ca"),
    ("#e8dfe0", "#dacdce"), ("#dde3ea", "#ccd4dd"), ("#e6e3ea", "#d6d1dc"), ("#d9d4cb", "#c9c2b6"),
)  # fmt: skip


def lightness(hex_colour: str) -> float:
    """Return CIE L* in 0..100."""
    y = luminance(linear(hex_colour))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def accents(ground: str, family: str, rng: np.random.Generator) -> tuple[str, str]:
    """Return two colours that stand out clearly from `ground` (at least 34 L*), the first mostly neutral."""
    colourful = [code for name, shades in SHADES.items() for _, code in shades if name != family]

    def clear(options: Sequence[str], against: str, gap: float) -> list[str]:
        return [code for code in options if abs(lightness(code) - lightness(against)) >= gap]

    wanted = clear(_NEUTRALS if rng.random() < 0.65 else colourful, ground, 34) or clear(_NEUTRALS, ground, 34)
    first = _pick(rng, wanted)
    options = [*_NEUTRALS, *colourful]
    furthest = max(options, key=lambda code: min(abs(lightness(code) - lightness(other)) for other in (ground, first)))
    return first, _pick(rng, clear(clear(options, ground, 20), first, 25) or [furthest])


def trim(rng: np.random.Generator) -> str:
    """Return a colour for straps, legs and piping."""
    return _pick(rng, _TRIMS)


def room(rng: np.random.Generator) -> tuple[str, str]:
    """Return wall and floor of a studio."""
    return _ROOMS[int(rng.integers(len(_ROOMS)))]
