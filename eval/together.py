"""Files that belong together: all of them stand in their places in the end, or none is touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Write = Callable[[Path, Callable[[Path], object]], None]
"""`write(path, make)`: `make` is given a place with the name of `path`, and what it leaves there goes to `path`."""


@contextmanager
def together() -> Iterator[Write]:
    """Give what writes; files take their places when the block ends, and an error in it leaves the old ones.

    Raises:
        OSError: When the disk is full or a file too large, say; it names the file.
    """
    waiting: dict[Path, Path] = {}
    folders: dict[Path, Path] = {}

    def write(path: Path, make: Callable[[Path], object]) -> None:
        with naming(path):
            if path.parent not in folders:
                folders[path.parent] = Path(tempfile.mkdtemp(dir=path.parent, prefix=".report-"))
            waiting[path] = folders[path.parent] / path.name
            make(waiting[path])
            with waiting[path].open("rb") as file:
                os.fsync(file.fileno())

    try:
        yield write
        for path, made in waiting.items():
            with naming(path):
                made.replace(path)
    finally:
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the disk name the file it happened to; a write of Python's own does not.

    Raises:
        OSError: The one that was raised inside, of the same kind, with `path` as its file name.
    """
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
