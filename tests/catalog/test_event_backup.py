"""A backup made from either database stands in the other, row for row."""

from __future__ import annotations

import gzip
import json
import random
import re
import sqlite3
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalog.backup_files import contents, rows_of, said_origin, sum_of
from catalog.backup_origin import Origin, check_same_shop
from catalog.errors import DataError, ServiceError
from catalog.event_backup import backup, restore
from catalog.event_schema import HEAD
from catalog.event_store import SqlEventStore
from catalog.events import DeadLetter, EventConfig, SqliteEventStore, open_event_store
from catalog.nouns import Interaction, Slate
from catalog.tenancy import acting_for
from catalog.told import Told
from catalog.told_rows import MOST_TOLD

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlEventStore]:
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path / 'events.sqlite'}"
    made = open_event_store(EventConfig(url=SecretStr(url)), "unused")
    yield made
    made.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SqlEventStore]:
    made = SqliteEventStore(tmp_path / "other.sqlite")
    yield made
    made.close()


def event(n: int, **more: object) -> Interaction:
    return Interaction(f"e{n}", "ann", "shoe", NOON + timedelta(minutes=n), "view", **more)  # type: ignore[arg-type]


def fill(store: SqlEventStore, many: int = 2100) -> None:
    store.put([event(n) for n in range(many)])
    with acting_for("acme"):
        store.put([event(1, session_id="s1", value=4.5, text="schön; 靴", context={"page": [1]}, request_id="r")])
        store.put_slate(Slate("r", "ann", "s1", NOON, ("a", "b"), (0.5, 0.5)))
        store.put_trace("t", {"said": "\0"}, "ann", "s1")
        store.put_dead_letters([DeadLetter("{}", "kind", "why", NOON)])
        store.put_told("ann", [Told("size", "size", "38", "I wear 38", NOON, "s1", "r")])


def rows(store: SqlEventStore) -> list[tuple[str, str]]:
    return sorted((name, json.dumps(row, sort_keys=True)) for name, row in rows_of(store))


COUNTS = {"dead_letters": 1, "events": 2101, "sign_ins": 1, "slates": 1, "told": 1, "traces": 1}


@pytest.mark.parametrize("name", ["kept.jsonl.gz", "kept.jsonl"])
def test_a_backup_of_either_is_restored_into_either_as_it_was(
    store: SqlEventStore, other: SqlEventStore, tmp_path: Path, name: str
) -> None:
    fill(store)
    assert backup(store, tmp_path / name) == COUNTS
    restored = restore(other, tmp_path / name)
    assert restored.read == restored.new == COUNTS
    assert rows(other) == rows(store)
    assert [e.event_id for _, e in other.since(0)] == [e.event_id for _, e in store.since(0)]
    for row in ("events", "slates"):  # and back into the first: nothing is new
        assert restore(store, tmp_path / name).new[row] == 0
    with acting_for("acme"):
        store.forget_user("ann")
        assert store.for_user("ann") == []
        assert restore(store, tmp_path / name).new == {**COUNTS, "dead_letters": 0, "events": 1}
        assert store.for_user("ann") == other.for_user("ann") != []


def test_a_copy_of_sqlite_is_whole_while_others_write_and_stands_alone(tmp_path: Path, store: SqlEventStore) -> None:
    busy = SqliteEventStore(tmp_path / "busy.sqlite")
    over, acknowledged = threading.Event(), []

    def write() -> None:
        while not over.is_set():
            acknowledged.append(busy.put([event(len(acknowledged))]).accepted)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(acknowledged) < 20:
            over.wait(0.01)
        before = len(acknowledged)
        count = backup(busy, tmp_path / "copy" / "kept.sqlite")["events"]
    finally:
        over.set()
        writer.join()
    busy.close()
    assert before <= count <= len(acknowledged)
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["kept.sqlite"]
    assert restore(store, tmp_path / "copy" / "kept.sqlite").new["events"] == count
    assert {e.event_id for _, e in store.since(0)} == {f"e{n}" for n in range(count)}
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["kept.sqlite"]


def test_rows_become_a_tenants_when_asked(other: SqlEventStore, tmp_path: Path) -> None:
    other.put([event(1)])
    backup(other, tmp_path / "kept.jsonl")
    other.forget_user("ann")
    restore(other, tmp_path / "kept.jsonl", tenant="acme")
    assert other.for_user("ann") == []
    with acting_for("acme"):
        assert other.for_user("ann") == [event(1)]


def damaged(text: str) -> dict[str, str]:
    lines = text.splitlines(keepends=True)
    return {
        "cut short: its last line does not count its 1500 rows": "".join(lines[:-1]),
        "line 3: is no row": "".join([*lines[:2], "[1]\n", *lines[2:]]),
        "line 2: cannot be read": "".join([lines[0], "{not json\n", *lines[1:]]),
        "cannot be read": text[: len(text) // 2],
        "no backup of events": "".join(lines[1:]),
        "schema '9999'": text.replace(f'"schema": "{HEAD}"', '"schema": "9999"'),
        "unknown column 'odd'": text.replace('"row": {', '"row": {"odd": 1, ', 1),
        "no store can keep": text.replace('"kind": "view", ', "", 1),
        "follows the end": text + lines[1],
        "was changed": text.replace('"shoe"', '"shoo"', 1),
        "timestamp of events is 'noon'; microseconds would be valid": re.sub(
            r'"timestamp": \d+', '"timestamp": "noon"', text, count=1
        ),
        "timestamp of events is 1000": re.sub(r'"timestamp": \d+', f'"timestamp": {10**30}', text, count=1),
        "context of events is 'abc', which cannot be read again": text.replace(
            '"context": null', '"context": "abc"', 1
        ),
        r"user_id of events is '\\ud800'": text.replace('"user_id": "ann"', '"user_id": "\\ud800"', 1),
        "event_id of events is .'a': 1.; a text would be valid": re.sub(
            r'"event_id": "\w+"', '"event_id": {"a": 1}', text, count=1
        ),
        "kind of events is 'loves'; one of impression, view": text.replace('"kind": "view"', '"kind": "loves"', 1),
        "tenant of events is None; a text would be valid": text.replace(', "tenant": "open"', "", 1),
        "context of events is '\\[.*, which cannot be read again": text.replace(
            '"context": null', f'"context": "{"[" * 50_000}"', 1
        ),
        "cannot be read .maximum recursion depth": "".join([lines[0], "[" * 50_000 + "\n", *lines[1:]]),
    }


@pytest.mark.parametrize("fault", sorted(damaged("a\n" * 4)))
def test_a_damaged_backup_restores_nothing_and_says_why(
    store: SqlEventStore, other: SqlEventStore, tmp_path: Path, fault: str
) -> None:
    other.put([event(n) for n in range(1500)])
    backup(other, tmp_path / "kept.jsonl")
    (tmp_path / "bad.jsonl").write_text(damaged((tmp_path / "kept.jsonl").read_text())[fault])
    with pytest.raises(DataError, match=fault):
        restore(store, tmp_path / "bad.jsonl")
    assert store.since(0) == []


@pytest.mark.parametrize(("kind", "value"), [("loves", "red"), ("budget", "abc"), ("budget", "nan"), ("budget", "-1")])
def test_what_a_shopper_cannot_have_told_is_not_restored(
    other: SqlEventStore, tmp_path: Path, kind: str, value: str
) -> None:
    """Every later answer of that shopper would be a 500."""
    other.put_told("ann", [Told("dislike", "attribute.colour", "red", "no red", NOON)])
    backup(other, tmp_path / "kept.jsonl")
    text = (tmp_path / "kept.jsonl").read_text().replace('"dislike"', f'"{kind}"').replace('"red"', f'"{value}"')
    (tmp_path / "bad.jsonl").write_text(re.sub(r', "sha256": "[0-9a-f]{64}"', "", text))
    other.forget_told("ann")
    with pytest.raises(DataError, match=r"of told is .* would be valid"):
        restore(other, tmp_path / "bad.jsonl")
    assert other.told_by("ann") == []


@pytest.mark.parametrize(
    "said",
    ['"made_at": "0001-01-01T00:00:00+14:00"', '"made_at": 5', f'"schema": ["{HEAD}"]', f'"shop": {"[" * 50_000}'],
)
def test_a_head_that_is_none_is_one_line(tmp_path: Path, said: str) -> None:
    head = f'{{"format": "vitrine events", "schema": "{HEAD}", {said}}}\n'
    (tmp_path / "odd.jsonl").write_text(head + '{"end": {}}\n')
    for read in (said_origin, contents):
        with pytest.raises(DataError, match=r"backup '.*odd\.jsonl'.* (cannot be read|has schema)"):
            read(tmp_path / "odd.jsonl")


@pytest.mark.parametrize("said", [None, 5, "[1]"])
def test_a_copy_whose_words_are_none_is_one_line(other: SqlEventStore, tmp_path: Path, said: object) -> None:
    backup(other, tmp_path / "kept.sqlite")
    with closing(sqlite3.connect(tmp_path / "kept.sqlite")) as copy:
        copy.execute("UPDATE backup_origin SET origin = ?", (said,))
        copy.commit()
    with pytest.raises(DataError, match=r"backup '.*kept\.sqlite' cannot be read"):
        said_origin(tmp_path / "kept.sqlite")


def test_a_packed_backup_that_broke_off_is_said(other: SqlEventStore, tmp_path: Path) -> None:
    other.put([event(n) for n in range(50)])
    backup(other, tmp_path / "kept.jsonl.gz")
    assert gzip.decompress((tmp_path / "kept.jsonl.gz").read_bytes()).count(b"\n") == 52
    (tmp_path / "bad.gz").write_bytes((tmp_path / "kept.jsonl.gz").read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        restore(other, tmp_path / "bad.gz")


def test_a_backup_is_never_written_over(other: SqlEventStore, tmp_path: Path) -> None:
    (tmp_path / "kept.jsonl").write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        backup(other, tmp_path / "kept.jsonl")
    with pytest.raises(DataError, match=r"ends in \.jsonl\.gz, \.jsonl, \.sqlite"):
        backup(other, tmp_path / "kept.zip")
    assert (tmp_path / "kept.jsonl").read_text() == "mine"


@pytest.mark.postgres
def test_postgres_gives_no_sqlite(tmp_path: Path, postgres_url: str) -> None:
    store = open_event_store(EventConfig(url=SecretStr(postgres_url)), "unused")
    with pytest.raises(DataError, match=r"'\.jsonl\.gz' would be valid"):
        backup(store, tmp_path / "kept.sqlite")
    store.close()


def test_a_backup_of_the_schema_before_this_one_is_taken(other: SqlEventStore, tmp_path: Path) -> None:
    other.put([event(1)])
    backup(other, tmp_path / "kept.jsonl")
    text = (tmp_path / "kept.jsonl").read_text().replace(f'"schema": "{HEAD}"', '"schema": "0002"')
    text = re.sub(r', "sha256": "[0-9a-f]{64}"', "", text)  # which came later
    (tmp_path / "older.jsonl").write_text(text)
    other.forget_user("ann")
    assert restore(other, tmp_path / "older.jsonl").new == {"events": 1}


def test_every_flipped_bit_of_a_backup_is_noticed_or_is_of_no_account(tmp_path: Path) -> None:
    """A disk or a wire that errs: the same rows, or none and a clear line; never others."""
    store = SqliteEventStore(tmp_path / "kept.sqlite")
    fill(store, many=120)
    whole, rng, seen = rows(store), random.Random(5), Counter[str]()
    numbers = count()
    into = SqliteEventStore(tmp_path / "into.sqlite")  # empty until a backup is taken; making one takes longest
    for name in ("kept.jsonl", "kept.jsonl.gz", "copy.sqlite"):
        backup(store, tmp_path / name)
        sound = (tmp_path / name).read_bytes()
        for _ in range(60):
            bad = bytearray(sound)
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            (tmp_path / "bad").write_bytes(bad)
            try:
                restore(into, tmp_path / "bad")
            except DataError:
                assert rows(into) == []
                seen[f"{name} refused"] += 1
            else:
                assert rows(into) == whole, name  # unused space of the file
                into.close()
                into = SqliteEventStore(tmp_path / f"into-{next(numbers)}.sqlite")
    into.close()
    store.close()
    assert min(seen[f"{name} refused"] for name in ("kept.jsonl", "kept.jsonl.gz", "copy.sqlite")) > 5


def test_a_packed_file_of_nothing_does_not_fill_the_memory(
    other: SqlEventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.backup_files._LONGEST_LINE", 1 << 20)
    with gzip.open(tmp_path / "bomb.gz", "wb") as file:
        for _ in range(64):
            file.write(b"0" * (1 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match="line 1: longer than 1,048,576 characters"):
        restore(other, tmp_path / "bomb.gz")
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("what", ["missing", "folder", "empty", "text"])
def test_what_is_no_backup_at_all_is_one_line(other: SqlEventStore, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    elif what != "missing":
        path.write_text("" if what == "empty" else "hello\n")
    with pytest.raises(DataError, match=f"backup '.*{what}'"):
        restore(other, path)
    assert other.since(0) == []


@pytest.mark.parametrize("name", ["kept.jsonl.gz", "kept.sqlite"])
def test_a_damaged_store_gives_no_backup_and_says_why(tmp_path: Path, name: str) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    fill(store)
    store.close()
    with (tmp_path / "events.sqlite").open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xde\xad" * 40_000)
    with pytest.raises(ServiceError, match="malformed"):
        backup(store, tmp_path / name)
    assert not (tmp_path / name).exists()
    store.engine.dispose()


@pytest.mark.parametrize("name", ["kept.jsonl.gz", "kept.sqlite"])
def test_a_backup_says_whose_it_is_and_what_is_in_it(tmp_path: Path, name: str) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    fill(store)
    origin = Origin("boutique", 720, datetime(2026, 3, 1, 12, tzinfo=UTC))
    backup(store, tmp_path / name, origin)
    store.close()
    assert said_origin(tmp_path / name) == origin
    assert str(origin) == "the shop 'boutique' (720 items), 2026-03-01 12:00 UTC"
    held = contents(tmp_path / name)
    assert (held.origin, held.rows) == (origin, COUNTS)
    assert sum(held.tenants.values()) == sum(COUNTS.values()) and set(held.tenants) == {"open", "acme"}


def test_the_words_of_a_copy_are_held_to_its_sum(tmp_path: Path, other: SqlEventStore) -> None:
    other.put([event(1)])
    backup(other, tmp_path / "kept.sqlite", Origin("boutique"))
    (tmp_path / "bad.sqlite").write_bytes((tmp_path / "kept.sqlite").read_bytes().replace(b"boutique", b"bouTique"))
    assert said_origin(tmp_path / "bad.sqlite").shop == "bouTique"
    for read in (contents, lambda source: restore(other, source)):
        with pytest.raises(DataError, match="was changed"):
            read(tmp_path / "bad.sqlite")


def test_a_copy_that_says_its_shop_beside_the_sum_is_still_read(tmp_path: Path, other: SqlEventStore) -> None:
    other.put([event(1)])
    backup(other, tmp_path / "older.sqlite", Origin("boutique"))
    with closing(sqlite3.connect(tmp_path / "older.sqlite")) as copy:
        (said,) = copy.execute("SELECT origin FROM backup_origin").fetchone()
        copy.execute("DROP TABLE backup_origin")
        copy.execute("DROP TABLE backup_sum")
        copy.execute("CREATE TABLE backup_sum AS SELECT ? AS sha256, ? AS origin", (sum_of(copy), said))
        copy.commit()
    assert contents(tmp_path / "older.sqlite").origin == Origin("boutique")


def test_a_shop_name_without_end_is_said_in_one_line() -> None:
    endless = Origin("x" * 3_000_000)
    assert len(str(endless)) < 120
    with pytest.raises(DataError, match="xxx") as refused:
        check_same_shop("kept.sqlite", endless, Origin("y" * 3_000_000))
    assert len(str(refused.value)) < 300


def test_a_backup_of_before_names_no_shop_and_one_cut_short_is_not_listed(tmp_path: Path, store: SqlEventStore) -> None:
    store.put([event(1)])
    backup(store, tmp_path / "kept.jsonl")
    head, *rest = (tmp_path / "kept.jsonl").read_text().splitlines()
    old = json.dumps({name: value for name, value in json.loads(head).items() if name in ("format", "schema")})
    end = {name: value for name, value in json.loads(rest[-1]).items() if name != "sha256"}
    (tmp_path / "old.jsonl").write_text("\n".join([old, *rest[:-1], json.dumps(end)]) + "\n")
    assert contents(tmp_path / "old.jsonl").origin == Origin()
    assert str(Origin()) == "a shop that it does not name"
    (tmp_path / "cut.jsonl").write_text("\n".join([head, *rest[:-1]]) + "\n")
    with pytest.raises(DataError, match="cut short"):
        contents(tmp_path / "cut.jsonl")
    (tmp_path / "none.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="is no backup of events"):
        said_origin(tmp_path / "none.jsonl")


def test_no_shopper_has_told_more_than_is_kept_once_a_backup_is_restored(
    store: SqlEventStore, other: SqlEventStore, tmp_path: Path
) -> None:
    def shade(n: int) -> Told:
        return Told("dislike", "attribute.colour", f"shade {n}", "no", NOON + timedelta(minutes=n))

    store.put_told("ann", [shade(n) for n in range(MOST_TOLD)])
    store.put_told("ben", [shade(0)])
    other.put_told("ann", [shade(n) for n in range(MOST_TOLD - 5, MOST_TOLD + 5)])
    backup(store, tmp_path / "b.jsonl")
    assert restore(other, tmp_path / "b.jsonl").new["told"] == MOST_TOLD - 5 - 5 + 1
    kept = [each.value for each in other.told_by("ann")]
    assert len(kept) == MOST_TOLD and (kept[0], kept[-1]) == (f"shade {MOST_TOLD + 4}", "shade 5")
    assert len(other.told_by("ben")) == 1
    assert restore(other, tmp_path / "b.jsonl").new["told"] == 0
