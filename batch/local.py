"""`LocalEngine`: threads on this machine; decoding, inference and writing overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from batch.base import In, Out
from catalog.errors import ConfigError


class LocalEngine:
    """Runs chunks in `workers` threads while the caller consumes (and writes) finished ones.

    Picture decoders, numpy and torch release the interpreter lock, so one chunk decodes while
    another infers. At most `workers + ahead` chunks are in flight: memory does not grow with the work.

    Args:
        ahead: Chunks that wait, ready to start, beyond those being worked on.
    """

    name = "local"

    def __init__(self, ahead: int = 1) -> None:
        if ahead < 0:
            raise ConfigError(f"ahead={ahead!r} of the local engine: 0 or more would be valid")
        self._ahead = ahead

    def run(
        self, work: Iterable[In], process: Callable[[Sequence[In]], Sequence[Out]], *, batch_size: int, workers: int
    ) -> Iterator[Sequence[Out]]:
        """Yield the results of each chunk as it completes.

        What `process` raises is raised here, after the chunks being worked on have ended; chunks that
        wait are dropped. Leaving the loop early drops them too.

        Raises:
            ConfigError: When `batch_size` or `workers` is below 1.
        """
        for name, value in (("batch_size", batch_size), ("workers", workers)):
            if value < 1:
                raise ConfigError(f"{name}={value!r}: 1 or more would be valid")
        return self._run(iter(work), process, batch_size, workers)

    def _run(
        self, work: Iterator[In], process: Callable[[Sequence[In]], Sequence[Out]], batch_size: int, workers: int
    ) -> Iterator[Sequence[Out]]:
        pool = ThreadPoolExecutor(workers, thread_name_prefix="batch")
        flying: set[Future[Sequence[Out]]] = set()
        try:
            while True:
                while len(flying) < workers + self._ahead and (chunk := list(islice(work, batch_size))):
                    flying.add(pool.submit(process, chunk))
                if not flying:
                    return
                landed, flying = wait(flying, return_when=FIRST_COMPLETED)
                for future in landed:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
