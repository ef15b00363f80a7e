"""The columns of `build_features`: each function returns named columns, NaN where a value is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.ids import Rows
from catalog.nouns import Candidate
from catalog.vectors import Floats, Mask
from models.base import Recommender
from models.item_statistics import DAY, Belonging, ItemStatistics
from models.shopper import Shopper, branded, paid
from models.units import Units

Column = npt.NDArray[Any]

Feature = Column | float
"""Values (n,) of the items, or the one that all of them have."""

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


def item_columns(statistics: ItemStatistics, known: Mapping[str, Column], as_of: datetime) -> dict[str, Feature]:
    """Return what is `known` of the items themselves (`ItemStatistics.at`), aged to the moment of the request."""
    now = as_of.timestamp()
    # Every positive aged alike since the store was built, so the decayed sum ages by one factor.
    aged = 0.5 ** ((now - statistics.as_of.timestamp()) / DAY / statistics.half_life_days)
    return {
        "price": known["price"],
        "log_price": np.log1p(known["price"]),
        "item_age_days": (now - known["first_event"]) / DAY,
        "days_since_taken": (now - known["last_positive"]) / DAY,
        "popularity": np.log1p(known["popularity"] * aged),
        "return_rate": known["return_rate"],
        "rating": known["rating"],
        "rating_count": known["rating_count"],
        "availability": known["availability"],
    }


def shopper_columns(rows: Rows, shopper: Shopper, prices: Column, brands: Column, of: Belonging) -> dict[str, Feature]:
    """Return how items, their prices, brand codes and categories meet what the shopper took, paid and sent back."""
    columns: dict[str, Feature] = dict.fromkeys(SHOPPER_FEATURES, np.nan)
    if len(shopper.prices):
        columns["price_to_median"] = _beyond_median(prices, shopper.prices)
        inside = (prices >= shopper.prices[0]) & (prices <= shopper.prices[-1])
        columns["price_in_range"] = np.where(np.isnan(prices), np.nan, inside)
    columns["shopper_takes"] = np.log1p(len(shopper.taken))
    columns["shopper_return_rate"] = shopper.return_rate
    if len(shopper.taken):
        columns["brand_affinity"] = _brand_share(brands, shopper.brands)
        columns["category_affinity"] = of.mean(shopper.category_share)
        columns["taken_before"] = _times(shopper.taken, rows)
    if len(shopper.against) or len(shopper.taken):
        columns["against_before"] = _times(shopper.against, rows)
    return columns


def session_columns(
    statistics: ItemStatistics, rows: Rows, viewed: Rows, prices: Column, brands: Column, of: Belonging
) -> dict[str, Feature]:
    """Return how items, their prices, brand codes and categories meet those `viewed` in this session."""
    unknown = ("session_seen", "session_brand", "session_category", "session_price")
    columns: dict[str, Feature] = {"session_items": len(set(viewed.tolist())), **dict.fromkeys(unknown, np.nan)}
    if not len(viewed):
        return columns
    columns["session_seen"] = _times(viewed, rows)
    columns["session_brand"] = _brand_share(brands, branded(statistics, viewed))
    columns["session_category"] = of.mean(statistics.category_counts(viewed) / len(viewed))
    if len(seen := paid(statistics, viewed)):
        columns["session_price"] = _beyond_median(prices, seen)
    return columns


def space_columns(units: Mapping[str, Units], rows: Rows, shopper: Shopper, viewed: Rows) -> dict[str, Feature]:
    """Return cosines of each space: with the mean of what was taken, its nearest, and the mean of those `viewed`."""
    columns: dict[str, Feature] = {}
    for name, space in units.items():
        mine, blank = space.vectors.take(rows, axis=0), space.blank[rows]
        near = space.present(shopper.taken[-NEAREST_DEPTH:])
        columns[f"similarity.{name}"] = _similarity(mine, blank, shopper.means[name])
        columns[f"nearest.{name}"] = _nearest(mine, blank, near)
        columns[f"session_similarity.{name}"] = _similarity(mine, blank, space.mean(viewed))
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
    sources: tuple[str, ...], size: int, proposed: Mapping[str, tuple[Rows, Floats]]
) -> dict[str, Feature]:
    """Return score and rank of each retrieval source, as `source_columns` does, for candidates given as arrays."""
    values = np.full((len(sources), 2, size), np.nan)
    for (score, rank), source in zip(values, sources, strict=True):
        if source in proposed:
            places, scores = proposed[source]
            score[places], rank[places] = scores, np.arange(1, len(places) + 1)
    names = [f"{what}.{source}" for source in sources for what in ("score", "rank")]
    return dict(zip(names, values.reshape(-1, size), strict=True))


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


def _times(given: npt.NDArray[np.int64], asked: npt.NDArray[np.int64]) -> Column:
    """Return how often each of `asked` (n,) stands in `given`."""
    ordered = np.sort(given)
    return ordered.searchsorted(asked, "right") - ordered.searchsorted(asked)


def _beyond_median(prices: Column, paid: Column) -> Feature:
    """Return by how much prices lie above the median of what was paid (ascending), as logs."""
    median = (paid[(len(paid) - 1) // 2] + paid[len(paid) // 2]) / 2
    return np.log1p(prices) - np.log1p(median) if median > 0 else np.nan


def _brand_share(brands: Column, taken: npt.NDArray[np.int64]) -> Column:
    """Return the share (n,) of each of `brands` in those `taken`; NaN for no brand (-1)."""
    times = np.bincount(taken, minlength=int(brands.max(initial=-1)) + 2)
    return np.where(brands >= 0, times[brands] / max(len(taken), 1), np.nan)


def _similarity(units: Floats, blank: Mask, mean: Floats | None) -> Feature:
    """Return the cosine of each item with a mean; NaN where either has no vector."""
    if mean is None:
        return np.nan
    length = max(float(np.sqrt(mean @ mean)), 1e-12)
    cosine: Column = units @ mean / length
    cosine[blank] = np.nan
    return cosine


def _nearest(units: Floats, blank: Mask, taken: Floats) -> Feature:
    """Return the greatest cosine of each item with one of those taken; NaN where either side has no vector."""
    if not len(taken):
        return np.nan
    cosine: Column = (units @ taken.T).max(axis=1)
    cosine[blank] = np.nan
    return cosine
