"""Zip archives, unpacked without trusting their names or sizes."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from catalog.errors import DataError

MOST_BYTES = 50 * 1024**3
"""Of one archive's files together."""

MOST_FILES = 10_000


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a zip archive of one top folder beside it; a folder of that name that is there already stays.

    Raises:
        DataError: When it is no zip, a name leads out of the folder, a member is a link, it holds more than
            one top folder, or more than fits.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [each for each in opened.infolist() if not each.is_dir()]
            top = _top_folder(archive, members)
            if (folder / top).exists():
                return folder / top
            _room(archive, members, folder)
            place = Path(tempfile.mkdtemp(dir=folder, prefix=f".{top}-"))
            try:
                for member in members:
                    _extract(opened, member, place)
                (place / top).replace(folder / top)
            finally:
                shutil.rmtree(place, ignore_errors=True)
            return folder / top
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"archive {str(archive)!r} cannot be unpacked: {error}") from error


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path) -> None:
    """Write one member; more bytes than it declares is an error of the archive."""
    path = place / member.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)


def _top_folder(archive: Path, members: list[zipfile.ZipInfo]) -> str:
    tops = set()
    for member in members:
        path = PurePosixPath(member.filename)
        link = stat.S_ISLNK(member.external_attr >> 16)
        if link or path.is_absolute() or ".." in path.parts or "\\" in member.filename or len(path.parts) < 2:
            raise DataError(
                f"archive {str(archive)!r} holds {member.filename!r}; plain files below one folder would be valid"
            )
        tops.add(path.parts[0])
    if len(tops) != 1:
        raise DataError(f"archive {str(archive)!r} holds {len(tops)} top folders; exactly one would be valid")
    return tops.pop()


def _room(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    size, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if len(members) > MOST_FILES or size > MOST_BYTES:
        raise DataError(
            f"archive {str(archive)!r} unpacks to {len(members):,} files of {size:,} bytes; "
            f"{MOST_FILES:,} files and {MOST_BYTES:,} bytes are the most"
        )
    if size > free:
        raise DataError(f"archive {str(archive)!r} unpacks to {size:,} bytes; {str(folder)!r} has {free:,} free")
