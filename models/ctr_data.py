"""Lessons for the click model: what was shown, with the features of that moment, and whether it was clicked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.log import positives
from catalog.nouns import Candidate
from catalog.progress import SILENT, Progress
from models.base import Recommender
from models.feature_table import FeatureTable, stacked
from models.features import SHOWN, FeatureContext, FeatureStore, build_features
from models.impressions import OPENED_KINDS, labelled_impressions
from models.session import Session

Source = Literal["impressions", "sampled negatives"]

VISIT = timedelta(minutes=30)
"""Events this recent belong to one visit, whatever session they name."""

MakeStore = Callable[[datetime], FeatureStore]
"""A moment -> look-ups that know nothing at or after it."""

MakeScorers = Callable[[datetime], Mapping[str, Recommender]]
"""A moment -> recommenders by name, fitted on events before it alone."""

Liked = Callable[[pl.DataFrame], Sequence[str]]
"""A shopper's events since the store's moment, oldest first -> the item ids they like, newest last, as in serving."""


class CtrDataConfig(BaseModel):
    """Settings of `build_ctr_data`; every one changes what is learned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: float = Field(7.0, gt=0)
    """Look-ups are as of the beginning of spans this long, as the served ones are as of the shop's last start; what
    happens in between arrives as live events, in training as in serving."""

    spans: int = Field(26, ge=1)
    """Such spans at most; over a longer time each is longer."""

    warm_up: float = Field(0.2, ge=0, lt=1)
    """Share of the slates, the oldest, that only fill the look-ups: of their shoppers too little is known."""

    max_slates: int = Field(20_000, ge=1)
    """Slates at most, the newest."""

    negatives: int = Field(8, ge=1)
    """Items drawn for each positive where nothing shown was logged, by how often they are taken."""


@dataclass(frozen=True, eq=False)
class CtrData:
    """Rows in order of time.

    Attributes:
        table: Features of each row, as of its moment.
        clicked: (n,) labels.
        positions: (n,) float32 place on the page from 1; NaN where unknown.
        timestamps: (n,) int64 microseconds since the epoch.
        user_ids: The shopper of each row.
        slates: What was shown together.
        source: `impressions`, or `sampled negatives`: a proxy whose probabilities are of the sample.
    """

    table: FeatureTable
    clicked: npt.NDArray[np.bool_]
    positions: npt.NDArray[np.float32]
    timestamps: npt.NDArray[np.int64]
    user_ids: tuple[str, ...]
    slates: tuple[str, ...]
    source: Source

    def __len__(self) -> int:
        return len(self.clicked)

    def take(self, which: npt.NDArray[np.int64]) -> CtrData:
        """Return some rows, in the order of `which` (m,)."""
        return CtrData(
            self.table.rows(which), self.clicked[which], self.positions[which], self.timestamps[which],
            tuple(self.user_ids[row] for row in which.tolist()), tuple(self.slates[row] for row in which.tolist()),
            self.source,
        )  # fmt: skip

    @property
    def called(self) -> str:
        """What a row is, for people: whoever logged no impression must not read of impressions."""
        return "impressions" if self.source == "impressions" else "rows drawn for want of impressions in the log"

    def parted(self, moment: datetime) -> tuple[CtrData, CtrData]:
        """Return the rows before a moment, and the others."""
        early = self.timestamps < int(moment.timestamp() * 1e6)
        return self.take(np.flatnonzero(early)), self.take(np.flatnonzero(~early))


@dataclass(frozen=True, eq=False)
class _Slate:
    name: str
    user_id: str
    session_id: str | None
    when: datetime
    item_ids: tuple[str, ...]
    positions: tuple[float, ...]
    clicked: tuple[bool, ...]
    device: str | None


def build_ctr_data(
    log: pl.DataFrame,
    make_store: MakeStore,
    *,
    liked: Liked,
    make_scorers: MakeScorers | None = None,
    config: CtrDataConfig | None = None,
    kinds: tuple[str, ...] | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> CtrData:
    """Return one row an impression of a known item, its features built by `build_features` as serving would have.

    Without an impression in the log, each positive is a row with label 1, as of the shopper's first look at the item in
    that visit, and `negatives` drawn items are rows with label 0.

    Args:
        log: Table with the columns of `columns.INTERACTIONS`.
        make_store: Look-ups as of the beginning of each span.
        liked: What live events say a shopper likes.
        make_scorers: Recommenders of the store's config, as of the same moment; None: their columns are NaN.
        config: Settings.
        kinds: What counts as a positive where nothing shown was logged.
        seed: Of the drawn items.
        progress: Told once a slate.

    Raises:
        DataError: When there is neither an impression nor a positive of a known item.
    """
    config = config or CtrDataConfig()
    shown = labelled_impressions(log)
    source: Source = "impressions" if len(shown) else "sampled negatives"
    slates = list(_slates(shown)) if len(shown) else list(_sampled(log, config, kinds, seed))
    slates = slates[max(int(config.warm_up * len(slates)), len(slates) - config.max_slates) :]
    tables, kept = [], []
    events = {user[0]: rows for user, rows in log.sort("timestamp", maintain_order=True).group_by("user_id")}
    progress.start("click data", len(slates))
    for store, scorers, spell in _spans(slates, make_store, make_scorers, config):
        for slate in spell:
            progress.advance()
            known = tuple(at for at, item in enumerate(slate.item_ids) if item in store.items)
            if not known:
                continue
            mine = events[slate.user_id].filter(pl.col("timestamp") < slate.when)
            context = FeatureContext(
                store,
                slate.user_id,
                liked(mine.filter(pl.col("timestamp") >= store.as_of)),
                recommenders=scorers,
                session=_session(mine, slate),
            )
            proposed = [Candidate(slate.item_ids[at], float("nan"), SHOWN) for at in known]
            tables.append(build_features(proposed, context, slate.when))
            kept.append((slate, known))
    progress.finish()
    if not kept:
        raise DataError("the log has neither an impression nor a positive of a known item: there is no click to learn")
    rows = [(slate, at) for slate, known in kept for at in known]
    return CtrData(
        stacked(tables),
        np.array([slate.clicked[at] for slate, at in rows], np.bool_),
        np.array([slate.positions[at] for slate, at in rows], np.float32),
        np.array([int(slate.when.timestamp() * 1e6) for slate, _ in rows], np.int64),
        tuple(slate.user_id for slate, _ in rows),
        tuple(slate.name for slate, _ in rows),
        source,
    )


def _slates(shown: pl.DataFrame) -> Iterator[_Slate]:
    # One row an item: an item shown twice in one slate is one choice.
    once = shown.unique(["slate", "item_id"], keep="first", maintain_order=True)
    grouped = once.group_by("slate", maintain_order=True).agg(
        pl.col("user_id", "session_id", "timestamp", "device").first(), "item_id", "position", "clicked"
    )
    for row in grouped.sort("timestamp", maintain_order=True).iter_rows(named=True):
        yield _Slate(
            row["slate"], row["user_id"], row["session_id"], row["timestamp"], tuple(row["item_id"]),
            tuple(float("nan") if place is None else float(place) for place in row["position"]),
            tuple(row["clicked"]), row["device"],
        )  # fmt: skip


def _sampled(log: pl.DataFrame, config: CtrDataConfig, kinds: tuple[str, ...] | None, seed: int) -> Iterator[_Slate]:
    """Yield a slate for each taking at its opening: the item, and others by how often they are taken."""
    taken = positives(log, kinds)
    counts = taken.group_by("item_id").len().sort("item_id")
    ids, share = counts["item_id"].to_list(), counts["len"].to_numpy() / max(len(taken), 1)
    rng = np.random.default_rng(seed)
    nan = float("nan")
    for n, row in enumerate(_opened(taken, log).iter_rows(named=True)):
        drawn = [ids[at] for at in rng.choice(len(ids), config.negatives, p=share).tolist()]
        items = tuple(dict.fromkeys([row["item_id"], *drawn]))
        clicked = (True, *(False for _ in items[1:]))
        none = (nan,) * len(items)
        yield _Slate(
            f"sampled-{n}", row["user_id"], row["session_id"], row["timestamp"], items, none, clicked, None
        )  # fmt: skip


def _opened(taken: pl.DataFrame, log: pl.DataFrame) -> pl.DataFrame:
    """Return each taking once a visit, at the shopper's first look at the item in it, in order of time.

    An impression comes before the item's own page. At the taking that page is known, and a model learns nothing but
    that who has opened an item takes it: an AUC of 0.99 that no impression would ever give.
    """
    pair = ["user_id", "item_id"]
    numbered = taken.with_row_index("_taking")
    looks = log.filter(pl.col("kind") != "impression").select(
        *pair, pl.col("session_id").alias("_session"), pl.col("timestamp").alias("_look")
    )
    met = numbered.join(looks, on=pair).filter(
        (pl.col("_look") <= pl.col("timestamp"))
        & ((pl.col("_session") == pl.col("session_id")) | (pl.col("timestamp") - pl.col("_look") <= VISIT))
    )
    first = met.group_by("_taking").agg(pl.col("_look").min())
    moved = numbered.join(first, on="_taking", how="left", maintain_order="left").with_columns(
        pl.coalesce("_look", "timestamp").alias("timestamp")
    )
    once = moved.unique([*pair, "timestamp"], keep="first", maintain_order=True)
    return once.sort("timestamp", maintain_order=True).select(taken.columns)


def _spans(
    slates: Sequence[_Slate], make_store: MakeStore, make_scorers: MakeScorers | None, config: CtrDataConfig
) -> Iterator[tuple[FeatureStore, Mapping[str, Recommender], list[_Slate]]]:
    """Yield spans of slates with look-ups as of their beginning."""
    rest = list(slates)
    whole = rest[-1].when - rest[0].when if rest else timedelta()
    span = max(timedelta(days=config.days), whole / config.spans + timedelta(microseconds=1))
    while rest:
        begin = rest[0].when
        inside = [slate for slate in rest if slate.when < begin + span]
        rest = rest[len(inside) :]
        yield make_store(begin), make_scorers(begin) if make_scorers else {}, inside


def _session(mine: pl.DataFrame, slate: _Slate) -> Session:
    if slate.session_id is None:
        return Session(device=slate.device)
    seen = mine.filter((pl.col("session_id") == slate.session_id) & pl.col("kind").is_in(OPENED_KINDS))
    return Session(tuple(seen["item_id"].to_list()), slate.device)
