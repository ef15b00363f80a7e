"""Embedding tables become feature matrices over a model's items, the missing filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats, unit_rows
from models.training_checks import require_vectors


@dataclass(frozen=True, eq=False)
class ItemFeatures:
    """The items' features by modality, in the order given.

    Attributes:
        inputs: (n_items, width); an item a modality lacks has its mean vector.
        units: (n_items, width) of length 1; zeros where an item lacks it, so that the missing are not alike.
        means: The mean vector (width,) of the items that have one.
    """

    inputs: dict[str, Floats]
    units: dict[str, Floats]
    means: dict[str, Floats]

    def joined(self, *, centred: bool) -> Floats:
        """Return all modalities side by side, (n_items, sum of widths).

        Args:
            centred: Whether each modality's mean is taken away and its rows are brought to length 1, so that
                no modality outweighs another by its scale alone; an item that lacks one then has zeros there.
        """
        tables = [unit_rows(x - self.means[name]) if centred else x for name, x in self.inputs.items()]
        return np.concatenate(tables, axis=1)


def training_features(model: str, modalities: Mapping[str, EmbeddingTable], items: IdMap) -> ItemFeatures:
    """Align the training modalities with `items`.

    Args:
        model: Name of who asks, for errors.
        modalities: Embedding tables by role.
        items: The model's items.

    Raises:
        DataError: When there is no modality, or a table has none of the items.
    """
    if not modalities:
        raise DataError(f"{model}: no modality was given; at least one embedding table (picture, text) would be valid")
    inputs, units, means = {}, {}, {}
    for name, table in modalities.items():
        aligned, present = table.align(items)
        require_vectors(model, name, table, present)
        means[name] = aligned[present].mean(axis=0, dtype=np.float64).astype(np.float32)
        units[name] = unit_rows(aligned)
        aligned[~present] = means[name]
        inputs[name] = aligned
    return ItemFeatures(inputs, units, means)


def later_features(
    model: str, modalities: Mapping[str, EmbeddingTable], ids: IdMap, means: Mapping[str, Floats]
) -> ItemFeatures:
    """Align features of items that came after training; a modality that is absent gives the training mean.

    Args:
        model: Name of who asks, for errors.
        modalities: Embedding tables by role; roles that `means` lacks are ignored.
        ids: The new items.
        means: What `training_features` gave.

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
                    f"{model}: modality {name!r} was trained {len(mean)} wide, "
                    f"space {table.space!r} is {table.dim} wide"
                )
            aligned, present = table.align(ids)
        units[name] = unit_rows(aligned)
        aligned[~present] = mean
        inputs[name] = aligned
    return ItemFeatures(inputs, units, dict(means))
