"""LIRDRec on the movies data with the reference settings: test NDCG@20 and seconds an epoch.

    python -m bench.lirdrec_movies [FOLDER]

Protocol `mmrec`: `x_label` 0 train, 1 validation, 2 test; full ranking, train items masked for both, ties
to the lower item row. Reference code on the same files: NDCG@20 0.1907 over seeds 999, 2024, 2025.
The metrics are written out here, apart from `eval`, so that the two can be compared.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.vectors import EmbeddingTable, Floats
from models.base import TrainingData, UserScorer
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.model import LIRDRec

TOP = 20
MODALITIES = {"picture": "image_feat", "text": "text_feat"}


class Split:
    """The truth of one split and the train rows to mask."""

    def __init__(self, train: Interactions, held_out: Interactions) -> None:
        self.users = np.unique(held_out.user_rows).astype(np.int64)
        self._masked = train.csr()[self.users].toarray() > 0
        self._truth = held_out.csr()[self.users].toarray() > 0

    def judge(self, scorer: UserScorer) -> tuple[float, float]:
        """Return (NDCG@20, Recall@20), means over users."""
        scores = np.where(self._masked, -np.inf, scorer(self.users))
        hits = np.take_along_axis(self._truth, top_rows(scores), axis=1)
        sizes = self._truth.sum(axis=1)
        discount = 1 / np.log2(np.arange(2, TOP + 2))
        ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(sizes, TOP)]
        return float(np.mean(hits @ discount / ideal)), float(np.mean(hits.sum(axis=1) / sizes))


def top_rows(scores: Floats) -> npt.NDArray[np.int64]:
    """Return the best 20 rows of each user, (b, 20); ties to the lower row."""
    threshold = -np.partition(-scores, TOP - 1, axis=1)[:, TOP - 1 : TOP]
    out = np.empty((len(scores), TOP), np.int64)
    for user, (row, least) in enumerate(zip(scores, threshold, strict=True)):
        tied = np.flatnonzero(row >= least)
        out[user] = tied[np.argsort(-row[tied], kind="stable")[:TOP]]
    return out


def read(folder: Path) -> tuple[TrainingData, Interactions, Interactions]:
    """Return training data, validation and test of an MMRec folder."""
    log = pl.read_csv(folder / "movies.inter", separator="\t")
    tables = {name: np.load(folder / f"{file}.npy", allow_pickle=False) for name, file in MODALITIES.items()}
    n_users, n_items = int(log["userID"].max()) + 1, len(tables["text"])  # type: ignore[arg-type]
    users, items = IdMap(map(str, range(n_users)), "user"), IdMap(map(str, range(n_items)))
    parts = []
    for label in (0, 1, 2):
        rows = log.filter(pl.col("x_label") == label)
        columns = [rows[name].to_numpy() for name in ("userID", "itemID", "timestamp")]
        parts.append(Interactions(users, items, columns[0].astype(np.int32), columns[1].astype(np.int32),
                                  columns[2].astype(np.int64) * 1_000_000))  # fmt: skip
    modalities = {name: EmbeddingTable(items, table, name) for name, table in tables.items()}
    return TrainingData(parts[0], modalities), parts[1], parts[2]


def main() -> None:
    """Fit each seed and print its figures, then the mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data_folder = Path(os.environ.get("TEST_DATA", "../shared/data"))
    parser.add_argument("folder", type=Path, nargs="?", default=data_folder / "movies", help="the MMRec folder")
    parser.add_argument("--seeds", type=int, nargs="+", default=[999, 2024, 2025])
    parser.add_argument("--max-epochs", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()

    if not given.folder.is_dir():
        print(f"skipped: {str(given.folder)!r} does not exist; name the folder, or set TEST_DATA to its parent")
        return
    import torch

    torch.set_num_threads(given.threads)
    data, valid_rows, test_rows = read(given.folder)
    valid, test = Split(data.train, valid_rows), Split(data.train, test_rows)
    sha = hashlib.sha256((given.folder / "movies.inter").read_bytes()).hexdigest()[:12]
    print(
        f"real data, measured here: movies.inter sha256 {sha}, {len(data.train)} train rows, {given.threads} thread(s)"
    )
    results = []
    for seed in given.seeds:
        model = LIRDRec(
            LIRDRecConfig(reduction="none", batch_size=2048, learning_rate=1e-4, max_epochs=given.max_epochs)
        )
        started = time.process_time()
        report = model.fit(data, validate=lambda scorer: valid.judge(scorer)[1], seed=seed)
        cpu = time.process_time() - started
        ndcg, recall = test.judge(model.score_users)
        results.append(ndcg)
        print(
            f"seed {seed}: test ndcg@20 {ndcg:.4f} recall@20 {recall:.4f} valid recall@20 {report.best:.4f} "
            f"epochs {report.epochs} {report.seconds / report.epochs:.2f} s an epoch with validation "
            f"({cpu / report.epochs:.2f} s of processor)",
            flush=True,
        )
    print(f"mean of {len(results)} seeds: test ndcg@20 {np.mean(results):.4f} (reference code 0.1907)")


if __name__ == "__main__":
    main()
