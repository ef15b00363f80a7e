"""Who sees a film, when, and whether they click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.boutique.marketing.screenplay import Screenplay
from catalog.boutique.marketing.truth import BIAS, GAIN, TASTE, WEARINESS, MarketingTruth, Values
from catalog.boutique.sessions import LAST_DAY
from catalog.columns import IMPRESSIONS

Rows = npt.NDArray[np.int64]

RUNS = 28
"""Days a film runs at most."""


def show(
    films: Sequence[Screenplay], truth: MarketingTruth, user_ids: Sequence[str], liking: Values, count: int,
    rng: np.random.Generator,
) -> pl.DataFrame:  # fmt: skip
    """Return `count` impressions (`columns.IMPRESSIONS`) in the order of time.

    Whom a film is put in front of depends on its budget and on how much somebody is about, never on taste: the
    click-through of two films can be compared.

    Args:
        films: In the order of `truth.films`.
        truth: Their appeal.
        user_ids: Rows of `liking`.
        liking: (n_users, n_items) relevance.
        count: Impressions.
        rng: A stream of its own.
    """
    budget = np.exp(rng.normal(0, 0.3, len(films)))
    activity = np.exp(rng.normal(0, 0.6, len(user_ids)))
    film = rng.choice(len(films), size=count, p=budget / budget.sum())
    user = rng.choice(len(user_ids), size=count, p=activity / activity.sum())
    end = LAST_DAY + timedelta(days=1)
    length = np.array([min((end - f.published_at).total_seconds(), RUNS * 86_400) for f in films])
    opened = np.array([round(f.published_at.timestamp() * 1e6) for f in films], np.int64)
    moment = opened[film] + (rng.random(count) * length[film] * 1e6).astype(np.int64)
    order = np.lexsort((user, film, moment))
    film, user, moment = film[order], user[order], moment[order]
    # The liking of a film's products, once a film rather than once an impression.
    taste = np.stack([liking[:, list(f.pieces)].mean(axis=1) for f in films], axis=1)
    appeal = truth.films["appeal"].to_numpy()
    odds = BIAS + GAIN * appeal[film] + TASTE * taste[user, film] - WEARINESS * _times_seen(film, user)
    clicked = rng.random(count) < 1 / (1 + np.exp(-odds))
    frame = pl.DataFrame(
        {
            "media_id": [films[k].media_id for k in film.tolist()],
            "user_id": [user_ids[k] for k in user.tolist()],
            "timestamp": moment,
            "clicked": clicked,
        },
        schema={**IMPRESSIONS, "timestamp": pl.Int64},
    )
    return frame.with_columns(pl.col("timestamp").cast(IMPRESSIONS["timestamp"]))


def _times_seen(film: Rows, user: Rows) -> Values:
    """Return how often the same shopper had seen the same film before, (n,), rows in the order of time."""
    pairs = pl.DataFrame({"film": film, "user": user})
    counted = pairs.select(pl.int_range(pl.len()).over("film", "user").alias("n"))
    return np.asarray(counted["n"].to_numpy(), np.float64)
