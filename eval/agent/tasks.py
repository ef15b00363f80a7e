"""The nouns of an agent task: what a shopper wants, the steps they take, and what must hold at the end.

A task is plain JSON, so that a failure is one line of a file and that line can be played again. The
predicates here are written for the judge alone: they share no code with the agent, its gate or its search.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.nouns import Item

Category = Literal["find", "refine", "compare", "abstain", "policy", "feedback"]
"""What a task tries: constraints at once, a change of mind, two items held side by side, what is not carried, what
the house must not do, what the shopper tells about an item."""

Act = Literal["want", "replace", "ask", "compare", "cheapest", "dislike", "yes", "no", "again", "haggle"]
"""One step: reveal a wish, put one in place of the one of its field, ask whether something is carried, ask which of
the first two is cheaper or which of all is cheapest, turn the item at a place down, agree, decline, ask for the list
again, press for a discount."""

Check = Literal[
    "fits", "carried", "not_carried", "cheaper_first", "cheapest_first", "dismissed", "no_write", "no_promise"
]
"""What must hold at the end; see `eval.agent.judge`."""


class _Noun(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Wish(_Noun):
    """One constraint; an item without the field fails it, unless it is negated."""

    field: Literal["category", "brand", "attribute", "price"]
    """Which part of the record it is about."""

    name: str = ""
    """Name of the attribute."""

    value: str = ""
    """The value as the record writes it; compared without regard to case."""

    low: float | None = None
    """Lowest price that is right."""

    high: float | None = None
    """Highest price that is right."""

    negated: bool = False
    """Whether it must not hold."""

    @property
    def slot(self) -> tuple[str, str]:
        """What a later wish must be about to take this one's place."""
        return self.field, self.name

    def holds(self, item: Item) -> bool:
        """Whether the record satisfies the wish."""
        if self.field == "price":
            price = item.price
            inside = price is not None and (self.low or 0.0) <= price <= (price if self.high is None else self.high)
            return inside != self.negated
        values: tuple[str | None, ...] = {
            "category": item.categories,
            "brand": (item.brand,),
            "attribute": item.attributes.get(self.name, ()),
        }[self.field]
        return any(value is not None and value.lower() == self.value.lower() for value in values) != self.negated


class Step(_Noun):
    """One thing the shopper does."""

    act: Act
    wish: Wish | None = None
    place: int = Field(1, ge=1, le=2)
    """Which item of the list, from 1, where the act is about one."""


class Task(_Noun):
    """One task: the steps in order, and the checks that make it a success."""

    task_id: str
    category: Category
    steps: tuple[Step, ...] = Field(min_length=1)
    checks: tuple[Check, ...] = Field(min_length=1)
    user_id: str | None = None
    """A shopper of the shop whose taste the task came from; None: somebody new in each pass."""

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """What holds at the end: a wish that replaces another stands in its place."""
        live: list[Wish] = []
        for step in self.steps:
            if step.wish is None or step.act not in ("want", "replace", "ask"):
                continue
            if step.act == "replace":
                live = [wish for wish in live if wish.slot != step.wish.slot]
            live.append(step.wish)
        return tuple(live)


class TaskConfig(_Noun):
    """How tasks are drawn."""

    n: int = Field(60, ge=1, le=10_000)
    """Tasks in all, dealt evenly over the categories that the catalogue can fill."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Of the drawing; the same seed and catalogue give the same tasks."""

    passes: int = Field(1, ge=1, le=16)
    """Times each task is played, each time in other words, another order and with other typos."""

    typos: float = Field(0.2, ge=0, le=1)
    """Share of messages with one typing mistake."""

    top_n: int = Field(10, ge=2, le=50)
    """Most items in one answer."""


def satisfying(items: tuple[Item, ...], wishes: tuple[Wish, ...]) -> list[Item]:
    """Return the items in stock, or not known to be out of it, for which all wishes hold."""
    return [item for item in items if item.availability is not False and all(wish.holds(item) for wish in wishes)]
