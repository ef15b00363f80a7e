"""How often each caller may come: a token bucket each, in one file that every worker of a store shares."""

from __future__ import annotations

import fcntl
import math
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import cast

RATE_FILE = "rates.bin"
"""Its name in the store; of no worth after a restart of the machine."""
GROUPS, PLACES = 2048, 8
"""A caller's digest says in which group it stands. Where a group is full, the one with the fullest bucket goes."""

_PLACE = struct.Struct("<16sd")
_GROUP = PLACES * _PLACE.size
_LONGEST = 60.0
"""Seconds that a bucket takes to fill at most: one request a minute."""
_LOCK_SECONDS, _LOOK_SECONDS = 0.02, 0.00005
_ROUNDING = 1e-6


@dataclass
class RateLimit:
    """Lets each caller make so many requests a minute, in bursts of at most a sixth of that, over all workers.

    Kept of a bucket is the moment at which it will be full again (GCRA), by the clock that all processes of a machine
    share and nobody sets. A request takes some microseconds: read, judge and write one place of the file, under a lock
    that falls with its process.

    Attributes:
        per_minute: Requests a minute; None lets everything pass that has no limit of its own.
        path: The file; made when the first caller with a limit comes.
        clock: Monotonic seconds, the same for all that share the file.

    Source: ITU-T I.371, annex A (the virtual scheduling algorithm).
    """

    per_minute: int | None
    path: Path
    clock: Callable[[], float] = time.monotonic
    _file: int | None = field(default=None, init=False)

    def wait(self, caller: str, per_minute: int | None = None) -> int:
        """Take one request of `caller`; return 0 when it may pass, else the whole seconds until one may.

        Args:
            caller: Whose bucket.
            per_minute: The caller's own limit, in place of everybody's.

        Raises:
            OSError: When the file cannot be read or written.
        """
        allowed = per_minute or self.per_minute
        if allowed is None:
            return 0
        seconds, burst = 60 / allowed, max(1.0, allowed / 6)
        name = blake2b(caller.encode("utf-8", "surrogateescape"), digest_size=16).digest()
        group = int.from_bytes(name[:4], "little") % GROUPS * _GROUP
        file = self._file = self._opened() if self._file is None else self._file
        _take(file)
        try:
            held = os.pread(file, _GROUP, group).ljust(_GROUP, b"\0")  # somebody may cut it short
            place = _place(held, name)
            now = self.clock()
            known, full = cast(tuple[bytes, float], _PLACE.unpack_from(held, place))
            # Another caller's place, a bucket that is full, or a moment of before the machine's restart.
            if known != name or not now <= full <= now + _LONGEST:
                full = now
            over = full - now - (burst - 1) * seconds
            if over > _ROUNDING:
                return max(1, math.ceil(over - _ROUNDING))
            os.pwrite(file, _PLACE.pack(name, full + seconds), group + place)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
        return 0

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, GROUPS * _GROUP)  # a disk that is full says so here and not in between
        except OSError:
            os.close(file)
            raise
        return file


def _place(held: bytes, name: bytes) -> int:
    """Return where in a group a caller stands, or is to stand."""
    found = held.find(name)
    if found >= 0 and found % _PLACE.size == 0:
        return found
    return min(range(0, _GROUP, _PLACE.size), key=lambda at: _PLACE.unpack_from(held, at)[1])


def _take(file: int) -> None:
    """Lock the file; go on without where a worker was stopped just there: rather a request too many than none."""
    until = None
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            until = until or now + _LOCK_SECONDS
            if now >= until:
                return
            time.sleep(_LOOK_SECONDS)
        else:
            return
