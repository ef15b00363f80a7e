"""The trees of a LightGBM model as tables: the scores of LightGBM to the bit, in a third of the time.

A walk from root to leaf guesses wrong at every other node, and that is what its time goes into. Here each node that
sends a row to the right strikes out the leaves below its left side; the first leaf left is the one the walk ends in.
Which leaves a feature strikes out hangs on the nearest threshold below its value alone, so it is one look-up.

Source: Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees",
SIGIR 2015.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from catalog.vectors import Floats

MOST_FEATURES = 40
"""Features split on at most: each costs a pass over rows and trees, and with twice as many a walk is as fast."""

MOST_BYTES = 64_000_000
"""Tables at most; those of 200 trees of 31 leaves on 24 features have 1.7 MB."""

ZERO = float(np.float32(1e-35))
"""LightGBM reads values as near to 0 as this as 0 (its `kZeroThreshold`)."""

ROWS = 512
"""Rows scored at a time, so that what is struck out stays in the processor's cache."""


@dataclass(frozen=True)
class _Bits:
    """A number with a bit for each leaf, and the float whose exponent tells the place of a lone bit."""

    mask: type[np.uint32] | type[np.uint64]
    float_: type[np.float32] | type[np.float64]
    place: type[np.int32] | type[np.int64]
    shift: int
    bias: int

    def first(self, leaves: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """Return where the values of the lowest leaves left (n_trees, n) stand, all steps in one place."""
        lone = np.negative(leaves)
        lone &= leaves
        found: npt.NDArray[Any] = lone.astype(self.float_).view(self.place)
        found >>= self.shift
        width = 8 * leaves.itemsize
        found += np.arange(-self.bias, len(leaves) * width - self.bias, width, dtype=self.place)[:, None]
        return found.astype(np.intp)


_NARROW = _Bits(np.uint32, np.float32, np.int32, 23, 127)
_WIDE = _Bits(np.uint64, np.float64, np.int64, 52, 1023)


@dataclass(frozen=True, eq=False)
class _Splits:
    """What one feature strikes out.

    Attributes:
        feature: Its column.
        thresholds: (m + 1,) ascending, over all trees, and infinity, behind which a search puts NaN.
        leaves: (m + 2, n_trees) the leaves left: row i where i thresholds lie below the value, the last row for NaN.
    """

    feature: int
    thresholds: Floats
    leaves: npt.NDArray[Any]

    def rows(self, values: Floats) -> npt.NDArray[np.int64]:
        """Return the row of `leaves` for each value (n,)."""
        return self.thresholds.searchsorted(values)


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees by their splits, and the values (n_trees * width,) of their leaves, from left to right."""

    splits: tuple[_Splits, ...]
    values: npt.NDArray[np.float64]
    n_trees: int
    bits: _Bits

    @classmethod
    def of(cls, booster: Any) -> Self | None:
        """Return the tables of a LightGBM booster; None for trees they cannot say or would be slower for.

        They say numerical splits with at most 64 leaves a tree; see also `MOST_FEATURES` and `MOST_BYTES`.
        """
        model = booster.dump_model()
        trees = model["tree_info"]
        widest = max((tree["num_leaves"] for tree in trees), default=0)
        if model["num_tree_per_iteration"] != 1 or model["average_output"] or not 2 <= widest <= 64:
            return None
        bits = _NARROW if widest <= 32 else _WIDE
        width = 8 * bits.mask(0).itemsize
        values = np.zeros((len(trees), width))
        nodes: dict[int, list[_Node]] = defaultdict(list)
        for number, tree in enumerate(trees):
            if not _read(tree["tree_structure"], number, values[number], nodes):
                return None
        splits = [(feature, np.unique([node.threshold for node in mine])) for feature, mine in sorted(nodes.items())]
        size = sum(len(thresholds) + 2 for _, thresholds in splits) * len(trees) * width // 8
        if len(splits) > MOST_FEATURES or size > MOST_BYTES:
            return None
        tables = (_Splits(f, _float32(found), _struck(nodes[f], found, len(trees), bits)) for f, found in splits)
        return cls(tuple(tables), values.ravel(), len(trees), bits)

    def scores(self, values: Floats) -> npt.NDArray[np.float64]:
        """Return the raw scores (n,) of rows (n, f), NaN being missing."""
        rows = np.stack([each.rows(values[:, each.feature]) for each in self.splits])
        out = np.empty(len(values))
        for start in range(0, len(values), ROWS):
            part = slice(start, start + ROWS)
            out[part] = self._scores(rows[:, part])
        return out

    def _scores(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the scores (n,) of values by their rows (n_splits, n) of the tables."""
        n = rows.shape[1]
        # What is known of the shopper is the same for every candidate.
        alike = (rows == rows[:, :1]).all(axis=1).tolist()
        shared = np.full(self.n_trees, np.iinfo(self.bits.mask).max, self.bits.mask)
        for each, place, same in zip(self.splits, rows[:, 0].tolist(), alike, strict=True):
            if same:
                shared &= each.leaves[place]
        left = np.tile(shared, (n, 1))
        found = np.empty_like(left)
        for each, mine, same in zip(self.splits, rows, alike, strict=True):
            if not same:
                each.leaves.take(mine, axis=0, out=found, mode="clip")  # any other mode would write through a buffer
                left &= found
        said = self.values[self.bits.first(left.T.copy())]  # (n_trees, n)
        # Tree after tree, as LightGBM adds them; numpy adds up a lone column in another order.
        total: npt.NDArray[np.float64] = said.sum(axis=0) if n > 1 else np.add.accumulate(said)[-1]
        return total


@dataclass(frozen=True, slots=True)
class _Node:
    tree: int
    threshold: float
    left: int
    """Leaves below its left side, as bits."""
    missing_goes_right: bool


def _read(root: Mapping[str, Any], tree: int, values: npt.NDArray[np.float64], nodes: dict[int, list[_Node]]) -> bool:
    """Note a tree's leaves and nodes; False where it has what the tables cannot say."""
    seen = 0

    def leaves_of(node: Mapping[str, Any]) -> int | None:
        nonlocal seen
        if "split_feature" not in node:
            values[seen] = node["leaf_value"]
            seen += 1
            return None if "leaf_coeff" in node else 1 << (seen - 1)
        left, right = leaves_of(node["left_child"]), leaves_of(node["right_child"])
        if left is None or right is None or node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            return None
        # Where training met no missing value, LightGBM reads one as 0.
        goes_right = not node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] < 0
        nodes[node["split_feature"]].append(_Node(tree, _cut(node["threshold"]), left, goes_right))
        return left | right

    return leaves_of(root) is not None


def _cut(threshold: float) -> float:
    """Return the threshold that tells apart what LightGBM does, which reads all within `ZERO` as 0."""
    if abs(threshold) > ZERO:
        return threshold
    return ZERO if threshold >= 0 else float(np.nextafter(-ZERO, -np.inf))


def _float32(thresholds: npt.NDArray[np.float64]) -> Floats:
    """Return for each threshold the greatest float32 that goes left, and infinity after them."""
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
        below = np.nextafter(near, np.float32(-np.inf))
    return np.append(np.where(near > thresholds, below, near), np.float32(np.inf))


def _struck(nodes: list[_Node], thresholds: npt.NDArray[np.float64], n_trees: int, bits: _Bits) -> npt.NDArray[Any]:
    """Return `_Splits.leaves` of one feature."""
    whole = int(np.iinfo(bits.mask).max)
    leaves = np.full((len(thresholds) + 2, n_trees), whole, bits.mask)
    for node in nodes:
        first, kept = int(np.searchsorted(thresholds, node.threshold)), bits.mask(whole ^ node.left)
        leaves[first + 1 : -1, node.tree] &= kept
        if node.missing_goes_right:
            leaves[-1, node.tree] &= kept
    return leaves
