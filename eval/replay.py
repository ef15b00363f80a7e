"""Replay: the end of a log, event by event, each shopper's profile frozen against brought up to the moment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.events import SqliteEventStore
from catalog.log import positives
from catalog.nouns import Interaction
from eval.intervals import Interval, Paired, bootstrap_interval, paired_test
from eval.metrics import Values, parse_metric, per_user
from eval.selection import top_k
from tools.base import Shopper
from tools.pipeline.taste_scores import taste_scores
from tools.shop import Shop
from tools.taste import taste_of

Before = Literal["opening", "taking"]

LOOKING = ("view", "click", "cart", "purchase")
"""Kinds that open an item: the first of them on it in a session is where the shopper found it."""


class ReplayConfig(BaseModel):
    """What is replayed; all of it changes results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hours: float = Field(24.0, gt=0)
    """How much of the log's end is replayed; models know what came before it."""
    metric: str = "ndcg@20"
    """`name@k`, of one relevant item a moment."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A list is made `at` this time for a shopper who then takes the item; their session if it is known."""

    user_id: str
    item_id: str
    at: datetime
    session_id: str | None = None


@dataclass(frozen=True, eq=False)
class Replayed:
    """What each moment's list was worth, frozen and adapted, (n,) in the order of `moments`.

    `informed` says at which moments anything had happened since the start: the others cannot differ.
    """

    moments: tuple[Moment, ...]
    frozen: Values
    adapted: Values
    informed: npt.NDArray[np.bool_]

    def paired(self, seed: int = 0) -> Paired:
        """Return adapted less frozen, resampled by shopper: one shopper's moments are not independent."""
        return paired_test(self._by_shopper(self.adapted), self._by_shopper(self.frozen), seed=seed)

    def gain(self, seed: int = 0) -> Interval:
        """Return (adapted - frozen) / frozen over all moments, its 95% interval by resampling shoppers.

        Infinite where the frozen lists are worth nothing, as those of a resample of few shoppers may be.

        Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (a ratio of means).
        """
        users = np.unique([moment.user_id for moment in self.moments], return_inverse=True)[1]
        sums = [np.bincount(users, values) for values in (self.frozen, self.adapted)]
        rng, n = np.random.default_rng(seed), len(sums[0])
        drawn = rng.integers(0, n, (2000, n))
        frozen, adapted = (each[drawn].sum(axis=1) for each in sums)
        ratios = [_gain(*pair) for pair in zip(frozen.tolist(), adapted.tolist(), strict=True)]
        low, high = np.quantile(ratios, 0.025, method="lower"), np.quantile(ratios, 0.975, method="higher")
        return Interval(_gain(float(sums[0].sum()), float(sums[1].sum())), float(low), float(high))

    def means(self, seed: int = 0) -> tuple[Interval, Interval]:
        """Return the mean over moments, frozen and adapted, each with its interval."""
        return bootstrap_interval(self.frozen, seed=seed), bootstrap_interval(self.adapted, seed=seed)

    def _by_shopper(self, values: Values) -> Values:
        users = np.unique([moment.user_id for moment in self.moments], return_inverse=True)[1]
        return np.asarray(np.bincount(users, values) / np.bincount(users))


def _gain(frozen: float, adapted: float) -> float:
    if frozen > 0:
        return adapted / frozen - 1
    return math.inf if adapted > 0 else 0.0


def start_of(log: pl.DataFrame, hours: float) -> datetime:
    """Return the moment `hours` before the log's last event.

    Raises:
        DataError: When the log is empty or nothing lies before that moment.
    """
    first, last = log["timestamp"].min(), log["timestamp"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise DataError("the log is empty: there is nothing to replay")
    span = (last - first) / timedelta(hours=1)
    if hours >= span:
        raise DataError(
            f"{hours!r} hours to replay leave nothing to learn from: the log is {span:.1f} hours long; "
            "fewer would be valid"
        )
    return last - timedelta(hours=hours)


def moments_of(
    log: pl.DataFrame, start: datetime, *, kinds: tuple[str, ...] | None = None, before: Before = "opening"
) -> tuple[Moment, ...]:
    """Return when each (shopper, item) pair that was first taken at or after `start` should have been on the list.

    Args:
        log: Table with the columns of `columns.INTERACTIONS`.
        start: Aware UTC.
        kinds: Kinds that count as taking; see `catalog.log.positives`.
        before: `opening`: the shopper's first look at the item in that session, so that the item's own view tells
            nothing. `taking`: the positive event itself, the item's own views known.

    Raises:
        DataError: When nothing is taken at or after `start`.
    """
    pairs = (
        positives(log, kinds)
        .sort("timestamp", maintain_order=True)
        .unique(["user_id", "item_id"], keep="first", maintain_order=True)
    )
    taken = pairs.filter(pl.col("timestamp") >= start).select("user_id", "item_id", "session_id", "timestamp")
    if not taken.height:
        last = pairs["timestamp"].max()
        until = f", and the last before is of {last:%Y-%m-%d %H:%M}" if isinstance(last, datetime) else ""
        raise DataError(
            f"no item is taken for the first time from {start:%Y-%m-%d %H:%M} on, the part of the log that is "
            f"replayed{until}; more hours, or a log without stray late timestamps, would be valid"
        )
    if before == "opening":
        place = ["user_id", "session_id", "item_id"]
        opened = log.filter((pl.col("timestamp") >= start) & pl.col("kind").is_in(LOOKING)).group_by(place)
        first = opened.agg(pl.col("timestamp").min().alias("opened"))
        taken = taken.join(first, on=place, how="left", maintain_order="left")
        taken = taken.with_columns(pl.coalesce("opened", "timestamp").alias("timestamp"))
    taken = taken.sort("timestamp", maintain_order=True)
    return tuple(
        Moment(row["user_id"], row["item_id"], row["timestamp"], row["session_id"])
        for row in taken.iter_rows(named=True)
    )


def replay(
    shop: Shop,
    log: pl.DataFrame,
    moments: tuple[Moment, ...],
    live: pl.DataFrame,
    config: ReplayConfig,
    *,
    kinds: tuple[str, ...] | None = None,
) -> Replayed:
    """Score the full catalogue before every moment: from the profile at the start, and from all that happened since.

    Both score with the same model and statistics, which are `shop`'s and know nothing of `live`; what the shopper
    took before the moment is left out of both lists.

    Args:
        shop: As of the start; its own live events are not read.
        log: The whole log: says what was taken before each moment.
        moments: In order of time.
        live: Events that adaptation may know, each from its own time on.
        config: The metric.
        kinds: Kinds that count as taking; see `catalog.log.positives`.

    Raises:
        DataError: When there is no moment, or the metric is no metric of a user's list.
    """
    if not moments:
        raise DataError("no moment to replay; one at least would be valid")
    metric = parse_metric(config.metric)
    empty, store = SqliteEventStore(":memory:"), SqliteEventStore(":memory:")
    still, moving = replace(shop, events=empty), replace(shop, events=store)
    coming = _events(live.sort("timestamp", maintain_order=True))
    waiting = next(coming, None)
    before, met = _taken_before(log, moments, kinds), set[str]()
    scores: dict[str, npt.NDArray[np.float32]] = {}
    found: list[list[npt.NDArray[np.bool_]]] = [[], []]
    informed = []
    for moment in moments:
        batch = []
        while waiting is not None and waiting.timestamp < moment.at:
            batch.append(waiting)
            waiting = next(coming, None)
        store.put(batch)
        met.update(event.user_id for event in batch)
        if moment.user_id not in scores:
            scores[moment.user_id] = _scores(still, Shopper(moment.user_id), moment.at)
        adapted = _scores(moving, Shopper(moment.user_id, moment.session_id), moment.at)
        wanted = shop.catalog.ids.row(moment.item_id)
        hidden = shop.catalog.ids.rows(sorted(before[moment.user_id, moment.item_id]), missing=-1)
        for at, values in enumerate((scores[moment.user_id], adapted)):
            values = np.where(np.isfinite(values), values, np.float32(-3e38))
            values[hidden[hidden >= 0]] = np.float32(-3.2e38)
            found[at].append(top_k(values[None], metric.k)[0] == wanted)
        informed.append(moment.user_id in met)
    empty.close()
    store.close()
    ones = np.ones(len(moments), np.int64)
    frozen, adapted_values = (per_user(metric, np.array(rows), ones) for rows in found)
    return Replayed(moments, frozen, adapted_values, np.array(informed))


def _scores(shop: Shop, shopper: Shopper, now: datetime) -> npt.NDArray[np.float32]:
    return np.array(taste_scores(shop, shopper, taste_of(shop, shopper, now)).values, np.float32)


def _events(live: pl.DataFrame) -> Iterator[Interaction]:
    columns = ("event_id", "user_id", "item_id", "timestamp", "kind", "session_id", "value")
    for row in live.select(columns).iter_rows(named=True):
        yield Interaction(**row)


def _taken_before(
    log: pl.DataFrame, moments: tuple[Moment, ...], kinds: tuple[str, ...] | None
) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return by moment (shopper, item) the items they had taken before it."""
    shoppers = {moment.user_id for moment in moments}
    rows = positives(log, kinds).filter(pl.col("user_id").is_in(list(shoppers))).sort("timestamp")
    taken: dict[str, list[tuple[datetime, str]]] = {user: [] for user in shoppers}
    for user, item, when in rows.select("user_id", "item_id", "timestamp").iter_rows():
        taken[user].append((when, item))
    return {
        (moment.user_id, moment.item_id): frozenset(
            item for when, item in taken[moment.user_id] if when < moment.at and item != moment.item_id
        )
        for moment in moments
    }
