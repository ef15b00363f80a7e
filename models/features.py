"""The ranker's features, built by one function for training and for serving.

Every aggregate is taken as of a moment: no event at or after it is used. `models/feature_columns.py` has the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.ids import IdMap, Rows
from catalog.items import Catalog
from catalog.log import positives
from catalog.nouns import Candidate, User
from catalog.vectors import EmbeddingTable, Floats
from models.base import Recommender
from models.exposure import EXPOSURE_FEATURES, Exposure
from models.feature_columns import (
    ITEM_FEATURES,
    MISSED,
    SHOPPER_FEATURES,
    SHOWN,
    Feature,
    item_columns,
    model_lift,
    model_score,
    proposed_columns,
    session_columns,
    shopper_columns,
    source_columns,
    space_columns,
)
from models.feature_table import FeatureTable, IdsAt
from models.intents.features import IntentFeatures, require_moment
from models.item_statistics import ItemStatistics, before, item_statistics
from models.membership import MEMBERSHIP_FEATURES, Membership
from models.session import NO_SESSION, SESSION_FEATURES, Session, moment_columns
from models.shopper import Histories, Shopper, shopper_profile, with_recent
from models.units import Units

__all__ = [
    "MISSED",
    "MODEL_LIFT",
    "MODEL_SCORE",
    "SHOWN",
    "FeatureConfig",
    "FeatureContext",
    "FeatureStore",
    "build_features",
    "proposed_features",
]

MODEL_SCORE, MODEL_LIFT = "model_score", "model_lift"

PER_SPACE = ("similarity", "nearest", "session_similarity")
"""Features of every embedding space, `similarity.<space>` and so on."""


class FeatureConfig(BaseModel):
    """Settings of the ranker's features; training and serving must share them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sources: tuple[str, ...] = ()
    """Names of the retrieval sources (`Candidate.source`) that get a score and a rank column each."""

    models: tuple[str, ...] = ()
    """Names of further recommenders that get a column `model_lift.<name>` each."""

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
        users: Shoppers by id, for memberships; None: nobody has one.

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
        users: Mapping[str, User] | None = None,
    ) -> None:
        self.config = config or FeatureConfig()
        self.intents = intents
        if intents is not None:
            require_moment(intents, as_of)
        self.as_of = as_of
        self.items: IdMap = catalog.ids
        self.units = {name: Units.of(table, catalog.ids) for name, table in (spaces or {}).items()}
        past, kinds = before(log, as_of), self.config.positives
        self.statistics: ItemStatistics = item_statistics(
            catalog, past, as_of, half_life_days=self.config.half_life_days, kinds=kinds
        )
        self.exposure = Exposure(past, catalog.ids, as_of)
        # Which kinds count may hang on which there are: the past decides, not what is still to come.
        self.membership = Membership(users or {}, positives(past, kinds), catalog.ids)
        self._histories = Histories(past, catalog.ids, as_of, kinds)

    def taken(self, user_id: str | None) -> Rows:
        """Return the rows of what a shopper took before `as_of`, oldest first, repeats kept."""
        return self._histories.of(user_id)

    def shopper(self, user_id: str | None, recent: Sequence[str] = ()) -> Shopper:
        """Return the profile of a shopper from the history before `as_of` and the `recent` items of a session."""
        taken = with_recent(self._histories.of(user_id), recent, self.items)
        return shopper_profile(taken, self.statistics, self.units, self._histories.against(user_id))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features' names in column order."""
        return (
            *ITEM_FEATURES,
            *SHOPPER_FEATURES,
            *MEMBERSHIP_FEATURES,
            *EXPOSURE_FEATURES,
            *SESSION_FEATURES,
            *(self.intents.names if self.intents is not None else ()),
            *(f"{what}.{space}" for space in self.units for what in PER_SPACE),
            *(f"{what}.{source}" for source in self.config.sources for what in ("score", "rank")),
            MODEL_SCORE,
            *(f"{MODEL_LIFT}.{name}" for name in self.config.models),
        )


@dataclass(frozen=True, eq=False)
class FeatureContext:
    """For whom features are built.

    Attributes:
        store: Look-ups; its `as_of` bounds what is known.
        user_id: External id, or None for a stranger.
        recent: Item ids liked since the store's moment, newest last; none where the store is of the request's moment.
        recommender: Gives `model_score`; fitted on events before the store's `as_of` only. None: NaN.
        recommenders: By name, those of the config's `models`; likewise.
        session: What is known of the session at hand.
        scored: What `recommender.score(user_id, recent)` gives the candidates, (n,) in their order, NaN where unknown,
            where the caller has it already.
    """

    store: FeatureStore
    user_id: str | None = None
    recent: Sequence[str] = ()
    recommender: Recommender | None = None
    recommenders: Mapping[str, Recommender] = field(default_factory=dict)
    session: Session = NO_SESSION
    scored: Floats | None = None


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
    ids = tuple(dict.fromkeys(candidate.item_id for candidate in candidates))
    sources = source_columns(context.store.config.sources, candidates, ids)
    return _features(ids, context.store.items.rows(ids), sources, context, as_of)


def proposed_features(
    rows: Rows, proposed: Mapping[str, tuple[Rows, Floats]], context: FeatureContext, as_of: datetime
) -> FeatureTable:
    """Return what `build_features` returns for the same candidates, given as arrays.

    Args:
        rows: (n,) distinct item rows of the store, in the order of the result.
        proposed: By source of the store's config, the places among `rows` of what it proposed, best first, and its
            scores.
        context: The shopper and the look-ups.
        as_of: The moment of the request; not before the store's own.

    Raises:
        DataError: As `build_features`.
    """
    store = context.store
    columns = proposed_columns(store.config.sources, len(rows), proposed)
    return _features(IdsAt(store.items, rows), rows, columns, context, as_of)


def _features(
    ids: Sequence[str], rows: Rows, sources: Mapping[str, Feature], context: FeatureContext, as_of: datetime
) -> FeatureTable:
    store = context.store
    if as_of < store.as_of:
        raise DataError(
            f"features as of {as_of.isoformat()} from a store as of {store.as_of.isoformat()}: "
            "it knows later events; a store built as of that time or earlier would be valid"
        )
    shopper, liked, statistics = store.shopper(context.user_id, context.recent), context.recent, store.statistics
    viewed = store.items.rows(context.session.viewed, missing=-1)
    viewed = viewed[viewed >= 0]
    known, brands, categories = statistics.at(rows), statistics.brands[rows], statistics.categories_of(rows)
    prices = known["price"]
    columns: dict[str, Feature] = {
        **item_columns(statistics, known, as_of),
        **shopper_columns(rows, shopper, prices, brands, categories),
        **store.membership.columns(context.user_id, rows),
        **store.exposure.columns(context.user_id, rows, as_of),
        **session_columns(statistics, rows, viewed, prices, brands, categories),
        **moment_columns(as_of, context.session.device),
        **(store.intents.columns(context.user_id, rows, prices) if store.intents is not None else {}),
        **space_columns(store.units, rows, shopper, viewed),
        **sources,
        MODEL_SCORE: (
            model_score(context.recommender, context.user_id, liked, ids) if context.scored is None else context.scored
        ),
    }
    for name in store.config.models:
        columns[f"{MODEL_LIFT}.{name}"] = model_lift(context.recommenders.get(name), context.user_id, liked, ids)
    values = np.empty((len(store.names), len(rows)), np.float32)  # a column lies together, as it is written and read
    for at, name in enumerate(store.names):
        values[at] = columns[name]
    return FeatureTable(store.names, ids, values.T)
