import hashlib
import json
import multiprocessing
from pathlib import Path

import polars as pl
import pytest

from batch.assembly import write_frames
from batch.base import Piece, Result, Usage, Work
from batch.job import JobConfig, plan_job, run_job
from batch.local import LocalEngine
from batch.lock import exclusive
from batch.report import estimate, is_steady, report_line
from catalog.errors import BusyError, DataError, MediaError, ServiceError
from catalog.progress import SILENT
from catalog.workspace import Workspace

SCHEMA = {"square": pl.Int64}


class Squares:
    """Squares numbers, remembers what it was asked, fails on those in `bad`, dies at `outage`."""

    def __init__(self, bad=(), outage=None):
        self.asked, self.bad, self.outage = [], set(bad), outage

    def __call__(self, batch):
        out = []
        for number in batch:
            if number == self.outage:
                raise ServiceError("squares: nobody answers", retryable=True)
            self.asked.append(number)
            bad = number in self.bad
            out.append(Result.failed("odd day", f"no square of {number}") if bad else Result({"square": number**2}))
        return out


def pieces(numbers):
    return [Piece({"item_id": f"i{n}"}, f"key-{n}", {"number": n}) for n in numbers]


def work_of(given):
    given = list(given)
    return Work.of(
        given if given and isinstance(given[0], Piece) else pieces(given), ("item_id",), {"number": pl.Int64}
    )


def number_of(piece):
    return piece.payload["number"]


def write_rows(folder, rows):
    write_frames(folder / "rows.parquet", rows.frames, rows.schema)


def run(store, numbers, infer, progress=SILENT, *, limit=None, retry_all=False, prepare=number_of, **config):
    config = {"batch_size": 1, "workers": 1, "decoders": 1, "flush_rows": 1, **config}
    return run_job(
        Workspace(store),
        "squares/test",
        work=work_of(numbers),
        prepare=prepare,
        infer=infer,
        schema=SCHEMA,
        assemble=write_rows,
        engine=LocalEngine(),
        config=JobConfig(**config),
        progress=progress,
        limit=limit,
        retry_all=retry_all,
    )


def result(store):
    return pl.read_parquet(Workspace(store).path("squares/test") / "rows.parquet")


def data_bytes(store):
    folder = Workspace(store).path("squares/test")
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_rows_stand_in_work_order_with_counts(tmp_path):
    report = run(tmp_path, [3, 1, 2], Squares(), workers=2)
    assert result(tmp_path).rows() == [("i3", 9), ("i1", 1), ("i2", 4)]
    assert (report.done, report.reused, report.failed) == (3, 0, 0)
    assert Workspace(tmp_path).manifest("squares/test").meta["rows"] == 3


def test_an_outage_keeps_what_was_done_and_the_next_run_does_only_the_rest(tmp_path):
    with pytest.raises(ServiceError, match="nobody answers"):
        run(tmp_path / "cut", range(10), Squares(outage=6))
    assert not Workspace(tmp_path / "cut").has("squares/test")
    second = Squares()
    report = run(tmp_path / "cut", range(10), second)
    assert second.asked == [6, 7, 8, 9]
    assert (report.done, report.reused) == (4, 6)
    run(tmp_path / "whole", range(10), Squares(), batch_size=3, workers=2)
    assert data_bytes(tmp_path / "cut") == data_bytes(tmp_path / "whole")


def test_rows_are_reused_when_the_catalogue_changes(tmp_path):
    run(tmp_path, [1, 2, 3], Squares())
    process = Squares()
    report = run(tmp_path, [4, 3, 1], process)
    assert process.asked == [4]
    assert (report.done, report.reused) == (1, 2)
    assert result(tmp_path).rows() == [("i4", 16), ("i3", 9), ("i1", 1)]
    back = Squares()
    run(tmp_path, [1, 2, 3], back)
    assert back.asked == []


def test_nothing_new_leaves_the_artifact_alone(tmp_path):
    run(tmp_path, [1, 2], Squares())
    before = (tmp_path / "squares/test/manifest.json").stat().st_mtime_ns
    process = Squares()
    report = run(tmp_path, [1, 2], process)
    assert process.asked == [] and report.reused == 2
    assert (tmp_path / "squares/test/manifest.json").stat().st_mtime_ns == before


def test_failures_are_kept_with_reason_counted_and_retried(tmp_path):
    report = run(tmp_path, [1, 2, 3], Squares(bad=[2]))
    assert (report.done, report.failed, report.failures) == (2, 1, {"odd day": 1})
    failures = pl.read_parquet(Workspace(tmp_path).path("squares/test") / "failures.parquet")
    assert failures.rows(named=True) == [
        {"item_id": "i2", "key": "key-2", "reason": "odd day", "detail": "no square of 2", "attempts": 1}
    ]
    resting = Squares()
    assert run(tmp_path, [1, 2, 3], resting, retry_failed=False).failed == 1
    assert resting.asked == []
    retried = Squares()
    report = run(tmp_path, [1, 2, 3], retried)
    assert retried.asked == [2]
    assert (report.done, report.reused, report.failed) == (1, 2, 0)
    assert result(tmp_path)["square"].to_list() == [1, 4, 9]


def test_a_success_is_never_lost_to_a_later_failure(tmp_path):
    run(tmp_path, [1], Squares())
    assert run(tmp_path, [1, 2], Squares(bad=[1, 2])).failed == 1
    assert result(tmp_path).rows() == [("i1", 1)]


def test_pieces_of_one_key_are_done_once(tmp_path):
    work = [Piece({"item_id": "a"}, "same", {"number": 5}), Piece({"item_id": "b"}, "same", {"number": 5})]
    process = Squares()
    run(tmp_path, work, process)
    assert process.asked == [5]
    assert result(tmp_path).rows() == [("a", 25), ("b", 25)]


def test_a_piece_that_could_not_be_read_is_a_failure(tmp_path):
    work = [
        *pieces([1]),
        Piece({"item_id": "x"}, None, {"number": None}, Result.failed("media", "x.jpg: no such file")),
    ]
    report = run(tmp_path, work, Squares())
    assert report.failures == {"media": 1}


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    with (
        exclusive(tmp_path / "squares/test/.lock", "squares/test"),
        pytest.raises(BusyError, match="another run of 'squares/test' is going on"),
    ):
        run(tmp_path, [1], Squares())
    assert run(tmp_path, [1], Squares()).done == 1


def _hold(path, ready):
    with exclusive(Path(path), "x"):
        ready.set()
        import time

        time.sleep(60)


def test_a_killed_holder_leaves_no_lock(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(str(tmp_path / "lock"), ready))
    holder.start()
    assert ready.wait(30)
    with pytest.raises(BusyError, match=f"process {holder.pid}"), exclusive(tmp_path / "lock", "x"):
        pass
    holder.kill()
    holder.join()
    with exclusive(tmp_path / "lock", "x"):
        pass


def test_a_damaged_shard_is_dropped_and_its_work_done_again(tmp_path, caplog):
    run(tmp_path, [1, 2], Squares())
    [shard] = (tmp_path / "squares/test/.parts").glob("part-*.parquet")
    shard.write_bytes(shard.read_bytes()[:50])
    (shard.parent / ".tmp-1-part").write_bytes(b"half")
    process = Squares()
    assert run(tmp_path, [1, 2], process).done == 2
    assert process.asked == [1, 2]
    assert "shard dropped" in caplog.text
    assert not list(shard.parent.glob(".tmp-*"))


def test_results_of_another_width_are_left_where_they_are(tmp_path):
    def embed(width, asked):
        def infer(batch):
            asked.extend(batch)
            return [Result({"vector": [float(number)] * width}) for number in batch]

        return run_job(
            Workspace(tmp_path), "embeddings/x", work=work_of(range(4)), prepare=number_of, infer=infer,
            schema={"vector": pl.Array(pl.Float32, width)}, assemble=write_rows, engine=LocalEngine(),
            meta={"dim": width},
        )  # fmt: skip

    narrow, wide, again, once_more = [], [], [], []
    embed(2, narrow)
    embed(3, wide)
    assert embed(2, again).reused == 4 and again == []
    assert embed(3, once_more).reused == 4 and once_more == []
    assert len(narrow) == len(wide) == 4


def test_progress_counts_every_piece(tmp_path):
    class Bar:
        steps = 0

        def start(self, task, total, done=0):
            self.task, self.total, self.before = task, total, done

        def advance(self, steps=1, note=""):
            self.steps += steps

        def finish(self):
            self.ended = True

    run(tmp_path, [1, 2], Squares())
    bar = Bar()
    run_job(
        Workspace(tmp_path),
        "squares/test",
        work=work_of([1, 2, 3]),
        prepare=number_of,
        infer=Squares(bad=[3]),
        schema=SCHEMA,
        assemble=lambda folder, rows: None,
        engine=LocalEngine(),
        progress=bar,
    )
    assert (bar.task, bar.total, bar.before, bar.steps, bar.ended) == ("squares/test", 3, 2, 1, True)


def test_duplicates_are_work_of_this_run_and_are_named(tmp_path):
    class Bar:
        before, steps = 0, 0

        def start(self, task, total, done=0):
            self.before = done

        def advance(self, steps=1, note=""):
            self.steps += steps

        def finish(self):
            pass

    bar = Bar()
    first = run(tmp_path, [4, 5, 4, 4, 6, 6], Squares(bad=[6]), progress=bar)
    assert (bar.before, bar.steps) == (0, 6)
    assert (first.done, first.duplicates, first.reused, first.failed) == (4, 2, 0, 2)
    again = run(tmp_path, [4, 5, 4, 4, 6, 6], Squares())
    assert (again.done, again.duplicates, again.reused, again.failed) == (2, 1, 4, 0)


def test_reasons_are_counted_with_their_first_case_the_commonest_first(tmp_path):
    report = run(tmp_path, [1, 2, 3], Squares(bad=[2, 3]))
    assert list(report.failures) == list(report.examples) and sum(report.failures.values()) == 2
    assert "2" in next(iter(report.examples.values()))


def test_no_work_is_one_clear_line(tmp_path):
    with pytest.raises(DataError, match="nothing to work on"):
        run(tmp_path, [], Squares())


def test_what_fails_again_and_again_is_left_alone_until_it_is_asked_for(tmp_path):
    asked = []
    for _ in range(4):
        infer = Squares(bad=[2])
        run(tmp_path, [1, 2], infer, max_attempts=3)
        asked.append(infer.asked)
    assert asked == [[1, 2], [2], [2], []]
    failures = pl.read_parquet(Workspace(tmp_path).path("squares/test") / "failures.parquet")
    assert failures["attempts"].to_list() == [3]
    plan = planned(tmp_path, [1, 2])
    assert (plan.todo, plan.resting, plan.reused) == (0, 1, 1) and "--retry-all" in plan.text()
    assert planned(tmp_path, [1, 2], retry_all=True).retried == 1
    assert run(tmp_path, [1, 2], Squares(), retry_all=True).failed == 0


def test_a_failure_of_a_run_that_was_cut_off_waits_for_the_next_run(tmp_path):
    with pytest.raises(ServiceError):
        run(tmp_path, [1, 2, 3], Squares(bad=[1], outage=3))
    resumed = Squares()
    assert run(tmp_path, [1, 2, 3], resumed).failed == 1
    assert resumed.asked == [3]
    later = Squares()
    assert run(tmp_path, [1, 2, 3], later).failed == 0
    assert later.asked == [1]


def planned(store, numbers, **options):
    return plan_job(Workspace(store), "squares/test", work=work_of(numbers), schema=SCHEMA, **options)


def test_a_dry_run_counts_writes_nothing_and_estimates_by_earlier_runs(tmp_path):
    plan = planned(tmp_path, [1, 2, 2, 3])
    assert (plan.pieces, plan.todo, plan.duplicates, plan.seconds) == (4, 3, 1, None)
    assert "no estimate" in plan.text() and not list(tmp_path.iterdir())
    run(tmp_path, [1, 2, 2, 3], Squares(bad=[3]))
    unreadable = Piece({"item_id": "x"}, None, {"number": None}, Result.failed("media", "x.jpg: no such file"))
    plan = planned(tmp_path, [*pieces([1, 2, 3, 4, 5, 6]), unreadable], limit=3)
    assert (plan.reused, plan.todo, plan.retried, plan.left, plan.unreadable) == (2, 3, 1, 1, 1)
    assert plan.seconds is not None and "at the rate of earlier runs" in plan.text()


def test_the_estimate_is_the_mean_of_the_latest_runs(tmp_path):
    runs = [
        {"worked": 100, "phases": {"work": 50.0}, "usage": {"prompt": 1000, "completion": 200}},
        {"worked": 300, "phases": {"work": 150.0}, "usage": {"prompt": 3000, "completion": 600}},
        {"worked": 0, "phases": {"work": 9.0}, "usage": {"prompt": 0, "completion": 0}},
    ]
    (tmp_path / "runs.json").write_text(json.dumps(runs))
    assert estimate(tmp_path, 1000) == (500.0, Usage(10_000, 2_000))


def test_the_loading_of_a_model_is_no_rate(tmp_path):
    usage = {"prompt": 0, "completion": 0}
    short = {"worked": 2, "phases": {"work": 30.0}, "usage": usage, "opened": 2, "opening": 30.0}
    (tmp_path / "runs.json").write_text(json.dumps([short]))
    assert estimate(tmp_path, 10)[0] == 150.0 and not is_steady(tmp_path)  # 30 s for two: nothing else is known
    (tmp_path / "runs.json").write_text(json.dumps([short, short | {"worked": 42, "phases": {"work": 50.0}}]))
    assert estimate(tmp_path, 10)[0] == 5.0 and is_steady(tmp_path)  # (50 - 30) s for 42 - 2


class Counted:
    def __init__(self):
        self.steps, self.note = 0, ""

    def start(self, task, total, done=0):
        self.total, self.done = total, done

    def advance(self, steps=1, note=""):
        self.steps, self.note = self.steps + steps, note or self.note

    def finish(self):
        pass


def test_progress_and_report_count_alike_what_is_left_alone(tmp_path):
    run(tmp_path, [1, 2, 3], Squares(bad=[3]), max_attempts=1)
    lost = Piece({"item_id": "x"}, None, {"number": None}, Result.failed("media", "x.jpg: no such file"))
    progress = Counted()
    report = run(tmp_path, [*pieces([1, 2, 3, 4, 5]), lost], Squares(bad=[5]), max_attempts=1, progress=progress)
    assert (report.done, report.reused, report.failed, report.resting) == (1, 2, 3, 1)
    assert (progress.total, progress.done, progress.steps, progress.note) == (6, 2, 4, "3 failed")


def test_a_limited_run_leaves_a_whole_artifact_that_says_what_is_pending(tmp_path):
    report = run(tmp_path, [1, 2, 2, 3, 4], Squares(), limit=2)
    assert (report.done, report.duplicates, report.pending) == (3, 1, 2)
    assert result(tmp_path).rows() == [("i1", 1), ("i2", 4), ("i2", 4)]
    assert Workspace(tmp_path).manifest("squares/test").meta["pending"] == 2
    second = Squares()
    report = run(tmp_path, [1, 2, 2, 3, 4], second)
    assert second.asked == [3, 4] and report.pending == 0
    assert "pending" not in Workspace(tmp_path).manifest("squares/test").meta
    run(tmp_path / "whole", [1, 2, 2, 3, 4], Squares())
    assert data_bytes(tmp_path) == data_bytes(tmp_path / "whole")


def prompted(store, infer, prompt, count):
    return run(
        store, [Piece({"item_id": f"i{n}"}, f"{prompt} {n}", {"number": n}) for n in range(count)], infer, batch_size=16
    )


def test_one_percent_more_costs_one_percent_and_another_prompt_all_but_the_old_results_stay(tmp_path):
    prompted(tmp_path, Squares(), "old", 300)
    more = Squares()
    assert prompted(tmp_path, more, "old", 303).reused == 300
    assert more.asked == [300, 301, 302]
    changed, back = Squares(), Squares()
    prompted(tmp_path, changed, "new", 303)
    assert len(changed.asked) == 303
    assert prompted(tmp_path, back, "old", 303).reused == 303 and back.asked == []


def test_what_cannot_be_prepared_is_a_failure_of_its_own_and_a_bug_stops_the_run(tmp_path):
    def prepare(piece):
        if piece.payload["number"] == 2:
            raise MediaError("2.jpg: is no picture")
        if piece.payload["number"] == 3:
            return Result.failed("silence", "3.wav: nothing heard")
        return piece.payload["number"]

    infer = Squares()
    report = run(tmp_path, [1, 2, 3, 4], infer, prepare=prepare, batch_size=4)
    assert infer.asked == [1, 4] and report.failures == {"media": 1, "silence": 1}
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, [1, 5], Squares(), prepare=lambda piece: 1 // 0)


def test_the_report_is_kept_beside_the_artifact(tmp_path):
    def infer(batch):
        return [Result({"square": n * n}, usage=Usage(n, 1)) for n in batch]

    report = run(tmp_path, [1, 2, 3], infer)
    assert report.usage == Usage(6, 3) and set(report.phases) == {"plan", "work", "write"}
    [kept] = json.loads((tmp_path / "squares/test/runs.json").read_text())
    assert (kept["done"], kept["worked"], kept["usage"]) == (3, 3, {"prompt": 6, "completion": 3})
    assert 0 <= kept["busy"] <= 1 and kept["rate"] > 0
    assert "6 tokens read, 3 written" in report_line(report)


def test_results_out_of_order_and_too_many_to_hold_are_put_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("batch.assembly.HELD_BYTES", 100)
    monkeypatch.setattr("batch.base.PLANNED_ROWS", 8)
    numbers = list(range(64))
    run(tmp_path, numbers[::-1], Squares(), flush_rows=5, batch_size=5)
    run(tmp_path, numbers[::2] + numbers[1::2], Squares())
    assert result(tmp_path)["square"].to_list() == [n * n for n in numbers[::2] + numbers[1::2]]
    run(tmp_path / "whole", numbers[::2] + numbers[1::2], Squares())
    assert data_bytes(tmp_path) == data_bytes(tmp_path / "whole")


def test_many_small_shards_become_few(tmp_path, monkeypatch):
    monkeypatch.setattr("batch.shards.SMALL_FILES", 8)
    run(tmp_path, range(50), Squares(bad=[7]))
    assert len(list((tmp_path / "squares/test/.parts").glob("part-*"))) == 1
    infer = Squares()
    assert run(tmp_path, range(50), infer).reused == 49
    assert infer.asked == [7]


def test_shards_of_before_attempts_were_counted_still_serve(tmp_path):
    parts = tmp_path / "squares/test/.parts"
    parts.mkdir(parents=True)
    old = {"key": ["key-1", "key-2"], "failure": [None, "odd day"], "detail": [None, "why"], "square": [1, None]}
    schema = {"key": pl.String, "failure": pl.String, "detail": pl.String, "square": pl.Int64}
    pl.DataFrame(old, schema=schema).write_parquet(parts / "part-00000001.parquet")
    infer = Squares(bad=[2])
    run(tmp_path, [1, 2], infer)
    assert infer.asked == [2]
    failures = pl.read_parquet(Workspace(tmp_path).path("squares/test") / "failures.parquet")
    assert failures["attempts"].to_list() == [2]
