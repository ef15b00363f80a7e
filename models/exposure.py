"""What was shown before a moment, to whom, and how it was received beside what its place on the page let expect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.ids import IdMap, Rows
from models.impressions import OPENED_KINDS, labelled_impressions
from models.item_statistics import DAY, before

EXPOSURE_FEATURES = (
    "shown", "click_lift", "shopper_click_lift", "shown_before", "opened_before", "days_since_shown",
)  # fmt: skip

PRIOR_CLICKS = 3.0
"""Clicks as expected that every item and shopper is given beside their own, so that one click is no verdict."""

_PRIOR_SHOWN = 50.0
"""Impressions at the mean rate that every position is given."""

Column = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """What one shopper met: item rows, how often each was shown and opened, and when last shown (seconds)."""

    rows: npt.NDArray[np.int64]
    shown: Column
    opened: Column
    last: Column


class Exposure:
    """Look-ups of impressions and page views strictly before `as_of`.

    A lift is clicks over expected clicks, both with a prior, as a log: `log((clicks + p) / (expected + p))`, where an
    impression is expected to be clicked as often as any at its position: who stood low is not blamed for it.

    Args:
        log: Table with the columns of `columns.INTERACTIONS`.
        items: Id world of the rows.
        as_of: Aware UTC.

    Source:
        Clicks over expected clicks: Zhang and Jones, "Comparing click logs and editorial labels for training query
        rewriting", 2007; Chapelle and Zhang, WWW 2009.
    """

    def __init__(self, log: pl.DataFrame, items: IdMap, as_of: datetime) -> None:
        self.as_of = as_of
        past = before(log, as_of)
        shown = labelled_impressions(past)
        self.any = len(shown) > 0
        self.base = float(shown["clicked"].mean() or 0.0) if self.any else 0.0  # type: ignore[arg-type]
        expected = shown.with_columns(_expected(self.base).alias("expected"))
        self._shown, self._lift = np.zeros(len(items)), np.full(len(items), np.nan)
        by_item = _received(expected, "item_id")
        at = items.rows(by_item["item_id"].to_list(), missing=-1)
        known = at >= 0
        self._shown[at[known]] = by_item["n"].to_numpy()[known]
        self._lift[at[known]] = by_item["lift"].to_numpy()[known]
        by_user = _received(expected, "user_id")
        self._users: dict[str, float] = dict(zip(by_user["user_id"].to_list(), by_user["lift"].to_list(), strict=True))
        self._pairs = _pairs(past, items)

    def columns(self, user_id: str | None, rows: Rows, now: datetime) -> dict[str, Column | float]:
        """Return the features of the items at `rows`, (n,) or one for all; NaN where nothing was ever shown."""
        nan = float("nan")
        mine = self._pairs.get(user_id or "")
        counts: dict[str, Column | float] = {"shown_before": nan, "opened_before": nan, "days_since_shown": nan}
        if mine is not None:
            place = np.minimum(np.searchsorted(mine.rows, rows), len(mine.rows) - 1)
            met = mine.rows[place] == rows
            counts = {
                "shown_before": np.where(met, mine.shown[place], 0.0),
                "opened_before": np.where(met, mine.opened[place], 0.0),
                "days_since_shown": np.where(met, (now.timestamp() - mine.last[place]) / DAY, np.nan),
            }
        return {
            "shown": np.log1p(self._shown[rows]) if self.any else nan,
            "click_lift": self._lift[rows],
            "shopper_click_lift": self._users.get(user_id or "", nan),
            **counts,
        }


def _expected(base: float) -> pl.Expr:
    """Return how often impressions at this one's position are clicked, drawn to the mean rate."""
    clicks = pl.col("clicked").cast(pl.Float64).sum().over("position")
    return (clicks + _PRIOR_SHOWN * base) / (pl.len().over("position") + _PRIOR_SHOWN)


def _received(expected: pl.DataFrame, key: str) -> pl.DataFrame:
    grouped = expected.group_by(key, maintain_order=True).agg(
        pl.len().alias("n"), pl.col("clicked").cast(pl.Float64).sum().alias("clicks"), pl.col("expected").sum()
    )
    lift = ((pl.col("clicks") + PRIOR_CLICKS) / (pl.col("expected") + PRIOR_CLICKS)).log()
    return grouped.with_columns(lift.alias("lift"))


def _pairs(past: pl.DataFrame, items: IdMap) -> dict[str, _Pairs]:
    met = past.filter(pl.col("kind").is_in(["impression", *OPENED_KINDS]))
    rows = items.rows(met["item_id"].to_list(), missing=-1)
    shown = pl.col("kind") == "impression"
    grouped = (
        met.with_columns(pl.Series("row", rows, dtype=pl.Int64))
        .filter(pl.col("row") >= 0)
        .group_by("user_id", "row")
        .agg(
            shown.sum().cast(pl.Float64).alias("shown"),
            (~shown).sum().cast(pl.Float64).alias("opened"),
            (pl.col("timestamp").filter(shown).max().dt.epoch("us") / 1e6).alias("last"),
        )
        .sort("user_id", "row")
        .group_by("user_id", maintain_order=True)
        .agg("row", "shown", "opened", pl.col("last").fill_null(float("nan")))
    )
    return {
        user: _Pairs(
            np.asarray(row, np.int64), np.asarray(seen, float), np.asarray(opened, float), np.asarray(last, float)
        )
        for user, row, seen, opened, last in grouped.iter_rows()
    }
