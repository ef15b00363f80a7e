"""What shoppers tell of themselves: kept, replaced, told apart by shopper and tenant, erased everywhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalog.errors import DataError, NotFoundError
from catalog.events import EventConfig, EventStore, SqliteEventStore, open_event_store
from catalog.tenancy import acting_for
from catalog.told import Told
from catalog.told_rows import MOST_TOLD

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
SIZE = Told("size", "size", "38", "I wear size 38", NOON, "s1", "r1")
RED = Told("dislike", "attribute.colour", "red", "I can't stand red", NOON + timedelta(minutes=1), "s1", "r2")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path / 'events.sqlite'}"
    made = open_event_store(EventConfig(url=SecretStr(url)), "unused")
    yield made
    made.close()


def test_what_was_told_comes_back_the_latest_first(store: EventStore) -> None:
    assert store.told_by("ann") == []
    store.put_told("ann", [SIZE, RED])
    store.put_told("ann", [])
    assert store.told_by("ann") == [RED, SIZE] and store.told_by("ben") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SIZE, replace(SIZE, value="40", words="I am a 40 now")),
        (RED, replace(RED, kind="like", words="I love red")),
        (RED, replace(RED, value="Red")),
        (Told("budget", "price", "50", "my budget is 50", NOON), Told("budget", "price", "80", "80 at most", NOON)),
    ],
)
def test_what_is_told_anew_takes_the_place_of_the_old(store: EventStore, before: Told, after: Told) -> None:
    later = replace(after, told_at=NOON + timedelta(days=1))
    store.put_told("ann", [before])
    store.put_told("ann", [later])
    assert store.told_by("ann") == [later]


def test_sizes_of_different_things_stand_beside_each_other(store: EventStore) -> None:
    store.put_told("ann", [SIZE, replace(SIZE, about="shoes", value="41"), replace(RED, facet="brand")])
    assert len(store.told_by("ann")) == 3


def test_no_shopper_and_no_tenant_sees_or_erases_anothers(store: EventStore) -> None:
    with acting_for("acme"):
        store.put_told("ann", [SIZE])
    with acting_for("rival"):
        assert store.told_by("ann") == [] and store.forget_told("ann") == 0 and store.forget_user("ann") == 0
    with acting_for("acme"):
        assert store.forget_told("ben") == 0 and store.told_by("ann") == [SIZE]


def test_one_entry_or_all_are_erased_and_the_traces_that_speak_of_them(store: EventStore) -> None:
    store.put_told("ann", [SIZE, RED])
    store.put_trace("t1", {"message": "I wear 38", "told": [SIZE.entry_id]}, "ann", "s1")
    store.put_trace("t2", {"message": "hello"}, "ann", "s1")
    store.put_trace("t3", {"told": [SIZE.entry_id]}, "ben", "s1")
    assert store.forget_told("ann", "told-of-nobody") == 0
    assert store.forget_told("ann", SIZE.entry_id) == 1 and store.told_by("ann") == [RED]
    with pytest.raises(NotFoundError):
        store.trace("t1")
    assert store.trace("t2") and store.trace("t3")
    assert store.forget_told("ann") == 1 and store.told_by("ann") == []


def test_a_shopper_who_is_forgotten_has_told_nothing(store: EventStore) -> None:
    store.put_told("ann", [SIZE])
    store.put_told("ben", [SIZE])
    store.forget_user("ann")
    assert store.told_by("ann") == [] and store.told_by("ben") == [SIZE]


def test_retention_reaches_it_and_its_number_is_bounded(store: EventStore) -> None:
    many = [replace(RED, value=f"shade {n}", told_at=NOON + timedelta(minutes=n)) for n in range(MOST_TOLD + 5)]
    store.put_told("ann", many)
    kept = store.told_by("ann")
    assert len(kept) == MOST_TOLD and kept[0].value == f"shade {MOST_TOLD + 4}" and kept[-1].value == "shade 5"
    assert store.prune(NOON + timedelta(minutes=MOST_TOLD)).told == MOST_TOLD - 5


def test_a_moment_without_a_time_zone_is_refused(store: EventStore) -> None:
    with pytest.raises(DataError, match="no time zone"):
        store.put_told("ann", [replace(SIZE, told_at=NOON.replace(tzinfo=None))])


def test_an_id_is_the_same_for_a_taste_that_turns() -> None:
    assert RED.entry_id == replace(RED, kind="like").entry_id != replace(RED, value="blue").entry_id


def test_erased_words_leave_the_file(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    store = SqliteEventStore(path)
    store.put_told("ann", [replace(SIZE, words="my unmistakable sentence")])
    store.forget_told("ann", SIZE.entry_id)
    found = [file for file in tmp_path.iterdir() if b"unmistakable" in file.read_bytes()]
    store.close()
    assert found == []


def test_a_store_of_the_schema_before_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    SqliteEventStore(path).close()
    with sqlite3.connect(path) as older:
        older.executescript(
            "DROP TABLE conversations; DROP TABLE told; ALTER TABLE slates DROP COLUMN assignment;"
            "UPDATE alembic_version SET version_num = '0002';"
        )
    older.close()
    store = SqliteEventStore(path)
    store.put_told("ann", [SIZE])
    assert store.told_by("ann") == [SIZE]
    store.close()
