"""The audit's positive control: a modality that knows the test rows must sing, in the table and in the audit."""

from __future__ import annotations

import numpy as np

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.progress import SILENT
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from eval.audit import Finding
from eval.audit_vectors import vector_finding
from eval.cells import fit_cell
from eval.intervals import paired_test
from eval.metrics import Metric

PROBE = "content_knn"
"""The recommender that reads the canary, through the same cell as every row of a table."""

MAX_USERS = 300
MIN_USERS = 15
WIDTH = 128
SURE = 0.001


def canary(parts: tuple[Interactions, ...], seed: int, space: str = "canary") -> EmbeddingTable:
    """Return a vector an item: the sum of a random vector for each of its takers in `parts`."""
    first = parts[0]
    takers = np.random.default_rng(seed).standard_normal((len(first.users), WIDTH)).astype(np.float32)
    vectors = np.zeros((len(first.items), WIDTH), np.float32)
    for part in parts:
        np.add.at(vectors, part.item_rows, takers[part.user_rows])
    return EmbeddingTable(first.items, vectors, space)


def canary_finding(split: Split, seed: int) -> Finding:
    """Plant a modality made from train and test rows; the probe must rise by it and the audit must name it.

    The probe is fitted twice on a sample of users: with takers of train alone, which is fair, and with takers
    of train and test. What differs between the two is the leak and nothing else.
    """
    small = sample(split, MAX_USERS, np.random.default_rng(seed))
    if small is None:
        return Finding("canary", "skipped", f"fewer than {MIN_USERS} users have train and test rows")
    metric = Metric("ndcg", 20)
    fair, leaking = (
        fit_cell(
            PROBE,
            small,
            {"canary": canary(parts, seed)},
            [metric],
            select_by=metric,
            overrides={},
            seed=seed,
            progress=SILENT,
        ).values[str(metric)]
        for parts in ((small.train,), (small.train, small.test))
    )
    test = paired_test(leaking, fair, seed=seed)
    named = vector_finding("canary", split, canary((split.train, split.test), seed), False, np.random.default_rng(seed))
    numbers = {
        "fair ndcg@20": float(fair.mean()),
        "leaking ndcg@20": float(leaking.mean()),
        "p": test.p,
        "users": float(len(fair)),
        "named": float(named.status == "failed"),
    }
    rise = f"a planted leak lifts {PROBE} from ndcg@20 {fair.mean():.3f} to {leaking.mean():.3f}"
    if test.difference.mean <= 0 or test.p > SURE:
        return Finding("canary", "noted", f"{rise}, too little to notice: the table is blind here", numbers)
    if named.status != "failed":
        return Finding("canary", "noted", f"{rise}, and the modality check does not name it: too few users", numbers)
    return Finding("canary", "passed", f"{rise}, and the modality check names it", numbers)


def sample(split: Split, n_users: int, rng: np.random.Generator) -> Split | None:
    """Return the rows of `n_users` users with train and test rows, over the items they took; None for too few."""
    users = np.intersect1d(split.train.user_rows, split.test.user_rows)
    if len(users) < MIN_USERS:
        return None
    if len(users) > n_users:
        users = np.sort(rng.choice(users, n_users, replace=False))
    parts = [part.take(np.isin(part.user_rows, users)) for part in (split.train, split.valid, split.test)]
    items = np.unique(np.concatenate([part.item_rows for part in parts]))
    user_ids, item_ids = IdMap(split.users.at(users), "user"), IdMap(split.items.at(items))
    train, valid, test = (
        Interactions(
            user_ids,
            item_ids,
            np.searchsorted(users, part.user_rows).astype(np.int32),
            np.searchsorted(items, part.item_rows).astype(np.int32),
            part.timestamps,
        )
        for part in parts
    )
    none = np.empty(0, np.int64)
    return Split(train, valid, test, split.protocol, split.meta, cold_users=none, cold_items=none)
