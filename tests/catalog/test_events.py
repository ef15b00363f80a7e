"""The contract of every `EventStore`, and what SQLite adds: it survives a kill and threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalog.errors import DataError, NotFoundError
from catalog.events import (
    DeadLetter,
    EventConfig,
    EventStore,
    Pruned,
    PutResult,
    SqliteEventStore,
    open_event_store,
)
from catalog.nouns import Interaction, Slate
from catalog.tenancy import acting_for
from catalog.told import Told

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'events.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


def opened(url: str) -> EventStore:
    return open_event_store(EventConfig(url=SecretStr(url)), "unused")


@pytest.fixture
def store(url: str) -> Iterator[EventStore]:
    made = opened(url)
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


def test_a_visit_is_read_as_its_shopper_and_its_session(store: EventStore) -> None:
    store.put([event("e1"), event("e2", minutes=1, session_id="s1"), event("e3", "bob", 2, session_id="s1")])
    assert store.of_visit("ann", "s1", 1) == (store.for_user("ann", 1), store.for_session("s1"), [])
    assert store.of_visit(None, "s1") == ([], store.for_session("s1"), [])
    assert store.of_visit("bob", None).session == []


def test_a_visit_knows_what_its_shopper_told_with_and_without_events(store: EventStore) -> None:
    told = [Told("dislike", "attribute.colour", "red", "I can't stand red", NOON)]
    store.put([event("e1"), event("e3", "bob")])
    for user_id in ("ann", "cleo"):
        store.put_told(user_id, told)
        assert store.of_visit(user_id, "s1").told == store.told_by(user_id) == told
    assert store.of_visit("bob", None).told == store.of_visit(None, "s1").told == []
    store.forget_told("ann")
    assert store.of_visit("ann", None).told == []


def test_what_comes_after_a_clock_was_set_back_stands_behind_what_was_known(store: EventStore) -> None:
    now = datetime.now(UTC)
    hour, year = now + timedelta(hours=1), now + timedelta(days=365)
    store.put([replace(event("before"), timestamp=hour), replace(event("lost", "bob"), timestamp=year)])
    store.put([replace(event("guest", "session:s1", session_id="s1"), timestamp=hour)])
    store.put([replace(event(name, who), timestamp=now) for name, who in (("after", "ann"), ("b", "bob"), ("c", "cy"))])
    store.put([replace(event("late"), timestamp=now - timedelta(hours=2))])
    # A moment of the span that comes twice stands behind its first time; what comes late keeps its own time.
    assert [(e.event_id, e.timestamp) for e in store.for_user("ann")] == [
        ("after", hour), ("before", hour), ("late", now - timedelta(hours=2)),
    ]  # fmt: skip
    # A clock that was a year ahead is not followed, nor is another shopper's.
    assert [e.timestamp for e in store.for_user("bob")] == [year, now]
    assert store.for_user("cy")[0].timestamp == now
    # Who signs in on the session has what its guest did, although its time is still to come.
    store.put([replace(event("in", "dora", session_id="s1"), timestamp=now)])
    assert [e.event_id for e in store.for_user("dora")] == ["in", "guest"]


def test_a_slate_is_kept_once(store: EventStore) -> None:
    slate = Slate("r1", "ann", None, NOON, ("b", "a"), (0.9, 0.1))
    store.put_slate(slate)
    store.put_slate(replace(slate, item_ids=("z", "y")))
    assert store.slate("r1") == slate
    with pytest.raises(NotFoundError, match="'r2'"):
        store.slate("r2")
    with pytest.raises(DataError, match="2 items and 1 propensities"):
        store.put_slate(replace(slate, request_id="r3", propensities=(1.0,)))


def test_a_trace_and_what_it_showed_are_kept_together(store: EventStore) -> None:
    slate = Slate("r1", "ann", "s1", NOON, ("b",), (1.0,))
    store.put_trace("t1", {"tools": []}, "ann", "s1", slate)
    assert store.trace("t1") == {"tools": []} and store.slate("r1") == slate
    with pytest.raises(DataError, match="2 items and 1 propensities"):
        store.put_trace("t2", {}, "ann", "s1", replace(slate, request_id="r2", item_ids=("b", "a")))
    with pytest.raises(NotFoundError, match="'t2'"):
        store.trace("t2")


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


def test_events_are_there_after_reopening(url: str) -> None:
    first = opened(url)
    first.put([FULL])
    first.close()
    again = opened(url)
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


def test_one_event_can_be_erased(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    store.put([event("a", text="my secret wish"), event("b", text="kept words")])
    assert store.forget_event("a") and not store.forget_event("a")
    assert [each.event_id for each in store.for_user("ann")] == ["b"]
    store.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"my secret wish" not in raw and b"kept words" in raw


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_text("not a database at all, and long enough to be read as a header" * 20)
    with pytest.raises(DataError, match=r"events\.sqlite' cannot be opened: file is not a database"):
        SqliteEventStore(path)


WRITER = """
import itertools, sys
from datetime import UTC, datetime
from pydantic import SecretStr
from catalog.events import EventConfig, open_event_store
from catalog.nouns import Interaction

store = open_event_store(EventConfig(url=SecretStr(sys.argv[1])), "unused")
for n in itertools.count():
    store.put([Interaction(f"e{n}", "ann", "shoe", datetime(2025, 1, 1, tzinfo=UTC), "view")])
    print(n, flush=True)
"""


def test_an_acknowledged_event_survives_a_kill(url: str) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(25)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    store = opened(url)
    kept = {each.event_id for _, each in store.since(0)}
    store.close()
    assert {f"e{n}" for n in acknowledged} <= kept
    assert len(kept) - len(acknowledged) in (0, 1)  # at most the one whose acknowledgement was on its way


def test_workers_may_open_a_new_store_at_once(url: str) -> None:
    def work(n: int) -> PutResult:
        store = opened(url)
        result = store.put([event(f"e{n}")])
        store.close()
        return result

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(12))) == [PutResult(1, 0)] * 12


def test_who_follows_the_log_misses_nothing_that_many_writers_put(store: EventStore) -> None:
    seen: list[str] = []

    def write(worker: int) -> None:
        for n in range(15):
            store.put([event(f"{worker}-{n}-{k}") for k in range(5)])

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(write, worker) for worker in range(6)]
        last = 0
        while True:
            over = all(each.done() for each in running)
            came = store.since(last)
            last = came[-1][0] if came else last
            seen += [each.event_id for _, each in came]
            if over:
                break
    for each in running:
        each.result()
    assert len(seen) == len(set(seen)) == 6 * 15 * 5


def test_batches_that_cross_are_put_both(store: EventStore) -> None:
    """The same ids the other way round: on PostgreSQL each would wait for the other."""
    names = [f"e{n}" for n in range(60)]

    def put(n: int) -> int:
        return store.put([event(name, session_id=f"s{name}") for name in names[:: 1 if n % 2 else -1]]).accepted

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(put, range(12))) == 60


def test_a_text_no_database_can_keep_is_refused_by_name(store: EventStore) -> None:
    with pytest.raises(DataError, match="event 'a': text holds a NUL"):
        store.put([event("b"), event("a", text="x\0y")])
    assert store.for_user("ann") == []


def guest(event_id: str, minutes: float, session: str = "s1", **more: object) -> Interaction:
    return event(event_id, user=f"session:{session}", minutes=minutes, session_id=session, **more)


def ids(events: list[Interaction]) -> list[str]:
    return [each.event_id for each in events]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 0, 1, 2, 4), (4, 3, 2, 1, 0)])
def test_what_a_guest_did_before_signing_in_is_the_shoppers_in_whatever_order_it_came(
    store: EventStore, order: tuple[int, ...]
) -> None:
    came = [
        guest("g1", 1),
        guest("g2", 2),
        guest("other", 1, session="s2"),
        event("in", minutes=3, session_id="s1"),
        guest("after", 4),
    ]
    for n in order:
        store.put([came[n]])
    assert ids(store.for_user("ann")) == ["in", "g2", "g1"]
    assert ids(store.for_user("session:s1")) == ["after"]
    assert ids(store.for_user("session:s2")) == ["other"]


def test_who_signs_in_later_on_a_session_gets_nothing_of_the_first_shopper(store: EventStore) -> None:
    store.put([guest("g1", 1), event("in", minutes=2, session_id="s1"), guest("g2", 3)])
    store.put([event("bob", user="bob", minutes=4, session_id="s1")])
    assert ids(store.for_user("ann")) == ["in", "g1"]
    assert ids(store.for_user("bob")) == ["bob", "g2"]


def test_a_list_shown_to_a_shopper_signs_the_session_in(store: EventStore) -> None:
    store.put([guest("g1", 1)])
    store.put_slate(Slate("r0", None, "s1", NOON, ("shoe",), (1.0,)))
    store.put_slate(Slate("r1", "ann", "s1", NOON + timedelta(minutes=2), ("shoe",), (1.0,)))
    assert ids(store.for_user("ann")) == ["g1"]
    assert store.slate("r0").user_id == "ann"
    store.put([guest("g2", 3)])
    store.put_slate(Slate("r2", "ann", "s1", NOON + timedelta(minutes=4), ("shoe",), (1.0,)))
    assert ids(store.for_user("ann")) == ["g2", "g1"]
    store.forget_user("ann")
    with pytest.raises(NotFoundError):
        store.slate("r0")


def test_tenants_see_and_erase_their_own_rows_only(store: EventStore) -> None:
    with acting_for("acme"):
        store.put([event("a"), guest("g", 1)])
        store.put_slate(Slate("r1", "ann", None, NOON, (), ()))
        store.put_trace("t1", {}, "ann")
        store.put_dead_letters([DeadLetter("{}", "kind", "why", NOON, user_id="ann")])
    with acting_for("rival"):
        assert store.put([event("a", item_id="hat"), event("in", minutes=2, session_id="s1")]) == PutResult(2, 0)
        assert ids(store.for_user("ann")) == ["in", "a"]
        assert ids(store.for_session("s1")) == ["in"]
        for missing in (lambda: store.slate("r1"), lambda: store.trace("t1")):
            with pytest.raises(NotFoundError):
                missing()
        assert store.dead_letters() == [] and not store.forget_event("g")
        assert store.forget_user("ann") == 2
    with acting_for("acme"):
        assert ids(store.for_user("ann")) == ["a"] and ids(store.for_user("session:s1")) == ["g"]
        assert store.slate("r1").user_id == "ann" and store.trace("t1") == {} and len(store.dead_letters()) == 1
    assert len(store.since(0)) == 2


def test_what_was_not_taken_is_kept_counted_and_erased_with_the_shopper(store: EventStore) -> None:
    first = DeadLetter('{"event_id": "x"}', "kind", "kind 'stare'", NOON, event_id="x", user_id="ann")
    odd = DeadLetter("[1]", "\ud800", "half \0", NOON + timedelta(minutes=1), user_id="a\0", session_id="s" * 300)
    store.put_dead_letters([first, odd])
    store.put_dead_letters([replace(first, received_at=NOON + timedelta(minutes=2))])
    again, other = store.dead_letters()
    assert (again.times, again.received_at, again.payload) == (2, NOON + timedelta(minutes=2), first.payload)
    assert (other.user_id, other.session_id, other.reason) == (None, None, "half ?")
    (latest,) = store.dead_letters(limit=1)
    assert latest == again and store.dead_letters(after=latest.place) == [other]
    assert store.dead_letters(after=other.place) == []
    with pytest.raises(DataError, match="dead letters after 'first': the `place`"):
        store.dead_letters(after="first")
    store.forget_user("ann")
    assert [each.payload for each in store.dead_letters()] == ["[1]"]


def test_what_is_older_than_the_retention_goes_and_the_rest_stays(store: EventStore) -> None:
    store.put([event(f"old{n}", minutes=-n - 1) for n in range(7)] + [event("new")])
    for name, minutes in (("old", -1), ("new", 0)):
        store.put_slate(Slate(name, "ann", None, NOON + timedelta(minutes=minutes), (), ()))
        store.put_dead_letters([DeadLetter(name, "", "", NOON + timedelta(minutes=minutes))])
    store.put_trace("t", {}, "ann")
    assert store.prune(NOON) == Pruned(events=7, slates=1, traces=0, dead_letters=1)
    assert ids(store.for_user("ann")) == ["new"] and store.slate("new") and store.trace("t") == {}
    assert store.prune(NOON) == Pruned(0, 0, 0, 0)
    assert store.prune(datetime.now(UTC) + timedelta(minutes=1)).traces == 1
