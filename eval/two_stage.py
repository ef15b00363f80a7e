"""`TwoStage`: several retrievers propose, a ranker taught on rows of train that they did not see orders."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.log import Interactions
from catalog.progress import SILENT, Progress
from catalog.vectors import Floats
from eval.cells import Judged
from eval.metrics import parse_metric
from eval.two_stage_candidates import Candidates, candidates
from eval.two_stage_config import TwoStageConfig
from eval.two_stage_features import History
from eval.two_stage_holdout import folds
from models.base import FitReport, Recommender, TrainingData, Validate
from models.boosting import boosted
from models.feature_table import FeatureTable
from models.registry import build
from models.size_limits import require_at_most
from models.training_checks import require_rows

Fit = Callable[[str, Mapping[str, Any], TrainingData, Validate | None, int], tuple[Recommender, float | None]]
"""Name, settings, data, validation and seed -> the fitted retriever and its best validation value."""

FOLDS_JUDGED_BY = parse_metric("ndcg@20")
BELOW = -1e4
"""The score of what is no candidate."""


def fit_retriever(
    name: str, settings: Mapping[str, Any], data: TrainingData, validate: Validate | None, seed: int
) -> tuple[Recommender, float | None]:
    """Build and fit a retriever."""
    model = build(name, settings)
    return model, model.fit(data, validate=validate, seed=seed).best


class TwoStage:
    """Retrieve, unite, rank.

    1. Every retriever is fitted on train, with `validate` as it would be alone.
    2. For each fold of train the retrievers are fitted again, with the settings found, on the rest, and stopped on what
       the fold holds out; LambdaRank learns from their candidates which of them the held-out rows took. Scores are
       standardised by shopper, so that a fit on fewer rows speaks the same language.
    3. The trees start from the score of the best retriever and correct it: with few labels they need not learn it anew.
       With `validate`, the weight of the correction is chosen there, none among the choices.

    Source:
        Burges 2010 (LambdaMART); learning on held-out parts: Wolpert 1992, "Stacked generalization".
    """

    name = "two_stage"
    deterministic = False

    def __init__(self, config: TwoStageConfig | None = None, fit_one: Fit = fit_retriever) -> None:
        self.config = config or TwoStageConfig()
        self.modalities: tuple[str, ...] = ()
        self.chosen: dict[str, Any] = {}
        self.importance: dict[str, float] = {}
        self._fit_one = fit_one

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Fit both stages.

        Raises:
            DataError: When the catalogue is beyond `max_items`, no retriever fits, or no fold teaches an order.
        """
        started = time.perf_counter()
        cost = "two dense item matrices"
        require_at_most(self.name, "items", len(data.train.items), "max_items", self.config.max_items, cost)
        require_rows(data, self.name)
        self.modalities = tuple(data.modalities)
        progress.start(self.name, 2)
        first, values = self._retrievers(data, validate, seed)
        progress.advance(1, "retrievers")
        base = max(values, key=lambda name: values[name]) if values else next(iter(first))
        rankers = self._rankers(data, first, base, seed)
        progress.advance(1, "rankers")
        progress.finish()
        self._items, self._base = data.train.items, first[base].score_users
        self._found = self._candidates(first, data.train, np.arange(len(data.train.users), dtype=np.int64))
        table = described(self._found, History(data.train, data.modalities))
        self._moved = np.mean([ranker.predict(table.values, num_threads=1) for ranker in rankers], axis=0)
        gains = np.mean([ranker.feature_importance(importance_type="gain") for ranker in rankers], axis=0)
        self.importance = {name: float(gain) for name, gain in zip(table.names, gains, strict=True)}
        history = self._choose(base, values, validate)
        seconds = time.perf_counter() - started
        return FitReport(max(len(history), 1), seconds, max(history) if history else None, tuple(history))

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items) float32; what is no candidate stands below all that are."""
        share = self.chosen["share"]
        if share == 0:
            return self._base(user_rows)
        starts, scores = self._found.starts, self._found.column(score_of(self.chosen["base"]))
        out = np.full((len(user_rows), len(self._items)), BELOW, np.float32)
        for at, user in enumerate(user_rows):
            mine = slice(starts[user], starts[user + 1])
            out[at, self._found.items[mine]] = self.config.start * scores[mine] + share * self._moved[mine]
        return out

    def _retrievers(
        self, data: TrainingData, validate: Validate | None, seed: int
    ) -> tuple[dict[str, Recommender], dict[str, float]]:
        fitted, values = {}, {}
        refused: DataError | None = None
        for name in self.config.retrievers:
            try:
                model, value = self._fit_one(name, self.config.overrides.get(name, {}), data, validate, seed)
            except DataError as error:
                refused = error
                continue
            fitted[name] = model
            if value is not None:
                values[name] = value
        if not fitted and refused is not None:
            raise refused
        return fitted, values

    def _rankers(self, data: TrainingData, first: Mapping[str, Recommender], base: str, seed: int) -> list[Any]:
        """Return boosters that correct the score of `base`, taught on every fold."""
        settings = {name: self._settled(name, model) for name, model in first.items()}
        tables, groups, labels = [], [], []
        for fold in folds(data.train, self.config.holdout, self.config.folds, seed):
            judged = Judged.of(fold.held, (fold.kept,))

            def stop(scorer: Any, judged: Judged = judged) -> float:
                return float(judged.measure(scorer, [FOLDS_JUDGED_BY])[0][str(FOLDS_JUDGED_BY)].mean())

            kept = TrainingData(fold.kept, data.modalities)
            second = {name: self._fit_one(name, given, kept, stop, seed)[0] for name, given in settings.items()}
            found = self._candidates(second, fold.kept, judged.users)
            grades = labelled(found, fold.held)
            found, grades = teaching(found, grades, self.config.max_groups, seed)
            tables.append(described(found, History(fold.kept, data.modalities)))
            groups.append(found.sizes)
            labels.append(grades)
        if not tables:
            raise DataError(f"{self.name}: no shopper has three train rows or more, so none teaches the ranker")
        table = FeatureTable(
            tables[0].names,
            tuple(item for each in tables for item in each.item_ids),
            np.concatenate([each.values for each in tables]),
        )
        start = (self.config.start * table.column(score_of(base))).astype(np.float32)
        return [
            boosted(
                table.values,
                np.concatenate(labels),
                {**self.config.parameters(), "seed": seed + number},
                self.config.trees,
                groups=np.concatenate(groups),
                start=start,
            )
            for number in range(self.config.rankers)
        ]

    def _candidates(
        self, models: Mapping[str, Recommender], train: Interactions, users: npt.NDArray[np.int64]
    ) -> Candidates:
        scorers = {name: model.score_users for name, model in models.items()}
        return candidates(scorers, train, users, depth=self.config.depth, pool=self.config.pool)

    def _settled(self, name: str, model: Recommender) -> dict[str, Any]:
        """Return a retriever's settings with what its search found, and no further search."""
        given = dict(self.config.overrides.get(name, {}))
        found = getattr(model, "settings_found", None)
        return {**given, **found(), "max_trials": 1} if found else given

    def _choose(self, base: str, values: Mapping[str, float], validate: Validate | None) -> list[float]:
        """Set the rankers' weight; return the validation value of each weight tried."""
        self.chosen = {"base": base, "share": self.config.share}
        if validate is None:
            return []
        tried: dict[float, float] = {}
        for share in (0.0, *self.config.shares):
            self.chosen["share"] = share
            tried[share] = validate(self.score_users)
        self.chosen["share"] = max(tried, key=lambda share: tried[share])
        return list(tried.values())


def described(found: Candidates, history: History) -> FeatureTable:
    """Return the ranker's table of candidates: what the retrievers say, and what the log and the content say."""
    starts = found.starts
    known = [
        history.features(int(user), found.items[start:stop])
        for user, start, stop in zip(found.users, starts[:-1], starts[1:], strict=True)
    ]
    values = np.concatenate([found.values, np.concatenate(known)], axis=1)
    return FeatureTable((*found.names, *history.names), ("",) * len(values), values)


def labelled(found: Candidates, held: Interactions) -> npt.NDArray[np.int64]:
    """Return 1 for each candidate that its shopper took in `held`, else 0."""
    n_items = len(held.items)
    keys = np.repeat(found.users, found.sizes) * n_items + found.items
    return np.isin(keys, held.user_rows.astype(np.int64) * n_items + held.item_rows).astype(np.int64)


def teaching(
    found: Candidates, grades: npt.NDArray[np.int64], most: int, seed: int
) -> tuple[Candidates, npt.NDArray[np.int64]]:
    """Keep the shoppers who took a candidate, at most so many."""
    starts = found.starts
    taken = np.concatenate([[0], np.cumsum(grades)])
    some = np.flatnonzero(taken[starts[1:]] > taken[starts[:-1]])
    if len(some) > most:
        some = np.sort(np.random.default_rng(seed).choice(some, most, replace=False))
    chosen = np.zeros(len(found.users), np.bool_)
    chosen[some] = True
    rows = np.repeat(chosen, found.sizes)
    kept = Candidates(found.users[chosen], found.sizes[chosen], found.items[rows], found.values[rows], found.names)
    return kept, grades[rows]


def score_of(retriever: str) -> str:
    """Return the name of the column that holds a retriever's standard score."""
    return f"score.{retriever}"
