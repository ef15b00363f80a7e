"""The wording of a caption, such as `Vest top: colour Black, pattern Solid. Garment Upper body, Ladieswear.`.

The narrowest category that is certain enough comes first, then every attribute by its own name, in the order of the
names, several values joined by "and"; then the broader categories, the narrower before the broader. Names and values
are the shop's own words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from captioning.catalogue.fields import Field
from catalog.vectors import Floats

Guess = tuple[Field, tuple[str, ...]]
"""A field and the values that are said of it."""


def guesses(fields: Sequence[Field], likely: Sequence[Floats], least: Mapping[str, float]) -> list[Guess]:
    """Return what is certain enough of one picture.

    Args:
        fields: Of the heads.
        likely: (values,) probabilities of each field.
        least: Confidence from which each field is said.
    """
    found: list[Guess] = []
    for field, own in zip(fields, likely, strict=True):
        chosen = np.argsort(-own, kind="stable") if field.several else [int(own.argmax())]
        said = tuple(field.values[at] for at in chosen if own[at] >= least[field.name])
        if said:
            found.append((field, said))
    return found


def sentence(found: Sequence[Guess]) -> str:
    """Return the words of what was found, "" where it is nothing."""
    categories = [values[0] for field, values in found if field.level is not None][::-1]
    attributes = ", ".join(f"{field.name} {' and '.join(values)}" for field, values in found if field.level is None)
    head = ": ".join(part for part in (categories[0] if categories else "", attributes) if part)
    parts = [head[:1].upper() + head[1:], ", ".join(dict.fromkeys(name for name in categories[1:]))]
    return " ".join(f"{part}." for part in parts if part)
