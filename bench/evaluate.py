"""Full ranking and all metrics at the size of Amazon Baby, against ranx and pytrec_eval in the same run.

    python -m bench.evaluate [--dim 64] [--users 19445] [--items 7050]

Generated tables: 19,445 users, 7,050 items, 21,682 test rows, 118,551 masked train rows, top 50, eighteen
metrics. Ours is timed whole: dot products, mask, selection with exact ties, metrics. The others cannot rank a
matrix; they are given the top 50 we selected, so their times leave out everything before the metrics, and
building their dictionaries is not counted. All three must give the same values to 1e-9.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
from scipy import sparse

from catalog.vectors import Floats
from eval.metrics import Metric, Values, coverage, per_user
from eval.selection import Rows, hits, top_k

K = 50
NAMES = ("ndcg", "recall", "map", "precision", "hit", "mrr")
METRICS = [Metric(name, k) for name in NAMES for k in (10, 20, 50)]
BATCH = 512
RANX = {"ndcg": "ndcg", "recall": "recall", "map": "map", "precision": "precision", "hit": "hit_rate", "mrr": "mrr"}
TREC = {"ndcg": "ndcg_cut", "recall": "recall", "map": "map_cut", "precision": "P", "hit": "success"}


def random_matrix(rng: np.random.Generator, shape: tuple[int, int], n: int) -> sparse.csr_array:
    """Return a binary (users, items) matrix of about `n` entries."""
    rows, columns = rng.integers(0, shape[0], n), rng.integers(0, shape[1], n)
    matrix = sparse.csr_array((np.ones(n, np.float32), (rows, columns)), shape=shape)
    matrix.data[:] = 1
    return matrix


def held_out(rng: np.random.Generator, shape: tuple[int, int], n: int) -> sparse.csr_array:
    """Return a binary matrix of about `n` entries with at least one in every row."""
    one = sparse.csr_array(
        (np.ones(shape[0], np.float32), (np.arange(shape[0]), rng.integers(0, shape[1], shape[0]))), shape=shape
    )
    matrix = sparse.csr_array(one + random_matrix(rng, shape, max(n - shape[0], 1)))
    matrix.data[:] = 1
    return matrix


def whole(
    users: Floats, items: Floats, train: sparse.csr_array, test: sparse.csr_array
) -> tuple[Rows, dict[str, Values], dict[str, float]]:
    """Rank and measure; return the lists, the values by metric and the seconds by stage."""
    seconds = {"dot products": 0.0, "mask and top 50": 0.0}
    selected = []
    for start in range(0, len(users), BATCH):
        began = time.perf_counter()
        scores = users[start : start + BATCH] @ items.T
        middle = time.perf_counter()
        selected.append(top_k(scores, K, train[start : start + BATCH]))
        seconds["dot products"] += middle - began
        seconds["mask and top 50"] += time.perf_counter() - middle
    began = time.perf_counter()
    top = np.concatenate(selected)
    hit, n_relevant = hits(top, test), np.diff(test.indptr).astype(np.int64)
    values = {str(metric): per_user(metric, hit, n_relevant) for metric in METRICS}
    coverage(top, 10, len(items))
    seconds["metrics"] = time.perf_counter() - began
    return top, values, seconds


def main() -> None:
    """Time all three and check that they agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=19_445)
    parser.add_argument("--items", type=int, default=7_050)
    parser.add_argument("--dim", type=int, default=64, help="width of a user or item row")
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many runs counts")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    shape = (given.users, given.items)
    train = random_matrix(rng, shape, round(118_551 * given.users / 19_445))
    test = held_out(rng, shape, round(21_682 * given.users / 19_445))
    users = rng.standard_normal((given.users, given.dim), np.float32)
    items = rng.standard_normal((given.items, given.dim), np.float32)
    runs = [whole(users, items, train, test) for _ in range(given.repeats)]
    top, ours, seconds = min(runs, key=lambda run: sum(run[2].values()))
    total = sum(seconds.values())
    print(f"{given.users:,} judged users x {given.items:,} items, rows {given.dim} wide, {len(METRICS)} metrics")
    print("ours: " + ", ".join(f"{name} {spent:.3f} s" for name, spent in seconds.items()) + f"; whole {total:.3f} s")
    qrels, run = dictionaries(top, test)
    compare("pytrec_eval", seconds["metrics"], *with_pytrec(qrels, run), ours)
    compare("ranx, compiling", seconds["metrics"], *with_ranx(qrels, run), ours)
    compare("ranx, warm", seconds["metrics"], *with_ranx(qrels, run), ours)


def dictionaries(top: Rows, test: sparse.csr_array) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the relevant items and the lists as the other libraries take them, scores distinct."""
    qrels = {
        f"u{u:06}": {str(i): 1 for i in test.indices[test.indptr[u] : test.indptr[u + 1]].tolist()}
        for u in range(len(top))
    }
    run = {f"u{u:06}": {str(i): float(K - r) for r, i in enumerate(row)} for u, row in enumerate(top.tolist())}
    return qrels, run


def with_pytrec(qrels: dict[str, Any], run: dict[str, Any]) -> tuple[float, dict[str, Values]]:
    """Return pytrec_eval's seconds and values; it has no cut-off for the reciprocal rank."""
    import pytrec_eval

    wanted = {f"{measure}.10,20,50" for measure in TREC.values()}
    began = time.perf_counter()
    found = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    spent = time.perf_counter() - began
    names = {str(m): f"{TREC[m.name]}_{m.k}" for m in METRICS if m.name in TREC}
    return spent, {ours: np.array([found[u][theirs] for u in qrels]) for ours, theirs in names.items()}


def with_ranx(qrels: dict[str, Any], run: dict[str, Any]) -> tuple[float, dict[str, Values]]:
    """Return ranx's seconds and values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ranx import Qrels, Run, evaluate

        names = {str(m): f"{RANX[m.name]}@{m.k}" for m in METRICS}
        judged, listed = Qrels(qrels), Run(run)
        began = time.perf_counter()
        found = evaluate(judged, listed, list(names.values()), return_mean=False)
        spent = time.perf_counter() - began
    return spent, {ours: np.asarray(found[theirs]) for ours, theirs in names.items()}


def compare(name: str, ours_seconds: float, seconds: float, theirs: dict[str, Values], ours: dict[str, Values]) -> None:
    """Print the ratio after checking every user's value of every metric."""
    for metric, values in theirs.items():
        np.testing.assert_allclose(values, ours[metric], atol=1e-9, err_msg=f"{name} {metric}")
    print(
        f"{name}: {seconds:.3f} s for {len(theirs)} metrics alone, {seconds / ours_seconds:.1f} times ours; "
        "every user's values agree to 1e-9"
    )


if __name__ == "__main__":
    main()
