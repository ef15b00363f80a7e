"""The boutique's invented makers: a price tier and a theme each leans to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.boutique.factors import THEMES

NAMES = (
    "Halden & Roe", "Maison Lirelle", "Ostrava Mill", "Kettlewick", "Nordhavn Atelier", "Pell & Thorn", "Casa Brenna",
    "Tidewell", "Lumenta", "Oakhurst Lane", "Fable & Finch", "Sorrel House", "Brightwater", "Verano Studio",
    "Quillmark", "Amberley Works", "Copper Wren", "Isola Dune", "Marrow & Moss", "Vantbury", "Larkspur Row",
    "Petit Havre", "Stonecroft", "Willa Berg",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Brand:
    """A maker.

    Attributes:
        name: What the record says.
        tier: Factor on the category's median price.
        theme: Theme of about half its products.
        reach: Share of the shop's shelf it takes, relative to the others.
    """

    name: str
    tier: float
    theme: str
    reach: float


def make_brands(rng: np.random.Generator) -> tuple[Brand, ...]:
    """Return the makers of one shop; themes are dealt evenly."""
    tiers = np.exp(rng.normal(0, 0.34, len(NAMES)))
    reach = np.exp(rng.normal(0, 0.5, len(NAMES)))
    order = rng.permutation(len(NAMES))
    return tuple(
        Brand(name, round(float(tiers[k]), 3), THEMES[int(order[k]) % len(THEMES)], round(float(reach[k]), 3))
        for k, name in enumerate(NAMES)
    )
