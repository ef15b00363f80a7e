"""Full ranking and metrics at the size of Amazon Baby, against pytrec_eval in the same run.

    python -m bench.evaluator

Generated scores: 19,445 users, 7,050 items, 21,682 test rows, 118,551 masked train rows. Both sides
start from the same scores; pytrec_eval is given the top 50 we selected, since it cannot rank a matrix,
so its time leaves the selection out. Printed as seconds and as a ratio.
"""

from __future__ import annotations

import time

import numpy as np
from scipy import sparse

from eval.metrics import Metric, hits, per_user, top_k

N_USERS, N_ITEMS, N_TEST, N_TRAIN, K = 19_445, 7_050, 21_682, 118_551, 50
METRICS = [Metric(name, k) for name in ("ndcg", "recall", "map") for k in (10, 20, 50)]


def random_matrix(rng: np.random.Generator, n: int) -> sparse.csr_array:
    """Return a binary (users, items) matrix of about `n` entries."""
    rows, columns = rng.integers(0, N_USERS, n), rng.integers(0, N_ITEMS, n)
    matrix = sparse.csr_array((np.ones(n, np.float32), (rows, columns)), shape=(N_USERS, N_ITEMS))
    matrix.data[:] = 1
    return matrix


def main() -> None:
    """Time selection, our metrics and pytrec_eval's, and check that they agree."""
    import pytrec_eval

    rng = np.random.default_rng(0)
    train, test = random_matrix(rng, N_TRAIN), random_matrix(rng, N_TEST)
    users = np.flatnonzero(np.diff(test.indptr))
    selected, spent = [], 0.0
    for start in range(0, len(users), 512):
        rows = users[start : start + 512]
        scores = rng.standard_normal((len(rows), N_ITEMS), np.float32)
        began = time.perf_counter()
        selected.append(top_k(scores, K, train[rows]))
        spent += time.perf_counter() - began
    top, relevant = np.concatenate(selected), test[users]
    began = time.perf_counter()
    hit, n_relevant = hits(top, relevant), np.diff(relevant.indptr).astype(np.int64)
    ours = {str(m): float(per_user(m, hit, n_relevant).mean()) for m in METRICS}
    metrics = time.perf_counter() - began

    qrels = {
        str(u): {str(i): 1 for i in relevant.indices[relevant.indptr[u] : relevant.indptr[u + 1]]}
        for u in range(len(users))
    }
    run = {str(u): {str(i): float(K - rank) for rank, i in enumerate(row)} for u, row in enumerate(top)}
    began = time.perf_counter()
    names = {"ndcg_cut.10,20,50", "recall.10,20,50", "map_cut.10,20,50"}
    judged = pytrec_eval.RelevanceEvaluator(qrels, names).evaluate(run)
    theirs = time.perf_counter() - began
    value = float(np.mean([judged[u]["ndcg_cut_20"] for u in qrels]))
    assert abs(value - ours["ndcg@20"]) < 1e-9, (value, ours["ndcg@20"])
    print(f"{len(users)} users x {N_ITEMS} items, nine metrics; ndcg@20 agrees to 1e-9")
    print(f"selecting the top {K} with exact ties: {spent:.2f} s")
    print(f"metrics: {metrics:.3f} s, pytrec_eval {theirs:.3f} s: {theirs / metrics:.1f} times as long")


if __name__ == "__main__":
    main()
