"""What a soak was told by the service, moment by moment: the truth that every answer and the store are held against."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.nouns import Item
from eval.grounding import Judge

FINDABLE_SECONDS, TROUBLED_SECONDS = 5.0, 10.0
"""How long after its acknowledgement a record may be shown as it was before: what the service promises, and how much
longer while, or shortly after, something is done to it."""


STALE = "stale record shown"


@dataclass
class Write:
    """One write to an item, as its sender knows it; times are the driver's monotonic seconds.

    Attributes:
        item: The record; None deletes.
        began: When it was sent.
        acked: When it was acknowledged; None: nobody can say whether it happened.
    """

    item: Item | None
    began: float
    acked: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An answer to be judged: who was shown what, and what was said."""

    kind: str
    began: float
    ended: float
    answer: Mapping[str, Any]
    said: str = ""


@dataclass
class Ledger:
    """Every acknowledgement of one soak.

    Attributes:
        items: Writes by item, in the order they were sent; each item has one writer.
        sent: Events by id, as sent.
        acked: Ids of events that were acknowledged.
        faults: What was seen to be wrong on the way.
        trouble: From when to when something was done to the service.
    """

    items: dict[str, list[Write]] = field(default_factory=dict)
    sent: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    trouble: list[tuple[float, float]] = field(default_factory=list)

    @classmethod
    def of(cls, items: Iterable[Item]) -> Ledger:
        """Return the ledger of a shop as it is opened."""
        return cls({item.item_id: [Write(item, -math.inf, -math.inf)] for item in items})

    def write(self, item_id: str, item: Item | None, now: float) -> Write:
        """Note a write that is about to be sent."""
        made = Write(item, now)
        self.items.setdefault(item_id, []).append(made)
        return made

    def standing(self, item_id: str) -> Item | None:
        """Return the record as its writer last wrote it; None: deleted, or unknown."""
        writes = self.items.get(item_id)
        return writes[-1].item if writes else None

    def records(self, item_id: str, began: float, ended: float) -> list[Item]:
        """Return the records that an answer which began and ended then may show."""
        found: list[Item] = []
        for write in reversed(self.items.get(item_id, [])):
            if write.item is not None and write.began <= ended:
                found.append(write.item)
            if write.acked is not None:
                # What a deletion ended is over at once, what a newer record replaced is over in a while.
                late = 0.0 if write.item is None else self.late(write.acked, began)
                if write.acked + late < began:
                    return found
        return found

    def uncertain(self, item_id: str, began: float, ended: float) -> bool:
        """Whether an item was, or may have been, no item of the shop at some moment from `began` to `ended`."""
        writes = self.items.get(item_id, [])
        deleted = [at for at, write in enumerate(writes) if write.item is None and write.began <= ended]
        if not writes or writes[0].acked is None or writes[0].acked > began:
            return True
        return any(
            (back := writes[at + 1] if at + 1 < len(writes) else None) is None
            or back.acked is None
            or back.acked + self.late(back.acked, began) >= began
            for at in deleted
        )

    def late(self, acked: float, until: float) -> float:
        """Return how many seconds the shop may take to show everywhere what it acknowledged."""
        troubled = any(began <= until and ended + TROUBLED_SECONDS >= acked for began, ended in self.trouble)
        return FINDABLE_SECONDS + (TROUBLED_SECONDS if troubled else 0.0)

    def written(self, item_id: str) -> bool:
        """Whether a record of an item was ever sent."""
        return any(write.item is not None and write.began > -math.inf for write in self.items.get(item_id, []))

    def fault_of(self, shown: Mapping[str, Any], began: float, ended: float) -> str | None:
        """Return why an item should not have been shown as it was; None where that was right."""
        item_id = str(shown["item_id"])
        may = self.records(item_id, began, ended)
        if any(shown["title"] == (item.title or item_id) and shown["price"] == item.price for item in may):
            return None
        if not may:
            return f"deleted item shown: {item_id!r}" if item_id in self.items else f"unknown item shown: {item_id!r}"
        ever = [write.item for write in self.items[item_id] if write.item is not None]
        same = any(shown["title"] == (item.title or item_id) and shown["price"] == item.price for item in ever)
        how = STALE if same else "ungrounded record shown"
        return f"{how}: {item_id!r}, {shown['title']!r} at {shown['price']!r}"


class Judgement:
    """Judges what was shown and said, item by item and word by word.

    Args:
        ledger: Of the whole soak.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def faults(self, told: Told) -> list[str]:
        """Return what should not have been shown or said in an answer."""
        shown: Sequence[Mapping[str, Any]] = told.answer["recommendations"]
        found = [fault for each in shown if (fault := self._ledger.fault_of(each, told.began, told.ended))]
        if found or not told.answer.get("text"):
            return found
        judge, answer = self._judge(told)
        return [f"ungrounded words ({each.fault}): {each.text}" for each in judge.judge(answer, said=told.said)]

    def _judge(self, told: Told) -> tuple[Judge, Mapping[str, Any]]:
        """Return a judge of the records of that time, and the answer with what left its list while it was told."""
        shown = {str(each["item_id"]): each["price"] for each in told.answer["recommendations"]}
        text, known, others, left = told.answer["text"], [], [], []
        for item_id in self._ledger.items:
            records = self._ledger.records(item_id, told.began, told.ended)
            # Of several versions the one that was shown; of what left the list since, the one that is spoken of.
            if item_id in shown:
                records.sort(key=lambda item: item.price != shown[item_id])
            else:
                records.sort(key=lambda item: item.price is None or f"{item.price:.2f}" not in text)
            known += records[:1]
            others += records[1:]
            if records and item_id not in shown and records[0].title and records[0].title in text:
                left.append({"item_id": item_id, "title": records[0].title, "price": records[0].price})
        then = [replace(item, item_id=f"{item.item_id} then {at}") for at, item in enumerate(others)]
        return Judge([*known, *then]), {**told.answer, "recommendations": [*told.answer["recommendations"], *left]}


def store_faults(ledger: Ledger, kept: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return what is wrong with the events of the store.

    Args:
        ledger: What was sent and acknowledged.
        kept: `(event_id, item_id, kind)` of every event in it.
    """
    rows = list(kept)
    times = Counter(event_id for event_id, _, _ in rows)
    faults = [f"acknowledged event lost: {each!r}" for each in sorted(ledger.acked - times.keys())]
    faults += [f"event kept {times[each]} times: {each!r}" for each in sorted(times) if times[each] > 1]
    for event_id, item_id, kind in rows:
        sent = ledger.sent.get(event_id)
        if sent is None:
            faults.append(f"event that nobody sent: {event_id!r}")
        elif (sent["item_id"], sent["kind"]) != (item_id, kind):
            faults.append(f"event kept otherwise than sent: {event_id!r}, {kind!r} of {item_id!r}")
    return faults
