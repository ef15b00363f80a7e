"""Audit of a modality: does it know the pairs of the test part better than pairs of the other parts?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.splits import Split
from catalog.vectors import EmbeddingTable, Floats
from eval.audit import Finding
from eval.metrics import Values

MAX_USERS = 2000
NEGATIVES = 100
RESAMPLES = 500
MIN_USERS = 15

SURE = 3.3
"""Standard errors a difference must be away from zero: about one false alarm in two thousand comparisons."""

WORTH = 0.02
"""Least difference of AUC that is called a leak; smaller ones move no table."""


@dataclass(frozen=True, eq=False)
class Matches:
    """How well each user's profile tells their pairs from others', as AUC; NaN without a pair.

    Attributes:
        held, valid, test: (n_users,) over pairs held out of train, of the validation part, of the test part.
    """

    held: Values
    valid: Values
    test: Values


def vector_finding(role: str, split: Split, table: EmbeddingTable, undated: bool, rng: np.random.Generator) -> Finding:
    """Compare the match of test pairs with that of validation pairs and of train pairs held out.

    All three are scored by one profile a user, the mean vector of train items among which none of them is, so
    honest content matches the three alike under a random split and test least where tastes drift. A table made
    from test rows as well matches test better than those it was not made from. Blind where it was made from
    all three alike, and where it holds test rows and nothing a profile could find them by.
    """
    found = matches(split, table, rng)
    against = {"valid": found.valid, "held-out train": found.held}
    numbers: dict[str, float] = {}
    alarms: list[str] = []
    told: list[str] = []
    for name, other in against.items():
        users = int((np.isfinite(other) | np.isfinite(found.test)).sum())
        if min(np.isfinite(other).sum(), np.isfinite(found.test).sum()) < MIN_USERS:
            continue
        difference = float(np.nanmean(found.test) - np.nanmean(other))
        error = _standard_error(found.test, other, rng)
        numbers |= {f"test minus {name}": difference, f"standard error ({name})": error, f"users ({name})": users}
        told.append(f"{difference:+.3f} ± {2 * error:.3f} against {name}")
        if difference > max(WORTH, SURE * error):
            alarms.append(name)
    check = f"modality {role!r}"
    if not told:
        return Finding(check, "skipped", f"fewer than {MIN_USERS} users have pairs to compare")
    text = f"AUC of test pairs {np.nanmean(found.test):.3f} ({', '.join(told)})"
    if alarms:
        better = f"it knows the test pairs better than {' and '.join(alarms)} pairs"
        return Finding(check, "failed", f"{text}: {better}, as vectors made from test rows do", numbers)
    if undated:
        return Finding(check, "noted", f"{text}, brought along undated", numbers)
    return Finding(check, "passed", text, numbers)


def matches(split: Split, table: EmbeddingTable, rng: np.random.Generator) -> Matches:
    """Score pairs of each part against as many items of other users' rows in the same part.

    Drawing the others from the part's own rows keeps what is popular in it, or new, out of the comparison.
    """
    units = _centred_units(table, split)
    present: npt.NDArray[np.bool_] = np.asarray(units.any(axis=1))
    rows = [_without(part.csr(), present) for part in (split.train, split.valid, split.test)]
    pools = [part.item_rows[present[part.item_rows]] for part in (split.train, split.valid, split.test)]
    sizes = [np.diff(each.indptr) for each in rows]
    users = np.flatnonzero((sizes[0] >= 2) & (sizes[1] + sizes[2] > 0))
    if len(users) > MAX_USERS:
        users = np.sort(rng.choice(users, MAX_USERS, replace=False))
    out = np.full((3, len(users)), np.nan)
    for at, user in enumerate(users):
        own = [each.indices[each.indptr[user] : each.indptr[user + 1]] for each in rows]
        shuffled = rng.permutation(own[0])
        n_held = max(1, min(len(own[2]), len(shuffled) // 2))
        held, rest = shuffled[:n_held], shuffled[n_held:]
        profile = units[rest].sum(axis=0)
        taken = np.concatenate(own)
        for part, pairs in enumerate((held, own[1], own[2])):
            if not len(pairs):
                continue
            others = rng.choice(pools[part], NEGATIVES)
            others = others[~np.isin(others, taken)]
            if len(others):
                out[part, at] = _auc(units[pairs] @ profile, units[others] @ profile)
    return Matches(*out)


def _auc(pairs: Floats, others: Floats) -> float:
    return float((pairs[:, None] > others).mean() + 0.5 * (pairs[:, None] == others).mean())


def _centred_units(table: EmbeddingTable, split: Split) -> Floats:
    vectors, present = table.align(split.items)
    if present.any():
        vectors[present] -= vectors[present].mean(axis=0)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Floats = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-9)
    return units


def _without(rows: sparse.csr_array, present: npt.NDArray[np.bool_]) -> sparse.csr_array:
    kept = rows.copy()
    kept.data = kept.data * present[kept.indices]
    kept.eliminate_zeros()
    return kept


def _standard_error(a: Values, b: Values, rng: np.random.Generator) -> float:
    """Return the bootstrap standard error of mean(a) - mean(b) over users, NaN left out."""
    some = np.flatnonzero(np.isfinite(a) | np.isfinite(b))
    drawn = some[rng.integers(0, len(some), (RESAMPLES, len(some)))]
    means = [np.nansum(x[drawn], axis=1) / np.maximum(np.isfinite(x[drawn]).sum(axis=1), 1) for x in (a, b)]
    return float((means[0] - means[1]).std())
