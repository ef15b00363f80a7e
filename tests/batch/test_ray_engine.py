import os
import threading

import pytest

from batch.base import Steps
from batch.diary import DiaryModel, read_diary, run_squares, square_pieces, squares
from batch.job import JobConfig
from batch.local import LocalEngine
from batch.ray_engine import RayConfig, RayEngine
from catalog.errors import ConfigError, ServiceError

pytest.importorskip("ray", reason="ray is not installed (pip install -e '.[ray]' -c constraints.txt)")

CONFIG = JobConfig(batch_size=8, workers=2, decoders=2)


def test_steps_that_cannot_travel_are_refused_with_the_way_out():
    lock = threading.Lock()
    with pytest.raises(
        ConfigError, match=r"cannot be sent to other processes: TypeError: cannot pickle '_thread.lock'"
    ):
        RayEngine().run([1], Steps(str, lambda batch: [lock for _ in batch]), batch_size=1, workers=1, decoders=1)


def test_a_local_cluster_without_a_cpu_to_decode_on_is_refused():
    with pytest.raises(ConfigError, match=r"batch.ray.num_cpus=2 leaves no CPU .* 3 or more would be valid"):
        RayEngine(RayConfig(num_cpus=2)).run([1], Steps(str, list), batch_size=1, workers=2, decoders=2)


def test_gpus_that_are_not_there_are_refused(ray_cluster):
    run = RayEngine(RayConfig(gpus_per_worker=1)).run([1], Steps(str, list), batch_size=1, workers=2, decoders=1)
    with pytest.raises(ConfigError, match=r"batch.ray.gpus_per_worker asks for 1 GPU a worker, this cluster has none"):
        list(run)


@pytest.mark.slow
def test_a_killed_worker_costs_its_block_alone(ray_cluster, tmp_path):
    model = DiaryModel(tmp_path / "diary", seconds=0.02, kills=100)
    run_squares(tmp_path / "store", model, 400, RayEngine(), CONFIG)
    assert (model.diary / "killed").exists()
    run_squares(tmp_path / "reference", DiaryModel(tmp_path / "reference-diary"), 400, LocalEngine(), CONFIG)
    assert squares(tmp_path / "store") == squares(tmp_path / "reference")
    diary = read_diary(model.diary)
    inferred = [entry.number for entry in diary if entry.step == "infer"]
    # The block that the worker had begun is done again, and at most one that had come in behind it.
    assert len(inferred) - len(set(inferred)) <= 8
    workers = {entry.process for entry in diary if entry.step == "infer"}
    decoders = {entry.process for entry in diary if entry.step == "prepare"}
    assert len(workers) == 3 and os.getpid() not in workers | decoders
    assert workers.isdisjoint(decoders)


def test_a_block_that_kills_every_worker_ends_the_run_with_its_cure(ray_cluster, tmp_path):
    model = DiaryModel(tmp_path / "diary", kills=20, always=True)
    with pytest.raises(ServiceError, match="2 workers of Ray died one after the other at the infer step of block 2"):
        run_squares(tmp_path / "store", model, 200, RayEngine(RayConfig(max_retries=1)), CONFIG)


def test_an_error_keeps_the_lines_of_its_worker(ray_cluster):
    with pytest.raises(ZeroDivisionError) as caught:
        list(RayEngine().run([1, 0], Steps((1).__truediv__, list), batch_size=1, workers=1, decoders=1))
    assert "In a worker of Ray:\nTraceback" in caught.value.__notes__[0]


def test_a_fault_of_the_work_itself_is_raised_after_what_was_done(ray_cluster):
    def work():
        yield from square_pieces(3)
        raise KeyError("no more rows")

    got = []
    with pytest.raises(KeyError, match="no more rows"):
        for batch in RayEngine().run(work(), Steps(str, list), batch_size=1, workers=1, decoders=1):
            got += batch.results
    assert len(got) <= 3


def test_work_is_read_no_further_ahead_than_the_blocks_on_their_way(ray_cluster, tmp_path):
    taken = 0

    def work():
        nonlocal taken
        for piece in square_pieces(5000):
            taken += 1
            yield piece

    model = DiaryModel(tmp_path)
    engine = RayEngine(RayConfig(block_rows=5))
    done = 0
    for batch in engine.run(work(), Steps(model.prepare, model.infer), batch_size=4, workers=1, decoders=1):
        done += len(batch.results)
        # 6 blocks of 8 rows, since 5 rows are rounded up to whole batches, and the one being filled.
        assert taken <= done + 7 * 8
        if done > 400:
            break
    assert done > 400


def test_one_decoder_keeps_the_order_of_the_work(ray_cluster, tmp_path):
    model = DiaryModel(tmp_path)
    batches = RayEngine().run(square_pieces(50), Steps(model.prepare, model.infer), batch_size=4, workers=2, decoders=1)
    got = [result.values["square"] for batch in batches for result in batch.results]
    assert got == [piece.payload["number"] ** 2 for piece in square_pieces(50)]


def test_no_work(ray_cluster):
    assert list(RayEngine().run([], Steps(str, list), batch_size=1, workers=1, decoders=1)) == []


@pytest.mark.slow
def test_a_killed_driver_loses_nothing(tmp_path):
    from bench.kills import kill_and_resume

    outcome = kill_and_resume(tmp_path, "ray", moments=1, count=240, seconds=0.05, seed=11)
    assert outcome.kills == 1 and outcome.identical
    assert outcome.twice <= outcome.allowed
