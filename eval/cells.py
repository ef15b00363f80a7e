"""One cell of the table: one model, one split, one seed; fitted afresh, cached by content key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.progress import Progress
from catalog.splits import Split
from catalog.vectors import EmbeddingTable, Floats
from catalog.workspace import Workspace, content_key
from eval.backdrop import Backdrop, gini
from eval.contenders import contender
from eval.metrics import COLD_NAME, METRIC_NAMES, Metric, Values, coverage, largest_k, per_user
from eval.selection import areas, hits, top_k
from eval.together import naming
from models.base import TrainingData, UserScorer

BATCH = 512


@dataclass(frozen=True, eq=False)
class Cell:
    """Per-user values of one fitted model on the test part.

    Attributes:
        values: Metric -> (n_users,) float64 in the order of `users`.
        whole: Metrics of the whole list, such as coverage.
        users: External ids of the users with a test item.
        history: Validation value after each epoch.
    """

    values: Mapping[str, Values]
    whole: Mapping[str, float]
    users: tuple[str, ...]
    seed: int
    epochs: int
    fit_seconds: float
    history: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Judged:
    """A part to be judged: who has something relevant in it, what, and what may not be shown."""

    users: npt.NDArray[np.int64]
    relevant: Interactions
    masked: tuple[Interactions, ...]

    @classmethod
    def of(cls, part: Interactions, masked: Sequence[Interactions]) -> Judged:
        """Judge every user who has a row in `part`; rows of `masked` are not shown."""
        return cls(np.unique(part.user_rows).astype(np.int64), part, tuple(masked))

    def measure(
        self, scorer: UserScorer, metrics: Sequence[Metric], backdrop: Backdrop | None = None
    ) -> tuple[dict[str, Values], dict[str, float]]:
        """Rank all items for every judged user and return per-user values and values of all lists together.

        Args:
            scorer: Scores of the fitted model.
            metrics: What to measure.
            backdrop: Needed by metrics that look at what is shown rather than at what was hit.
        """
        k = max(largest_k(metrics), 1)
        relevant = self.relevant.csr()
        masked = sum((m.csr() for m in self.masked[1:]), self.masked[0].csr())
        tops, found = [np.empty((0, min(k, relevant.shape[1])), np.int64)], []
        auc = [np.empty(0)]
        for start in range(0, len(self.users), BATCH):
            rows = self.users[start : start + BATCH]
            scores = scorer(rows)
            tops.append(top_k(scores, k, masked[rows]))
            found.append(hits(tops[-1], relevant[rows]))
            if any(metric.name == "auc" for metric in metrics):
                auc.append(areas(scores, relevant[rows], masked[rows]))
        top = np.concatenate(tops)
        hit = np.concatenate([np.empty((0, top.shape[1]), np.bool_), *found])
        n_relevant = np.diff(relevant[self.users].indptr).astype(np.int64)
        values: dict[str, Values] = {}
        whole: dict[str, float] = {}
        for metric in metrics:
            shown = top[:, : metric.k]
            if metric.name == "auc":
                values[str(metric)] = np.concatenate(auc)
            elif metric.name in METRIC_NAMES:
                values[str(metric)] = per_user(metric, hit, n_relevant)
            elif metric.name == COLD_NAME and backdrop is not None:
                values[str(metric)] = _cold_recall(shown, relevant[self.users], backdrop)
            elif metric.name == "coverage":
                whole[str(metric)] = coverage(top, metric.k, len(self.relevant.items))
            elif metric.name == "gini":
                whole[str(metric)] = gini(shown, len(self.relevant.items))
            elif backdrop is not None:
                values[str(metric)] = getattr(backdrop, metric.name)(shown)
        return values, whole


def _cold_recall(top: npt.NDArray[np.int64], relevant: sparse.csr_array, backdrop: Backdrop) -> Values:
    """Return recall over the relevant items that nobody took in train, NaN where a user has none."""
    cold = relevant.copy()
    cold.data = cold.data * (backdrop.counts[cold.indices] == 0)
    cold.eliminate_zeros()
    n = np.diff(cold.indptr)
    found = hits(top, cold).sum(axis=1)
    return np.asarray(np.divide(found, n, out=np.full(len(n), np.nan), where=n > 0))


def judged_parts(split: Split) -> tuple[Judged, Judged]:
    """Return the validation and the test part with what each masks.

    `mmrec` masks train alone in both, as its published figures do; the other protocols hide the
    validation rows from the test ranking too, since a shopper has seen them by then.
    """
    also_valid = () if split.protocol == "mmrec" else (split.valid,)
    return Judged.of(split.valid, (split.train,)), Judged.of(split.test, (split.train, *also_valid))


def fit_cell(
    name: str,
    split: Split,
    modalities: Mapping[str, EmbeddingTable],
    metrics: Sequence[Metric],
    *,
    select_by: Metric,
    overrides: Mapping[str, object],
    seed: int,
    progress: Progress,
    backdrop: Mapping[str, EmbeddingTable] | None = None,
) -> Cell:
    """Fit one model on the train part, stop on the validation part, measure on the test part once.

    `backdrop` are the modalities that the diversity of lists is judged by; None: those the model reads.
    """
    backdrop = modalities if backdrop is None else backdrop
    valid, test = judged_parts(split)
    model = contender(name, overrides)
    served = as_served(split.train)

    def validate(scorer: UserScorer) -> float:
        values, _ = valid.measure(served(scorer), [select_by])
        return float(values[str(select_by)].mean())

    report = model.fit(
        TrainingData(split.train, modalities),
        validate=validate if len(valid.users) else None,
        seed=seed,
        progress=progress,
    )
    values, whole = test.measure(served(model.score_users), metrics, Backdrop.of(split.train, backdrop))
    users = tuple(split.test.users.at(test.users))
    return Cell(values, whole, users, seed, report.epochs, report.seconds, report.history)


def as_served(train: Interactions) -> Callable[[UserScorer], UserScorer]:
    """Return what turns a scorer into the served one: popularity for users without a train row, the scorer for others.

    Validation and test go through the same one, so that what stops early is what is measured.
    """
    matrix = train.csr()
    counts, known = np.asarray(matrix.sum(axis=0), np.float32), np.diff(matrix.indptr) > 0

    def served(scorer: UserScorer) -> UserScorer:
        def scores(rows: npt.NDArray[np.int64]) -> Floats:
            raw = scorer(rows)
            return raw if known[rows].all() else np.where(known[rows][:, None], raw, counts)

        return scores

    return served


def shuffled(table: EmbeddingTable, seed: int) -> EmbeddingTable:
    """Return the same vectors dealt to the wrong items: what a modality is worth beyond its shape."""
    order = np.random.default_rng(seed).permutation(len(table.ids))
    return EmbeddingTable(IdMap(table.ids), table.vectors[order], table.space)


def cell_key(data_key: str, split: Split, spaces: Mapping[str, EmbeddingTable], *parts: object) -> str:
    """Return the content key of a cell: the rows of the split, the vectors, and everything that was asked."""
    rows = [
        part.tobytes() for side in (split.train, split.valid, split.test) for part in (side.user_rows, side.item_rows)
    ]
    vectors = [(role, table.ids.sha(), content_key(table.vectors.tobytes())) for role, table in spaces.items()]
    return content_key(data_key, split.protocol, *rows, vectors, *parts)


def save_cell(workspace: Workspace, key: str, cell: Cell) -> None:
    """Keep a finished cell, so that an interrupted table resumes.

    Raises:
        OSError: When it cannot be written, as on a full disk; it names the cell's folder.
    """
    meta = {
        "seed": cell.seed,
        "epochs": cell.epochs,
        "fit_seconds": cell.fit_seconds,
        "whole": dict(cell.whole),
        "history": list(cell.history),
    }
    name = f"reports/cells/{key[:16]}"
    with naming(workspace.root / name), workspace.writing(name, key, meta) as folder:
        np.savez(folder / "values.npz", allow_pickle=False, **{k: np.asarray(v) for k, v in cell.values.items()})
        (folder / "users.json").write_text(json.dumps(cell.users), encoding="utf-8")


def load_cell(workspace: Workspace, key: str) -> Cell | None:
    """Return a kept cell, or None.

    Raises:
        DataError: When it is damaged.
    """
    name = f"reports/cells/{key[:16]}"
    manifest = workspace.manifest(name)
    if manifest is None or manifest.key != key:
        return None
    with workspace.reading(name) as folder:
        with np.load(folder / "values.npz", allow_pickle=False) as stored:
            values = {metric: stored[metric] for metric in stored.files}
        users = tuple(json.loads((folder / "users.json").read_text(encoding="utf-8")))
        meta = manifest.meta
        history = tuple(meta.get("history", ()))
        return Cell(values, meta["whole"], users, meta["seed"], meta["epochs"], meta["fit_seconds"], history)
