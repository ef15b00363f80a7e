"""How pictures and films come to be on disk: drawn by as many cores as wanted, and all there at once or not at all."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Work = TypeVar("Work")


def drawn(
    draw: Callable[[Work], None], work: Sequence[Work], workers: int | None, *, few: int, chunk: int
) -> Iterator[None]:
    """Draw each piece of work and yield as each is done.

    Args:
        draw: A function of a module, so that other processes find it.
        work: What to draw.
        workers: Processes; None: one a core. Does not change a byte.
        few: Less work than this is drawn in this process.
        chunk: Pieces handed to a process at once.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(work) < few:
        yield from map(draw, work)
        return
    context = multiprocessing.get_context("spawn")  # forking after torch or FAISS started threads may hang
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(draw, work, chunksize=chunk)


@contextmanager
def filled_folder(media: Path, name: str) -> Iterator[Path]:
    """Give a temporary folder that becomes `media/name` on a clean exit; a killed or failed run leaves the old one."""
    media.mkdir(parents=True, exist_ok=True)
    for left in media.glob(f".{name}-*"):  # a killed run's
        shutil.rmtree(left, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(dir=media, prefix=f".{name}-"))
    try:
        yield temporary
        temporary.chmod(0o755)
        final = media / name
        if final.exists():
            shutil.rmtree(final)
        temporary.replace(final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
