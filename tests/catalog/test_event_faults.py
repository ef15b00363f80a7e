"""A database that is damaged, read-only or emptied under a running shop is away, not a bug."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from catalog.errors import EventStoreError
from catalog.event_cluster import PrivatePostgres
from catalog.event_engines import postgres_engine
from catalog.event_schema import LOCK
from catalog.event_store import SqlEventStore
from catalog.events import EventConfig, PostgresEventStore, SqliteEventStore, open_event_store
from catalog.nouns import Interaction

EVENT = Interaction("e0", "ann", "shoe", datetime(2025, 3, 1, 12, tzinfo=UTC), "view")
_END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
ASKED: dict[str, Callable[[SqlEventStore], object]] = {
    "put": lambda store: store.put([EVENT]),
    "for_user": lambda store: store.for_user("ann"),
    "of_visit": lambda store: store.of_visit("ann", "s1"),
    "since": lambda store: store.since(0),
    "forget_user": lambda store: store.forget_user("ann"),
}


@pytest.mark.parametrize("asked", sorted(ASKED))
def test_a_damaged_sqlite_file_is_named_to_the_operator(tmp_path: Path, asked: str) -> None:
    path = tmp_path / "events.sqlite"
    store = SqliteEventStore(path)
    store.put([EVENT])
    store.close()  # all of it is in the one file, and nothing in memory
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100] + b"\xde\xad" * ((size - 100) // 2))
    with pytest.raises(EventStoreError, match=r"events\.sqlite' is damaged \(.*\): stop .* and restore a backup"):
        ASKED[asked](store)
    path.write_bytes(b"no database at all" * 500)
    with pytest.raises(EventStoreError, match="is damaged"):
        ASKED[asked](store)


@pytest.fixture
def kept(postgres_server: PrivatePostgres) -> Iterator[SqlEventStore]:
    store = open_event_store(EventConfig(url=SecretStr(postgres_server.new_database())), "unused")
    store.put([EVENT])
    yield store
    store.close()


def changed(store: SqlEventStore, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.postgres
def test_a_database_that_may_only_be_read_is_read(kept: SqlEventStore) -> None:
    name = kept.engine.url.database
    changed(kept, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    kept.engine.dispose()
    assert kept.for_user("ann") == [EVENT]
    with pytest.raises(EventStoreError, match="read-only transaction"):
        kept.put([EVENT])
    again = PostgresEventStore(kept.engine.url.render_as_string())
    assert again.for_user("ann") == [EVENT]
    again.close()


@pytest.mark.postgres
@pytest.mark.parametrize("asked", sorted(ASKED))
def test_a_database_without_its_tables_is_away(kept: SqlEventStore, asked: str) -> None:
    changed(kept, "DROP TABLE events CASCADE")
    with pytest.raises(EventStoreError, match='relation "events" does not exist'):
        ASKED[asked](kept)


def test_a_statement_of_ours_that_is_wrong_stays_a_bug(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    for wrong, kind in (("INSERT INTO told (entry_id) VALUES (NULL)", IntegrityError), ("SELECT :a", ProgrammingError)):
        with pytest.raises(kind):
            store.transaction(lambda connection, said=wrong: connection.exec_driver_sql(said))
    store.close()


@pytest.mark.postgres
def test_a_network_that_is_gone_is_not_waited_for_longer_than_a_connection(postgres_server: PrivatePostgres) -> None:
    """The kernel gives up what nobody acknowledges; to be told so is all that a client can do."""
    store = PostgresEventStore(postgres_server.new_database(), connect_seconds=3)
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as wire:
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 3000
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 3
    store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("asked", sorted(ASKED))
def test_a_table_that_somebody_has_locked_is_away(postgres_server: PrivatePostgres, asked: str) -> None:
    url = postgres_server.new_database()
    store = PostgresEventStore(url, connect_seconds=1)
    other = PostgresEventStore(url)
    with other.engine.connect() as holder:
        holder.execute(text("LOCK TABLE events IN ACCESS EXCLUSIVE MODE"))
        in_the_end = threading.Timer(20, lambda: changed(other, _END_OTHERS))  # or a failure would wait for ever
        in_the_end.start()
        with pytest.raises(EventStoreError, match="does not answer: canceling statement due to lock timeout"):
            ASKED[asked](store)
        in_the_end.cancel()
    assert ASKED[asked](store) is not None
    store.close()
    other.close()


@pytest.mark.postgres
def test_a_worker_waits_for_the_migration_of_another_as_long_as_it_takes(postgres_server: PrivatePostgres) -> None:
    url = postgres_server.new_database()
    engine = postgres_engine(url)
    holder = engine.connect()
    holder.execute(text("SELECT pg_advisory_xact_lock(:lock, 1)"), {"lock": LOCK})
    release = threading.Timer(1.5, holder.close)
    release.start()
    PostgresEventStore(url, connect_seconds=1).close()
    release.join()
    engine.dispose()
