"""Audit of dated aggregates: with another future, would the features as of the cut be the same?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from catalog.errors import DataError
from catalog.items import Catalog
from catalog.nouns import Candidate
from catalog.splits import Split
from eval.audit import Finding
from models.features import FeatureConfig, FeatureContext, FeatureStore, build_features

MAX_USERS = 1000
"""Users whose events are looked at."""

CUT_SHARE = 0.9
"""Where a protocol has no cut in time of its own: the moment before which this share of the events lies."""


def moment_finding(
    split: Split, catalog: Catalog, log: pl.DataFrame, positives: tuple[str, ...] | None, rng: np.random.Generator
) -> Finding:
    """Build the ranker's features as of the cut twice, the second time with every later event made up."""
    users = log["user_id"].unique(maintain_order=True)
    if len(users) > MAX_USERS:
        log = log.filter(pl.col("user_id").is_in(users.gather(rng.choice(len(users), MAX_USERS, replace=False))))
    cut = cut_of(split, log)
    later = log.filter(pl.col("timestamp") >= cut)
    if not len(later) or len(later) == len(log):
        return Finding("as-of", "skipped", "no moment has events on both sides")
    past = log.filter(pl.col("timestamp") < cut)
    config = FeatureConfig(positives=positives)
    honest = FeatureStore(catalog, log, as_of=cut, config=config)
    other = FeatureStore(catalog, pl.concat([past, _made_up(later, rng)]), as_of=cut, config=config)
    moved = [
        name
        for name, column in honest.statistics.columns.items()
        if not np.array_equal(column, other.statistics.columns[name], equal_nan=True)
    ]
    profiles = sum(
        not np.array_equal(honest.shopper(user).taken, other.shopper(user).taken) for user in log["user_id"].unique()
    )
    numbers = {"events_after_cut": float(len(later)), "columns_moved": float(len(moved)), "profiles": float(profiles)}
    if moved or profiles:
        what = f"columns {', '.join(moved)}" if moved else f"{profiles} profiles"
        return Finding("as-of", "failed", f"{what} as of {cut.isoformat()} change with later events", numbers)
    if _answers_before(honest, catalog):
        return Finding("as-of", "failed", "features are built for a moment before the one they were gathered at")
    text = f"no aggregate as of the cut moves when the {len(later):,} later events are replaced"
    return Finding("as-of", "passed", text, numbers)


def cut_of(split: Split, log: pl.DataFrame) -> datetime:
    """Return the moment a split is cut at; of one without any the moment before which most events lie."""
    if "test_from" in split.meta:
        return datetime.fromisoformat(split.meta["test_from"])
    times = log["timestamp"].sort()
    moment = times[int(CUT_SHARE * (len(times) - 1))]
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def _made_up(later: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return as many events again, dealt to other items, rated otherwise, and each of them twice."""
    items = later["item_id"].gather(rng.permutation(len(later)))
    changed = later.with_columns(items, (pl.col("value") + 1).alias("value"))
    return pl.concat([changed, changed])


def _answers_before(store: FeatureStore, catalog: Catalog) -> bool:
    candidates = [Candidate(catalog.ids.ids[0], 0.0, "missed")]
    try:
        build_features(candidates, FeatureContext(store), store.as_of - timedelta(seconds=1))
    except DataError:
        return False
    return True
