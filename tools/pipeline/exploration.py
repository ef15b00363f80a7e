"""Exploration slots: places at which now and then something else is shown, with the true chance of each item there.

The policy. The list as it is would be served stands, but for the slots. At each slot, with chance `share`, its item
gives way to one drawn from the slot's own urn: with chance `new_share` a new item, else one of the tail. Tail and new
items are dealt to the slots in turn, so the urns are disjoint and draws do not depend on each other. Hence, exactly,

    P(the list's own item at the slot) = 1 - share
    P(a tail item there) = share * (1 - new_share) * exp(score / temperature) / sum over the urn
    P(a new item there) = share * new_share / new items in the urn

and every other place is certain. An urn without new items, or without tail, gives its share to the other; where both
are empty the slot is certain too. The draw hangs on seed and request id alone: the same request has the same answer.

Source: Horvitz and Thompson 1952 for what the chances are for; Bottou et al., "Counterfactual reasoning and learning
systems", JMLR 14 (2013).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from catalog.ids import Rows
from catalog.vectors import Floats, Mask
from indexes.ranking import best
from tools.pipeline.pool import Pool

if TYPE_CHECKING:
    from tools.shop import Shop

NEW = 50
"""New items that may be drawn for one request, those whose kin the shopper would like best."""


class ExplorationConfig(BaseModel):
    """Settings of exploration; it changes what `POST /v1/recommendations` shows, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slots: tuple[int, ...] = (4, 8)
    """Places from 1 that may explore."""
    share: float = Field(0.0, ge=0, lt=1)
    """Chance that a slot explores; 0: nothing is ever drawn, every propensity is 1."""
    depth: int = Field(100, ge=1)
    """Candidates behind the page that may be drawn."""
    temperature: float = Field(0.3, gt=0)
    """How flat the draw from them is: small numbers draw the best of them, large ones any."""
    new_share: float = Field(0.5, ge=0, le=1)
    """Share of the draws that goes to items nobody was shown and nobody took."""
    seed: int = Field(0, ge=0)
    """Of the draws, together with the request id."""


@dataclass(frozen=True, eq=False)
class Urn:
    """What one slot may draw: catalogue rows (m,) and the chance of each there, which sum to the share."""

    place: int
    rows: Rows
    chances: npt.NDArray[np.float64]


def urns(kept: Pool, new: Rows, top_n: int, config: ExplorationConfig) -> list[Urn]:
    """Return what each slot of a page may draw.

    Args:
        kept: The list as it would be served.
        new: Catalogue rows of new items, none of them in `kept`.
        top_n: Length of the page.
        config: Settings.
    """
    places = sorted({slot - 1 for slot in config.slots if 1 <= slot <= min(top_n, len(kept))})
    if not config.share or not places:
        return []
    tail = np.arange(top_n, min(len(kept), top_n + config.depth))
    found = []
    for nth, place in enumerate(places):
        mine, fresh = tail[nth :: len(places)], new[nth :: len(places)]
        if not len(mine) and not len(fresh):
            continue
        to_new = 0.0 if not len(fresh) else config.new_share if len(mine) else 1.0
        weights = np.exp((kept.score[mine] - kept.score[mine].max(initial=-np.inf)) / config.temperature)
        of_tail = (1 - to_new) * weights / max(weights.sum(), 1e-300)
        chance = config.share * np.concatenate([of_tail, np.full(len(fresh), to_new / max(len(fresh), 1))])
        rows = np.concatenate([kept.rows[mine], fresh])
        found.append(Urn(place, rows[chance > 0], chance[chance > 0]))
    return found


def explored(kept: Pool, drawn_from: list[Urn], request_id: str, config: ExplorationConfig) -> Pool:
    """Return the list with the slots drawn; features `propensity` at every place, `explored` where something was."""
    if not drawn_from:
        return kept
    digest = hashlib.blake2b(f"{config.seed}:{request_id}".encode(), digest_size=8).digest()
    rng = np.random.default_rng(int.from_bytes(digest))
    order = np.arange(len(kept))
    chance, mark = np.ones(len(kept)), np.full(len(kept), np.nan)
    for urn in drawn_from:
        draw = float(rng.random())
        at = int(np.searchsorted(np.cumsum(urn.chances), draw, side="right"))
        if at >= len(urn.rows):
            chance[urn.place] = 1 - float(urn.chances.sum())
            continue
        here = np.flatnonzero(kept.rows == urn.rows[at])
        if not len(here):
            kept = kept.joined(urn.rows[at : at + 1])
            here = np.array([len(kept) - 1])
            order, chance, mark = np.append(order, here), np.append(chance, 1.0), np.append(mark, np.nan)
        # The two change places; what stood at the slot is behind the page now.
        there = int(np.flatnonzero(order == here[0])[0])
        order[urn.place], order[there] = order[there], order[urn.place]
        chance[urn.place], mark[urn.place] = float(urn.chances[at]), 1.0
    return kept.take(order).noted(propensity=chance, explored=mark)


def new_rows(shop: Shop, kept: Pool, allowed: Mask, taste: Callable[[Rows], Floats]) -> Rows:
    """Return catalogue rows of items that were never shown and never taken, in stock and one a parent.

    At most `NEW`, those of the best `taste`: a new item stands where its kin do.
    """
    rows = np.flatnonzero(shop.fresh & allowed & shop.in_stock)
    if not len(rows):
        return rows
    rows = rows[~np.isin(rows, kept.rows)]
    parents = shop.parents[rows]
    free = ~np.isin(parents, shop.parents[kept.rows]) | (parents < 0)
    rows, parents = rows[free], parents[free]
    first = np.unique(np.where(parents < 0, -1 - rows, parents), return_index=True)[1]
    rows = rows[np.sort(first)]
    return rows[best(taste(rows), NEW)]
