"""Which processes serve a store's items at this moment, and how far in the journal each has come.

A writer that must not be contradicted by another process (a deletion, above all) waits until all of them have come as
far as its write. A process that died, however it went, is waited for by nobody: the system drops its lock.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Literal

FOLDER = "live"
"""Where they say so, in the workspace: a small locked file each."""

Step = Literal["known", "settled"]
"""`known`: records are given as the journal has them. `settled`: moreover, what it deletes is in no answer."""

_STEPS: tuple[Step, ...] = ("known", "settled")
_NUMBERS = struct.Struct("<QQ")
_LOOK_SECONDS = 0.01


class JournalReaders:
    """This process among those that serve a shop of a store.

    Args:
        folder: Of the locked files; made when the first process joins.
        shop: Whose writes it follows; who serves another shop of the store is not waited for.
    """

    def __init__(self, folder: Path, shop: str) -> None:
        self._folder, self._kin = folder, f"{hashlib.sha256(shop.encode()).hexdigest()[:12]}-*.reader"
        self._path = folder / self._kin.replace("*", uuid.uuid4().hex)
        self._told = dict.fromkeys(_STEPS, 0)
        self._file: int | None = None

    def join(self) -> None:
        """Be waited for by the others from now on."""
        import fcntl

        if self._file is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        coming = self._path.with_suffix(".coming")  # nobody takes it for dead before it is locked
        self._file = os.open(coming, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._write()
        coming.rename(self._path)

    def tell(self, **steps: int) -> None:
        """Say how far this process has come, by step; it never goes back."""
        told = {step: max(self._told[step], steps.get(step, 0)) for step in _STEPS}
        if told != self._told:
            self._told = told
            self._write()

    def wait(self, step: Step, seq: int, seconds: float, alive: Callable[[], bool] = lambda: True) -> bool:
        """Wait until every other process has come to a write; return whether that came about in time.

        Args:
            step: How far each must be with it.
            seq: Of the write.
            seconds: How long to wait at most.
            alive: Whether waiting still makes sense.
        """
        until = time.monotonic() + seconds
        others = [path for path in self._folder.glob(self._kin) if path != self._path]
        while others := [path for path in others if _behind(path, _STEPS.index(step), seq)]:
            if time.monotonic() >= until or not alive():
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def leave(self) -> None:
        """Be waited for no more."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def _write(self) -> None:
        if self._file is not None:
            os.pwrite(self._file, _NUMBERS.pack(*(self._told[step] for step in _STEPS)), 0)


def _behind(path: Path, place: int, seq: int) -> bool:
    """Whether a living process has not come to a write; the file of a dead one is removed."""
    import fcntl

    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        told: int = _NUMBERS.unpack(os.pread(file, _NUMBERS.size, 0))[place]
        return told < seq
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(file)
