"""`FeatureTable`: named features of candidate items; columns are never positional."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.ids import IdMap, Rows
from catalog.vectors import Floats


@dataclass(frozen=True, eq=False)
class IdsAt(Sequence[str]):
    """The ids of the items at `rows`, looked up when they are read: a request reads those of its page alone."""

    items: IdMap
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        """Return the id of one place, or those of a part."""
        if isinstance(at, slice):
            return IdsAt(self.items, self.rows[at])
        return self.items.ids[int(self.rows[at])]


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """One row a candidate, one named column a feature.

    Attributes:
        names: Distinct feature names, column j of `values` is `names[j]`.
        item_ids: The item of each row; over several groups an item may return.
        values: (n, f) float32; NaN is missing.

    Raises:
        DataError: When the shape disagrees with names and items, a name returns, or a value is infinite.
    """

    names: tuple[str, ...]
    item_ids: Sequence[str]
    values: Floats

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.item_ids), len(self.names)):
            raise DataError(
                f"feature table: values of shape {self.values.shape} for {len(self.item_ids)} items "
                f"and {len(self.names)} names"
            )
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise DataError(f"feature table: the name {twice!r} stands twice")
        infinite = np.isinf(self.values)
        if infinite.any():
            row, column = (int(x[0]) for x in np.nonzero(infinite))
            raise DataError(
                f"feature table: {self.names[column]!r} of item {self.item_ids[row]!r} is infinite; "
                "a finite number or NaN (missing) would be valid"
            )

    def __len__(self) -> int:
        return len(self.item_ids)

    def column(self, name: str) -> Floats:
        """Return the (n,) column called `name`.

        Raises:
            DataError: When there is none.
        """
        if name not in self.names:
            raise DataError(f"no feature {name!r}; one of {', '.join(self.names)} would be valid")
        return self.values[:, self.names.index(name)]

    def select(self, names: Sequence[str]) -> FeatureTable:
        """Return the same rows with these columns, in this order.

        Raises:
            DataError: When there is no such column.
        """
        if tuple(names) == self.names:
            return self
        at = {name: column for column, name in enumerate(self.names)}
        lost = next((name for name in names if name not in at), None)
        if lost is not None:
            raise DataError(f"no feature {lost!r}; one of {', '.join(self.names)} would be valid")
        return FeatureTable(tuple(names), self.item_ids, self.values[:, [at[name] for name in names]])

    def rows(self, which: npt.NDArray[np.int64]) -> FeatureTable:
        """Return some rows, in the order of `which` (m,)."""
        return FeatureTable(self.names, tuple(self.item_ids[row] for row in which.tolist()), self.values[which])


@dataclass(frozen=True, eq=False)
class Contributions:
    """How much each feature moved each score: `values.sum(axis=1) + bias` is the score.

    Attributes:
        names: Feature names.
        values: (n, f) float64, TreeSHAP contributions.
        bias: The score before any feature is known.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    bias: float


def stacked(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Return the rows of all tables, in order.

    Raises:
        DataError: When there is none, or their names differ.
    """
    if not tables:
        raise DataError("no feature table to stack")
    for table in tables[1:]:
        require_names(table, tables[0].names)
    ids = tuple(item_id for table in tables for item_id in table.item_ids)
    return FeatureTable(tables[0].names, ids, np.concatenate([table.values for table in tables]))


def require_names(table: FeatureTable, names: tuple[str, ...]) -> None:
    """Check that a table has exactly these features in this order.

    Raises:
        DataError: Naming the first difference.
    """
    if table.names == names:
        return
    missing = [name for name in names if name not in table.names]
    unknown = [name for name in table.names if name not in names]
    fault = f"lacks {missing[0]!r}" if missing else f"has unknown {unknown[0]!r}" if unknown else "has another order"
    raise DataError(f"feature table {fault}; the columns {', '.join(names)} would be valid")
