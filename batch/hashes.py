"""`HashCache`: the sha256 of files, read once and known again by their stat; planning again costs no reading.

A file is trusted to be what it was while its size, inode, and the nanoseconds of its last change of content and of
its record (mtime, ctime) are the same; a member of an archive, as `media_stamp` says. One that changed within
`RACY_SECONDS` of being read is read again the next time, as git does: a later change could leave the same stat.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from batch.remembered import Remembered, Row, Stamp
from catalog.errors import MediaError
from catalog.media import is_url, media_sha, media_stamp

NAME = "media-hashes.sqlite"
RACY_SECONDS = 2.0
"""Coarsest clock of a common file system."""


class HashCache:
    """Hashes of media below `root`, kept in `root/media-hashes.sqlite`; a context manager.

    Args:
        root: Workspace root.
        threads: Files read at the same time.
        clock: Seconds since the epoch, for tests.
        keep: False looks up, and keeps nothing.
    """

    def __init__(
        self, root: Path, threads: int = 2, clock: Callable[[], float] = time.time, *, keep: bool = True
    ) -> None:
        self._root, self._clock = root, clock
        self._prefix = f"{root}{os.sep}"
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hash")
        self._remembered = Remembered(root / NAME, writable=keep)
        self.read = 0

    def __enter__(self) -> HashCache:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was learned is in it."""
        self._pool.shutdown()
        self._remembered.close()

    def shas(self, refs: Sequence[str]) -> list[str | MediaError]:
        """Return the sha256 in hex of the bytes behind each reference, or why there is none."""
        stamps = list(map(self._stamp, refs))
        known = self._remembered.find(
            [ref for ref, stamp in zip(refs, stamps, strict=True) if isinstance(stamp, tuple)]
        )
        found: list[str | MediaError] = [MediaError("")] * len(refs)
        unknown: dict[str, list[int]] = {}
        for at, (ref, stamp) in enumerate(zip(refs, stamps, strict=True)):
            if not isinstance(stamp, tuple):
                found[at] = stamp
            elif (kept := known.get(ref)) is not None and kept[1] == stamp:
                found[at] = kept[0].hex()
            else:
                unknown.setdefault(ref, []).append(at)
        learned: list[Row] = []
        for ref, (sha, kept_as) in zip(unknown, self._pool.map(self._hash, unknown), strict=True):
            for at in unknown[ref]:
                found[at] = sha
            if kept_as is not None and isinstance(sha, str):
                learned.append((ref, *kept_as, bytes.fromhex(sha)))
        self.read += len(unknown)
        self._remembered.keep(learned)
        return found

    def learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Keep hashes known from elsewhere: reference and sha256 in hex; what has no file is passed over."""
        stamps = [(ref, self._stamp(ref), sha) for ref, sha in pairs]
        self._remembered.keep(
            [(ref, *stamp, bytes.fromhex(sha)) for ref, stamp, sha in stamps if isinstance(stamp, tuple)]
        )

    def _stamp(self, ref: str) -> Stamp | MediaError:
        if _plain(ref):
            try:
                # A Path costs more than the stat itself, and there are millions.
                found = os.stat(self._prefix + ref)  # noqa: PTH116
                if stat.S_ISREG(found.st_mode):
                    return found.st_size, _mark(found)
            except (OSError, ValueError):
                pass  # said below, in the words of the media layer
        try:
            stamp = media_stamp(ref, self._root)
        except MediaError as error:
            return error
        return stamp.size, stamp.mark

    def _hash(self, ref: str) -> tuple[str | MediaError, Stamp | None]:
        """Read a file; its stamp comes with the hash where it may be trusted later."""
        try:
            before, now = self._stamp(ref), self._clock()
            sha = media_sha(ref, self._root)
            after = self._stamp(ref)
            found = Path(media_stamp(ref, self._root).path.split("!/", 1)[0]).stat()
        except MediaError as error:
            return error, None
        except OSError as error:
            return MediaError(f"media file {ref!r} cannot be read: {error.strerror}"), None
        settled = max(found.st_mtime_ns, found.st_ctime_ns) < (now - RACY_SECONDS) * 1e9
        return sha, after if isinstance(after, tuple) and before == after and settled else None


def _plain(ref: str) -> bool:
    """Whether a reference is a plain relative path; others are judged by the media layer."""
    return not (
        not ref
        or ref[0] == "/"
        or any(sign in ref for sign in ("://", "..", "!/", "\0"))
        or ref.startswith("data:")
        or is_url(ref)
    )


def _mark(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"
