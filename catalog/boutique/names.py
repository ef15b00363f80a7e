"""Names of pieces: short, invented-sounding, distinct within a category."""

from __future__ import annotations

import numpy as np

_NAMES = (
    "Solveig", "Maren", "Ilka", "Anouk", "Tilda", "Bram", "Ottilie", "Fenna", "Leonie", "Casper", "Runa", "Elio",
    "Margot", "Isak", "Noor", "Petra", "Silvan", "Wilma", "Aurel", "Beatrix", "Corin", "Dagny", "Esben", "Flora",
    "Greta", "Hanne", "Ines", "Jorun", "Kasia", "Lotte", "Mirko", "Nella", "Orla", "Pascal", "Quentin", "Rosalie",
    "Sunniva", "Theo", "Ursa", "Viggo", "Willem", "Xenia", "Yara", "Zelda", "Alma", "Benno", "Clio", "Dario",
    "Edda", "Finn", "Gaia", "Hugo", "Ida", "Juno", "Kai", "Luce", "Mila", "Nils", "Olive", "Pia", "Remy",
    "Saskia", "Tove", "Una", "Vera", "Wren", "Ylva", "Zita", "Arlo", "Birk", "Cosima", "Dora", "Emil", "Fia",
    "Gus", "Hedda", "Ivo", "Jette", "Knut", "Linnea", "Moritz", "Nadia", "Oskar", "Piet", "Ragna", "Stella",
    "Thure", "Ulla", "Veda", "Wanda", "Yngve", "Zora", "Adele", "Boris", "Celia", "Dunja",
)  # fmt: skip


def piece_names(n: int, n_categories: int, rng: np.random.Generator) -> list[str]:
    """Return `n` names; those at distance `n_categories` (one category) never repeat."""
    names = [""] * n
    for category in range(n_categories):
        order = rng.permutation(len(_NAMES))
        for turn, at in enumerate(range(category, n, n_categories)):
            lap, k = divmod(turn, len(order))
            names[at] = _NAMES[int(order[k])] + (f" {lap + 1}" if lap else "")
    return names
