"""Where a reference points: a file, a member of an archive, or a URL whose bytes were fetched before.

Every decoder opens media through `open_media` or `media_bytes`, so all of them accept the same references.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from catalog.errors import MediaError
from catalog.media.archives import broken, broken_kinds, find_member, open_member, split_ref
from catalog.shown import shown_url

FETCHED = "media"
"""Folder of the workspace where fetched media lie, each under the sha256 of its URL."""

BY_URL = "by URL"
"""Short reason of a medium that is named by URL and was not fetched."""

_ANY = 1 << 62


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells, without reading them, whether the bytes behind a reference are still those of before.

    Attributes:
        path: The real file; of a member, the archive's path, `!/` and its name.
        size: Bytes.
        mark: Differs where the bytes do: time of change and inode of a file, checksum of a zip's member, place
            in a tar and the tar's time.
    """

    path: str
    size: int
    mark: str


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    member: str | None


def is_url(ref: str) -> bool:
    """Whether `ref` is an http(s) URL."""
    return ref[:8].lower().startswith(("http://", "https://"))


def fetched_path(url: str, root: Path) -> Path:
    """Return where the downloader puts the bytes of `url`, and where every reader of media looks for them."""
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
    return root / FETCHED / digest[:2] / digest


def open_media(ref: str, root: Path, max_bytes: int) -> BinaryIO:
    """Return the bytes behind a reference as a file that seeks; the caller closes it.

    Args:
        ref: An http(s) URL fetched before, an absolute path, a path relative to `root`, or either of the two
            with a member of a zip or tar: `photos.zip!/shoes/1.jpg`.
        root: Workspace root.
        max_bytes: A larger file, or member once unpacked, is refused unread.

    Raises:
        MediaError: When it is missing, empty, too large or unreadable, the URL not fetched, the scheme unknown,
            or a relative path leaves `root`.
    """
    place = _place(ref, root)
    _check_size(_stamp(place, ref).size, ref, max_bytes)
    if place.member is not None:
        return open_member(place.path, place.member, ref)
    try:
        return place.path.open("rb")
    except OSError as error:
        raise _unreadable(ref, error) from error


def media_bytes(ref: str, root: Path, max_bytes: int) -> bytes:
    """Return the bytes behind a reference, whole; of a zip's member its checksum is verified.

    Raises:
        MediaError: As `open_media`, or when an archive is damaged there.
    """
    place = _place(ref, root)
    _check_size(_stamp(place, ref).size, ref, max_bytes)
    try:
        with _front_to_back(place, ref) as file:
            data = file.read(max_bytes + 1)
            if len(data) <= max_bytes:
                data += file.read(1)  # a zip's checksum is looked at on reaching the end
    except broken_kinds() as error:
        raise broken(ref, error) from error
    except OSError as error:
        raise _unreadable(ref, error) from error
    _check_size(len(data), ref, max_bytes)
    return data


def media_sha(ref: str, root: Path) -> str:
    """Return the sha256 of the bytes behind `ref`, in hex; costly, so remember it beside `media_stamp`.

    Raises:
        MediaError: As `media_bytes`.
    """
    place = _place(ref, root)
    try:
        with _front_to_back(place, ref) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # has readinto
    except broken_kinds() as error:
        raise broken(ref, error) from error
    except OSError as error:
        raise _unreadable(ref, error) from error


def media_stamp(ref: str, root: Path) -> Stamp:
    """Return the `Stamp` of `ref`, by one look at the file's status or the archive's directory.

    Raises:
        MediaError: When there is no such file.
    """
    return _stamp(_place(ref, root), ref)


def _stamp(place: _Place, ref: str) -> Stamp:
    if place.member is not None:
        member = find_member(place.path, place.member, ref)
        return Stamp(f"{place.path}!/{place.member}", member.size, member.mark)
    try:
        status = place.path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(ref, place.path) from error
    except OSError as error:
        raise MediaError(f"media path {shown_url(ref)[:200]!r} cannot be opened: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(f"media path {shown_url(ref)!r} is no regular file ({str(place.path)!r})")
    return Stamp(os.fspath(place.path), status.st_size, f"{status.st_mtime_ns}:{status.st_ino}")


def _missing(ref: str, path: Path) -> MediaError:
    if is_url(ref):
        return MediaError(f"{shown_url(ref)!r} has not been fetched: run vitrine media, which says why where it fails")
    return MediaError(f"media file {shown_url(ref)!r} does not exist ({str(path)!r})")


def _place(ref: str, root: Path) -> _Place:
    if is_url(ref):
        return _Place(fetched_path(ref, root), None)
    if "://" in ref or ref.startswith("data:"):
        scheme = ref.split(":", 1)[0]
        raise MediaError(
            f"media reference of scheme {scheme!r} cannot be opened; a path or an http(s) URL would be valid"
        )
    if not ref or "\0" in ref:
        raise MediaError(f"media reference {ref!r} is no path; a path or an http(s) URL would be valid")
    split = split_ref(ref)
    path, member = split or (ref, None)
    if not path.startswith("/") and ".." in path.split("/"):
        raise MediaError(f"media path {ref!r} leaves the store; a relative path without '..' would be valid")
    return _Place(root / path, member)


def _front_to_back(place: _Place, ref: str) -> BinaryIO:
    if place.member is not None:
        return open_member(place.path, place.member, ref, seekable=False)
    _stamp(place, ref)  # a pipe would be waited for
    try:
        return place.path.open("rb")
    except FileNotFoundError as error:
        raise _missing(ref, place.path) from error


def _check_size(size: int, ref: str, most: int) -> None:
    if not size:
        raise MediaError(f"media file {shown_url(ref)!r} is empty")
    if size > most:
        raise MediaError(f"media file {shown_url(ref)!r} has {size:,} bytes; up to {most:,} would be valid")


def _unreadable(ref: str, error: OSError) -> MediaError:
    return MediaError(f"media file {shown_url(ref)[:200]!r} cannot be read: {error.strerror or error}")
