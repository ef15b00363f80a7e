"""A file that somebody is writing to while it is first opened."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.events import SqliteEventStore
from catalog.item_journal import ItemJournal
from catalog.write_ahead import write_ahead


@pytest.mark.parametrize("opened", [lambda path: ItemJournal(path, "shop"), SqliteEventStore])
def test_whoever_comes_second_waits(tmp_path: Path, opened: Callable[[Path], ItemJournal | SqliteEventStore]) -> None:
    path = tmp_path / "some.sqlite"
    first = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    first.execute("CREATE TABLE another (name)")
    first.execute("BEGIN IMMEDIATE")
    later = threading.Timer(0.2, first.execute, ["COMMIT"])
    later.start()
    opened(path).close()
    later.join()
    first.close()


def test_a_file_that_stays_locked_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite"
    first = sqlite3.connect(path, isolation_level=None)
    first.execute("BEGIN IMMEDIATE")
    second = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead(second, seconds=0)
    second.close()
    first.close()
