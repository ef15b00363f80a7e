"""The shop's own say in what is recommended: boost, bury, pin or hide items by brand, category, attribute or id.

Every rule has a name, stands in the trace with how many candidates it moved, and as `rule.<name>` among the features of
each item it moved, so that no explanation passes off a shop's wish as a shopper's taste.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.filters import Filters
from catalog.ids import Rows
from catalog.vectors import Mask
from tools.pipeline.pool import Pool

if TYPE_CHECKING:
    from tools.shop import Shop

Do = Literal["boost", "bury", "pin", "hide"]


class Rule(BaseModel):
    """One rule for what is recommended; searches show what was asked for, whatever the shop would rather sell."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=80)
    """How it is named in traces and evidence."""
    do: Do
    """`boost` and `bury` add or take `by`, `pin` puts the first of them that may be shown at `place`, `hide` leaves
    them out."""
    items: tuple[str, ...] = ()
    """Ids it is about."""
    filters: Filters = Filters()
    """Or what they have: brand, category, price, attributes. With ids as well, either is enough."""
    by: float = Field(0.1, gt=0, le=1)
    """Of a score from 0, the last candidate, to 1, the best."""
    place: int = Field(1, ge=1, le=100)
    """Of a pin, from 1."""

    @model_validator(mode="after")
    def _about_something(self) -> Self:
        if not self.items and self.filters.empty:
            raise ValueError("neither items nor filters say what it is about; one of them would be valid")
        return self


@dataclass(frozen=True, eq=False)
class Ruled:
    """The pool after boosts, burials and hiding; item id -> why it went; rule name -> how many it moved."""

    pool: Pool
    drops: Mapping[str, str]
    moved: Mapping[str, int]


def rows_of(shop: Shop, rule: Rule) -> Mask:
    """Return which items a rule is about, (n_items,) bool."""
    mask = np.zeros(len(shop.catalog), np.bool_)
    if not rule.filters.empty and (found := shop.facets.mask(rule.filters)) is not None:
        mask |= found
    rows = shop.catalog.ids.rows(rule.items, missing=-1)
    mask[rows[rows >= 0]] = True
    return mask


def ruled(shop: Shop, scored: Pool) -> Ruled:
    """Apply every rule but the pins, which follow when the list stands."""
    drops: dict[str, str] = {}
    moved: dict[str, int] = {}
    score, stays = scored.score.copy(), np.ones(len(scored), np.bool_)
    for rule in shop.pipeline.rules:
        if rule.do == "pin":
            continue
        mine = shop.rule_rows[rule.name][scored.rows]
        moved[rule.name] = int(mine.sum())
        if rule.do == "hide":
            stays &= ~mine
            drops |= dict.fromkeys(shop.catalog.ids.at(scored.rows[mine]), f"rule {rule.name}")
            continue
        change = rule.by if rule.do == "boost" else -rule.by
        score += change * mine
        scored = scored.noted(**{f"rule.{rule.name}": np.where(mine, change, np.nan)})
    changed = scored.scored(score) if moved else scored
    # `scored` reorders, so what stays is asked again by row.
    hidden = set(scored.rows[~stays].tolist())
    return Ruled(
        changed.take(np.array([row not in hidden for row in changed.rows.tolist()], np.bool_)) if hidden else changed,
        drops,
        moved,
    )


def pinned(shop: Shop, kept: Pool, allowed: Mask) -> tuple[Pool, dict[str, int]]:
    """Return the list with the pinned items at their places, and how many each rule placed.

    An item nothing proposed can be pinned; one that may not be shown to this shopper, is out of stock or is pinned
    already cannot, and the next one the rule names takes the place.
    """
    placed: dict[str, int] = {}
    used: set[int] = set()
    for rule in (rule for rule in shop.pipeline.rules if rule.do == "pin"):
        row = _first(shop, rule, kept.rows, shop.rule_rows[rule.name] & allowed & shop.in_stock, used)
        placed[rule.name] = int(row is not None)
        if row is None:
            continue
        used.add(row)
        here = np.flatnonzero(kept.rows == row)
        if not len(here):
            kept = kept.joined(np.array([row]))
            here = np.array([len(kept) - 1])
        at = min(rule.place - 1, len(kept) - 1)
        others = np.delete(np.arange(len(kept)), here[0])
        mine = np.where(np.arange(len(kept)) == here[0], float(rule.place), np.nan)
        kept = kept.noted(**{f"rule.{rule.name}": mine}).take(np.insert(others, at, here[0]))
    return kept, placed


def _first(shop: Shop, rule: Rule, order: Rows, may: Mask, used: set[int]) -> int | None:
    """Return the row to pin: of ids the first named, else the best placed, else the most taken."""
    named = shop.catalog.ids.rows(rule.items, missing=-1).tolist()
    rest: Sequence[int] = np.flatnonzero(may).tolist()
    most = sorted(rest, key=lambda row: -float(shop.popularity[row])) if not named else []
    return next((row for row in (*named, *order.tolist(), *most) if row >= 0 and may[row] and row not in used), None)
