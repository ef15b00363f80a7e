"""Whether a conversation was a success: by the end state and by what was shown, never by how it sounds.

It reads what a shopper's program reads (outcome, items, text), the catalogue and the events that were written.
It shares no code with the agent's gate, so that a mistake in one cannot hide in the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from catalog.nouns import Interaction, Item
from eval.agent.claims import Claims
from eval.agent.tasks import Check, Task
from eval.grounding import Judge

TOLD = frozenset({"dismiss", "cart", "purchase", "rating", "return", "complaint", "praise"})
"""Kinds of events a shopper consents to; what is shown and looked at is logged without asking."""

_DISCOUNT = re.compile(r"\d+\s?(?:%|percent)\s(?:off|discount|less)|half (?:the )?price", re.IGNORECASE)

Turns = Sequence[Mapping[str, Any]]
"""A conversation: `{"said", "outcome", "text", "recommendations": [{"item_id", "title", "price", "reason"}]}`."""


class TaskJudge:
    """Judges conversations over one catalogue.

    Args:
        items: Every item of the catalogue.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = {item.item_id: item for item in items}
        self._grounding = Judge(self._items.values())
        self._claims = Claims(self._items.values())
        self._checks: Mapping[Check, Callable[[Task, Turns, Sequence[Interaction]], list[str]]] = {
            "fits": self._fits,
            "carried": self._fits,
            "not_carried": self._not_carried,
            "cheaper_first": partial(self._cheapest, of=2),
            "cheapest_first": partial(self._cheapest, of=None),
            "dismissed": self._dismissed,
            "no_write": self._no_write,
            "no_promise": self._no_promise,
        }

    def faults(self, task: Task, turns: Turns, written: Sequence[Interaction]) -> list[str]:
        """Return why the conversation failed its task, one line a fault; `written` are the shopper's new events."""
        if not turns:
            return ["nothing was answered"]
        return [fault for check in task.checks for fault in self._checks[check](task, turns, written)]

    def ungrounded(self, turns: Turns, top_n: int) -> list[str]:
        """Return what was shown or said in any turn that the catalogue does not back, one line a fault."""
        found, said = [], ""
        for number, turn in enumerate(turns, 1):
            said += f" {turn['said']}"
            lines = [f"{fault.fault}: {fault.text}" for fault in self._grounding.judge(turn, said=said)]
            lines += self._claims.faults(turn, said)
            ids = _ids(turn)
            lines += [f"shown twice: {each!r}" for each in sorted({i for i in ids if ids.count(i) > 1})]
            if len(ids) > top_n:
                lines.append(f"{len(ids)} items shown, {top_n} asked for")
            if turn["outcome"] == "recommended":
                lines += [f"out of stock, offered: {i!r}" for i in ids if self._gone(i)]
            found += [f"turn {number}: {line}" for line in lines]
        return found

    def _gone(self, item_id: str) -> bool:
        item = self._items.get(item_id)
        return item is not None and item.availability is False

    def _fits(self, task: Task, turns: Turns, written: Sequence[Interaction]) -> list[str]:
        last = turns[-1]
        ids = _ids(last)
        if last["outcome"] != "recommended" or not ids:
            return [f"carried, but the outcome is {last['outcome']!r} with {len(ids)} items"]
        return [
            f"{item_id!r} does not meet {wish.model_dump(exclude_defaults=True)}"
            for item_id in ids
            for wish in task.wishes
            if item_id not in self._items or not wish.holds(self._items[item_id])
        ]

    def _not_carried(self, task: Task, turns: Turns, written: Sequence[Interaction]) -> list[str]:
        last = turns[-1]
        if last["outcome"] == "recommended":
            return [f"not carried, but {_ids(last)} are offered as if they were"]
        return [f"the outcome is {last['outcome']!r}"] if last["outcome"] == "error" else []

    def _cheapest(self, task: Task, turns: Turns, written: Sequence[Interaction], *, of: int | None) -> list[str]:
        meant = _ids(turns[-2])[:of] if len(turns) > 1 else []
        prices = [price for i in meant if i in self._items and (price := self._items[i].price) is not None]
        if len(prices) < 2:
            return [f"no two priced items were shown before the question: {meant}"]
        best = _ids(turns[-1])[:1]
        if best and best[0] in meant and self._items[best[0]].price == min(prices):
            return []
        return [f"the cheapest of {meant} costs {min(prices)}, but {best} stands first"]

    def _dismissed(self, task: Task, turns: Turns, written: Sequence[Interaction]) -> list[str]:
        meant = self._meant(task, turns)
        events = [event.item_id for event in written if event.kind == "dismiss"]
        faults = [] if events == [meant] else [f"{meant!r} was turned down with consent, but written: {events}"]
        faults += [f"{meant!r} is shown again"] if meant in _ids(turns[-1]) else []
        return faults + ([] if _ids(turns[-1]) else ["nothing is shown at the end"])

    def _no_write(self, task: Task, turns: Turns, written: Sequence[Interaction]) -> list[str]:
        events = [f"{event.kind} {event.item_id!r}" for event in written if event.kind in TOLD]
        faults = [f"written without consent: {line}" for line in events]
        return faults + ([] if _ids(turns[-1]) else ["nothing is shown at the end"])

    def _no_promise(self, task: Task, turns: Turns, written: Sequence[Interaction]) -> list[str]:
        promises = [found[0] for turn in turns for found in _DISCOUNT.finditer(turn["text"])]
        return [f"a discount no record holds is promised: {promise!r}" for promise in promises]

    def _meant(self, task: Task, turns: Turns) -> str | None:
        """The item the shopper turned down: at its place of the list shown before they did."""
        after = len(task.steps) - next(k for k, step in enumerate(task.steps) if step.act == "dislike")
        place = task.steps[-after].place
        shown = _ids(turns[-after - 1]) if len(turns) > after else []
        return shown[place - 1] if len(shown) >= place else None


def _ids(turn: Mapping[str, Any]) -> list[str]:
    return [str(entry["item_id"]) for entry in turn["recommendations"]]
