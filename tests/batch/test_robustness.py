"""Kills, a full disk, damage: nothing is lost, and what was made is what an undisturbed run makes."""

import errno
import hashlib
import multiprocessing
import os
import random
import signal
import time
from collections import Counter

import polars as pl
import pyarrow.parquet as parquet
import pytest

from batch.doubles import NAME, SlowSquares, squares, squares_in_a_process
from catalog.errors import DataError
from catalog.workspace import Workspace

COUNT, BATCH = 160, 4
# At a kill: the batch being inferred, two that wait for the writer, and the one it is writing.
IN_FLIGHT = 4 * BATCH


@pytest.fixture(scope="module")
def processes():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["batch.doubles"])
    return context


def start(processes, store, diary, delay=0.02, largest_file=None):
    said, saying = processes.Pipe(duplex=False)
    infer = SlowSquares(diary, delay, every=50)
    job = processes.Process(target=squares_in_a_process, args=(store, infer, COUNT, saying, largest_file))
    job.start()
    saying.close()
    return job, said


def lines(diary):
    return diary.read_text().splitlines() if diary.exists() else []


def data(store):
    folder = Workspace(store).path(NAME)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_killed_at_ten_random_moments_it_ends_in_the_same_bytes(processes, tmp_path):
    rng = random.Random(7)
    store, diary = tmp_path / "killed", tmp_path / "diary"
    for _ in range(10):
        job, _ = start(processes, store, diary)
        wanted = len(lines(diary)) + rng.randint(0, COUNT // 12)
        until(lambda wanted=wanted, job=job: len(lines(diary)) >= wanted or not job.is_alive())
        time.sleep(rng.random() * 0.03)
        os.kill(job.pid, signal.SIGKILL)
        job.join()
    assert not Workspace(store).has(NAME)
    report = squares(store, SlowSquares(diary, every=50), COUNT)
    times = Counter(lines(diary))
    assert set(times) == {str(n) for n in range(1, COUNT + 1)}
    assert times.total() - COUNT <= 10 * IN_FLIGHT and times.most_common(1)[0][1] <= 1 + 10
    assert (report.done + report.reused, report.failed) == (COUNT - 3, 3)
    squares(tmp_path / "whole", SlowSquares(tmp_path / "other", every=50), COUNT, batch_size=7, workers=2)
    assert data(store) == data(tmp_path / "whole")


def test_a_signal_pauses_after_the_batch_in_flight_and_the_next_run_goes_on(processes, tmp_path):
    store, diary = tmp_path / "store", tmp_path / "diary"
    job, said = start(processes, store, diary)
    until(lambda: len(lines(diary)) >= 3 * BATCH)
    os.kill(job.pid, signal.SIGTERM)
    kind, text = said.recv()
    job.join()
    done = len(lines(diary))
    failed = done // 50
    assert kind == "JobPaused" and 3 * BATCH <= done < COUNT
    note = f", {failed} failed" if failed else ""
    assert text == f"paused: {NAME}: {done - failed} of {COUNT} done{note}, run the same command to go on"
    squares(store, SlowSquares(diary, every=50), COUNT)
    assert sorted(map(int, lines(diary))) == list(range(1, COUNT + 1))


def test_a_limit_on_files_is_one_line_and_what_is_there_stays(processes, tmp_path):
    store, diary = tmp_path / "store", tmp_path / "diary"
    job, said = start(processes, store, diary, largest_file=300)
    kind, text = said.recv()
    job.join()
    assert kind == "DataError" and "cannot be written (File too large)" in text and "\n" not in text
    assert squares(store, SlowSquares(diary), COUNT).done == COUNT


@pytest.fixture
def full_disk(monkeypatch):
    """The disk is full from the third file on."""
    calls, real = [], os.fsync

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_full_disk_keeps_every_shard_written_and_the_next_run_goes_on(tmp_path, full_disk, monkeypatch):
    store, diary = tmp_path / "store", tmp_path / "diary"
    with pytest.raises(DataError, match=r"part-0+3\.parquet' cannot be written \(No space left on device\)"):
        squares(store, SlowSquares(diary), COUNT)
    assert not list((store / NAME / ".parts").glob(".tmp-*"))
    monkeypatch.undo()
    report = squares(store, SlowSquares(diary), COUNT)
    assert (report.done, report.reused) == (COUNT - 2 * BATCH, 2 * BATCH)


def test_values_damaged_inside_a_shard_are_made_again_in_the_same_run(tmp_path, caplog):
    store, diary = tmp_path / "store", tmp_path / "diary"
    squares(store, SlowSquares(diary), 20)
    before = data(store)
    [shard] = (store / NAME / ".parts").glob("part-*.parquet")
    column = parquet.read_metadata(shard).row_group(0).column(5)
    assert column.path_in_schema == "square"
    content = bytearray(shard.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    shard.write_bytes(content)
    (store / NAME / "manifest.json").unlink()
    squares(store, SlowSquares(diary), 20)
    assert "shard dropped" in caplog.text
    assert data(store) == before and len(lines(diary)) == 40


def test_an_empty_shard_file_and_a_damaged_report_cost_only_themselves(tmp_path):
    store, diary = tmp_path / "store", tmp_path / "diary"
    squares(store, SlowSquares(diary), 20)
    (store / NAME / ".parts" / "part-00000099.parquet").write_bytes(b"")
    (store / NAME / "runs.json").write_text("{")
    assert squares(store, SlowSquares(diary), 20).reused == 20
    assert len(pl.read_parquet(Workspace(store).path(NAME) / "rows.parquet")) == 20
