"""The contract of every `EventStore`, and what SQLite adds: it survives a kill and threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from catalog.errors import DataError, NotFoundError
from catalog.events import EventStore, PutResult, SqliteEventStore
from catalog.nouns import Interaction, Slate

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)

IMPLEMENTATIONS: dict[str, Callable[[Path], EventStore]] = {
    "sqlite": lambda folder: SqliteEventStore(folder / "events.sqlite"),
}


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    made = IMPLEMENTATIONS[request.param](tmp_path)
    yield made
    made.close()


def event(event_id: str, user: str = "ann", minutes: float = 0, **more: object) -> Interaction:
    plain = Interaction(event_id, user, "shoe", NOON + timedelta(minutes=minutes), "view")
    return replace(plain, **more)  # type: ignore[arg-type]


FULL = Interaction(
    event_id="e-full",
    user_id="ann",
    item_id="0108",
    timestamp=NOON + timedelta(microseconds=1),
    kind="rating",
    session_id="s1",
    value=4.5,
    text="schön, 'really'; 靴",
    context={"page": "home", "position": 3, "tags": ["a", "b"]},
    request_id="r1",
)


def test_an_event_comes_back_as_it_went_in(store: EventStore) -> None:
    store.put([FULL, event("bare")])
    assert store.for_user("ann") == [FULL, event("bare")]


def test_the_same_id_twice_is_a_duplicate_and_the_first_stands(store: EventStore) -> None:
    assert store.put([event("a"), event("b"), event("a", minutes=5)]) == PutResult(2, 1)
    assert store.put([event("b", item_id="hat"), event("c")]) == PutResult(1, 1)
    assert [each.event_id for each in store.for_user("ann")] == ["c", "b", "a"]
    assert {each.item_id for each in store.for_user("ann")} == {"shoe"}


def test_putting_nothing_is_allowed(store: EventStore) -> None:
    assert store.put([]) == PutResult(0, 0)


def test_a_shoppers_events_are_newest_first_limited_and_before_a_moment(store: EventStore) -> None:
    store.put([event("2", minutes=2), event("1", minutes=1), event("3", minutes=3), event("x", user="bob")])
    assert [each.event_id for each in store.for_user("ann")] == ["3", "2", "1"]
    assert [each.event_id for each in store.for_user("ann", limit=2)] == ["3", "2"]
    assert [each.event_id for each in store.for_user("ann", before=NOON + timedelta(minutes=3))] == ["2", "1"]
    assert store.for_user("nobody") == []


def test_a_sessions_events_are_oldest_first(store: EventStore) -> None:
    store.put([event("2", minutes=2, session_id="s"), event("1", minutes=1, session_id="s"), event("0")])
    assert [each.event_id for each in store.for_session("s")] == ["1", "2"]
    assert [each.event_id for each in store.for_session("s", limit=1)] == ["2"]


def test_since_gives_every_event_once_in_the_order_it_came(store: EventStore) -> None:
    store.put([event("late", minutes=9), event("early", minutes=-9)])
    first = store.since(0, limit=1)
    rest = store.since(first[-1][0])
    assert [each.event_id for _, each in first + rest] == ["late", "early"]
    assert store.since(rest[-1][0]) == []


def test_times_of_any_zone_are_the_same_moment(store: EventStore) -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    store.put([replace(event("a"), timestamp=tokyo)])
    assert store.for_user("ann")[0].timestamp == NOON
    assert store.for_user("ann")[0].timestamp.utcoffset() == timedelta(0)


def test_one_bad_event_adds_none_of_its_batch(store: EventStore) -> None:
    naive = replace(event("naive"), timestamp=NOON.replace(tzinfo=None))
    with pytest.raises(DataError, match=r"event 'naive': timestamp .* has no time zone"):
        store.put([event("good"), naive])
    with pytest.raises(DataError, match=r"unknown kind 'purchas'. Did you mean 'purchase'\?"):
        store.put([event("good"), event("odd", kind="purchas")])
    assert store.for_user("ann") == []


def test_a_slate_is_kept_once(store: EventStore) -> None:
    slate = Slate("r1", "ann", None, NOON, ("b", "a"), (0.9, 0.1))
    store.put_slate(slate)
    store.put_slate(replace(slate, item_ids=("z", "y")))
    assert store.slate("r1") == slate
    with pytest.raises(NotFoundError, match="'r2'"):
        store.slate("r2")
    with pytest.raises(DataError, match="2 items and 1 propensities"):
        store.put_slate(replace(slate, request_id="r3", propensities=(1.0,)))


def test_a_trace_is_replaced_by_a_later_one(store: EventStore) -> None:
    store.put_trace("t1", {"tools": []}, "ann")
    store.put_trace("t1", {"tools": [{"name": "search_items", "ms": 1.5}]}, "ann")
    assert store.trace("t1") == {"tools": [{"name": "search_items", "ms": 1.5}]}
    with pytest.raises(NotFoundError, match="'t2'"):
        store.trace("t2")


def test_forgetting_a_user_erases_events_slates_and_traces_of_that_user_only(store: EventStore) -> None:
    store.put([event("a"), event("b"), event("c", user="bob")])
    last = store.since(0)[-1][0]
    for user in ("ann", "bob"):
        store.put_slate(Slate(f"r-{user}", user, None, NOON, (), ()))
        store.put_trace(f"t-{user}", {}, user)
    assert store.forget_user("ann") == 2
    assert store.for_user("ann") == []
    with pytest.raises(NotFoundError):
        store.slate("r-ann")
    with pytest.raises(NotFoundError):
        store.trace("t-ann")
    assert len(store.for_user("bob")) == 1
    assert store.slate("r-bob").user_id == "bob" and store.trace("t-bob") == {}
    assert store.forget_user("ann") == 0
    store.put([event("a")])
    assert [each.event_id for _, each in store.since(last)] == ["a"]


def test_many_threads_put_the_same_events_and_each_is_accepted_once(store: EventStore) -> None:
    def put(_: int) -> int:
        return sum(store.put([event(f"e{i}")]).accepted for i in range(20))

    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(put, range(8)))
    assert sum(accepted) == 20
    assert len(store.for_user("ann")) == 20


def test_events_are_there_after_reopening(tmp_path: Path) -> None:
    first = SqliteEventStore(tmp_path / "deep" / "events.sqlite")
    first.put([FULL])
    first.close()
    again = SqliteEventStore(tmp_path / "deep" / "events.sqlite")
    assert again.put([FULL]) == PutResult(0, 1)
    assert again.for_user("ann") == [FULL]
    again.close()


def test_erased_words_are_gone_from_the_files(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    store.put([event("a", text="my secret wish"), event("b", user="bob", text="kept words")])
    store.forget_user("ann")
    store.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"my secret wish" not in raw
    assert b"kept words" in raw


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_text("not a database at all, and long enough to be read as a header" * 20)
    with pytest.raises(DataError, match=r"events\.sqlite' cannot be opened: file is not a database"):
        SqliteEventStore(path)


WRITER = """
import itertools, sys
from datetime import UTC, datetime
from catalog.events import SqliteEventStore
from catalog.nouns import Interaction

store = SqliteEventStore(sys.argv[1])
for n in itertools.count():
    store.put([Interaction(f"e{n}", "ann", "shoe", datetime(2025, 1, 1, tzinfo=UTC), "view")])
    print(n, flush=True)
"""


def test_an_acknowledged_event_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(25)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    store = SqliteEventStore(path)
    kept = {each.event_id for _, each in store.since(0)}
    store.close()
    assert {f"e{n}" for n in acknowledged} <= kept
    assert len(kept) - len(acknowledged) in (0, 1)  # at most the one whose acknowledgement was on its way


def test_two_workers_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"

    def opened(n: int) -> PutResult:
        store = SqliteEventStore(path)
        result = store.put([event(f"e{n}")])
        store.close()
        return result

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(opened, range(12))) == [PutResult(1, 0)] * 12
