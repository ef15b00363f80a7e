import threading
import time

import pytest

from batch.local import LocalEngine
from catalog.errors import ConfigError


def test_every_piece_once_and_chunks_of_the_size_asked():
    seen = list(LocalEngine().run(range(10), lambda chunk: [x * x for x in chunk], batch_size=4, workers=2))
    assert sorted(x for chunk in seen for x in chunk) == [x * x for x in range(10)]
    assert sorted(map(len, seen)) == [2, 4, 4]


def test_two_workers_overlap():
    # Both threads must be inside `process` at once to pass the barrier.
    barrier = threading.Barrier(2, timeout=5)

    def process(chunk):
        barrier.wait()
        return chunk

    assert len(list(LocalEngine().run(range(4), process, batch_size=1, workers=2))) == 4


def test_memory_does_not_grow_with_the_work():
    taken = 0

    def source():
        nonlocal taken
        for x in range(1000):
            taken += 1
            yield x

    for first in LocalEngine(ahead=1).run(source(), list, batch_size=5, workers=2):
        assert first
        break
    assert taken <= 5 * (2 + 1)


def test_what_process_raises_arrives_and_waiting_chunks_are_dropped():
    calls = []

    def process(chunk):
        calls.append(chunk)
        if chunk[0] == 1:
            time.sleep(0.01)
            raise ZeroDivisionError("chunk 1")
        return chunk

    with pytest.raises(ZeroDivisionError, match="chunk 1"):
        list(LocalEngine().run(range(100), process, batch_size=1, workers=1))
    assert len(calls) <= 3


@pytest.mark.parametrize(("name", "value"), [("batch_size", 0), ("workers", -1)])
def test_bad_sizes_are_refused_before_any_work(name, value):
    sizes = {"batch_size": 1, "workers": 1, name: value}
    with pytest.raises(ConfigError, match=rf"{name}={value}"):
        LocalEngine().run([1], list, **sizes)


def test_no_work():
    assert list(LocalEngine().run([], list, batch_size=1, workers=1)) == []
