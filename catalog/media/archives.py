"""Members of zip and tar archives, read where they lie: nothing is unpacked.

A reference `photos.zip!/shoes/1.jpg` names a member. Zip and plain tar are read at random. A compressed
tar (`.tar.gz`) has no such way in: its thousandth member can only be had by unpacking the 999 before it,
so it is refused, and `gunzip` or a zip is what would be valid.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from catalog.errors import MediaError

MARK = "!/"
"""Stands between an archive and its member in a reference."""

MOST_MEMBER = 4 * 1024**3
"""Bytes of one member at most, whoever asks."""

KEPT = 16
"""Directories of archives that are kept in memory; each is read once."""

_READ = (".zip", ".cbz", ".tar")
_STREAMS = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".gz", ".7z", ".rar")
_SPOOLED = 32 * 1024**2
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive.

    Attributes:
        size: Bytes, unpacked.
        mark: Differs where the bytes differ: the checksum in a zip, the place and the archive's time in a tar.
        offset: Where its bytes lie as they are, None where they are packed.
    """

    size: int
    mark: str
    offset: int | None
    info: zipfile.ZipInfo | None = None


class _Directory:
    """What one archive holds; safe to share between threads."""

    def __init__(self, path: Path, stamp: str, bytes_in: int) -> None:
        self._path = path
        self._zip = None if path.suffix.lower() == ".tar" else zipfile.ZipFile(path)
        self._members: dict[str, Member] = {}
        if self._zip is None:
            with tarfile.open(path, "r:") as opened:
                try:
                    while (each := opened.next()) is not None:
                        if each.isreg() and each.sparse is None and each.offset_data + each.size <= bytes_in:
                            mark = f"{stamp}:{each.offset_data}"
                            self._members[_plain(each.name)] = Member(each.size, mark, each.offset_data)
                        opened.members = []  # type: ignore[attr-defined]  # it would keep every header
                except tarfile.ReadError:  # cut off: what came before stands
                    if not self._members:
                        raise

    def find(self, name: str) -> Member | None:
        if self._zip is None:
            return self._members.get(name)
        info = self._zip.NameToInfo.get(name)
        if info is None or info.is_dir():
            return None
        return Member(info.file_size, f"{info.CRC:08x}", None, info)

    def stream(self, member: Member) -> BinaryIO:
        """Return the bytes from front to back, checked against the checksum of a zip at their end."""
        if self._zip is not None:
            assert member.info is not None
            return self._zip.open(member.info)  # type: ignore[return-value]  # IO[bytes]; reads are locked inside
        assert member.offset is not None
        return _window(self._path, member.offset, member.size)

    def seekable(self, member: Member) -> BinaryIO:
        """Return the bytes for a reader that jumps: a window into the archive, or a copy where they are packed."""
        info = member.info
        if info is None or info.compress_type == zipfile.ZIP_STORED:
            offset = member.offset if info is None else _stored_at(self._path, info)
            assert offset is not None
            return _window(self._path, offset, member.size)
        spool = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115 - the caller closes it
        try:
            with self.stream(member) as source:
                while block := source.read(1 << 20):
                    spool.write(block)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return spool  # type: ignore[return-value]  # a file in all but name

    def close(self) -> None:
        if self._zip is not None:
            self._zip.close()


class _NoFile(Exception):
    """An archive is a folder, a pipe or a device."""


_directories: OrderedDict[tuple[str, str], _Directory] = OrderedDict()
_lock = threading.Lock()


def split_ref(ref: str) -> tuple[str, str] | None:
    """Return archive and member of a reference, None where it names a plain file.

    Raises:
        MediaError: When the archive is of a form that cannot be read at random, or the member's name is not to be
            trusted.

    Example:
        >>> split_ref("photos.zip!/shoes/1.jpg")
        ('photos.zip', 'shoes/1.jpg')
        >>> split_ref("shoes/1.jpg") is None
        True
    """
    archive, mark, member = ref.partition(MARK)
    lowered = archive.lower()
    if not mark or not lowered.endswith((*_READ, *_STREAMS)):
        return None
    if lowered.endswith(_STREAMS):
        raise MediaError(
            f"media reference {ref!r}: a compressed archive of this form cannot be read at random; "
            "a .zip or an uncompressed .tar would be valid"
        )
    if not member or member.startswith("/") or ".." in member.split("/") or "\\" in member or "\0" in member:
        raise MediaError(f"media reference {ref!r}: {member!r} is no plain name of a member; a/b.jpg would be valid")
    return archive, member


def find_member(archive: Path, name: str, ref: str) -> Member:
    """Return what the archive's own directory says of a member.

    Raises:
        MediaError: When the archive is missing or broken, or has no such file.
    """
    return _found(archive, name, ref)[1]


def open_member(archive: Path, name: str, ref: str, *, seekable: bool = True) -> BinaryIO:
    """Return a member's bytes as a file.

    Args:
        archive: The zip or tar file.
        name: As the archive names it.
        ref: Stands in the error.
        seekable: Whether the reader jumps. A packed member is then unpacked into memory, or, a large one, into a
            temporary file without a name.

    Raises:
        MediaError: When it is missing, encrypted, packed in a way unknown, or broken.
    """
    directory, member = _found(archive, name, ref)
    if member.info is not None and member.info.flag_bits & 1:
        raise MediaError(f"media file {ref!r} is encrypted; a member that needs no password would be valid")
    try:
        return directory.seekable(member) if seekable else directory.stream(member)
    except (*_BROKEN, OSError) as error:
        raise broken(ref, error) from error


def broken(ref: str, error: Exception) -> MediaError:
    """Return the error for a member that cannot be unpacked."""
    return MediaError(f"media file {ref!r} cannot be unpacked: {error or type(error).__name__}")


def broken_kinds() -> tuple[type[Exception], ...]:
    """Return what reading a broken member raises."""
    return _BROKEN


def _found(archive: Path, name: str, ref: str) -> tuple[_Directory, Member]:
    try:
        directory = _directory(archive)
    except _NoFile as error:
        raise MediaError(f"media file {ref!r}: archive {str(archive)!r} is no regular file") from error
    except FileNotFoundError as error:
        raise MediaError(f"media file {ref!r}: there is no archive {str(archive)!r}") from error
    except (*_BROKEN, OSError) as error:
        raise MediaError(f"media file {ref!r}: archive {str(archive)!r} cannot be read: {error}") from error
    member = directory.find(_plain(name))
    if member is None:
        raise MediaError(f"media file {ref!r}: archive {str(archive)!r} holds no file {name!r}")
    if member.size > MOST_MEMBER:
        raise MediaError(f"media file {ref!r} unpacks to {member.size:,} bytes; up to {MOST_MEMBER:,} would be valid")
    return directory, member


def _directory(archive: Path) -> _Directory:
    """Return the directory of an archive as it is now; one lock, so that many threads read it once."""
    status = archive.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for whoever fills it
        raise _NoFile
    # The process is part of the key: a forked child must not share the parent's file position.
    stamp = f"{status.st_mtime_ns}:{status.st_size}:{status.st_ino}"
    key = (str(archive), f"{stamp}:{os.getpid()}")
    with _lock:
        found = _directories.get(key)
        if found is None:
            found = _directories[key] = _Directory(archive, stamp, status.st_size)
            if len(_directories) > KEPT:
                _directories.popitem(last=False)  # closed when its last reader lets go of it
        _directories.move_to_end(key)
    return found


def _plain(name: str) -> str:
    """Return a member's name without the `./` that tar likes to begin with."""
    return name.removeprefix("./")


def _stored_at(path: Path, info: zipfile.ZipInfo) -> int:
    """Return where the bytes of a stored member begin (APPNOTE 4.3.7: 30 bytes, then name and extra field)."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(30)
    if header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("no local header where the directory says")
    name, extra = struct.unpack("<HH", header[26:30])
    return info.header_offset + 30 + int(name) + int(extra)


def _window(path: Path, offset: int, size: int) -> BinaryIO:
    return io.BufferedReader(_Window(path, offset, size), 1 << 16)


class _Window(io.RawIOBase):
    """`size` bytes of a file from `offset` on, through a handle of its own."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._offset, self._size, self._at = offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"seek to {start + offset}")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._offset + self._at)
        got = self._file.readinto(memoryview(buffer)[:wanted]) or 0  # a slice of a bytearray would be a copy
        self._at += got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()
