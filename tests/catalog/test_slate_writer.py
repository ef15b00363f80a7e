"""Slates are written behind their answers: together, in order, and again where the database did not answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from catalog.errors import ServiceError
from catalog.slate_writer import MOST_WAITING, Row, SlateWriter


def row(name: str, user: str = "ann") -> Row:
    return {"tenant": "open", "request_id": name, "user_id": user, "session_id": f"s-{user}"}


class Kept:
    """A table that can be shut."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.batches: list[list[str]] = []
        self.refused = threading.Event()

    def write(self, rows: Sequence[Row]) -> None:
        if not self.open.is_set():
            self.refused.set()
            raise ServiceError("no answer", retryable=True)
        if any(each["request_id"] == "bug" for each in rows):
            raise ValueError("a row nobody can write")
        self.batches.append([each["request_id"] for each in rows])


def test_what_was_put_is_written_in_order_and_together() -> None:
    kept = Kept()
    writer = SlateWriter(kept.write)
    for number in range(20):
        writer.put(row(str(number)))
    writer.settled()
    assert [name for batch in kept.batches for name in batch] == [str(number) for number in range(20)]
    assert len(kept.batches) < 20


def test_who_has_nothing_waiting_waits_for_nobody() -> None:
    kept = Kept()
    kept.open.clear()
    writer = SlateWriter(kept.write)
    writer.put(row("r1", "ann"))
    writer.settled("open", user_id="bob", session_id="s-bob")
    writer.settled("other", user_id="ann")
    assert kept.batches == []
    kept.open.set()
    writer.settled("open", session_id="s-ann")
    while not kept.batches:  # it may have been refused once, and comes again
        writer.settled()
    assert kept.batches == [["r1"]]


def test_a_database_that_does_not_answer_loses_nothing_and_holds_nobody_up() -> None:
    kept = Kept()
    kept.open.clear()
    writer = SlateWriter(kept.write)
    writer.put(row("r1"))
    assert kept.refused.wait(5)
    writer.settled()
    writer.put(row("r2"))
    kept.open.set()
    while sum(map(len, kept.batches)) < 2:
        writer.settled()
    assert [name for batch in kept.batches for name in batch] == ["r1", "r2"]


def test_a_row_that_cannot_be_written_keeps_no_other_from_it() -> None:
    kept = Kept()
    writer = SlateWriter(kept.write)
    writer.put(row("bug"))
    writer.settled()
    writer.put(row("r1"))
    writer.settled()
    assert kept.batches == [["r1"]]


def test_too_many_that_wait_are_refused() -> None:
    kept = Kept()
    kept.open.clear()
    writer = SlateWriter(kept.write)
    for number in range(MOST_WAITING):
        writer.put(row(str(number)))
    with pytest.raises(ServiceError, match="10,000 slates wait"):
        writer.put(row("one more"))
    kept.open.set()
