import threading
import time

import pytest

from batch.base import Steps
from batch.local import LocalEngine
from catalog.errors import ConfigError


def run(work, infer, prepare=lambda piece: piece, *, batch_size=1, workers=1, decoders=1, ahead=1):
    steps = Steps(prepare, infer)
    batches = LocalEngine(ahead).run(work, steps, batch_size=batch_size, workers=workers, decoders=decoders)
    return (batch.results for batch in batches)


def test_every_piece_once_and_chunks_of_the_size_asked():
    seen = list(run(range(10), lambda chunk: [x * x for x in chunk], batch_size=4, workers=2))
    assert sorted(x for chunk in seen for x in chunk) == [x * x for x in range(10)]
    assert sorted(map(len, seen)) == [2, 4, 4]


def test_two_workers_overlap():
    # Both threads must be inside `process` at once to pass the barrier.
    barrier = threading.Barrier(2, timeout=5)

    def process(chunk):
        barrier.wait()
        return chunk

    assert len(list(run(range(4), process, workers=2))) == 4


def test_memory_does_not_grow_with_the_work():
    taken = 0

    def source():
        nonlocal taken
        for x in range(1000):
            taken += 1
            yield x

    # 3 batches wait prepared, 2 are inferred, 3 wait finished.
    batches = run(source(), list, batch_size=5, workers=2, decoders=3)
    assert next(batches)
    time.sleep(0.05)
    assert taken <= 5 * (3 + 2 + 3 + 1) + 3
    batches.close()


def test_what_process_raises_arrives_and_waiting_chunks_are_dropped():
    calls = []

    def process(chunk):
        calls.append(chunk)
        if chunk[0] == 1:
            time.sleep(0.01)
            raise ZeroDivisionError("chunk 1")
        return chunk

    with pytest.raises(ZeroDivisionError, match="chunk 1"):
        list(run(range(100), process))
    assert len(calls) <= 3


@pytest.mark.parametrize(("name", "value"), [("batch_size", 0), ("workers", -1), ("decoders", 0)])
def test_bad_sizes_are_refused_before_any_work(name, value):
    sizes = {"batch_size": 1, "workers": 1, "decoders": 1, name: value}
    with pytest.raises(ConfigError, match=rf"{name}={value}"):
        LocalEngine().run([1], Steps(str, list), **sizes)


def test_no_work():
    assert list(run([], list)) == []


def test_the_next_batch_is_prepared_and_the_last_one_written_while_one_infers():
    prepared, inferring, written = threading.Event(), threading.Event(), threading.Event()

    def prepare(piece):
        if piece == 2:
            assert inferring.wait(5)
            prepared.set()
        return piece

    def infer(batch):
        if batch == [1]:
            inferring.set()
            # Ends only once the piece after it is prepared and the result before it has been taken.
            assert prepared.wait(5) and written.wait(5)
        return batch

    taken = []
    for results in run(range(3), infer, prepare):
        taken.append(results)
        written.set()
    assert taken == [[0], [1], [2]]


def test_what_prepare_raises_arrives_after_what_was_inferred():
    def prepare(piece):
        if piece == 5:
            raise ZeroDivisionError("piece 5")
        return piece

    seen = []
    with pytest.raises(ZeroDivisionError, match="piece 5"):
        for results in run(range(100), list, prepare, batch_size=2):
            seen += results
    assert set(seen) <= {0, 1, 2, 3, 4}


def test_one_decoder_keeps_the_order():
    assert [x for results in run(range(50), list, batch_size=7) for x in results] == list(range(50))
