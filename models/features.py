"""The ranker's features, built by one function for training and for serving.

Every aggregate is taken as of a moment: no event at or after it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.ids import IdMap, Rows
from catalog.items import Catalog
from catalog.nouns import Candidate
from catalog.vectors import EmbeddingTable, Floats
from models.base import Recommender
from models.feature_table import FeatureTable
from models.intents.features import INTENT_FEATURES, IntentFeatures, require_moment
from models.item_statistics import DAY, ItemStatistics, item_statistics
from models.shopper import Histories, Shopper, shopper_profile, with_recent

Column = npt.NDArray[Any]


class FeatureConfig(BaseModel):
    """Settings of the ranker's features; training and serving must share them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sources: tuple[str, ...] = ()
    """Names of the retrieval sources (`Candidate.source`) that get a score and a rank column each."""

    half_life_days: float = Field(30.0, gt=0)
    """Days after which a positive counts half in the popularity of an item."""

    positives: tuple[str, ...] | None = None
    """Kinds that count as taking an item; None: purchase and cart where present, else all that do not speak against."""


class FeatureStore:
    """Everything about items and shoppers that a request looks up, as of one moment.

    Args:
        catalog: Items; candidates must be among them.
        log: Table with the columns of `columns.INTERACTIONS`; events at or after `as_of` are not looked at.
        spaces: By readable name, the embedding tables to compare shopper and item in.
        as_of: Aware UTC.
        config: Settings.
        intents: What shoppers said, as of that moment or an earlier one; None: there are no features of intents.

    Raises:
        DataError: When `as_of` has no time zone, or the intents know later words.
    """

    def __init__(
        self,
        catalog: Catalog,
        log: pl.DataFrame,
        *,
        as_of: datetime,
        spaces: Mapping[str, EmbeddingTable] | None = None,
        config: FeatureConfig | None = None,
        intents: IntentFeatures | None = None,
    ) -> None:
        self.config = config or FeatureConfig()
        self.intents = intents
        if intents is not None:
            require_moment(intents, as_of)
        self.as_of = as_of
        self.items: IdMap = catalog.ids
        self.units = {name: _aligned_units(table, catalog.ids) for name, table in (spaces or {}).items()}
        self.statistics: ItemStatistics = item_statistics(
            catalog, log, as_of, half_life_days=self.config.half_life_days, kinds=self.config.positives
        )
        self._histories = Histories(log, catalog.ids, as_of, self.config.positives)

    def shopper(self, user_id: str | None, recent: Sequence[str] = ()) -> Shopper:
        """Return the profile of a shopper from the history before `as_of` and the `recent` items of a session."""
        taken = with_recent(self._histories.of(user_id), recent, self.items)
        return shopper_profile(taken, self.statistics, self.units)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names in column order."""
        return (
            *ITEM_FEATURES,
            *SHOPPER_FEATURES,
            *(INTENT_FEATURES if self.intents is not None else ()),
            *(f"similarity.{space}" for space in self.units),
            *(f"{what}.{source}" for source in self.config.sources for what in ("score", "rank")),
            MODEL_SCORE,
        )


ITEM_FEATURES = (
    "price",
    "log_price",
    "item_age_days",
    "days_since_taken",
    "popularity",
    "return_rate",
    "rating",
    "rating_count",
    "availability",
)
SHOPPER_FEATURES = ("price_to_median", "price_in_range", "brand_affinity", "category_affinity", "taken_before")
MODEL_SCORE = "model_score"

MISSED = "missed"
"""Source of a training positive that no retriever found (`models/ranking_data.py`); it fills no column."""


@dataclass(frozen=True, eq=False)
class FeatureContext:
    """For whom features are built.

    Attributes:
        store: Look-ups; its `as_of` bounds what is known.
        user_id: External id, or None for a stranger.
        recent: Item ids of the live session, newest last; none in training.
        recommender: Gives `model_score`; fitted on events before the store's `as_of` only. None: NaN.
    """

    store: FeatureStore
    user_id: str | None = None
    recent: Sequence[str] = ()
    recommender: Recommender | None = None


def build_features(candidates: Sequence[Candidate], context: FeatureContext, as_of: datetime) -> FeatureTable:
    """Return one row for each distinct candidate item, in order of first appearance.

    A candidate proposed by several sources is one row; a source that did not propose it leaves NaN in its
    columns. The rank of a source counts from 1 in the order its candidates are given.

    Args:
        candidates: From any of the sources in the store's config.
        context: The shopper and the look-ups.
        as_of: The moment of the request; not before the store's own.

    Raises:
        DataError: When `as_of` lies before the store's (its aggregates would tell of the future), or a
            candidate's source is not in the config.
        NotFoundError: When a candidate is not in the catalogue.
    """
    store = context.store
    if as_of < store.as_of:
        raise DataError(
            f"features as of {as_of.isoformat()} from a store as of {store.as_of.isoformat()}: "
            "it knows later events; a store built as of that time or earlier would be valid"
        )
    ids = tuple(dict.fromkeys(candidate.item_id for candidate in candidates))
    rows = store.items.rows(ids)
    columns = {
        **_item_columns(store, rows, as_of),
        **_shopper_columns(store, rows, store.shopper(context.user_id, context.recent)),
        **_intent_columns(store, rows, context.user_id),
        **_source_columns(store.config.sources, candidates, ids),
        MODEL_SCORE: _model_score(context, ids),
    }
    return FeatureTable(
        store.names, ids, np.stack([np.asarray(columns[name], np.float32) for name in store.names], axis=1)
    )


def _item_columns(store: FeatureStore, rows: Rows, as_of: datetime) -> dict[str, Column]:
    of = {name: column[rows] for name, column in store.statistics.columns.items()}
    now = as_of.timestamp()
    # Every positive aged alike since the store was built, so the decayed sum ages by one factor.
    aged = 0.5 ** ((now - store.as_of.timestamp()) / DAY / store.statistics.half_life_days)
    return {
        "price": of["price"],
        "log_price": np.log1p(of["price"]),
        "item_age_days": (now - of["first_event"]) / DAY,
        "days_since_taken": (now - of["last_positive"]) / DAY,
        "popularity": np.log1p(of["popularity"] * aged),
        "return_rate": of["return_rate"],
        "rating": of["rating"],
        "rating_count": of["rating_count"],
        "availability": of["availability"],
    }


def _shopper_columns(store: FeatureStore, rows: Rows, shopper: Shopper) -> dict[str, Column]:
    statistics = store.statistics
    unknown = np.full(len(rows), np.nan)
    columns = {name: unknown for name in SHOPPER_FEATURES}
    price = statistics.columns["price"][rows]
    if len(shopper.prices):
        median = np.median(shopper.prices)
        if median > 0:
            columns["price_to_median"] = np.log1p(price) - np.log1p(median)
        inside = (price >= shopper.prices.min()) & (price <= shopper.prices.max())
        columns["price_in_range"] = np.where(np.isnan(price), np.nan, inside)
    if len(shopper.taken):
        brands = statistics.brands[rows]
        if len(shopper.brand_share):
            columns["brand_affinity"] = np.where(brands >= 0, shopper.brand_share[brands], np.nan)
        categories = statistics.categories[rows]
        size = np.diff(categories.indptr)
        share = np.divide(categories @ shopper.category_share, size, out=unknown.copy(), where=size > 0)
        columns["category_affinity"] = share
        columns["taken_before"] = np.bincount(shopper.taken, minlength=len(store.items))[rows]
    for space, table in store.units.items():
        columns[f"similarity.{space}"] = _similarity(table.vectors[rows], shopper.means[space])
    return columns


def _intent_columns(store: FeatureStore, rows: Rows, user_id: str | None) -> dict[str, Column]:
    if store.intents is None:
        return {}
    return store.intents.columns(user_id, rows, store.statistics.columns["price"][rows])


def _similarity(units: Floats, mean: Floats | None) -> Column:
    """Return the cosine of each item with the shopper's mean; NaN where either has no vector."""
    if mean is None:
        return np.full(len(units), np.nan)
    length = max(float(np.linalg.norm(mean)), 1e-12)
    cosine: Column = np.where(units.any(axis=1), units @ mean / length, np.nan)
    return cosine


def _source_columns(
    sources: tuple[str, ...], candidates: Sequence[Candidate], ids: tuple[str, ...]
) -> dict[str, Column]:
    row = {item_id: at for at, item_id in enumerate(ids)}
    columns = {f"{what}.{source}": np.full(len(ids), np.nan) for source in sources for what in ("score", "rank")}
    seen = dict.fromkeys(sources, 0)
    for candidate in candidates:
        if candidate.source == MISSED:
            continue
        if candidate.source not in seen:
            raise DataError(
                f"candidate {candidate.item_id!r} comes from source {candidate.source!r}; "
                f"one of {', '.join(sources) or 'none (FeatureConfig.sources is empty)'} would be valid"
            )
        at = row[candidate.item_id]
        seen[candidate.source] += 1
        if np.isnan(columns[f"rank.{candidate.source}"][at]):
            columns[f"score.{candidate.source}"][at] = candidate.score
            columns[f"rank.{candidate.source}"][at] = seen[candidate.source]
    return columns


def _model_score(context: FeatureContext, ids: tuple[str, ...]) -> Column:
    out = np.full(len(ids), np.nan)
    if context.recommender is not None:
        at = context.recommender.items.rows(ids, missing=-1)
        scores = context.recommender.score(context.user_id, context.recent).values
        out[at >= 0] = scores[at[at >= 0]]
    return out


def _aligned_units(table: EmbeddingTable, items: IdMap) -> EmbeddingTable:
    vectors, _ = table.align(items)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return EmbeddingTable(items, unit, table.space)
