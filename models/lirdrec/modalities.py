"""Embedding tables become LIRDRec's feature matrices, one a branch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.lirdrec.config import LIRDRecConfig
from models.training_checks import require_differences, require_vectors

TRANSFORMED = "transformed"
"""Name of the branch that sees all modalities through a cosine transform."""

IDS = "ids"
"""Name of the branch of learned item rows."""


LEAST_COMPONENTS, ITEMS_A_COMPONENT = 64, 48
"""More components than that fit the training rows by heart (docs/experiments.md, 2026-11-21)."""


@dataclass(frozen=True, eq=False)
class Features:
    """The items' features.

    Attributes:
        inputs: By branch, (n_items, width): each modality in order, the transformed branch last where there is
            one. Items a modality lacks have its mean vector. Reduced where `bases` says so.
        units: By modality, (n_items, width) of length 1 for the kNN graph; zeros where an item lacks it,
            so that the missing are not each other's neighbours.
        means: By modality, the mean vector (width,) of the items that have it.
        bases: By modality, what its centred vectors are multiplied with, (width, reduced); {} leaves them as they are.
    """

    inputs: dict[str, Floats]
    units: dict[str, Floats]
    means: dict[str, Floats]
    bases: dict[str, Floats]


def build_features(
    modalities: Mapping[str, EmbeddingTable], items: IdMap, config: LIRDRecConfig | None = None
) -> Features:
    """Align the training modalities with `items`, and reduce and transform them as `config` says.

    Raises:
        DataError: When there is no modality, a name is unfit, a table has none of the items, or all its vectors are
            alike where they are to be reduced.
    """
    if not modalities:
        raise DataError("lirdrec: no modality was given; at least one embedding table (picture, text) would be valid")
    config = config or LIRDRecConfig()
    inputs, units, means, bases = {}, {}, {}, {}
    for name, table in modalities.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name in (TRANSFORMED, IDS):
            raise DataError(
                f"lirdrec: modality {name!r} is no branch name; letters, digits, - and _ "
                f"and neither {TRANSFORMED!r} nor {IDS!r} would be valid"
            )
        aligned, present = table.align(items)
        require_vectors("lirdrec", name, table, present)
        means[name] = aligned[present].mean(axis=0, dtype=np.float64).astype(np.float32)
        units[name] = unit_rows(aligned)
        aligned[~present] = means[name]
        if config.reduction == "principal":
            bases[name] = _basis(name, table, aligned - means[name], config)
        inputs[name] = aligned
    return Features(_branches(inputs, means, bases, config), units, means, bases)


def align_new(
    modalities: Mapping[str, EmbeddingTable],
    ids: IdMap,
    means: Mapping[str, Floats],
    bases: Mapping[str, Floats] | None = None,
    config: LIRDRecConfig | None = None,
) -> Features:
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
    kept, config = dict(bases or {}), config or LIRDRecConfig()
    return Features(_branches(inputs, means, kept, config), units, dict(means), kept)


def _basis(name: str, table: EmbeddingTable, centred: Floats, config: LIRDRecConfig) -> Floats:
    require_differences("lirdrec", name, table, centred)
    count = config.components or max(LEAST_COMPONENTS, len(centred) // ITEMS_A_COMPONENT)
    return principal(centred, count, whitening=config.whitening)


def _branches(
    inputs: Mapping[str, Floats], means: Mapping[str, Floats], bases: Mapping[str, Floats], config: LIRDRecConfig
) -> dict[str, Floats]:
    read: dict[str, Floats] = {
        name: ((table - means[name]) @ bases[name]).astype(np.float32, copy=False) if name in bases else table
        for name, table in inputs.items()
    }
    return {**read, TRANSFORMED: transformed(list(read.values()))} if config.transformation else read


def principal(centred: Floats, count: int, *, whitening: float) -> Floats:
    """Return the directions of greatest spread of centred rows (n, width), (width, at most `count`).

    Multiplied with it, rows keep their lengths along those directions (`whitening` 0), or get unit spread in each
    (1), or something between. Directions without spread are left out.
    """
    covariance = (centred.T @ centred).astype(np.float64) / len(centred)
    spread, directions = np.linalg.eigh(covariance)
    order = np.argsort(-spread, kind="stable")
    order = order[:count]
    order = order[spread[order] > 1e-6 * max(float(spread.max()), 1e-30)]
    basis = directions[:, order] * np.sign(directions[np.abs(directions[:, order]).argmax(axis=0), order])
    basis = basis * spread[order] ** (-whitening / 2)
    return np.ascontiguousarray(basis, np.float32)


def transformed(inputs: Sequence[Floats]) -> Floats:
    """Return the orthonormal DCT-II of each matrix along its features, side by side, (n, sum of widths)."""
    from scipy.fft import dct

    return np.concatenate([np.asarray(dct(x, axis=1, norm="ortho"), np.float32) for x in inputs], axis=1)
