"""What the doctor finds in the databases of a store; it writes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.key_file import KeyFile
from api.quota import DailyQuota
from catalog.errors import ServiceError
from catalog.event_cluster import PrivatePostgres
from catalog.event_schema import HEAD
from catalog.events import PostgresEventStore, SqliteEventStore
from catalog.findings import Finding
from catalog.item_journal import ItemJournal
from catalog.nouns import Interaction
from vitrine.doctor_databases import database_findings
from vitrine.settings import load_settings


def findings(**overrides: object) -> dict[str, Finding]:
    return {each.subject.strip(): each for each in database_findings(load_settings(dict(overrides)))}


def revised(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Databases as a service leaves them, with a few hundred rows each."""
    monkeypatch.delenv("VITRINE_API_KEYS", raising=False)
    root = tmp_path / "shop"
    events = SqliteEventStore(root / "events.sqlite")
    now = datetime.now(UTC)
    events.put([Interaction(f"e{number}", "ana", "V01", now, "click") for number in range(400)])
    events.close()
    ItemJournal(root / "items.sqlite", "shop").close()
    DailyQuota(root / "quotas.sqlite").wait("k", 100)
    KeyFile(root / "keys.json").add("acme", ["read"])
    return root


def test_a_sound_store_is_well_and_untouched(store: Path) -> None:
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    found = findings(store=str(store))
    assert {subject: each.level for subject, each in found.items()} == dict.fromkeys(
        ("events", "items written", "quotas", "keys"), "ok"
    )
    assert found["events"].text == f"{store / 'events.sqlite'}, schema {HEAD}"
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


def test_an_empty_store_is_no_fault(tmp_path: Path) -> None:
    found = findings(store=str(tmp_path / "none"))
    assert list(found) == ["events"] and found["events"].level == "note"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "subject"), [("events.sqlite", "events"), ("items.sqlite", "items written"), ("quotas.sqlite", "quotas")]
)
def test_a_file_that_is_no_database_is_bad(store: Path, name: str, subject: str) -> None:
    (store / name).write_bytes(b"not a database at all " * 500)
    found = findings(store=str(store))[subject]
    assert found.level == "bad" and "file is not a database" in found.text and "move" in found.text


def test_pages_with_other_bytes_in_them_are_bad(store: Path) -> None:
    path = store / "events.sqlite"
    held = bytearray(path.read_bytes())
    for page in range(4096, len(held), 4096):
        held[page : page + 64] = b"\xff" * 64
    path.write_bytes(bytes(held))
    found = findings(store=str(store))["events"]
    assert found.level == "bad" and "is damaged" in found.text and "vitrine events restore" in found.text


@pytest.mark.parametrize(("revision", "level"), [("0003", "note"), ("0099", "bad")])
def test_another_schema_is_told_and_left_alone(store: Path, revision: str, level: str) -> None:
    revised(store / "events.sqlite", revision)
    found = findings(store=str(store))["events"]
    assert found.level == level and revision in found.text
    assert findings(store=str(store))["events"] == found


def test_a_database_of_somebody_else_is_bad(store: Path) -> None:
    path = store / "events.sqlite"
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE events (user_id INTEGER, note TEXT)")
    found = findings(store=store)["events"]
    assert found.level == "bad" and "holds tables that no event store made (events)" in found.text


def test_keys_that_are_damaged_or_gone_are_bad(store: Path) -> None:
    (store / "keys.json").write_text('{"keys": [')
    assert findings(store=str(store))["keys"].level == "bad"
    (store / "keys.json").unlink()
    found = findings(store=str(store))["keys"]
    assert found.level == "bad" and "vitrine keys add" in found.text


def test_a_database_that_does_not_answer_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("VITRINE_EVENTS__URL", "postgresql://shop:geheim@127.0.0.1:1/shop")
    found = findings(store=str(tmp_path))["events"]
    assert found.level == "bad" and "does not answer" in found.text and "geheim" not in found.text


@pytest.mark.postgres
def test_postgresql_says_its_schema(tmp_path: Path) -> None:
    try:
        server = PrivatePostgres()
    except ServiceError as error:
        pytest.skip(str(error))
    with server:
        asked = {"store": str(tmp_path), "events": {"url": server.url}}
        assert findings(**asked)["events"].level == "note"
        PostgresEventStore(server.url).close()
        found = findings(**asked)["events"]
        assert found.level == "ok" and found.text.endswith(f"schema {HEAD}")
