"""What SQLite reads to answer: never more than what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from catalog.events import SqliteEventStore
from catalog.nouns import Slate

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


def slate(request_id: str, user_id: str | None, session_id: str) -> Slate:
    return Slate(request_id, user_id, session_id, NOON, ("shoe",), (1.0,))


def test_who_is_shown_something_is_not_looked_for_among_all_guests(tmp_path: Path) -> None:
    """By their missing user id, all slates of all guests of the shop were read for each page of a shopper."""
    store, asked = SqliteEventStore(tmp_path / "events.sqlite"), []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, given[0] if _many else given))

    store.put_slate(slate("before", None, "s1"))
    store.slate("before")
    event.listen(store.engine, "before_cursor_execute", note)
    store.put_slate(slate("after", "ann", "s1"))
    assert store.slate("before").user_id == "ann"
    event.remove(store.engine, "before_cursor_execute", note)
    about = [(said, given) for said, given in asked if "user_id IS NULL" in said]
    assert len(about) >= 3  # who left anything, and both tables in which it becomes the shopper's
    with store.engine.connect() as connection:
        for said, given in about:
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given)]
            looks = [step for step in plan if "slates" in step or "traces" in step]
            assert looks
            assert all("_by_session" in step for step in looks), plan
    store.close()
