"""`RayEngine`: the same steps on Ray Data, on this machine or on a cluster.

    work -> feed -> prepare (tasks) -> infer (one actor a worker, each with its own model) -> this process

The work goes out as blocks of references, never pixels; a row of Ray Data is one block. The feed is an actor that
holds the blocks whose results have not come back, so that a source that Ray has to start again repeats nothing else.
"""

from __future__ import annotations

import logging
import math
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from batch.base import Batch, In, Mid, Out, Steps
from batch.feed import Feed
from batch.ray_address import await_answer, resolved
from batch.ray_cluster import Asked, StoppedEarly, connected, hush, noting_signals, start_local, this_node
from batch.ray_room import check_room
from batch.ray_stages import BLOCK, NUMBER, Worker, packed, prepare_block, source, unpacked
from catalog.errors import ConfigError, ServiceError

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)


class RayConfig(BaseModel):
    """Where Ray runs and what a worker gets; nothing here changes a result.

    How many workers infer and how many decode is said once for both engines: `workers` and `decoders` of the job.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str | None = None
    """Of a cluster that is up: `auto` where `ray start` was given or `RAY_ADDRESS` is set, `host:6379` on one of its
    machines, or `ray://host:10001`. None: a cluster of this machine alone is started for the run and ends with it."""
    connect_seconds: float = Field(15.0, gt=0)
    """How long a cluster may take to answer before the run ends in one line."""
    num_cpus: int | None = Field(None, ge=1)
    """CPUs that a local cluster counts with. None: one for each worker and each decoder."""
    object_store_bytes: int = Field(512 * 2**20, ge=80 * 2**20)
    """Shared memory of a local cluster for blocks on their way; what does not fit is spilled to disk."""
    cpus_per_worker: float = Field(1.0, ge=0)
    """CPUs that each worker reserves."""
    gpus_per_worker: float = Field(0.0, ge=0)
    """GPUs that each worker reserves; 0.5 puts two on one card. 0 for a model behind a server."""
    block_rows: int | None = Field(None, ge=1)
    """Pieces that travel together, and that a killed worker costs at most; rounded up to whole batches.
    None: one batch."""
    max_retries: int = Field(3, ge=0)
    """How often a block is given out again when its worker dies; one more death ends the run with an error."""


class RayEngine:
    """Runs steps on Ray Data; what comes back is what `LocalEngine` gives.

    Args:
        config: Where, and with what.
    """

    name = "ray"

    def __init__(self, config: RayConfig | None = None) -> None:
        self._config = config or RayConfig()

    def run(
        self, work: Iterable[In], steps: Steps[In, Mid, Out], *, batch_size: int, workers: int, decoders: int
    ) -> Iterator[Batch[Out]]:
        """Yield each batch as it completes.

        The steps are pickled once and sent to the workers, so a model behind `infer` must load where it is first
        used. What a step raises is raised here, after the blocks being inferred have ended and been given out;
        blocks that wait are dropped. Leaving the loop early drops them too.

        Raises:
            ConfigError: When a number is below 1, ray is not installed, the cluster has no room for the workers or
                the steps cannot be pickled.
            ServiceError: When the cluster cannot be reached, or a block has cost too many workers.
        """
        for name, value in (("batch_size", batch_size), ("workers", workers), ("decoders", decoders)):
            if value < 1:
                raise ConfigError(f"{name}={value!r}: 1 or more would be valid")
        self._cpus(workers, decoders)
        hush()
        return self._run(iter(work), _sent(steps), batch_size, workers, decoders)

    def _run(
        self, work: Iterator[Any], steps: bytes, batch_size: int, workers: int, decoders: int
    ) -> Iterator[Batch[Any]]:
        import ray

        rows = -(-(self._config.block_rows or batch_size) // batch_size) * batch_size
        with ExitStack() as until_end:
            asked = until_end.enter_context(noting_signals())
            try:
                until_end.enter_context(self._cluster(workers, decoders, asked))
            except StoppedEarly:
                return
            self._check_room(workers)
            beside = {"ray.io/node-id": this_node()}
            feed: Any = ray.remote(Feed).options(num_cpus=0, max_concurrency=1000, label_selector=beside).remote()
            driver = _Driver(work, feed, rows, room=2 * (workers + decoders) + 2, asked=asked)
            with warnings.catch_warnings():  # Ray's own use of Ray, and advice for those who read files with it
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.simplefilter("ignore", UserWarning)
                blocks = self._blocks(feed, steps, batch_size, workers, decoders)
            try:
                driver.start()
                yield from driver.results(blocks)
            finally:
                driver.stop()
                del blocks
                ray.kill(feed)

    def _check_room(self, workers: int) -> None:
        import ray

        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        check_room(
            [node["Resources"] for node in nodes if node["Alive"]],
            workers=workers,
            cpus_per_worker=self._config.cpus_per_worker,
            gpus_per_worker=self._config.gpus_per_worker,
            may_grow=self._config.address is not None,
        )

    def _blocks(self, feed: Any, steps: bytes, batch_size: int, workers: int, decoders: int) -> Iterator[pa.Table]:
        """Return the finished blocks as Ray Data streams them."""
        import ray.data

        # Ray Data reports to people; what a run has to say comes back as its results or its error.
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        context = ray.data.DataContext.get_current().copy()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        # A row is a block of pieces already: rows are neither glued together nor wait for each other.
        context.target_max_block_size = 1
        context.execution_no_progress_timeout_s = -1
        context.execution_options.preserve_order = decoders == 1
        # A worker that dies while it starts is started again, and so is one that dies later, by Ray's own rule.
        retries = context.max_consecutive_actor_init_deaths = self._config.max_retries
        rows: dict[str, Any] = {"batch_size": 1, "batch_format": "pyarrow"}
        here = {"ray.io/node-id": this_node()}
        with ray.data.DataContext.current(context):
            blocks = (
                ray.data.range(1, override_num_blocks=1)
                # Beside the driver: they live and die together.
                .map_batches(partial(source, feed), num_cpus=0, label_selector=here, **rows)
                .map_batches(
                    partial(prepare_block, feed, steps, retries),
                    compute=ray.data.TaskPoolStrategy(size=decoders),
                    **rows,
                )
                .map_batches(
                    Worker,
                    fn_constructor_args=(feed, steps, retries, batch_size),
                    compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
                    num_cpus=self._config.cpus_per_worker,
                    num_gpus=self._config.gpus_per_worker,
                    memory=1,  # Ray would fuse two steps that reserve the same, and decode inside the worker
                    **rows,
                )
            )
        return iter(blocks.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))

    @contextmanager
    def _cluster(self, workers: int, decoders: int, asked: Asked) -> Iterator[None]:
        """Connect to the cluster, or start one; one that this process was connected to already is left up."""
        import ray

        if ray.is_initialized():
            yield
            return
        if self._config.address is not None:
            address = resolved(self._config.address)
            await_answer(address, self._config.connect_seconds, asked)
            if asked():
                raise StoppedEarly
            with connected(address):
                yield
            return
        with start_local(cpus=self._cpus(workers, decoders), object_store_bytes=self._config.object_store_bytes):
            yield

    def _cpus(self, workers: int, decoders: int) -> int:
        """Return the CPUs that a local cluster counts with; all reserved by workers, it would wait for ever."""
        taken = math.ceil(workers * self._config.cpus_per_worker)
        cpus = self._config.num_cpus or taken + decoders
        if cpus <= taken:
            raise ConfigError(
                f"batch.ray.num_cpus={cpus!r} leaves no CPU to decode on beside {workers} workers: "
                f"{taken + 1} or more would be valid"
            )
        return cpus


class _Driver:
    """This process's side of a run: fills the feed from a thread, takes results, knows when to stop."""

    def __init__(self, work: Iterator[Any], feed: Any, rows: int, room: int, asked: Asked) -> None:
        self._work, self._feed, self._rows, self._asked = work, feed, rows, asked
        self._idle = False
        self._room = threading.Semaphore(room)
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._fill, name="ray-feed", daemon=True)

    def start(self) -> None:
        self._thread.start()
        threading.Thread(target=self._watch, name="ray-asked", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._asked.over()
        self._room.release()
        self._feed.stop.remote()
        self._thread.join()

    def results(self, tables: Iterator[pa.Table]) -> Iterator[Batch[Any]]:
        """Yield batches; raise the first error at the end, when every block that was being inferred has come back."""
        from ray.exceptions import RayError

        try:
            for table in tables:
                for number, block in zip(table[NUMBER].to_pylist(), table[BLOCK], strict=True):
                    done, error = unpacked(block.as_buffer())
                    if error is not None:
                        self._fail(error)
                    yield from map(unpacked, done)
                    self._feed.done.remote(number)
                    self._room.release()
        except RayError as error:
            if self._idle:
                return
            self._fail(error if self._error else _gave_up(error))
        if self._error is not None:
            raise self._error

    def _watch(self) -> None:
        """End a run that is asked to end before any worker is there: Ray would wait for the first one."""
        import ray
        from ray.exceptions import RayError

        if not self._asked.wait():
            return
        with suppress(RayError):
            if ray.get(self._feed.is_idle.remote()):
                self._idle = True
                ray.kill(self._feed)

    def _fill(self) -> None:
        number = 0
        try:
            while not self._stopped.is_set() and (pieces := list(islice(self._work, self._rows))):
                self._room.acquire()
                self._feed.put.remote(number, packed(pieces))
                number += 1
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._fail(error)
        self._feed.close.remote(number)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._stopped.set()
        self._feed.stop.remote()


def _sent(steps: Steps[Any, Any, Any]) -> bytes:
    try:
        return packed(steps)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the Ray engine needs a package that is missing: {error}. pip install -e '.[ray]' -c constraints.txt"
        ) from error
    except Exception as error:
        raise ConfigError(
            f"the steps of this job cannot be sent to other processes: {type(error).__name__}: {error}. A part that "
            "pickles by its settings and loads its model at first use would be valid, or the engine 'local'"
        ) from error


def _gave_up(error: Exception) -> ServiceError:
    """Return the error of a run that Ray itself ended."""
    line = str(error).strip().splitlines()[-1:]
    return ServiceError(
        f"Ray gave the run up, {type(error).__name__}: {''.join(line)}; what was finished is kept", retryable=True
    )
