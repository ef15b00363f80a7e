"""FAISS behind a few functions; the only module that imports it.

Traps of FAISS 1.15 that the callers rest on:

- One query is fastest on one OpenMP thread: two on a busy machine of two cores were ten times slower.
- `SearchParametersHNSW.bounded_queue = False` ignores the selector without a word. The bounded queue costs the square
  of `efSearch` (its heap is searched from end to end), so a wide search of a graph is dearer than it looks.
- A selector keeps a pointer into its numpy array and must not outlive it; the Python class holds the reference.
- Python builds a view of a memory-mapped index's vectors, and the view does not keep the index alive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from catalog.errors import ConfigError, DataError
from catalog.ids import Rows
from catalog.vectors import Floats, Mask

Device = Literal["cpu", "gpu", "auto"]

GPU_MOST = 2048
"""Most neighbours that FAISS's GPU kernels select."""


def library() -> Any:
    """Load FAISS when it is first used; its bindings are untyped in places, hence Any."""
    import faiss

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


def selector(allowed: Mask | None) -> Any:
    """Return what makes FAISS look at the allowed rows (n,) alone; None for None."""
    if allowed is None:
        return None
    return library().IDSelectorBitmap(np.packbits(allowed, bitorder="little"))


def products(vectors: Floats, wanted: Floats) -> Floats:
    """Return the inner product of every row of (n, d) with (d,), on one thread, each row by the same arithmetic."""
    faiss = library()
    out = np.empty(len(vectors), np.float32)
    if len(vectors):
        faiss.fvec_inner_products_ny(
            faiss.swig_ptr(out), faiss.swig_ptr(wanted), faiss.swig_ptr(vectors), vectors.shape[1], len(vectors)
        )
    return out


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
    """Return scores and rows (q, k) of the greatest inner products, best first, exact; the base of kNN graphs.

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


def write(index: Any, path: Path) -> None:
    """Write an index as FAISS's own file, which holds numbers and no code."""
    library().write_index(index, str(path))


def read(path: Path) -> Any:
    """Open what `write` wrote, memory-mapped: pages come as searches touch them.

    Raises:
        DataError: When FAISS cannot read it.
    """
    faiss = library()
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise DataError(f"{path.name!r} is no index that FAISS reads ({reason})") from error
