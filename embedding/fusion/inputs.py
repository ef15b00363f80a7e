"""What the encoder reads: each role's vectors over one list of items, centred and of length 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable, Floats, Mask, unit_rows


@dataclass(frozen=True, eq=False)
class RoleInputs:
    """Vectors by role, in the order of the roles.

    Attributes:
        vectors: (n, width of the role), centred, of length 1; zeros where absent.
        present: (n, roles) which row has which.
    """

    vectors: dict[str, Floats]
    present: Mask


def role_means(tables: Mapping[str, EmbeddingTable], items: IdMap) -> dict[str, Floats]:
    """Return each role's mean over the items that have it, (width,).

    Raises:
        DataError: When there is no role, or none of the items has a vector of one.
    """
    if not tables:
        raise DataError("fusion: no role was given; at least one, such as text = 'text-minilm', would be valid")
    means = {}
    for role, table in tables.items():
        aligned, present = table.align(items)
        if not present.any():
            raise DataError(
                f"fusion: space {table.space!r} of role {role!r} has a vector of none of the {len(items)} items; one "
                "made of this catalogue would be valid"
            )
        mean = aligned[present].mean(axis=0, dtype=np.float64)
        means[role] = mean.astype(np.float32)
    return means


def role_inputs(
    vectors: Mapping[str, Floats | None], means: Mapping[str, Floats], *, absent: bool = False
) -> RoleInputs:
    """Centre each role's vectors and bring them to length 1.

    Args:
        vectors: By role, (n, width); a row of zeros has none, None: no row has.
        means: What `role_means` gave; its roles and their order are the encoder's.
        absent: Whether a row may have no role at all.

    Raises:
        DataError: When a role is unknown, widths or numbers of rows disagree, a value is not finite, or a row has no
            role at all.
    """
    for role in vectors:
        if role not in means:
            raise DataError(f"fusion: unknown role {role!r}; the encoder was trained on {', '.join(means)}")
    n = _rows(vectors)
    found: dict[str, Floats] = {}
    present = np.zeros((n, len(means)), np.bool_)
    for at, (role, mean) in enumerate(means.items()):
        given = vectors.get(role)
        if given is None:
            found[role] = np.zeros((n, len(mean)), np.float32)
            continue
        if given.shape != (n, len(mean)) or not np.isfinite(given).all():
            raise DataError(
                f"fusion: role {role!r} is of shape {given.shape}{'' if np.isfinite(given).all() else ', not finite'}; "
                f"finite numbers ({n}, {len(mean)}) would be valid"
            )
        present[:, at] = given.any(axis=1)
        found[role] = unit_rows(np.where(present[:, at : at + 1], given - mean, 0).astype(np.float32))
    if not absent and not present.any(axis=1).all():
        raise DataError(
            f"fusion: row {int(np.flatnonzero(~present.any(axis=1))[0])} has a vector of no role; one at least of "
            f"{', '.join(means)} would be valid"
        )
    return RoleInputs(found, present)


def _rows(vectors: Mapping[str, Floats | None]) -> int:
    counts = {role: len(given) for role, given in vectors.items() if given is not None}
    if not counts or len(set(counts.values())) > 1:
        raise DataError(f"fusion: rows by role are {counts!r}; the same number for each, and a role at least, is valid")
    return next(iter(counts.values()))
