"""Where a reference points: a path, or a URL whose bytes were fetched before."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from catalog.errors import MediaError

FETCHED = "media"
"""Folder of the workspace where fetched media lie, each under the sha256 of its URL."""


def is_url(ref: str) -> bool:
    """Whether `ref` is an http(s) URL."""
    return ref[:8].lower().startswith(("http://", "https://"))


def fetched_path(url: str, root: Path) -> Path:
    """Return where the downloader puts the bytes of `url`, and where every reader of media looks for them."""
    digest = hashlib.sha256(url.encode()).hexdigest()
    return root / FETCHED / digest[:2] / digest


def media_path(ref: str, root: Path) -> Path:
    """Return the file behind a reference.

    Args:
        ref: An http(s) URL, an absolute path, or a path relative to `root`.
        root: Workspace root.

    Raises:
        MediaError: When the file is missing, the URL not fetched, the scheme unknown, or a relative path
            leaves `root`.
    """
    if is_url(ref):
        path = fetched_path(ref, root)
        if not path.is_file():
            raise MediaError(
                f"{ref!r} is a URL, and fetching by URL comes with a later release; "
                "local files (vitrine import table --images 'photos/{sku}.jpg') would be valid"
            )
        return path
    if "://" in ref or ref.startswith("data:"):
        scheme = ref.split(":", 1)[0]
        raise MediaError(
            f"media reference of scheme {scheme!r} cannot be opened; a path or an http(s) URL would be valid"
        )
    if not ref or "\0" in ref:
        raise MediaError(f"media reference {ref!r} is no path; a path or an http(s) URL would be valid")
    if not PurePosixPath(ref).is_absolute() and ".." in PurePosixPath(ref).parts:
        raise MediaError(f"media path {ref!r} leaves the store; a relative path without '..' would be valid")
    path = root / ref
    try:
        if not path.is_file():
            raise MediaError(f"media file {ref!r} does not exist under {str(root)!r}")
    except OSError as error:
        raise MediaError(f"media path {ref[:200]!r} cannot be opened: {error.strerror}") from error
    return path


def media_sha(ref: str, root: Path) -> str:
    """Return the sha256 of the bytes behind `ref`, in hex.

    Raises:
        MediaError: As `media_path`, or when the file cannot be read.
    """
    try:
        with media_path(ref, root).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(f"media file {ref!r} cannot be read: {error.strerror}") from error


def checked_size(path: Path, ref: str, most: int) -> None:
    """Refuse an empty file, and one of more than `most` bytes."""
    size = path.stat().st_size
    if not size:
        raise MediaError(f"media file {ref!r} is empty")
    if size > most:
        raise MediaError(f"media file {ref!r} has {size:,} bytes; up to {most:,} would be valid")
