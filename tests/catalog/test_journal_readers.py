"""Who serves a store says how far it is; the living are waited for, the dead are not."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.journal_readers import JournalReaders

READER = """
import sys, time
from pathlib import Path
from catalog.journal_readers import JournalReaders
readers = JournalReaders(Path(sys.argv[1]), "shop")
readers.join()
readers.tell(known=7, settled=5)
print("there", flush=True)
time.sleep(600)
"""


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[JournalReaders]:
    mine = JournalReaders(tmp_path, "shop")
    mine.join()
    yield mine
    mine.leave()


def test_alone_nobody_is_waited_for(mine: JournalReaders) -> None:
    assert mine.wait("settled", 10**12, 0.0)


def test_a_write_waits_for_the_others_step_by_step(mine: JournalReaders, tmp_path: Path) -> None:
    other = JournalReaders(tmp_path, "shop")
    other.tell(known=3)
    assert mine.wait("settled", 99, 0.0)  # it has not joined
    other.join()
    assert mine.wait("known", 3, 0.0) and not mine.wait("settled", 3, 0.0) and not mine.wait("known", 4, 0.0)
    other.tell(settled=3)
    assert mine.wait("settled", 3, 0.0)
    other.tell(known=1, settled=1)  # it never goes back
    assert mine.wait("settled", 3, 0.0)
    threading.Timer(0.1, lambda: other.tell(known=4)).start()
    assert mine.wait("known", 4, 20.0)
    other.leave()
    assert mine.wait("settled", 99, 0.0)


def test_who_serves_another_shop_of_the_store_is_not_waited_for(mine: JournalReaders, tmp_path: Path) -> None:
    other = JournalReaders(tmp_path, "another")
    other.join()
    assert mine.wait("settled", 9, 0.0)
    other.leave()


def test_waiting_ends_when_it_makes_no_sense_any_more(mine: JournalReaders, tmp_path: Path) -> None:
    other = JournalReaders(tmp_path, "shop")
    other.join()
    began = time.monotonic()
    assert not mine.wait("known", 1, 600.0, lambda: False)
    assert time.monotonic() - began < 60
    other.leave()


def test_a_process_that_was_killed_is_waited_for_by_nobody(mine: JournalReaders, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", READER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "there\n"
        assert mine.wait("known", 7, 0.0) and mine.wait("settled", 5, 0.0) and not mine.wait("settled", 6, 0.0)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert mine.wait("settled", 6, 0.0)
    assert len(list(tmp_path.glob("*.reader"))) == 1  # and cleared away
