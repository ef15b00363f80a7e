"""Kills, a full disk, damage: nothing is lost, and what was made is what an undisturbed run makes."""

import errno
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter

import polars as pl
import pyarrow.parquet as parquet
import pytest
from pydantic import ValidationError

from batch.doubles import NAME, SlowSquares, squares, squares_in_a_process
from batch.job import JobConfig
from batch.report import estimate
from captioning.job import CaptionJobConfig
from captioning.speech.job import SpeechJobConfig
from catalog.errors import DataError
from catalog.workspace import Workspace
from embedding.job import EmbedJobConfig
from embedding.picture_job import PictureJobConfig

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


def hang(folder, said):
    def infer(numbers):
        said.send(os.getpid())
        threading.Event().wait()

    squares(folder, infer, 8)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_a_job_whose_model_hangs(processes, tmp_path, number):
    said, saying = processes.Pipe(duplex=False)
    job = processes.Process(target=hang, args=(tmp_path, saying))
    job.start()
    said.recv()
    os.kill(job.pid, number)
    job.join(0.5)
    assert job.is_alive()
    for _ in range(30):  # on a busy machine the first may still be pending, and of two alike only one arrives
        os.kill(job.pid, number)
        job.join(1)
        if not job.is_alive():
            break
    assert job.exitcode == 128 + number


def test_names_that_are_not_ours_and_what_is_no_file_are_passed_over(tmp_path, caplog):
    store, diary = tmp_path / "store", tmp_path / "diary"
    squares(store, SlowSquares(diary), 20)
    parts = store / NAME / ".parts"
    (parts / "part-abc.parquet").write_bytes(b"mine")
    os.mkfifo(parts / "part-00000098.parquet")
    (parts / "part-00000099.parquet").mkdir()
    (parts / ".tmp-folder").mkdir()
    report = squares(store, SlowSquares(diary), 24)
    assert (report.reused, report.done) == (20, 4)
    assert caplog.text.count("shard passed over") == 2
    assert (parts / "part-abc.parquet").read_bytes() == b"mine"
    assert list(parts.glob("part-000001??.parquet"))


@pytest.mark.parametrize("note", ["99999999999999999999", "-3", "x", "9" * 5000])
def test_a_damaged_note_of_an_unfinished_run_is_none(tmp_path, note):
    store, diary = tmp_path / "store", tmp_path / "diary"
    squares(store, SlowSquares(diary), 20)
    (store / NAME / ".parts" / ".unfinished").write_text(note)
    squares(store, SlowSquares(diary), 24)
    shards = sorted((store / NAME / ".parts").glob("part-*.parquet"))
    assert set(pl.concat(map(pl.read_parquet, shards))["run"]) == {1, 2}


@pytest.mark.parametrize(
    "runs",
    [
        "7",
        "[" * 100_000,
        "[7, null, {}]",
        '[{"worked": "7", "phases": {}, "usage": {}}]',
        '[{"worked": 7, "phases": 1, "usage": {"prompt": 1, "completion": 1}}]',
        '[{"worked": 7, "phases": {"work": NaN}, "usage": {"prompt": 1, "completion": 1}}]',
        '[{"worked": 7, "phases": {"work": "x"}, "usage": {"prompt": 1, "completion": 1}}]',
        '[{"worked": 7, "phases": {"work": 1}, "usage": {"prompt": 1}}]',
        '[{"worked": 1' + "0" * 400 + ', "phases": {"work": 1}, "usage": {"prompt": 1, "completion": 1}}]',
    ],
)
def test_reports_of_a_wrong_shape_are_no_earlier_runs(tmp_path, runs):
    home = tmp_path / NAME
    home.mkdir(parents=True)
    (home / "runs.json").write_text(runs)
    assert estimate(home, 10) == (None, None)
    squares(tmp_path, SlowSquares(tmp_path / "diary"), 8)
    assert estimate(home, 10)[0] is not None


def test_reports_and_notes_that_are_pipes_are_not_waited_for(tmp_path):
    (tmp_path / NAME / ".parts").mkdir(parents=True)
    for name in ("runs.json", ".parts/.unfinished"):
        os.mkfifo(tmp_path / NAME / name)
    assert squares(tmp_path, SlowSquares(tmp_path / "diary"), 8).done == 8


@pytest.mark.parametrize("sizes", [{"decoders": 257}, {"workers": 100_000}, {"batch_size": 65_537}])
def test_sizes_beyond_any_machine_are_refused(sizes):
    for config in (JobConfig, EmbedJobConfig, PictureJobConfig, SpeechJobConfig, CaptionJobConfig):
        with pytest.raises(ValidationError, match="less than or equal"):
            config(**sizes)


def overwrite(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("harm", [overwrite, cut, os.remove])
@pytest.mark.parametrize("name", ["rows.parquet", "failures.parquet"])
def test_a_damaged_artifact_is_written_again_without_any_work(tmp_path, caplog, harm, name):
    store, diary = tmp_path / "store", tmp_path / "diary"
    squares(store, SlowSquares(diary), 20)
    before = data(store)
    harm(Workspace(store).path(NAME) / name)
    assert squares(store, SlowSquares(diary), 20).reused == 20
    assert data(store) == before and len(lines(diary)) == 20
    assert caplog.text.count("artifact written again") == 1
    squares(store, SlowSquares(diary), 20)
    assert caplog.text.count("artifact written again") == 1


def test_an_artifact_whose_folder_is_gone_is_written_again_and_a_copied_one_is_not(tmp_path):
    store, diary = tmp_path / "store", tmp_path / "diary"
    squares(store, SlowSquares(diary), 20)
    before, manifest = data(store), store / NAME / "manifest.json"
    for path in Workspace(store).path(NAME).iterdir():
        os.utime(path)
    written = manifest.stat().st_mtime_ns
    squares(store, SlowSquares(diary), 20)
    assert manifest.stat().st_mtime_ns == written
    shutil.rmtree(Workspace(store).path(NAME))
    squares(store, SlowSquares(diary), 20)
    assert data(store) == before
