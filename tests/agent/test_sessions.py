import asyncio
from collections.abc import Iterator

import pytest

from agent.base import PastMessage
from agent.conversation import remember
from agent.sessions import MemorySessions, Session
from catalog.errors import DataError
from catalog.items import Catalog
from catalog.nouns import Item
from catalog.tenancy import acting_for

SHOP = Catalog([Item("a", title="Blue bowl"), Item("b", title="Red bowl")])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    yield Clock()


async def opened(store: MemorySessions, session_id: str | None, user_id: str | None = None) -> tuple[Session, bool]:
    async with store.turn(session_id, user_id) as (session, restarted):
        return session, restarted


def test_a_conversation_goes_on_and_an_unknown_one_says_it_restarted() -> None:
    async def story() -> None:
        store = MemorySessions(SHOP)
        first, restarted = await opened(store, None)
        assert not restarted and 1 <= len(first.session_id) <= 64
        again, restarted = await opened(store, first.session_id)
        assert again is first and not restarted
        other, restarted = await opened(store, "chosen-by-client")
        assert other.session_id == "chosen-by-client" and restarted
        assert (await opened(store, "chosen-by-client")) == (other, False)

    asyncio.run(story())


def test_expired_conversations_start_afresh(clock: Clock) -> None:
    async def story() -> None:
        store = MemorySessions(SHOP, ttl_seconds=10, clock=clock)
        first, _ = await opened(store, None)
        clock.now = 9.0
        assert (await opened(store, first.session_id))[0] is first
        clock.now = 19.5
        again, restarted = await opened(store, first.session_id)
        assert again is not first and restarted and len(store) == 1

    asyncio.run(story())


def test_a_session_belongs_to_its_user() -> None:
    async def story() -> None:
        store = MemorySessions(SHOP)
        anas, _ = await opened(store, "s1", "ana")
        bens, restarted = await opened(store, "s1", "ben")
        guests, guest_restarted = await opened(store, "s1", None)
        assert bens is not anas and restarted
        assert guests is not anas and guest_restarted
        assert (await opened(store, "s1", "ana"))[0] is anas

    asyncio.run(story())


def test_a_guest_who_signs_in_keeps_the_conversation() -> None:
    async def story() -> None:
        store = MemorySessions(SHOP)
        guest, _ = await opened(store, "s1")
        signed_in, restarted = await opened(store, "s1", "ana")
        assert signed_in is guest and not restarted and guest.user_id == "ana"
        assert (await opened(store, "s1"))[1]

    asyncio.run(story())


def test_the_store_is_bounded_and_keeps_what_is_in_use() -> None:
    async def story() -> None:
        store = MemorySessions(SHOP, limit=2)
        async with store.turn("busy", None) as (busy, _):
            for name in ("b", "c", "d"):
                await opened(store, name)
            assert len(store) == 2
            assert (await opened(store, "d"))[1] is False
        assert (await opened(store, "busy"))[0] is busy

    asyncio.run(story())


def test_turns_of_one_conversation_are_serial_others_run_beside() -> None:
    order: list[str] = []

    async def turn(store: MemorySessions, session_id: str, name: str, pause: float) -> None:
        async with store.turn(session_id, None):
            order.append(f"{name} in")
            await asyncio.sleep(pause)
            order.append(f"{name} out")

    async def story() -> None:
        store = MemorySessions(SHOP)
        await asyncio.gather(
            turn(store, "s", "one", 0.05), turn(store, "s", "two", 0.0), turn(store, "other", "three", 0.0)
        )

    asyncio.run(story())
    assert order.index("one out") < order.index("two in")
    assert order.index("three out") < order.index("one out")


@pytest.mark.parametrize("session_id", ["", "x" * 65, "a b", "ä", "line\nbreak"])
def test_an_impossible_session_id_is_refused(session_id: str) -> None:
    with pytest.raises(DataError, match="session_id"):
        asyncio.run(opened(MemorySessions(SHOP), session_id))


def test_a_conversation_is_recognised_by_its_messages_and_copied() -> None:
    async def begun(store: MemorySessions, history: tuple[PastMessage, ...], user_id: str | None) -> Session:
        async with store.turn(None, user_id, history) as (session, restarted):
            assert not restarted
            return session

    async def story() -> None:
        store = MemorySessions(SHOP)
        session, _ = await opened(store, None, "ana")
        remember(session, "a bowl", "Here is Blue bowl.", "Here is #1.", ("a",), 20)
        store.remember(session)
        said = (PastMessage("user", "a  bowl"), PastMessage("assistant", "Here is Blue bowl."))
        again = await begun(store, said, "ana")
        assert again.session_id != session.session_id and again.said == session.said and again.last_list == ("a",)
        again.book.issue("b")
        assert "b" not in session.book
        assert (await begun(store, said, "ben")).said == []
        assert (await begun(store, said[:1], "ana")).said == []
        remember(session, "cheaper", "No.", "No.", (), 20)
        assert (await begun(store, said, "ana")).said == []

    asyncio.run(story())


def test_forgetting_a_user_erases_their_conversations() -> None:
    async def story() -> None:
        store = MemorySessions(SHOP)
        for session_id in ("s1", "s2"):
            session, _ = await opened(store, session_id, "ana")
            remember(session, "hi", "Hello", "Hello", (), 20)
            store.remember(session)
        await opened(store, "s3", "ben")
        assert [s.session_id for s in store.of_user("ana")] == ["s1", "s2"]
        assert store.forget_user("ana") == 2
        assert store.of_user("ana") == [] and len(store) == 1
        async with store.turn(None, "ana", (PastMessage("user", "hi"), PastMessage("assistant", "Hello"))) as (new, _):
            assert new.said == []
        assert store.forget("s3") and not store.forget("s3")

    asyncio.run(story())


def test_tenants_know_nothing_of_each_others_conversations() -> None:
    async def story() -> None:
        store = MemorySessions(SHOP)
        with acting_for("acme"):
            acmes, _ = await opened(store, "s1", "ana")
            remember(acmes, "hi", "Hello", "Hello", (), 20)
            store.remember(acmes)
        with acting_for("globex"):
            theirs, restarted = await opened(store, "s1", "ana")
            assert theirs is not acmes and theirs.said == [] and restarted
            said = (PastMessage("user", "hi"), PastMessage("assistant", "Hello"))
            async with store.turn(None, "ana", said) as (copied, _):
                assert copied.said == []
            assert store.forget_user("ana") == 2 and not store.forget("s1")
        with acting_for("acme"):
            assert store.of_user("ana") == [acmes]

    asyncio.run(story())
