"""`Look`: all that a picture needs to know about one product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.boutique.drawing.colour import Rgb
from catalog.boutique.drawing.stage import Paint


@dataclass(frozen=True, slots=True)
class Look:
    """What one product looks like.

    Attributes:
        category: Which product (`products.PRODUCTS`).
        silhouette: `tall`, `wide`, `round` or `angular`.
        body: The print and finish of the main part.
        trim: Colour of the lesser parts (straps, legs, piping).
        dark: A deep colour for laces, zips and shadows.
        seed: Small proportions that tell two pieces of one kind apart.
    """

    category: str
    silhouette: str
    body: Paint
    trim: Rgb
    dark: Rgb
    seed: int

    def sizes(self, n: int, spread: float = 0.06) -> list[float]:
        """Return `n` factors about 1, at most `spread` away."""
        return [float(v) for v in np.random.default_rng([self.seed, 5]).uniform(1 - spread, 1 + spread, n)]
