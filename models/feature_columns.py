"""The columns of `build_features`: each function returns named columns (n,), NaN where a value is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.ids import IdMap, Rows
from catalog.nouns import Candidate
from catalog.vectors import EmbeddingTable, Floats, Mask
from models.base import Recommender
from models.item_statistics import DAY, Belonging, ItemStatistics
from models.session import Session, moment_columns
from models.shopper import Shopper

Column = npt.NDArray[Any]

ITEM_FEATURES = (
    "price", "log_price", "item_age_days", "days_since_taken", "popularity", "return_rate", "rating", "rating_count",
    "availability",
)  # fmt: skip
SHOPPER_FEATURES = (
    "price_to_median", "price_in_range", "brand_affinity", "category_affinity", "taken_before", "against_before",
    "shopper_takes", "shopper_return_rate",
)  # fmt: skip

NEAREST_DEPTH = 50
"""Newest taken items that `nearest.<space>` looks at."""

MISSED = "missed"
"""Source of a training positive that no retriever found (`models/ranking_data.py`); it fills no column."""

SHOWN = "shown"
"""Source of an item whose impression was logged (`models/ctr_data.py`); it fills no column either."""


def item_columns(statistics: ItemStatistics, rows: Rows, as_of: datetime) -> dict[str, Column]:
    """Return what is known of the items themselves, aged to the moment of the request."""
    of = {name: column[rows] for name, column in statistics.columns.items()}
    now = as_of.timestamp()
    # Every positive aged alike since the store was built, so the decayed sum ages by one factor.
    aged = 0.5 ** ((now - statistics.as_of.timestamp()) / DAY / statistics.half_life_days)
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


def shopper_columns(
    statistics: ItemStatistics, rows: Rows, shopper: Shopper, categories: Belonging
) -> dict[str, Column]:
    """Return how the items meet what the shopper took, paid and sent back."""
    unknown = np.full(len(rows), np.nan)
    columns = dict.fromkeys(SHOPPER_FEATURES, unknown)
    price = statistics.columns["price"][rows]
    if len(shopper.prices):
        columns["price_to_median"] = _beyond_median(price, shopper.prices)
        inside = (price >= shopper.prices.min()) & (price <= shopper.prices.max())
        columns["price_in_range"] = np.where(np.isnan(price), np.nan, inside)
    columns["shopper_takes"] = np.full(len(rows), np.log1p(len(shopper.taken)))
    columns["shopper_return_rate"] = np.full(len(rows), shopper.return_rate)
    if len(shopper.against):
        columns["against_before"] = _times(shopper.against, rows)
    if len(shopper.taken):
        columns["brand_affinity"] = _brand_share(statistics, rows, shopper.brand_share)
        columns["category_affinity"] = categories.mean(shopper.category_share)
        columns["taken_before"] = _times(shopper.taken, rows)
        columns["against_before"] = np.nan_to_num(columns["against_before"])
    return columns


def session_columns(
    statistics: ItemStatistics, items: IdMap, rows: Rows, session: Session, as_of: datetime, categories: Belonging
) -> dict[str, Column]:
    """Return how the items meet what was looked at in this session, and when it is."""
    unknown = np.full(len(rows), np.nan)
    columns = {
        **dict.fromkeys(("session_seen", "session_brand", "session_category", "session_price"), unknown),
        **moment_columns(len(rows), as_of, session.device),
    }
    viewed = _known_rows(items, session.viewed)
    columns["session_items"] = np.full(len(rows), float(len(np.unique(viewed))))
    if not len(viewed):
        return columns
    columns["session_seen"] = _times(viewed, rows)
    brands = statistics.brands[viewed]
    n_brands = statistics.n_brands
    share = np.bincount(brands[brands >= 0], minlength=n_brands) / max(int((brands >= 0).sum()), 1)
    columns["session_brand"] = _brand_share(statistics, rows, share)
    columns["session_category"] = categories.mean(statistics.category_counts(viewed) / len(viewed))
    paid = statistics.columns["price"][viewed]
    if np.isfinite(paid).any():
        columns["session_price"] = _beyond_median(statistics.columns["price"][rows], paid[np.isfinite(paid)])
    return columns


def space_columns(
    units: Mapping[str, EmbeddingTable], items: IdMap, rows: Rows, shopper: Shopper, session: Session
) -> dict[str, Column]:
    """Return cosines of each space: with the mean of what was taken, its nearest, and this session's mean."""
    viewed = _known_rows(items, session.viewed)
    columns: dict[str, Column] = {}
    for space, table in units.items():
        mine = table.vectors[rows]
        blank = np.einsum("nd,nd->n", mine, mine) == 0  # a unit row, or zeros
        seen = table.vectors[viewed]
        seen = seen[seen.any(axis=1)]
        columns[f"similarity.{space}"] = _similarity(mine, blank, shopper.means[space])
        columns[f"nearest.{space}"] = _nearest(mine, blank, table.vectors[shopper.taken[-NEAREST_DEPTH:]])
        columns[f"session_similarity.{space}"] = _similarity(mine, blank, seen.mean(axis=0) if len(seen) else None)
    return columns


def source_columns(
    sources: tuple[str, ...], candidates: Sequence[Candidate], ids: tuple[str, ...]
) -> dict[str, Column]:
    """Return score and rank of each retrieval source.

    Raises:
        DataError: When a candidate's source is none of them.
    """
    row = {item_id: at for at, item_id in enumerate(ids)}
    columns = {f"{what}.{source}": np.full(len(ids), np.nan) for source in sources for what in ("score", "rank")}
    seen = dict.fromkeys(sources, 0)
    for candidate in candidates:
        if candidate.source in (MISSED, SHOWN):
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


def proposed_columns(
    sources: tuple[str, ...], rows: Rows, proposed: Mapping[str, tuple[Rows, Floats]]
) -> dict[str, Column]:
    """Return score and rank of each retrieval source, as `source_columns` does, for candidates given as arrays."""
    order = np.argsort(rows)
    ranked = rows[order]
    columns: dict[str, Column] = {}
    for source in sources:
        score, rank = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        if source in proposed:
            mine, scores = proposed[source]
            at = order[np.searchsorted(ranked, mine)]
            score[at], rank[at] = scores, np.arange(1, len(mine) + 1)
        columns[f"score.{source}"], columns[f"rank.{source}"] = score, rank
    return columns


def model_score(
    recommender: Recommender | None, user_id: str | None, recent: Sequence[str], ids: Sequence[str]
) -> Column:
    """Return a recommender's score of the items; NaN for items it does not know, and where there is none."""
    score = np.full(len(ids), np.nan)
    if recommender is not None:
        at = recommender.items.rows(ids, missing=-1)
        score[at >= 0] = recommender.score(user_id, recent).values[at[at >= 0]]
    return score


def model_lift(
    recommender: Recommender | None, user_id: str | None, recent: Sequence[str], ids: Sequence[str]
) -> Column:
    """Return a recommender's lift of the items: how many spreads above its mean over all items.

    It can be compared between shoppers. NaN for items it does not know, and for a recommender that is None.
    """
    lift = np.full(len(ids), np.nan)
    if recommender is None:
        return lift
    at = recommender.items.rows(ids, missing=-1)
    values = recommender.score(user_id, recent).values
    usable = values[np.isfinite(values)].astype(np.float64)
    spread = float(usable.std()) if len(usable) else 0.0
    if spread > 0:
        lift[at >= 0] = (values[at[at >= 0]].astype(np.float64) - usable.mean()) / spread
    return lift


def _known_rows(items: IdMap, ids: Sequence[str]) -> npt.NDArray[np.int64]:
    rows = items.rows(list(ids), missing=-1)
    return np.asarray(rows[rows >= 0], np.int64)


def _times(given: npt.NDArray[np.int64], rows: Rows) -> Column:
    """Return how often each of `rows` stands in `given`, (n,)."""
    met, often = np.unique(given, return_counts=True)
    if not len(met):
        return np.zeros(len(rows), np.int64)
    at = np.minimum(np.searchsorted(met, rows), len(met) - 1)
    return np.where(met[at] == rows, often[at], 0)


def _beyond_median(price: Column, paid: Column) -> Column:
    median = np.median(paid)
    return np.log1p(price) - np.log1p(median) if median > 0 else np.full(len(price), np.nan)


def _brand_share(statistics: ItemStatistics, rows: Rows, share: Column) -> Column:
    brands = statistics.brands[rows]
    if not len(share):
        return np.full(len(rows), np.nan)
    return np.where(brands >= 0, share[brands], np.nan)


def _similarity(units: Floats, blank: Mask, mean: Floats | None) -> Column:
    """Return the cosine of each item with a mean; NaN where either has no vector."""
    if mean is None:
        return np.full(len(units), np.nan)
    length = max(float(np.linalg.norm(mean)), 1e-12)
    cosine: Column = units @ mean / length
    cosine[blank] = np.nan
    return cosine


def _nearest(units: Floats, blank: Mask, taken: Floats) -> Column:
    """Return the greatest cosine of each item with one of those taken; NaN where either side has no vector."""
    taken = taken[taken.any(axis=1)]
    if not len(taken):
        return np.full(len(units), np.nan)
    cosine: Column = (units @ taken.T).max(axis=1)
    cosine[blank] = np.nan
    return cosine
