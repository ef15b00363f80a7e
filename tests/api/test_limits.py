"""The rate of a caller holds for one worker and for several; `tests/api/test_guard.py` has what is seen of it."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.limits import GROUPS, PLACES, RATE_FILE, RateLimit

Make = Callable[[int | None], RateLimit]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[1, 3])
def limits(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Callable[[int | None], Turns]]:
    """The contract is the same for one worker and for several that are asked in turn."""
    made: list[RateLimit] = []

    def make(per_minute: int | None) -> Turns:
        workers = [RateLimit(per_minute, tmp_path / RATE_FILE, clock) for _ in range(request.param)]
        made.extend(workers)
        return Turns(workers)

    yield make
    for each in made:
        each.close()


class Turns:
    """Workers that are asked one after the other, as connections fall."""

    def __init__(self, workers: list[RateLimit]) -> None:
        self.workers, self.asked = workers, 0

    def wait(self, caller: str, per_minute: int | None = None) -> int:
        self.asked += 1
        return self.workers[self.asked % len(self.workers)].wait(caller, per_minute)


def test_the_bucket_fills_with_time(limits, clock: Clock) -> None:
    limit = limits(60)
    assert [limit.wait("a") for _ in range(10)] == [0] * 10
    assert limit.wait("a") == 1
    assert limit.wait("b") == 0
    clock.now += 1.0
    assert limit.wait("a") == 0 and limit.wait("a") == 1
    clock.now += 1000.0
    assert [limit.wait("a") for _ in range(11)] == [0] * 10 + [1]


@pytest.mark.parametrize(("per_minute", "burst", "seconds"), [(1, 1, 60), (5, 1, 12), (12, 2, 5), (100, 16, 1)])
def test_a_sixth_of_a_minute_at_once_and_then_as_they_come(limits, clock, per_minute, burst, seconds) -> None:
    limit = limits(per_minute)
    assert [limit.wait("a") == 0 for _ in range(burst + 1)] == [True] * burst + [False]
    assert limit.wait("a") == seconds
    passed = 0
    for _ in range(600):  # ten minutes
        clock.now += 1.0
        passed += sum(limit.wait("a") == 0 for _ in range(3))
    assert 10 * per_minute - 1 <= passed <= 10 * per_minute + 1


def test_a_limit_of_the_callers_own_counts_and_none_lets_pass(limits) -> None:
    limit = limits(None)
    assert [limit.wait("a") for _ in range(100)] == [0] * 100
    assert [limit.wait("a", 6) for _ in range(2)] == [0, 10]
    assert limit.wait("a") == 0


def test_nothing_is_written_where_nothing_is_limited(tmp_path: Path) -> None:
    assert RateLimit(None, tmp_path / RATE_FILE).wait("a") == 0 and not list(tmp_path.iterdir())


def test_a_restart_of_a_worker_fills_no_bucket_and_one_of_the_machine_does(tmp_path: Path, clock: Clock) -> None:
    first = RateLimit(60, tmp_path / RATE_FILE, clock)
    assert [first.wait("a") for _ in range(11)] == [0] * 10 + [1]
    first.close()
    again = RateLimit(60, tmp_path / RATE_FILE, clock)
    assert again.wait("a") == 1
    again.close()
    clock.now = 5.0  # the machine's clock begins anew
    rebooted = RateLimit(60, tmp_path / RATE_FILE, clock)
    assert [rebooted.wait("a") for _ in range(11)] == [0] * 10 + [1]
    rebooted.close()


def test_a_flood_of_callers_costs_those_with_a_full_bucket_their_place_first(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(60, tmp_path / RATE_FILE, clock)
    assert [limit.wait("greedy") for _ in range(11)] == [0] * 10 + [1]
    assert not any(limit.wait(f"other-{n}") for n in range(GROUPS * PLACES))
    assert limit.wait("greedy") == 1
    assert (tmp_path / RATE_FILE).stat().st_size < 1 << 20
    limit.close()


def test_rubbish_in_the_file_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / RATE_FILE).write_bytes(os.urandom(GROUPS * PLACES * 24))
    limit = RateLimit(60, tmp_path / RATE_FILE)
    assert [limit.wait("a") for _ in range(11)] == [0] * 10 + [1]
    limit.close()


def test_a_file_that_is_cut_short_while_it_is_open_is_begun_anew(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(60, tmp_path / RATE_FILE, clock)
    limit.wait("a")
    os.truncate(tmp_path / RATE_FILE, 0)
    assert [limit.wait("a") for _ in range(11)] == [0] * 10 + [1]
    limit.close()


def test_a_worker_that_was_stopped_with_the_lock_holds_nobody_up(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(60, tmp_path / RATE_FILE, clock)
    limit.wait("a")
    stopped = os.open(tmp_path / RATE_FILE, os.O_RDWR)
    fcntl.flock(stopped, fcntl.LOCK_EX)
    assert [limit.wait("a") for _ in range(10)] == [0] * 9 + [1]
    os.close(stopped)
    limit.close()


def rush(path: Path, start: multiprocessing.synchronize.Barrier, told: multiprocessing.queues.Queue[int]) -> None:
    """Be a worker that answers as fast as it can."""
    limit = RateLimit(6000, path, lambda: 1000.0)
    start.wait()
    told.put(sum(limit.wait("a") == 0 for _ in range(2000)))


def test_processes_that_ask_in_the_same_moment_share_one_bucket(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, told = context.Barrier(4), context.Queue()
    workers = [context.Process(target=rush, args=(tmp_path / RATE_FILE, start, told)) for _ in range(4)]
    for each in workers:
        each.start()
    passed = [told.get(timeout=60) for _ in workers]
    for each in workers:
        each.join()
    assert sum(passed) == 1000, passed  # the burst, once, however it fell
