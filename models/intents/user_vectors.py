"""Vectors of shoppers: the mean of what they wanted, the newer the more, as of a moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from catalog.ids import IdMap
from catalog.intents import INTENT_KINDS
from catalog.vectors import EmbeddingTable, Floats
from models.item_statistics import DAY, before

Embed = Callable[[Sequence[str]], Floats]
"""Texts to vectors (n, d), such as an embedder's `embed`."""

WANTS = ("praised", "complained_of", "returned", "sought")
"""Kinds whose values are things, and so have a direction."""


def user_vectors(
    intents: pl.DataFrame, embed: Embed, *, as_of: datetime, half_life_days: float = 60.0
) -> dict[str, EmbeddingTable]:
    """Return, by kind of `WANTS` that anybody has, the mean (d,) of each shopper's embedded intents.

    `v_u = sum_i w_i s_i e_i / sum_i w_i` with `w_i = 0.5 ** (age in days / half_life_days)`, `e_i` the embedded value
    and `s_i` -1 for what was sought "without", else 1.

    Args:
        intents: Rows of `catalog.intents.INTENTS`.
        embed: Embeds each different value once.
        as_of: Aware UTC; nothing at or after it is read.
        half_life_days: Days after which a want counts half.
    """
    past = before(intents, as_of).filter(pl.col("kind").is_in(WANTS))
    values = past["value"].unique().sort().to_list()
    vectors = np.asarray(embed(values), np.float64) if values else np.zeros((0, 1))
    place = {value: at for at, value in enumerate(values)}
    found: dict[str, EmbeddingTable] = {}
    for kind in (each for each in INTENT_KINDS if each in WANTS):
        mine = past.filter(pl.col("kind") == kind)
        if not len(mine):
            continue
        users = IdMap(mine["user_id"].unique().sort().to_list(), "user")
        rows, at = users.rows(mine["user_id"].to_list()), [place[value] for value in mine["value"].to_list()]
        weights = recency(mine, as_of, half_life_days)
        signs = mine["polarity"].fill_null(1).to_numpy() if kind == "sought" else np.ones(len(mine))
        total, mass = np.zeros((len(users), vectors.shape[1])), np.zeros(len(users))
        np.add.at(total, rows, vectors[at] * (weights * signs)[:, None])
        np.add.at(mass, rows, weights)
        found[kind] = EmbeddingTable(users, (total / mass[:, None]).astype(np.float32), f"intents-{kind}")
    return found


def recency(rows: pl.DataFrame, as_of: datetime, half_life_days: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return `0.5 ** (age / half life)` of each row (n,)."""
    seconds = rows["timestamp"].dt.epoch("us").to_numpy() / 1e6
    weights: np.ndarray[tuple[int], np.dtype[np.float64]] = 0.5 ** (
        (as_of.timestamp() - seconds) / DAY / half_life_days
    )
    return weights
