"""The contract of every `SessionStore`: in memory, in SQLite, in PostgreSQL; and what workers share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.base import PastMessage
from agent.catching_up import catch_up
from agent.conversation import remember
from agent.memory_sessions import MemorySessions
from agent.sessions import Owner, Session, SessionStore
from agent.shared_sessions import SharedSessions
from catalog.conversations import ConversationRows
from catalog.errors import DataError, ServiceError
from catalog.event_cluster import PrivatePostgres
from catalog.event_store import SqlEventStore
from catalog.events import EventConfig, open_event_store
from catalog.items import Catalog
from catalog.nouns import Item
from catalog.tenancy import acting_for
from catalog.told import Told

SHOP = Catalog([Item("a", title="Blue bowl"), Item("b", title="Red bowl")])
SAID = (PastMessage("user", "hi"), PastMessage("assistant", "Hello"))


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


Make = Callable[..., SessionStore]
"""Makes the store of a worker; all that are made share the conversations where the kind can."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PrivatePostgres]:
    try:
        server = PrivatePostgres().__enter__()
    except ServiceError as error:
        pytest.skip(str(error))
    with server:
        yield server


def shared(url: str, opened: list[SqlEventStore]) -> Make:
    def make(
        ttl_seconds: float = 3600.0, limit: int = 100, clock: Clock | None = None, wait: float = 60
    ) -> SessionStore:
        events = open_event_store(EventConfig(url=SecretStr(url)), "unused")
        opened.append(events)
        return SharedSessions(ConversationRows(events, ttl_seconds, limit, clock or Clock()), wait_seconds=wait)

    return make


def database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'events.sqlite'}"
    return str(request.getfixturevalue("postgres").new_database())


SQL = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=["memory", *SQL])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    opened: list[SqlEventStore] = []
    if request.param == "memory":
        yield lambda **options: MemorySessions(SHOP, **options)
    else:
        yield shared(database(request.param, request, tmp_path), opened)
    for events in opened:
        events.close()


@pytest.fixture(params=SQL)
def workers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    opened: list[SqlEventStore] = []
    yield shared(database(request.param, request, tmp_path), opened)
    for events in opened:
        events.close()


async def visited(
    store: SessionStore,
    session_id: str | None,
    user_id: str | None = None,
    said: str = "hi",
    shown: tuple[str, ...] = (),
) -> tuple[Session, bool]:
    """A whole turn: the shopper says `said`, the answer is "Hello"."""
    async with store.turn(session_id, user_id) as (session, restarted):
        catch_up(session, SHOP)
        remember(session, said, "Hello", "Hello", shown, 20)
        await store.remember(session)
        return session, restarted


def heard(session: Session) -> list[str]:
    return [each.text for each in session.said if each.role == "user"]


def test_a_conversation_goes_on_and_an_unknown_one_says_it_restarted(make: Make) -> None:
    async def story() -> None:
        store = make()
        first, restarted = await visited(store, None, said="a bowl", shown=("a",))
        assert not restarted and 1 <= len(first.session_id) <= 64
        again, restarted = await visited(store, first.session_id, said="cheaper")
        assert heard(again) == ["a bowl", "cheaper"] and not restarted
        assert again.last_list == ("a",) and again.book.issued() == {"#1": "a"}
        other, restarted = await visited(store, "chosen-by-client")
        assert other.session_id == "chosen-by-client" and restarted
        assert (await visited(store, "chosen-by-client"))[1] is False

    asyncio.run(story())


def test_expired_conversations_start_afresh(make: Make) -> None:
    async def story() -> None:
        clock = Clock()
        store = make(ttl_seconds=10, clock=clock)
        session_id = (await visited(store, None))[0].session_id
        clock.now += 9.0
        assert heard((await visited(store, session_id))[0]) == ["hi", "hi"]
        clock.now += 10.5
        again, restarted = await visited(store, session_id)
        assert heard(again) == ["hi"] and restarted

    asyncio.run(story())


def test_a_session_belongs_to_its_user(make: Make) -> None:
    async def story() -> None:
        store = make()
        await visited(store, "s1", "ana")
        bens, restarted = await visited(store, "s1", "ben")
        guests, guest_restarted = await visited(store, "s1", None)
        assert heard(bens) == ["hi"] and restarted
        assert heard(guests) == ["hi"] and guest_restarted
        assert len(heard((await visited(store, "s1", "ana"))[0])) == 2
        owners = await store.owners("s1")
        assert owners == {Owner("open", "ana"), Owner("open", "ben"), Owner("open", None)}
        assert await store.owners("nobody's") == frozenset()

    asyncio.run(story())


def test_a_guest_who_signs_in_keeps_the_conversation(make: Make) -> None:
    async def story() -> None:
        store = make()
        await visited(store, "s1", said="a bowl")
        signed_in, restarted = await visited(store, "s1", "ana")
        assert heard(signed_in) == ["a bowl", "hi"] and not restarted and signed_in.user_id == "ana"
        assert (await visited(store, "s1"))[1]
        assert (await store.owners("s1")) == {Owner("open", "ana"), Owner("open", None)}

    asyncio.run(story())


def test_the_store_is_bounded_and_keeps_what_is_in_use(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.conversations.SWEEP_SECONDS", 0.0)

    async def story() -> None:
        clock = Clock()
        store = make(limit=2, clock=clock)
        async with store.turn("busy", None) as (busy, _):
            for name in ("b", "c", "d"):
                clock.now += 1
                await visited(store, name)
            remember(busy, "hi", "Hello", "Hello", (), 20)
            await store.remember(busy)
        clock.now += 1
        assert heard((await visited(store, "busy"))[0]) == ["hi", "hi"]
        assert (await visited(store, "d"))[1] is False
        assert (await visited(store, "b"))[1] is True

    asyncio.run(story())


def test_turns_of_one_conversation_are_serial_others_run_beside(make: Make) -> None:
    order: list[str] = []
    inside = asyncio.Event()

    async def turn(store: SessionStore, session_id: str, name: str) -> None:
        async with store.turn(session_id, None) as (session, _):
            order.append(f"{name} in")
            if name == "one":
                inside.set()
                while "three out" not in order:
                    await asyncio.sleep(0.001)
            order.append(f"{name} out")
            remember(session, name, "Hello", "Hello", (), 20)
            await store.remember(session)

    async def story() -> None:
        store = make()
        first = asyncio.create_task(turn(store, "s", "one"))
        await inside.wait()
        await asyncio.gather(first, turn(store, "s", "two"), turn(store, "other", "three"))
        assert heard((await visited(store, "s"))[0]) == ["one", "two", "hi"]

    asyncio.run(story())
    assert order.index("one out") < order.index("two in")
    assert order.index("three out") < order.index("one out")


@pytest.mark.parametrize("session_id", ["", "x" * 65, "a b", "ä", "line\nbreak"])
def test_an_impossible_session_id_is_refused(make: Make, session_id: str) -> None:
    with pytest.raises(DataError, match="session_id"):
        asyncio.run(visited(make(), session_id))


def test_a_conversation_is_recognised_by_its_messages_and_copied(make: Make) -> None:
    async def begun(store: SessionStore, history: tuple[PastMessage, ...], user_id: str | None) -> Session:
        async with store.turn(None, user_id, history) as (session, restarted):
            assert not restarted
            return session

    async def story() -> None:
        store = make()
        async with store.turn(None, "ana") as (session, _):
            remember(session, "a bowl", "Here is Blue bowl.", "Here is #1.", ("a",), 20)
            await store.remember(session)
        said = (PastMessage("user", "a  bowl"), PastMessage("assistant", "Here is Blue bowl."))
        again = await begun(store, said, "ana")
        assert again.session_id != session.session_id and again.said == session.said and again.last_list == ("a",)
        again.book.issue("b")
        assert "b" not in session.book
        assert (await begun(store, said, "ben")).said == []
        assert (await begun(store, said[:1], "ana")).said == []
        await visited(store, session.session_id, "ana", "cheaper")
        assert (await begun(store, said, "ana")).said == []

    asyncio.run(story())


def test_forgetting_a_user_erases_their_conversations(make: Make) -> None:
    async def story() -> None:
        clock = Clock()
        store = make(clock=clock)
        for session_id in ("s1", "s2"):
            clock.now += 1
            await visited(store, session_id, "ana")
        await visited(store, "s3", "ben")
        assert [s.session_id for s in store.of_user("ana")] == ["s1", "s2"]
        assert store.forget_user("ana") == 2
        assert store.of_user("ana") == [] and len(store.of_user("ben")) == 1
        async with store.turn(None, "ana", SAID) as (new, _):
            assert new.said == []
        assert store.forget("s3") and not store.forget("s3")

    asyncio.run(story())


def test_a_turn_whose_shopper_is_forgotten_meanwhile_leaves_nothing(make: Make) -> None:
    async def story() -> None:
        store = make()
        await visited(store, "s1", "ana")
        async with store.turn("s1", "ana") as (session, _):
            assert store.forget_user("ana") == 1
            remember(session, "secret", "Hello", "Hello", (), 20)
            await store.remember(session)
        assert session.forgotten and store.of_user("ana") == []

    asyncio.run(story())


def test_words_taken_out_are_out_of_every_conversation_also_of_one_in_a_turn(make: Make) -> None:
    def without(session: Session) -> None:
        for said in session.said:
            said.text = said.text.replace("red", "...")

    async def story() -> None:
        store = make()
        for session_id in ("s1", "s2", "s3"):
            await visited(store, session_id, "ana", "not red")
        await visited(store, "s1", "ben", "not red")
        async with store.turn("s1", "ana") as (session, _):
            store.edit("ana", without, but="s3")
            remember(session, "cheaper", "Hello", "Hello", (), 20)
            await store.remember(session)
        found = {each.session_id: heard(each) for each in store.of_user("ana")}
        assert found == {"s1": ["not ...", "cheaper"], "s2": ["not ..."], "s3": ["not red"]}
        assert heard(store.of_user("ben")[0]) == ["not red"]

    asyncio.run(story())


def entry(value: str) -> Told:
    return Told("dislike", "attribute.colour", value, f"I hate {value}", datetime(2026, 3, 1, tzinfo=UTC))


def test_what_a_guest_told_is_taken_out_also_in_a_turn_that_hears_more(make: Make) -> None:
    def without_red(session: Session) -> None:
        session.told = tuple(each for each in session.told if each.value != "red")

    async def story() -> None:
        store = make()
        async with store.turn("s1", None) as (session, _):
            session.told = (entry("red"), entry("grey"))
            remember(session, "I hate red and grey", "Hello", "Hello", (), 20)
            await store.remember(session)
        async with store.turn("s1", None) as (session, _):
            store.edit_guest("s1", without_red)
            session.told = (entry("blue"), *session.told)
            remember(session, "I hate blue", "Hello", "Hello", (), 20)
            await store.remember(session)
        assert [each.value for each in store.told_in("s1")] == ["blue", "grey"]
        await visited(store, "s1", "ana")
        store.edit_guest("s1", without_red)
        store.edit_guest("nobody's", without_red)
        assert store.told_in("s1") == ()

    asyncio.run(story())


def test_tenants_know_nothing_of_each_others_conversations(make: Make) -> None:
    async def story() -> None:
        store = make()
        with acting_for("acme"):
            await visited(store, "s1", "ana", "mine")
        with acting_for("globex"):
            assert store.of_user("ana") == []
            theirs, restarted = await visited(store, "s1", "ana")
            assert heard(theirs) == ["hi"] and restarted
            async with store.turn(None, "ana", (PastMessage("user", "mine"), SAID[1])) as (copied, _):
                assert copied.said == []
            assert store.forget_user("ana") >= 1 and not store.forget("s1")
        with acting_for("acme"):
            assert [heard(each) for each in store.of_user("ana")] == [["mine"]]
            assert await store.owners("s1") == {Owner("acme", "ana")}

    asyncio.run(story())


def test_another_worker_goes_on_with_the_conversation(workers: Make) -> None:
    async def story() -> None:
        here, there = workers(), workers()
        await visited(here, "s1", "ana", "a bowl", ("a",))
        session, restarted = await visited(there, "s1", "ana", "cheaper")
        assert heard(session) == ["a bowl", "cheaper"] and not restarted and session.last_list == ("a",)
        assert heard((await visited(here, "s1", "ana"))[0]) == ["a bowl", "cheaper", "hi"]

    asyncio.run(story())


def test_a_turn_that_breaks_off_leaves_what_stood_before(workers: Make) -> None:
    async def story() -> None:
        here, there = workers(), workers()
        await visited(here, "s1")
        with pytest.raises(RuntimeError):
            async with here.turn("s1", None) as (session, _):
                session.shown = ("b",)
                raise RuntimeError
        assert (await visited(there, "s1"))[0].shown == ()

    asyncio.run(story())


def test_the_turn_of_a_killed_worker_gives_way_when_its_hold_runs_out(workers: Make) -> None:
    async def story() -> None:
        clock = Clock()
        dead, alive, waiting = workers(clock=clock), workers(clock=clock), workers(clock=clock, wait=0)
        await visited(dead, "s1")
        held = dead.turn("s1", None)
        session, _ = await held.__aenter__()
        with pytest.raises(ServiceError, match="'s1': another message of it is still being answered"):
            await visited(waiting, "s1")
        clock.now += 10.5
        assert heard((await visited(alive, "s1", said="again"))[0]) == ["hi", "again"]
        remember(session, "too late", "Hello", "Hello", (), 20)
        await dead.remember(session)
        await held.__aexit__(None, None, None)
        assert not session.forgotten
        assert heard((await visited(alive, "s1"))[0]) == ["hi", "again", "hi"]

    asyncio.run(story())


def test_a_long_turn_keeps_its_hold(workers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.shared_sessions.HOLD_SECONDS", 0.03)

    async def story() -> None:
        clock = Clock()
        here, there = workers(clock=clock), workers(clock=clock, wait=0)
        async with here.turn("s1", None):
            for _ in range(3):
                clock.now += 0.02
                await asyncio.sleep(0.1)
            with pytest.raises(ServiceError):
                await visited(there, "s1")
        assert heard((await visited(there, "s1"))[0]) == ["hi"]

    asyncio.run(story())
