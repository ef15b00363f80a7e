"""Embedding tables become LIRDRec's feature matrices, one a branch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats

TRANSFORMED = "transformed"
"""Name of the branch that sees all modalities through a cosine transform."""


@dataclass(frozen=True, eq=False)
class Features:
    """The items' features.

    Attributes:
        inputs: By branch, (n_items, width): each modality in order, the transformed branch last. Items a
            modality lacks have its mean vector.
        units: By modality, (n_items, width) of length 1 for the kNN graph; zeros where an item lacks it,
            so that the missing are not each other's neighbours.
        means: By modality, the mean vector (width,) of the items that have it.
    """

    inputs: dict[str, Floats]
    units: dict[str, Floats]
    means: dict[str, Floats]


def build_features(modalities: Mapping[str, EmbeddingTable], items: IdMap) -> Features:
    """Align the training modalities with `items`.

    Raises:
        DataError: When there is no modality, a name is unfit, or a table has none of the items.
    """
    if not modalities:
        raise DataError("lirdrec: no modality was given; at least one embedding table (picture, text) would be valid")
    inputs, units, means = {}, {}, {}
    for name, table in modalities.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name == TRANSFORMED:
            raise DataError(
                f"lirdrec: modality {name!r} is no branch name; letters, digits, - and _ "
                f"and not {TRANSFORMED!r} would be valid"
            )
        aligned, present = table.align(items)
        if not present.any():
            raise DataError(f"lirdrec: modality {name!r} (space {table.space!r}) has none of the {len(items)} items")
        means[name] = aligned[present].mean(axis=0, dtype=np.float64).astype(np.float32)
        units[name] = unit_rows(aligned)
        aligned[~present] = means[name]
        inputs[name] = aligned
    return Features({**inputs, TRANSFORMED: transformed(list(inputs.values()))}, units, means)


def align_new(modalities: Mapping[str, EmbeddingTable], ids: IdMap, means: Mapping[str, Floats]) -> Features:
    """Align features of items that came after training; a modality that is absent gives the training mean.

    Raises:
        DataError: When a table's width is not the one trained on.
    """
    inputs, units = {}, {}
    for name, mean in means.items():
        aligned, present = np.zeros((len(ids), len(mean)), np.float32), np.zeros(len(ids), np.bool_)
        if name in modalities:
            table = modalities[name]
            if table.dim != len(mean):
                raise DataError(
                    f"lirdrec: modality {name!r} was trained {len(mean)} wide, "
                    f"space {table.space!r} is {table.dim} wide"
                )
            aligned, present = table.align(ids)
        units[name] = unit_rows(aligned)
        aligned[~present] = mean
        inputs[name] = aligned
    return Features({**inputs, TRANSFORMED: transformed(list(inputs.values()))}, units, dict(means))


def transformed(inputs: Sequence[Floats]) -> Floats:
    """Return the orthonormal DCT-II of each matrix along its features, side by side, (n, sum of widths)."""
    from scipy.fft import dct

    return np.concatenate([np.asarray(dct(x, axis=1, norm="ortho"), np.float32) for x in inputs], axis=1)


def unit_rows(features: Floats) -> Floats:
    """Return rows of length 1, (n, width); a row of zeros stays zeros."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit: Floats = np.divide(features, length, out=np.zeros_like(features), where=length > 0)
    return unit
