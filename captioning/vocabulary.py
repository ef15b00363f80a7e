"""Colour names and the shares from which they are said, in one place."""

from __future__ import annotations

from typing import Final

VERSION: Final = 2
"""Named in the captions' `model`; raised when the rules that choose the words change in kind."""

COLOURS: Final[dict[str, str]] = {
    "black": "#17171a",
    "charcoal": "#3b3b40",
    "dark grey": "#5c5c60",
    "grey": "#8b8b8f",
    "light grey": "#bcbcbe",
    "white": "#f2f2f2",
    "cream": "#f1e6cd #d7d4ca",
    "beige": "#d8c6ab #ccc2b9",
    "tan": "#c19d72 #ac8b63",
    "taupe": "#9c8b7c",
    "brown": "#7a4f33 #926d50",
    "dark brown": "#453025",
    "rust": "#a4512b",
    "terracotta": "#c4714f",
    "orange": "#ee7f22",
    "peach": "#f5bb95",
    "coral": "#f2705f",
    "red": "#cc2430",
    "burgundy": "#6b1f2d #3d1f25",
    "blush pink": "#ecc9c6 #d4c6c7",
    "pink": "#ef9bb4",
    "dusty rose": "#c08185 #926e6d",
    "magenta": "#c62672",
    "plum": "#5f2f55 #6e595f #482634",
    "purple": "#74409c",
    "mauve": "#a384a6 #b09ba6",
    "lavender": "#c5b5e2 #cdc3d2",
    "navy blue": "#232b47 #000070 #313442 #1f1e2c",
    "blue": "#2c5eb8",
    "slate blue": "#7e8d9d #526070",
    "denim blue": "#56739a",
    "sky blue": "#86b8e4 #849eb7",
    "pale blue": "#c6d8e6 #b0b9c9",
    "dark teal": "#1f4a50",
    "teal": "#1f8286 #5d8b94",
    "turquoise": "#4cc0bf",
    "mint green": "#b4dfc6 #b9d1c8",
    "sage green": "#9dab8c #879488 #bbc3b7",
    "green": "#3b8f4c #31745a",
    "bottle green": "#23442f #556a60 #3d3f34 #222f2c",
    "olive green": "#5e5d38 #808000 #6e6b5a #4a4736",
    "khaki": "#a59a71",
    "lime green": "#a9cb3f",
    "pale yellow": "#f3e79b",
    "yellow": "#f0ca33",
    "mustard yellow": "#bf942f",
}
"""Colour names by typical sRGB values, vivid and muted; the nearest is said."""

SHARES: Final = {"whole": 0.80, "mostly": 0.58, "part": 0.13, "touch": 0.035}
"""Share of the subject from which a colour is the whole of it, most of it, a part, or a touch."""
