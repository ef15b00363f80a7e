"""`vitrine events`: the operator's side of what shoppers did."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.errors import ServiceError
from catalog.event_cluster import PrivatePostgres
from catalog.events import DeadLetter, PostgresEventStore, SqliteEventStore
from catalog.log import log_frame
from catalog.nouns import Interaction, Item
from catalog.shop_data import ShopData, save_shop
from catalog.tenancy import acting_for
from catalog.workspace import Workspace

NOW = datetime.now(UTC)


def event(name: str, days: float) -> Interaction:
    return Interaction(name, "ann", "shoe", NOW - timedelta(days=days), "view")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with two events and a dead letter of the tenant acme."""
    store = SqliteEventStore(tmp_path / "store" / "events.sqlite")
    with acting_for("acme"):
        store.put([event("new", 1), event("old", 500)])
        store.put_dead_letters([DeadLetter('{"kind": "stare"}', "kind", "kind: 'stare' is unknown", NOW, times=3)])
    store.close()
    return tmp_path / "store"


def test_a_backup_comes_back(run, folder: Path, tmp_path: Path) -> None:
    made = run("events", "backup", tmp_path / "kept.jsonl.gz", "--store", folder)
    assert made.code == 0 and "2 events" in made.out, made
    again = ("events", "restore", tmp_path / "kept.jsonl.gz", "--store", tmp_path / "other")
    assert "new: 1 dead letters, 2 events" in run(*again).out
    assert "new: 0 dead letters, 0 events" in run(*again).out
    assert "nothing.gz': No such file" in run("events", "restore", tmp_path / "nothing.gz", "--store", folder).line
    assert "is there already" in run("events", "backup", tmp_path / "kept.jsonl.gz", "--store", folder).line


def test_a_backup_says_whose_it_is_and_is_not_mixed_into_another_shop(run, folder: Path, tmp_path: Path) -> None:
    def named(store: Path, name: str) -> None:
        save_shop(Workspace(store), ShopData.of(name, [Item("shoe", title="Shoe")], log_frame([])))

    named(folder, "boutique")
    named(tmp_path / "bakery", "bakery")
    made = run("events", "backup", tmp_path / "kept.jsonl.gz", "--store", folder).out
    assert "the shop 'boutique' (1 items), " in made and " UTC: 1 dead letters, 2 events" in made
    listed = run("events", "list", tmp_path / "kept.jsonl.gz").out
    assert "the shop 'boutique' (1 items), " in listed and "; rows: 3 of tenant 'acme'" in listed
    other = ("events", "restore", tmp_path / "kept.jsonl.gz", "--store", tmp_path / "bakery")
    refused = run(*other)
    assert refused.code == 2 and "is of the shop 'boutique' and this store of 'bakery'" in refused.line
    assert not (tmp_path / "bakery" / "events.sqlite").exists()
    done = run(*other, "--other-shop").out
    assert "read of the shop 'boutique' (1 items)" in done and "new: 1 dead letters, 2 events" in done


def test_the_retention_is_said_or_set(run, folder: Path) -> None:
    assert "--older-than 400 or events.retention_days" in run("events", "prune", "--store", folder).line
    pruned = run("events", "prune", "--store", folder, "--set", "events.retention_days=365")
    assert "erased: 1 events, 0 slates, 0 traces, 0 dead letters" in pruned.out
    assert "erased: 1 events" in run("events", "prune", "--store", folder, "--older-than", "0.5").out


def test_dead_letters_are_listed_by_tenant(run, folder: Path) -> None:
    nobody = run("events", "dead-letters", "--store", folder).out
    assert nobody.strip() == "1 of tenant 'acme'"
    shown = run("events", "dead-letters", "--store", folder, "--tenant", "acme").out
    assert "3 x  kind: 'stare' is unknown" in shown and '{"kind": "stare"}' in shown
    (line,) = run("events", "dead-letters", "--store", folder, "--tenant", "acme", "--json").out.splitlines()
    assert json.loads(line)["times"] == 3


def test_a_store_without_events_is_said_and_not_made(run, tmp_path: Path) -> None:
    assert "vitrine serve takes them" in run("events", "prune", "--older-than", "1", "--store", tmp_path / "no").line
    assert not (tmp_path / "no").exists()


@pytest.mark.postgres
def test_events_move_to_postgres_by_one_setting(run, folder: Path, tmp_path: Path, monkeypatch) -> None:
    run("events", "backup", tmp_path / "kept.jsonl.gz", "--store", folder)
    try:
        server = PrivatePostgres()
    except ServiceError as error:
        pytest.skip(str(error))
    with server:
        monkeypatch.setenv("VITRINE_EVENTS__URL", server.url)
        assert "2 events" in run("events", "restore", tmp_path / "kept.jsonl.gz", "--store", folder).out
        store = PostgresEventStore(server.url)
        with acting_for("acme"):
            assert [each.event_id for each in store.for_user("ann")] == ["new", "old"]
        store.close()


def test_a_password_is_not_to_stand_in_a_file(run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vitrine.toml").write_text('[events]\nurl = "postgresql://shop:secret@h/db"\n')
    refused = run("settings", "--changed")
    assert "holds a password and comes from vitrine.toml" in refused.line and "secret" not in refused.err
    (tmp_path / "vitrine.toml").write_text('[events]\nurl = "postgresql://shop@h/db"\n')
    assert run("settings", "--changed").code == 0
    monkeypatch.setenv("VITRINE_EVENTS__URL", "postgresql://shop:secret@h/db")
    named = run("settings", "--changed")
    assert named.code == 0 and "secret" not in named.out + named.err
    monkeypatch.setenv("VITRINE_EVENTS__URL", "mysql://shop:secret@h/db")
    assert "secret" not in run("settings", "--changed").line
