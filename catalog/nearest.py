"""The nearest rows of a table, exactly, on a CPU or a GPU; the only module that imports FAISS.

It stands below indexes and models: the one finds what answers a query by it, the other what is alike.

Trap of FAISS 1.15: one query is fastest on one OpenMP thread; two on a busy machine of two cores were ten times slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from catalog.errors import ConfigError
from catalog.ids import Rows
from catalog.vectors import Floats

Device = Literal["cpu", "gpu", "auto"]

GPU_MOST = 2048
"""Most neighbours that FAISS's GPU kernels select."""


def library() -> Any:
    """Load FAISS when it is first used; its bindings are untyped in places, hence Any.

    Raises:
        ConfigError: When it is not installed.
    """
    try:
        import faiss
    except ModuleNotFoundError as error:
        if error.name != "faiss":
            raise
        raise ConfigError("FAISS is not installed; the extra cpu or the extra gpu brings it") from error
    return faiss


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Hold FAISS to so many OpenMP threads in this thread of ours; 0 means as many as there are."""
    faiss = library()
    before = faiss.omp_get_max_threads()
    if count:
        faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def gpus() -> int:
    """Return how many GPUs this FAISS can use; 0 for `faiss-cpu`."""
    return int(library().get_num_gpus())


def on_gpu(device: Device) -> bool:
    """Whether batch work goes to a GPU.

    Raises:
        ConfigError: When one is asked for and FAISS sees none; nothing falls back in silence.
    """
    if device == "cpu":
        return False
    found = gpus()
    if device == "gpu" and not found:
        raise ConfigError(
            "indexes.vectors.batch_device is 'gpu' and FAISS sees no GPU (the extra gpu installs faiss-gpu); "
            "'cpu' or 'auto' would be valid"
        )
    return found > 0


def nearest_rows(
    queries: Floats, corpus: Floats, k: int, *, device: Device = "cpu", n_threads: int = 0
) -> tuple[Floats, Rows]:
    """Return scores and rows (q, k) of the greatest inner products, best first; of equals any.

    Args:
        queries: (q, d) float32.
        corpus: (n, d) float32, n at least k.
        k: At least 1; more than `GPU_MOST` are found on the CPU.
        device: Where; see `on_gpu`.
        n_threads: OpenMP threads on a CPU; 0: as many as there are.
    """
    faiss = library()
    queries = np.ascontiguousarray(queries, np.float32)
    corpus = np.ascontiguousarray(corpus, np.float32)
    if on_gpu(device) and k <= GPU_MOST:
        resources = faiss.StandardGpuResources()
        scores, rows = faiss.knn_gpu(resources, queries, corpus, k, metric=faiss.METRIC_INNER_PRODUCT)
    else:
        with threads(n_threads):
            scores, rows = faiss.knn(queries, corpus, k, metric=faiss.METRIC_INNER_PRODUCT)
    return np.asarray(scores, np.float32), np.asarray(rows, np.int64)
