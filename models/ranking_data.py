"""Training groups for the ranker: what was retrieved for a shopper at a moment, and what they then took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.nouns import KINDS, NEGATIVE_KINDS, Candidate
from catalog.progress import SILENT, Progress
from models.base import Recommender
from models.feature_table import FeatureTable, stacked
from models.features import MISSED, FeatureContext, FeatureStore, build_features

Retrieve = Callable[[str], Sequence[Candidate]]
"""A user id -> the candidates of every source, as serving would have retrieved them at the cut."""


class RankingDataConfig(BaseModel):
    """Settings of `build_ranking_data`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grades: Mapping[str, int] = Field(default_factory=lambda: {"purchase": 2, "cart": 1, "rating": 1})
    """Label by kind of event; the best event of a shopper with an item counts, other kinds are 0."""

    keep_missed: bool = False
    """Whether positives that no source retrieved join the group. At serving every candidate was retrieved, so
    rows whose retrieval columns are all missing teach the ranker that missing means taken: off by default."""

    max_groups: int | None = Field(None, ge=1)
    """Take at most this many shoppers, drawn at random; None takes all."""


@dataclass(frozen=True, eq=False)
class RankingData:
    """What `LightGBMRanker.fit` learns from.

    Attributes:
        table: Rows of all groups, group by group.
        groups: (g,) rows a group.
        labels: (n,) grades.
        user_ids: The shopper of each group.
        dropped: Counts of what was left out, by reason.
    """

    table: FeatureTable
    groups: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    user_ids: tuple[str, ...]
    dropped: Mapping[str, int]


def build_ranking_data(
    log: pl.DataFrame,
    store: FeatureStore,
    retrieve: Retrieve,
    *,
    until: datetime | None = None,
    recommender: Recommender | None = None,
    recommenders: Mapping[str, Recommender] | None = None,
    config: RankingDataConfig | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> RankingData:
    """Return one group for each shopper who took something at or after the store's `as_of`.

    Features are as of `store.as_of`, labels from the events in `[store.as_of, until)`. An item the shopper
    then returned, dismissed or complained about is labelled 0.

    Args:
        log: Table with the columns of `columns.INTERACTIONS`.
        store: Look-ups as of the cut.
        retrieve: Retrieval that knows nothing after the cut.
        until: End of the label window; None takes the whole rest of the log.
        recommender: Gives `model_score`; fitted on events before the cut.
        recommenders: By name, those of the store's config; likewise.
        config: Settings.
        seed: For drawing `max_groups` shoppers.
        progress: Told once a shopper.

    Raises:
        DataError: When a kind is unknown, or no group has a positive among its candidates.
    """
    config = config or RankingDataConfig()
    labels_of = _graded(log, store, until, config.grades)
    users = list(labels_of)
    if config.max_groups is not None and len(users) > config.max_groups:
        drawn = np.random.default_rng(seed).choice(len(users), config.max_groups, replace=False)
        users = [users[at] for at in np.sort(drawn)]
    tables: list[FeatureTable] = []
    labels: list[npt.NDArray[np.int64]] = []
    kept: list[str] = []
    dropped = {"positives not retrieved": 0, "shoppers without a retrieved positive": 0}
    progress.start("ranking data", len(users))
    for user in users:
        grades = labels_of[user]
        candidates = [c for c in retrieve(user) if c.item_id in store.items]
        found = {c.item_id for c in candidates}
        missed = [item for item, grade in grades.items() if grade > 0 and item not in found]
        progress.advance()
        if config.keep_missed:
            candidates += [Candidate(item, float("nan"), MISSED) for item in missed]
        else:
            dropped["positives not retrieved"] += len(missed)
        ids = dict.fromkeys(c.item_id for c in candidates)
        label = np.array([grades.get(item, 0) for item in ids], np.int64)
        if not label.any():
            dropped["shoppers without a retrieved positive"] += 1
            continue
        context = FeatureContext(store, user, recommender=recommender, recommenders=recommenders or {})
        tables.append(build_features(candidates, context, store.as_of))
        labels.append(label)
        kept.append(user)
    progress.finish()
    if not tables:
        raise DataError(
            f"no ranking group: of {len(users)} shoppers with a positive at or after {store.as_of.isoformat()} "
            "none has it among the retrieved candidates; an earlier cut or more candidates would be valid"
        )
    groups = np.array([len(table) for table in tables], np.int64)
    return RankingData(stacked(tables), groups, np.concatenate(labels), tuple(kept), dropped)


def _graded(
    log: pl.DataFrame, store: FeatureStore, until: datetime | None, grades: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    """Return the grade of each (user, item) that has a positive one, shoppers in order of id."""
    for kind in grades:
        if kind not in KINDS:
            raise DataError(f"unknown kind {kind!r} in grades; one of {', '.join(KINDS)} would be valid")
    window = log.filter(pl.col("timestamp") >= store.as_of)
    if until is not None:
        window = window.filter(pl.col("timestamp") < until)
    window = window.filter(pl.col("item_id").is_in(list(store.items)))
    pair = ["user_id", "item_id"]
    against = window.filter(pl.col("kind").is_in(sorted(NEGATIVE_KINDS))).select(pair).unique()
    graded = (
        window.with_columns(pl.col("kind").replace_strict(dict(grades), default=0, return_dtype=pl.Int64).alias("g"))
        .group_by(pair)
        .agg(pl.col("g").max())
        .filter(pl.col("g") > 0)
        .join(against, on=pair, how="anti")
        .sort(pair)
    )
    out: dict[str, dict[str, int]] = {}
    for user, item, grade in graded.iter_rows():
        out.setdefault(user, {})[item] = grade
    return out
