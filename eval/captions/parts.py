"""Where a scoreboard judges: the items that the log knows, and those that it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.splits import Split
from eval.cells import Judged, as_served, judged_parts
from eval.metrics import Metric, Values
from models.base import UserScorer

PartName = Literal["warm", "cold"]
Mask = npt.NDArray[np.bool_]


LAST = np.float32(-1e30)
"""Score of an item that is not ranked: finite, and below every other."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """Who is judged by what, and among which items.

    Attributes:
        among: Mask of the items that are ranked; None: all.
    """

    judged: Judged
    among: Mask | None = None

    @property
    def users(self) -> npt.NDArray[np.int64]:
        """Rows of the judged users."""
        return self.judged.users

    def measure(self, scorer: UserScorer, metric: Metric) -> Values:
        """Return one value a judged user, float64."""
        return self.judged.measure(self._ranking(scorer), [metric])[0][str(metric)]

    def _ranking(self, scorer: UserScorer) -> UserScorer:
        among = self.among
        if among is None:
            return scorer
        return lambda rows: np.where(among, scorer(rows), LAST)


@dataclass(frozen=True, eq=False)
class Part:
    """Items that are ranked, and who is judged by them.

    Attributes:
        name: `warm`: all items are ranked and what is relevant has train rows. `cold`: only items without any are
            ranked, by content alone.
        source: Which items those are, in words.
        known: Items of the solution.
        new: Items that are ranked in their place; none in the warm part.
        history: Binary (n_users, known).
        serve: Turns the probe's scorer into the one that is judged.
    """

    name: PartName
    source: str
    known: IdMap
    new: IdMap
    history: sparse.csr_array
    valid: Judgement
    test: Judgement
    serve: Callable[[UserScorer], UserScorer]

    @property
    def ranked(self) -> int:
        """How many items are ranked on test."""
        if self.name == "warm":
            return len(self.known)
        return len(self.new) if self.test.among is None else int(self.test.among.sum())

    def judged_pairs(self) -> set[tuple[str, str]]:
        """Return user and item ids of the rows that test judges by."""
        rows = self.test.judged.relevant
        return set(zip(rows.users.at(rows.user_rows), rows.items.at(rows.item_rows), strict=True))

    def judge(self, judgement: Judgement, scorer: UserScorer, metric: Metric) -> Values:
        """Return one value a judged user, float64."""
        return judgement.measure(self.serve(scorer), metric)


def warm_part(split: Split) -> Part:
    """Return the split's own judgement of the items with a train row; the ranking is over all items."""
    taken = np.bincount(split.train.item_rows, minlength=len(split.items)) > 0
    valid, test = (
        Judgement(Judged.of(each.relevant.take(taken[each.relevant.item_rows]), each.masked))
        for each in judged_parts(split)
    )
    history = split.train.csr()
    return Part("warm", "items with a train row", split.items, IdMap([]), history, valid, test, as_served(split.train))


def cold_part(split: Split, *, share: float, seed: int) -> Part | None:
    """Return the judgement of items that nobody has taken; None where no user can be judged by any.

    Under `temporal` these are the split's own: items without a train row. Under the other protocols a share of the
    items is drawn, and every row of theirs is held out: half of the items to choose by, half to judge by. Histories are
    then all other rows, and users are those that keep one.
    """
    n_items = len(split.items)
    if split.protocol == "temporal":
        cold = np.bincount(split.train.item_rows, minlength=n_items) == 0
        world = _World(split, split.train, cold)
        valid, test = world.moved(split.valid, cold), world.moved(split.test, cold)
        return world.part("items without a train row", (valid, None, ()), (test, None, (valid,)))
    whole = _joined(split)
    taken = np.unique(whole.item_rows)
    drawn = np.random.default_rng(seed).permutation(taken)[: round(share * len(taken))]
    first, second = (np.isin(np.arange(n_items), half) for half in (drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]))
    cold = first | second
    world = _World(split, whole.take(~cold[whole.item_rows]), cold)
    source = f"a drawn {share:.0%} of the items that anybody took, all their rows held out"
    return world.part(
        source, (world.moved(whole, first), first[cold], ()), (world.moved(whole, second), second[cold], ())
    )


@dataclass(frozen=True, eq=False)
class _World:
    """The users of a split over two worlds of items: those that are trained on, and the cold ones."""

    split: Split
    train: Interactions
    cold: Mask

    def moved(self, rows: Interactions, wanted: Mask) -> Interactions:
        """Return the rows of wanted cold items whose user keeps a history, over the cold items alone."""
        with_history = np.bincount(self.train.user_rows, minlength=len(self.split.users)) > 0
        kept = rows.take(wanted[rows.item_rows] & with_history[rows.user_rows])
        place = (np.cumsum(self.cold) - 1).astype(np.int32)
        new = IdMap(self.split.items.at(np.flatnonzero(self.cold)))
        return Interactions(self.split.users, new, kept.user_rows, place[kept.item_rows], kept.timestamps)

    def part(
        self,
        source: str,
        valid: tuple[Interactions, Mask | None, tuple[Interactions, ...]],
        test: tuple[Interactions, Mask | None, tuple[Interactions, ...]],
    ) -> Part | None:
        """Return the part of relevant rows, the items ranked and what is masked; None where nobody can be judged."""
        known = np.flatnonzero(~self.cold)
        if not len(self.train) or not len(valid[0]) or not len(test[0]):
            return None
        new = valid[0].items
        nothing = valid[0].take(np.zeros(len(valid[0]), np.bool_))
        chosen, judged = (
            Judgement(Judged.of(rows, (nothing, *masked)), among) for rows, among, masked in (valid, test)
        )
        history = sparse.csr_array(self.train.csr()[:, known])
        return Part("cold", source, IdMap(self.split.items.at(known)), new, history, chosen, judged, _as_it_is)


def _as_it_is(scorer: UserScorer) -> UserScorer:
    return scorer


def _joined(split: Split) -> Interactions:
    parts = (split.train, split.valid, split.test)
    users, items, moments = (
        np.concatenate([getattr(each, name) for each in parts]) for name in ("user_rows", "item_rows", "timestamps")
    )
    return Interactions(split.users, split.items, users, items, moments)
