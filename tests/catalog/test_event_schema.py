"""Migrations lead to the schema that new stores are made with, and lose nothing."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, inspect, text

from catalog.errors import ConfigError, DataError, ServiceError
from catalog.event_cluster import PrivatePostgres
from catalog.event_engines import postgres_engine, read_url, sqlite_engine
from catalog.event_schema import HEAD, MIGRATIONS, migrate, revision_of
from catalog.event_tables import METADATA
from catalog.events import EventConfig, PostgresEventStore, PutResult, SqliteEventStore, open_event_store
from catalog.nouns import Interaction, Slate

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)

FIRST = """
CREATE TABLE events (
    row_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, event_id VARCHAR NOT NULL, user_id VARCHAR NOT NULL,
    session_id VARCHAR, item_id VARCHAR NOT NULL, timestamp BIGINT NOT NULL, kind VARCHAR NOT NULL, value FLOAT,
    text TEXT, context TEXT, request_id VARCHAR, UNIQUE (event_id));
CREATE INDEX events_by_user ON events (user_id, timestamp);
CREATE INDEX events_by_session ON events (session_id, timestamp);
CREATE TABLE slates (
    request_id VARCHAR NOT NULL, user_id VARCHAR, session_id VARCHAR, timestamp BIGINT NOT NULL, items TEXT NOT NULL,
    propensities TEXT NOT NULL, PRIMARY KEY (request_id));
CREATE INDEX ix_slates_user_id ON slates (user_id);
CREATE TABLE traces (trace_id VARCHAR NOT NULL, user_id VARCHAR, trace TEXT NOT NULL, PRIMARY KEY (trace_id));
CREATE INDEX ix_traces_user_id ON traces (user_id);
INSERT INTO events VALUES (3, 'a', 'ann', 's1', 'shoe', 1740830400000000, 'rating', 4.5, 'nice', '{"page": 1}', 'r1');
INSERT INTO events VALUES (9, 'b', 'ann', NULL, 'hat', 1740830400000001, 'view', NULL, NULL, NULL, NULL);
DELETE FROM events WHERE row_id = 9;
INSERT INTO slates VALUES ('r1', 'ann', 's1', 1740830400000000, '["shoe"]', '[1.0]');
INSERT INTO traces VALUES ('t1', 'ann', '{"said": "hello"}');
"""
"""What a store was before it carried a mark of its schema, with an event that was forgotten."""


def test_a_store_from_before_is_migrated_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(FIRST)
    old.close()
    for _ in range(2):
        store = SqliteEventStore(path)
        (kept,) = store.since(0)
        assert kept == (
            3,
            Interaction("a", "ann", "shoe", NOON, "rating", "s1", 4.5, "nice", {"page": 1}, "r1"),
        )
        assert store.slate("r1") == Slate("r1", "ann", "s1", NOON, ("shoe",), (1.0,))
        assert store.trace("t1") == {"said": "hello"}
        store.close()
    store = SqliteEventStore(path)
    assert store.put([Interaction("a", "ann", "hat", NOON, "view")]) == PutResult(0, 1)
    store.put([Interaction("c", "ann", "hat", NOON, "view")])
    assert store.since(3)[0][0] > 9  # the row of the forgotten event is not given again
    assert store.forget_user("ann") == 2
    store.close()


def schema_of(engine: Engine) -> dict[str, object]:
    looked = inspect(engine)
    return {
        table: (
            {(each["name"], str(each["type"]), each["nullable"]) for each in looked.get_columns(table)},
            sorted((each["name"], each["column_names"]) for each in looked.get_indexes(table)),
            sorted(each["column_names"] for each in looked.get_unique_constraints(table)),
            looked.get_pk_constraint(table)["constrained_columns"],
        )
        for table in looked.get_table_names()
        if table != "alembic_version"
    }


def engine_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if kind == "sqlite":
        return sqlite_engine(tmp_path / "a.sqlite")
    return postgres_engine(request.getfixturevalue("postgres_url"))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_the_migrations_from_nothing_make_what_a_new_store_is(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    migrated = engine_of(kind, request, tmp_path)
    with migrated.begin() as connection:
        migrate(connection)
        assert revision_of(connection) == HEAD
    found = schema_of(migrated)
    with migrated.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    assert found == schema_of(migrated) and len(found) == 7
    migrated.dispose()


def test_the_last_migration_is_the_schema_this_code_reads() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_store_of_a_newer_version_is_left_alone(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path, url = tmp_path / "a.sqlite", ""
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
    config = EventConfig(url=SecretStr(url) if url else None)
    store = open_event_store(config, path)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(DataError, match="schema '9999', which this version does not know"):
        open_event_store(config, path)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:secret@h/db",
        "mysql://u@h/db?password=secret",
        "postgresql://u:half@secret/of@h/db",
        "postgresql://u:half@secret@h/db",
        "nonsense secret",
        "sqlite://",
        "",
    ],
)
def test_an_address_of_another_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"events\.url .*'postgresql://user@host:5432/shop'") as refused:
        read_url(url)
    assert "secret" not in str(refused.value)


def test_a_server_that_is_not_there_is_one_line_without_its_password() -> None:
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1/db' does not answer: ") as refused:
        PostgresEventStore("postgresql://vitrine:secret@127.0.0.1:1/db", connect_seconds=2)
    assert "secret" not in str(refused.value) and "\n" not in str(refused.value) and refused.value.retryable


@pytest.mark.postgres
def test_after_the_server_was_killed_every_acknowledged_event_is_there_and_the_store_goes_on() -> None:
    event = Interaction("e0", "ann", "shoe", NOON, "view")
    try:
        server = PrivatePostgres()
    except ServiceError as error:
        pytest.skip(str(error))
    with server:
        store = PostgresEventStore(server.url, connect_seconds=2)
        store.put([event])
        server.kill()
        with pytest.raises(ServiceError, match="does not answer"):
            for _ in range(100):
                store.put([event])
        server.start()
        assert store.put([event]) == PutResult(0, 1)
        store.close()


@pytest.mark.postgres
def test_commits_wait_for_the_disk_though_the_server_was_told_not_to(postgres_server: PrivatePostgres) -> None:
    url = postgres_server.new_database()
    store = PostgresEventStore(url)
    with store.engine.connect() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        connection.commit()
    store.close()
    store = PostgresEventStore(url)
    with store.engine.connect() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    store.close()


@pytest.mark.parametrize("parameters", ["password=secret", "sslpassword=secret&sslmode=prefer"])
def test_a_password_among_the_parameters_is_not_shown_either(parameters: str) -> None:
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1/db.*' does not answer: ") as refused:
        PostgresEventStore(f"postgresql://vitrine@127.0.0.1:1/db?{parameters}", connect_seconds=2)
    assert "secret" not in str(refused.value)


def test_a_parameter_that_libpq_does_not_know_is_one_line_without_its_password() -> None:
    with pytest.raises(
        ConfigError, match=r"/db\?ssl=on': invalid connection option \"ssl\"; the parameters"
    ) as refused:
        PostgresEventStore("postgresql://vitrine:secret@127.0.0.1:1/db?ssl=on", connect_seconds=2)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
@pytest.mark.parametrize("table", ["events", "conversations"])
def test_a_database_of_somebody_else_is_left_alone(
    kind: str, table: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path / 'a.sqlite'}"
    engine = postgres_engine(url) if kind == "postgres" else sqlite_engine(tmp_path / "a.sqlite")
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {table} (user_id INTEGER, note TEXT)"))
    with pytest.raises(DataError, match=rf"holds tables that no event store made \({table}\); an empty one would be"):
        open_event_store(EventConfig(url=SecretStr(url)), "unused")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == [table]
    engine.dispose()
