"""`LocalEngine`: threads on this machine; decoding, inference and writing overlap."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic

from batch.base import Batch, In, Mid, Out, Steps
from catalog.errors import ConfigError


class LocalEngine:
    """Prepares pieces in `decoders` threads, infers in `workers` threads, while the caller writes.

    Picture decoders, numpy and torch release the interpreter lock, so the next batch is decoded and the last
    one written while one infers. Prepared pieces wait for a full batch; at most `workers + ahead` batches of
    them wait, and as many finished batches: memory does not grow with the work.

    Args:
        ahead: Batches prepared beyond those being inferred.
    """

    name = "local"

    def __init__(self, ahead: int = 1) -> None:
        if ahead < 0:
            raise ConfigError(f"ahead={ahead!r} of the local engine: 0 or more would be valid")
        self._ahead = ahead

    def run(
        self, work: Iterable[In], steps: Steps[In, Mid, Out], *, batch_size: int, workers: int, decoders: int
    ) -> Iterator[Batch[Out]]:
        """Yield each batch as it completes.

        What a step raises is raised here, after the batches being inferred have ended and been given out;
        prepared pieces that wait are dropped. Leaving the loop early drops them too.

        Raises:
            ConfigError: When `batch_size`, `workers` or `decoders` is below 1.
        """
        for name, value in (("batch_size", batch_size), ("workers", workers), ("decoders", decoders)):
            if value < 1:
                raise ConfigError(f"{name}={value!r}: 1 or more would be valid")
        line = _Line(iter(work), steps, batch_size, waiting=workers + self._ahead)
        return line.run(workers, decoders)


class _Line(Generic[In, Mid, Out]):
    """One run: source -> decoders -> ready -> workers -> done -> caller; one condition guards all of it."""

    def __init__(self, work: Iterator[In], steps: Steps[In, Mid, Out], batch_size: int, waiting: int) -> None:
        self._work, self._steps, self._batch_size = work, steps, batch_size
        self._room, self._done_room = batch_size * waiting, waiting
        self._source = threading.Lock()
        self._change = threading.Condition()
        self._ready: deque[Mid] = deque()
        self._done: deque[Batch[Out]] = deque()
        self._decoding = self._inferring = 0
        self._exhausted = self._stopped = False
        self._error: BaseException | None = None

    def run(self, workers: int, decoders: int) -> Iterator[Batch[Out]]:
        threads = [
            *(threading.Thread(target=self._decode, name=f"decode-{k}", daemon=True) for k in range(decoders)),
            *(threading.Thread(target=self._infer, name=f"infer-{k}", daemon=True) for k in range(workers)),
        ]
        try:
            for thread in threads:
                thread.start()
            while (batch := self._next()) is not None:
                yield batch
        finally:
            with self._change:
                self._stopped = True
                self._change.notify_all()
            for thread in threads:
                thread.join()

    def _next(self) -> Batch[Out] | None:
        """Return a finished batch, or None at the end; raise what a step raised, once nothing is inferred any more."""
        with self._change:
            self._change.wait_for(lambda: self._done or (not self._inferring and (self._stopped or self._drained())))
            if self._done:
                batch = self._done.popleft()
                self._change.notify_all()
                return batch
        if self._error is not None:
            raise self._error
        return None

    def _drained(self) -> bool:
        return self._exhausted and not self._decoding and not self._ready

    def _decode(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(
                    lambda: self._stopped or self._exhausted or len(self._ready) + self._decoding < self._room
                )
                if self._stopped or self._exhausted:
                    return
                self._decoding += 1
            try:
                with self._source:
                    piece = next(self._work)
                prepared = self._steps.prepare(piece)
            except StopIteration:
                with self._change:
                    self._exhausted = True
                    self._decoding -= 1
                    self._change.notify_all()
                return
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                self._fail(error)
                return
            with self._change:
                self._ready.append(prepared)
                self._decoding -= 1
                self._change.notify_all()

    def _infer(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._stopped or self._drained() or self._batch_ready())
                if self._stopped or not self._ready:
                    return
                pieces = [self._ready.popleft() for _ in range(min(self._batch_size, len(self._ready)))]
                self._inferring += 1
                self._change.notify_all()
            begin = time.monotonic()
            try:
                results = self._steps.infer(pieces)
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                with self._change:
                    self._inferring -= 1
                self._fail(error)
                return
            with self._change:
                self._done.append(Batch(results, time.monotonic() - begin))
                self._inferring -= 1
                self._change.notify_all()

    def _batch_ready(self) -> bool:
        full = len(self._ready) >= self._batch_size or (self._exhausted and not self._decoding)
        return bool(full and self._ready) and len(self._done) < self._done_room

    def _fail(self, error: BaseException) -> None:
        with self._change:
            self._error = self._error or error
            self._stopped = True
            self._change.notify_all()
