"""From the log to the shoppers of each arm: everything is counted once, for the one who was drawn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from catalog.errors import DataError, did_you_mean
from catalog.event_experiments import Deed
from catalog.nouns import Slate
from eval.ab import COUNTS, ArmData

Unit = tuple[str, str]
"""`("user", user_id)` or `("session", session_id)`: what was drawn."""

BEFORE = timedelta(days=28)
"""How far back a shopper's own past is looked at, for CUPED."""

GOOD_RATING = 4.0

_COUNT_OF = {"click": "clicks", "view": "clicks", "praise": "likes", "cart": "carts", "purchase": "purchases",
             "dismiss": "dismissals", "return": "dismissals", "complaint": "dismissals"}  # fmt: skip


def counted(deed: Deed) -> str | None:
    """Return which metric an event counts in: a look or a click is a click, a good rating or praise a like."""
    if deed.kind == "rating":
        return "likes" if (deed.value or 0) >= GOOD_RATING else None
    return _COUNT_OF.get(deed.kind)


@dataclass
class _Shopper:
    arm: str
    since: datetime
    slates: int = 0
    shown: int = 0
    followed: int = 0
    done: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Exposed:
    """Who was shown what by which arm of one experiment.

    Attributes:
        shoppers: By what was drawn; those seen in more than one arm are not among them.
        lists: By request id, the unit it was shown to and its items.
        shares: Chance of each arm, as logged last.
        moved: Shoppers seen in more than one arm: the arms or weights were changed while it ran.
    """

    shoppers: dict[Unit, _Shopper]
    lists: Mapping[str, tuple[Unit, frozenset[str]]]
    shares: dict[str, float]
    changed: bool
    moved: int

    @property
    def since(self) -> datetime:
        """The moment of the first list."""
        return min(each.since for each in self.shoppers.values())


def exposed(slates: Iterable[Slate], experiment: str) -> Exposed:
    """Return who took part.

    Raises:
        DataError: When nothing was shown by that experiment; the text names those that are in the log.
    """
    shoppers: dict[Unit, _Shopper] = {}
    lists: dict[str, tuple[Unit, frozenset[str]]] = {}
    shares: dict[str, float] = {}
    moved: set[Unit] = set()
    others: set[str] = set()
    changed = False
    for slate in slates:
        drawn = slate.assignment
        unit_id = None if drawn is None else slate.user_id if drawn.by == "user" else slate.session_id
        if drawn is None or unit_id is None:
            continue
        if drawn.experiment != experiment:
            others.add(drawn.experiment)
            continue
        changed |= not math.isclose(shares.setdefault(drawn.arm, drawn.share), drawn.share)
        shares[drawn.arm] = drawn.share
        unit = (drawn.by, unit_id)
        mine = shoppers.setdefault(unit, _Shopper(drawn.arm, slate.timestamp))
        if mine.arm != drawn.arm:
            moved.add(unit)
        mine.slates += 1
        mine.shown += len(slate.item_ids)
        lists[slate.request_id] = unit, frozenset(slate.item_ids)
    left = {unit: each for unit, each in shoppers.items() if unit not in moved}
    if not left:
        known = did_you_mean(experiment, sorted(others)) if others else "No list in the log belongs to any experiment"
        raise DataError(f"nothing was shown by experiment {experiment!r}. {known}")
    return Exposed(left, lists, shares, changed, len(moved))


def arms_data(found: Exposed, deeds: Iterable[Deed], order: Sequence[str]) -> list[ArmData]:
    """Count what the shoppers did, and return the arms in `order`, those it does not name after it.

    An event belongs to whom the list it cites was shown to; one that cites none to the shopper, or to the guest's
    session where it came before the shopper was first shown anything as themselves. A click and the look that follows
    it are one.
    """
    clicked: set[tuple[Unit, str | None, str]] = set()
    for deed in deeds:
        name, unit = counted(deed), _unit_of(deed, found)
        if name is None or unit is None:
            continue
        mine = found.shoppers[unit]
        if name == "clicks":
            place = (unit, deed.request_id or deed.session_id, deed.item_id)
            if place in clicked:
                continue
            clicked.add(place)
            cited = found.lists.get(deed.request_id or "")
            mine.followed += cited is not None and cited[0] == unit and deed.item_id in cited[1]
        if deed.timestamp >= mine.since or deed.request_id in found.lists:
            mine.done[name] += 1
        elif deed.timestamp >= mine.since - BEFORE:
            mine.before[name] += 1
    names = [*order, *sorted(set(found.shares) - set(order))]
    return [_arm(name, found) for name in names]


def _unit_of(deed: Deed, found: Exposed) -> Unit | None:
    cited = found.lists.get(deed.request_id or "")
    if cited is not None:
        return cited[0] if cited[0] in found.shoppers else None
    user, session = ("user", deed.user_id), ("session", deed.session_id or "")
    guest = found.shoppers.get(session)
    own = found.shoppers.get(user)
    if own is not None and (guest is None or deed.timestamp >= own.since or deed.timestamp < guest.since):
        return user
    return session if guest is not None else None


def _arm(name: str, found: Exposed) -> ArmData:
    mine = [each for each in found.shoppers.values() if each.arm == name]
    return ArmData(
        name, found.shares.get(name, 0.0),
        np.array([each.slates for each in mine], np.float64), np.array([each.shown for each in mine], np.float64),
        np.array([each.followed for each in mine], np.float64),
        {count: np.array([each.done[count] for each in mine], np.float64) for count in COUNTS},
        {count: np.array([each.before[count] for each in mine], np.float64) for count in COUNTS},
    )  # fmt: skip
