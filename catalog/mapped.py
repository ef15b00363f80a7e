"""Saved arrays as they lie on the disk: read-only, in memory once for all processes that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def mapped(path: Path) -> npt.NDArray[Any]:
    """Return the array of a `.npy` file, mapped: its pages come when they are read, and go when others need the room.

    A file that is replaced or removed meanwhile stays what it was for who has it open.

    Raises:
        ValueError: When it is no such file, or would have to be unpickled.
    """
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(array)  # the plain class: every view of the other pays for its name
