"""Memberships as a feature: which level a shopper has, and what shoppers of that level take more than others do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.ids import IdMap, Rows
from catalog.nouns import User

MEMBERSHIP_FEATURES = ("membership", "membership_lift")

PRIOR_TAKES = 5.0
"""Takes, spread over the levels as all takes are, that every item is given beside its own."""

Column = npt.NDArray[np.float64]


class Membership:
    """Levels of shoppers and what each takes.

    A level's code is its place among the names in order, 0 being no membership. The lift of an item is
    `log((takes by my level + p share) / ((takes + p) share))`, `share` being my level's share of all takes: 0 is as
    usual. Memberships are undated: they are those of today in training too.

    Args:
        users: Shoppers by id; with no membership among them there are no features.
        taken: Positives before the moment that counts.
        items: Id world of the rows.
    """

    def __init__(self, users: Mapping[str, User], taken: pl.DataFrame, items: IdMap) -> None:
        names = sorted({user.membership for user in users.values() if user.membership})
        self.levels: tuple[str | None, ...] = (None, *names) if names else ()
        code: dict[str | None, int] = {name: at for at, name in enumerate(self.levels)}
        self._codes = {user_id: code[user.membership or None] for user_id, user in users.items()} if names else {}
        mine = [self._codes.get(user_id, -1) for user_id in taken["user_id"].to_list()]
        rows = items.rows(taken["item_id"].to_list(), missing=-1)
        levels = np.asarray(mine, np.int64)
        keep = (rows >= 0) & (levels >= 0)
        takes = np.zeros((len(items), max(len(self.levels), 1)))
        np.add.at(takes, (rows[keep], levels[keep]), 1.0)
        share = takes.sum(axis=0) / max(takes.sum(), 1.0)
        usual = (takes.sum(axis=1, keepdims=True) + PRIOR_TAKES) * share
        self._lift = np.full_like(takes, np.nan)
        np.divide(takes + PRIOR_TAKES * share, usual, out=self._lift, where=usual > 0)
        self._lift = np.log(self._lift)

    def columns(self, user_id: str | None, rows: Rows) -> dict[str, Column | float]:
        """Return the features of the items at `rows`, (n,) or one for all; NaN for a shopper nobody knows."""
        level = self._codes.get(user_id or "")
        if level is None:
            return dict.fromkeys(MEMBERSHIP_FEATURES, float("nan"))
        return {"membership": float(level), "membership_lift": self._lift[rows, level]}
