"""One drawing a product: sixteen kinds, four silhouettes each."""

from __future__ import annotations

from collections.abc import Callable

from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.products.armchairs import armchair
from catalog.boutique.drawing.products.bags import backpack, handbag
from catalog.boutique.drawing.products.dresses import dress
from catalog.boutique.drawing.products.lamps import lamp
from catalog.boutique.drawing.products.notebooks import notebook
from catalog.boutique.drawing.products.scarves import scarf
from catalog.boutique.drawing.products.shoes import sneaker
from catalog.boutique.drawing.products.sweaters import sweater
from catalog.boutique.drawing.products.tableware import bottle, mug, teapot
from catalog.boutique.drawing.products.textiles import cushion, rug
from catalog.boutique.drawing.products.vessels import pot, vase
from catalog.boutique.drawing.stage import Stage, Stance

PRODUCTS: dict[str, tuple[Callable[[Stage, Look], None], Stance]] = {
    "vase": (vase, "standing"),
    "plant pot": (pot, "standing"),
    "table lamp": (lamp, "standing"),
    "mug": (mug, "standing"),
    "teapot": (teapot, "standing"),
    "bottle": (bottle, "standing"),
    "cushion": (cushion, "standing"),
    "rug": (rug, "lying"),
    "armchair": (armchair, "standing"),
    "handbag": (handbag, "standing"),
    "backpack": (backpack, "standing"),
    "sneaker": (sneaker, "standing"),
    "dress": (dress, "lying"),
    "sweater": (sweater, "lying"),
    "scarf": (scarf, "lying"),
    "notebook": (notebook, "lying"),
}
"""How each category is drawn, and how it stands in the studio."""

TURNED: frozenset[str] = frozenset({"vase", "plant pot", "table lamp", "mug", "teapot", "bottle"})
"""Products turned on a lathe: they are drawn afresh for every frame of a turn."""
