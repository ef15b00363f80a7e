"""The bases of attribute spaces, kept with each trained version: its later items are folded into them.

`vitrine embed` may make the space anew for a larger catalogue; a version of an older one never reads that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from catalog.nouns import Item
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from embedding.attribute_space import load_basis
from embedding.attribute_table import AttributeBasis

BASES = "bases"
"""Folder of the bases inside a version, one folder a space."""


def load_bases(workspace: Workspace, roles: Mapping[str, str]) -> dict[str, AttributeBasis]:
    """Return the bases of those spaces of `roles` that have one, by space.

    Raises:
        NotBuiltError: When a space is not in the store.
        DataError: When one is damaged.
    """
    found = {space: load_basis(workspace, space) for space in roles.values()}
    return {space: basis for space, basis in found.items() if basis is not None}


def without_bases(roles: Mapping[str, str], bases: Sequence[str] | Mapping[str, AttributeBasis]) -> dict[str, str]:
    """Return the roles whose spaces a shop searches in: a space with a basis is for models alone."""
    return {role: space for role, space in roles.items() if space not in bases}


def save_bases(bases: Mapping[str, AttributeBasis], folder: Path) -> None:
    """Write each basis into a folder of its own below `folder`, that of a version."""
    for space, basis in bases.items():
        place = folder / BASES / space
        place.mkdir(parents=True)
        basis.save(place)


def later_tables(
    folder: Path, roles: Mapping[str, str], spaces: Mapping[str, EmbeddingTable], new: Sequence[Item]
) -> dict[str, EmbeddingTable]:
    """Return the vectors by role that a version of `folder` reads of items that came after its training.

    Args:
        folder: Of the version.
        roles: Its spaces by role.
        spaces: The shop's tables by space.
        new: The items it does not know; folded in where the version keeps a basis.
    """
    places = {role: folder / BASES / space for role, space in roles.items()}
    return {
        role: AttributeBasis.load(places[role]).fold(new) if places[role].is_dir() else spaces[space]
        for role, space in roles.items()
    }
