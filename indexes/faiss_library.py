"""What the indexes want of FAISS beyond `catalog.nearest`, behind a few functions.

Traps of FAISS 1.15 that the callers rest on:

- `SearchParametersHNSW.bounded_queue = False` ignores the selector without a word. The bounded queue costs the square
  of `efSearch` (its heap is searched from end to end), so a wide search of a graph is dearer than it looks.
- A selector keeps a pointer into its numpy array and must not outlive it; the Python class holds the reference.
- Python builds a view of a memory-mapped index's vectors, and the view does not keep the index alive.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import DataError
from catalog.nearest import library
from catalog.vectors import Floats, Mask


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
