"""Zip archives, unpacked without trusting their names or sizes."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catalog.errors import DataError

MOST_BYTES = 50 * 1024**3
"""Of one archive's files together."""

MOST_FILES = 10_000

_BLOCK = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class _Unsound(Exception):
    """What is wrong with an archive, as the end of a sentence about it."""


@dataclass(frozen=True)
class Unpacked:
    """What `unpack` did.

    Attributes:
        folder: The archive's top folder.
        fresh: Whether it was not there before.
        restored: Files below it that were there and not as the archive has them, or missing.
    """

    folder: Path
    fresh: bool
    restored: tuple[str, ...] = ()

    def text(self) -> str:
        """Return one line."""
        if self.fresh:
            return f"{self.folder}: unpacked"
        if not self.restored:
            return f"{self.folder}: here already, as in the archive"
        named = ", ".join(self.restored)
        return (
            f"{self.folder}: unpacked again, not as in the archive: {named} (what was there is now .<name>.set-aside)"
        )


def set_aside(path: Path) -> Path:
    """Give a file or folder that is not to be used a hidden name beside it, and return that."""
    aside = path.with_name(f".{path.name}.set-aside")
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    return path.replace(aside)


def archive_fault(archive: Path, *, read_all: bool = True) -> str | None:
    """Return what is wrong with a zip archive (`cannot be unpacked: ...`), None where it can be unpacked.

    Args:
        archive: The file.
        read_all: Whether each member is read and compared with its checksum, not only the directory.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            _members(opened)
            damaged = opened.testzip() if read_all else None
    except _Unsound as error:
        return str(error)
    except _BROKEN as error:
        return f"cannot be unpacked: {error}"
    return None if damaged is None else f"cannot be unpacked: {damaged!r} is damaged"


def unpack(archive: Path, folder: Path) -> Unpacked:
    """Unpack a zip archive of one top folder beside it.

    Of a folder that is there already, every file is compared with the archive in size and CRC-32; one that
    differs is set aside and unpacked again, and what the archive does not know stays.

    Raises:
        DataError: When it is no zip, a name leads out of the folder, a member is a link, it holds more than
            one top folder, or more than fits.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            top, members = _members(opened)
            fresh = not (folder / top).exists()
            wanted = members if fresh else [each for each in members if not _is_whole(folder / each.filename, each)]
            _room(archive, wanted, folder)
            place = Path(tempfile.mkdtemp(dir=folder, prefix=f".{top}-"))
            try:
                for member in wanted:
                    _extract(opened, member, place)
                if fresh:
                    (place / top).replace(folder / top)
                else:
                    for member in wanted:
                        _restore(place / member.filename, folder / member.filename)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    except _Unsound as error:
        raise DataError(f"archive {str(archive)!r} {error}") from error
    except _BROKEN as error:
        raise DataError(f"archive {str(archive)!r} cannot be unpacked: {error}") from error
    restored = () if fresh else tuple(str(PurePosixPath(each.filename).relative_to(top)) for each in wanted)
    return Unpacked(folder / top, fresh, restored)


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path) -> None:
    """Write one member; more bytes than it declares is an error of the archive."""
    path = place / member.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)


def _restore(found: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() or target.is_symlink():
        set_aside(target)
    found.replace(target)


def _is_whole(path: Path, member: zipfile.ZipInfo) -> bool:
    """Return whether an unpacked file has the size and the CRC-32 of its member."""
    if not path.is_file() or path.stat().st_size != member.file_size:
        return False
    found = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found = zlib.crc32(block, found)
    return found == member.CRC


def _members(opened: zipfile.ZipFile) -> tuple[str, list[zipfile.ZipInfo]]:
    """Return the one top folder and the files below it.

    Raises:
        _Unsound: When a name is not to be trusted, or there is more than anybody publishes.
    """
    members = [each for each in opened.infolist() if not each.is_dir()]
    tops = set()
    for member in members:
        path = PurePosixPath(member.filename)
        link = stat.S_ISLNK(member.external_attr >> 16)
        if link or path.is_absolute() or ".." in path.parts or "\\" in member.filename or len(path.parts) < 2:
            raise _Unsound(f"holds {member.filename!r}; plain files below one folder would be valid")
        tops.add(path.parts[0])
    if len(tops) != 1:
        raise _Unsound(f"holds {len(tops)} top folders; exactly one would be valid")
    size = sum(member.file_size for member in members)
    if len(members) > MOST_FILES or size > MOST_BYTES:
        raise _Unsound(
            f"unpacks to {len(members):,} files of {size:,} bytes; "
            f"{MOST_FILES:,} files and {MOST_BYTES:,} bytes are the most"
        )
    return tops.pop(), members


def _room(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    size, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if size > free:
        raise DataError(f"archive {str(archive)!r} unpacks to {size:,} bytes; {str(folder)!r} has {free:,} free")
