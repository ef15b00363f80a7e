"""One contract for every engine: what a job makes does not depend on who ran it."""

import pytest

from batch.base import Steps
from batch.diary import DiaryModel, read_diary, run_squares, square_pieces, squares
from batch.job import JobConfig
from batch.local import LocalEngine
from batch.ray_engine import RayEngine
from catalog.errors import ConfigError, ServiceError

COUNT = 200
CONFIG = JobConfig(batch_size=8, workers=2, decoders=2)


@pytest.fixture(params=["local", "ray"])
def engine(request):
    if request.param == "local":
        return LocalEngine()
    request.getfixturevalue("ray_cluster")
    return RayEngine()


def test_the_rows_are_those_of_arithmetic_and_of_the_other_engine(engine, tmp_path):
    model = DiaryModel(tmp_path / "diary", fails=(33,), unreadable=(44,))
    report = run_squares(tmp_path / "store", model, COUNT, engine, CONFIG)
    assert (report.done, report.failed, report.duplicates) == (COUNT - 2, 2, COUNT // 10)
    assert report.failures == {"odd day": 1, "media": 1}
    assert 0 < report.busy <= 1
    other = DiaryModel(tmp_path / "other", fails=(33,), unreadable=(44,))
    run_squares(tmp_path / "reference", other, COUNT, LocalEngine(), JobConfig(batch_size=1, workers=1, decoders=1))
    assert squares(tmp_path / "store") == squares(tmp_path / "reference")
    inferred = sorted(entry.number for entry in read_diary(model.diary) if entry.step == "infer")
    assert inferred == [n for n in range(COUNT) if n % 10 != 9 and n != 44]


def test_an_outage_is_raised_as_it_was_and_what_was_done_is_kept(engine, tmp_path):
    broken = DiaryModel(tmp_path / "diary", seconds=0.01, outage=100)
    with pytest.raises(ServiceError, match="nobody answers") as caught:
        run_squares(tmp_path / "store", broken, COUNT, engine, CONFIG)
    assert caught.value.retryable
    done = {entry.number for entry in read_diary(broken.diary) if entry.step == "infer"}
    assert done and len(done) < 180
    again = DiaryModel(tmp_path / "again")
    run_squares(tmp_path / "store", again, COUNT, LocalEngine(), CONFIG)
    assert done.isdisjoint(entry.number for entry in read_diary(again.diary) if entry.step == "infer")


def test_leaving_early_ends_the_run(engine, tmp_path):
    model = DiaryModel(tmp_path, seconds=0.01)
    batches = engine.run(
        iter(square_pieces(100_000)), Steps(model.prepare, model.infer), batch_size=4, workers=1, decoders=1
    )
    first = next(batches)
    assert [result.values["square"] for result in first.results] == [0, 1, 4, 9]
    batches.close()
    assert sum(entry.step == "prepare" for entry in read_diary(tmp_path)) < 200


@pytest.mark.parametrize("name", ["batch_size", "workers", "decoders"])
@pytest.mark.parametrize("made", [LocalEngine, RayEngine])
def test_bad_sizes_are_refused_before_any_work(made, name):
    sizes = {"batch_size": 1, "workers": 1, "decoders": 1, name: 0}
    with pytest.raises(ConfigError, match=f"{name}=0: 1 or more would be valid"):
        made().run([1], Steps(abs, list), **sizes)
