"""Tasks drawn from a catalogue's own records, and from hidden tastes where a shop has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError
from catalog.nouns import Item
from eval.agent.facets import Facets
from eval.agent.tasks import Category, Check, Step, Task, TaskConfig, Wish, satisfying

COMMON = 30
"""Values of a field, the most common first, that a change of mind or a question is drawn from."""

TRIES = 200
"""Drawings before a category of tasks is given up for a catalogue."""


@dataclass(frozen=True, slots=True)
class Leaning:
    """A hidden taste made askable: whose it is, an item that meets it, and what they care about, most first."""

    user_id: str
    item: Item
    names: tuple[str, ...]


def generate(items: Sequence[Item], config: TaskConfig, leanings: Sequence[Leaning] = ()) -> tuple[Task, ...]:
    """Return `config.n` tasks, dealt over the categories in turn.

    Args:
        items: The catalogue.
        config: How many and which seed.
        leanings: Hidden tastes; every other `find` and `refine` task is theirs.

    Raises:
        DataError: When the records name too little for any task.
    """
    drawing = _Drawing(Facets(items), np.random.default_rng(config.seed), tuple(leanings))
    makers = drawing.makers()
    tasks: list[Task] = []
    while len(tasks) < config.n and makers:
        category, make = makers[len(tasks) % len(makers)]
        made = next((task for _ in range(TRIES) if (task := make(f"{category}-{len(tasks) + 1:04d}"))), None)
        if made is None:
            makers = [pair for pair in makers if pair[0] != category]
        else:
            tasks.append(made)
    if not tasks:
        raise DataError(
            f"no agent task can be drawn from {len(items)} items: records with a category, a brand or attributes "
            "of plain words would be valid"
        )
    return tuple(tasks)


class _Drawing:
    def __init__(self, facets: Facets, rng: np.random.Generator, leanings: tuple[Leaning, ...]) -> None:
        self.facets, self.rng, self.leanings = facets, rng, leanings

    def makers(self) -> list[tuple[Category, Callable[[str], Task | None]]]:
        return [
            ("find", self.find), ("refine", self.refine), ("compare", self.compare), ("abstain", self.abstain),
            ("policy", self.policy), ("feedback", self.feedback),
        ]  # fmt: skip

    def find(self, task_id: str) -> Task | None:
        """Several constraints of one item, all of them to be met."""
        wishes, user_id = self._wishes(2, 4)
        return _task(task_id, "find", _wants(wishes), ("fits",), user_id) if len(wishes) >= 2 else None

    def refine(self, task_id: str) -> Task | None:
        """Constraints of one item, then one of them is put another way or a value is ruled out."""
        if self.rng.random() < 1 / 3:
            return self._ruled_out(task_id)
        wishes, user_id = self._wishes(2, 3)
        changeable = [wish for wish in wishes if wish.field != "price"]
        if len(wishes) < 2 or not changeable:
            return None
        old = changeable[int(self.rng.integers(len(changeable)))]
        kept = tuple(wish for wish in wishes if wish != old)
        for new in self._others(old):
            if satisfying(self.facets.items, (*kept, new)):
                steps = (*_wants(wishes), Step(act="replace", wish=new))
                return _task(task_id, "refine", steps, ("fits",), user_id)
        return None

    def _ruled_out(self, task_id: str) -> Task | None:
        wishes, _ = self._wishes(2, 2, price=False)
        if len(wishes) < 2 or wishes[0].field != "category":
            return None
        both = (wishes[0], wishes[1].model_copy(update={"negated": True}))
        return _task(task_id, "refine", _wants(both), ("fits",)) if satisfying(self.facets.items, both) else None

    def compare(self, task_id: str) -> Task | None:
        """A list, then which of its first two costs less, or which of all of it."""
        wish = self._common(3)
        if wish is None or any(item.price is None for item in satisfying(self.facets.items, (wish,))):
            return None
        if self.rng.random() < 0.5:
            return _task(task_id, "compare", (*_wants((wish,)), Step(act="cheapest")), ("cheapest_first",))
        return _task(task_id, "compare", (*_wants((wish,)), Step(act="compare")), ("cheaper_first",))

    def abstain(self, task_id: str) -> Task | None:
        """The carried half or the not carried half of a pair: the same kind with a value it has, or has not."""
        wishes, _ = self._wishes(2, 2, price=False)
        if len(wishes) < 2 or wishes[0].field != "category":
            return None
        if self.rng.random() < 0.5:
            return _task(task_id, "abstain", _asked(wishes), ("carried",))
        gone = [new for new in self._others(wishes[1]) if not _any(self.facets.items, (wishes[0], new))]
        if not gone:
            return None
        chosen = (wishes[0], gone[int(self.rng.integers(len(gone)))])
        return _task(task_id, "abstain", _asked(chosen), ("not_carried",))

    def policy(self, task_id: str) -> Task | None:
        """Something is turned down and the shopper declines to have it written, or presses for a discount."""
        if self.facets.prices and self.rng.random() < 1 / 3 and (wish := self._common(2)) is not None:
            return _task(task_id, "policy", (*_wants((wish,)), Step(act="haggle")), ("no_promise",))
        return self._turned_down(task_id, "policy", "no", ("no_write",))

    def feedback(self, task_id: str) -> Task | None:
        """Something is turned down and written with consent: it stays away."""
        return self._turned_down(task_id, "feedback", "yes", ("dismissed",))

    def _turned_down(self, task_id: str, category: Category, word: str, checks: tuple[Check, ...]) -> Task | None:
        wish = self._common(3)
        if wish is None:
            return None
        consent = Step(act="yes") if word == "yes" else Step(act="no")
        steps = (*_wants((wish,)), Step(act="dislike", place=int(self.rng.integers(1, 3))), consent, Step(act="again"))
        return _task(task_id, category, steps, checks)

    def _others(self, wish: Wish) -> list[Wish]:
        """A few other values of the same field in any order, from the common ones: rare ones would seldom be said."""
        found = self.facets.others(wish)[:COMMON]
        return [found[k] for k in self.rng.permutation(len(found)).tolist()]

    def _common(self, least: int) -> Wish | None:
        kinds = [wish for wish, count in self.facets.counts.items() if count >= least and wish.field == "category"]
        kinds = kinds or [wish for wish, count in self.facets.counts.items() if count >= least]
        kinds.sort(key=lambda wish: (wish.slot, wish.value))
        return kinds[int(self.rng.integers(len(kinds)))] if kinds else None

    def _wishes(self, low: int, high: int, *, price: bool = True) -> tuple[tuple[Wish, ...], str | None]:
        """Constraints that one item in stock meets, its kind first; and whose taste they are."""
        user_id = None
        if self.leanings and price and self.rng.random() < 0.5:
            leaning = self.leanings[int(self.rng.integers(len(self.leanings)))]
            item, user_id, names = leaning.item, leaning.user_id, leaning.names
        else:
            item, names = self.facets.stocked[int(self.rng.integers(len(self.facets.stocked)))], ()
        said = list(self.facets.of(item))
        kind, rest = [w for w in said if w.field == "category"], [w for w in said if w.field != "category"]
        if price and item.price is not None and (ceiling := self.facets.below(item.price)):
            rest.append(ceiling)
        order = self.rng.permutation(len(rest)).tolist()
        rest = [rest[k] for k in order]
        if names:
            rest.sort(key=lambda wish: _place(wish, names))
        one_each = list({wish.slot: wish for wish in reversed(rest)}.values())[::-1]
        return (*kind, *one_each)[: int(self.rng.integers(low, high + 1))], user_id


def _place(wish: Wish, names: tuple[str, ...]) -> int:
    key = wish.name or wish.field
    return names.index(key) if key in names else len(names)


def _wants(wishes: Sequence[Wish]) -> tuple[Step, ...]:
    return tuple(Step(act="want", wish=wish) for wish in wishes)


def _asked(wishes: tuple[Wish, ...]) -> tuple[Step, ...]:
    return (*_wants(wishes[:-1]), Step(act="ask", wish=wishes[-1]))


def _any(items: Sequence[Item], wishes: tuple[Wish, ...]) -> bool:
    return any(all(wish.holds(item) for wish in wishes) for item in items)


def _task(
    task_id: str, category: Category, steps: tuple[Step, ...], checks: tuple[Check, ...], user_id: str | None = None
) -> Task:
    return Task(task_id=task_id, category=category, steps=steps, checks=checks, user_id=user_id)
