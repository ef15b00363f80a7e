"""What the files of an artifact were when they were written: kept in its manifest, compared when it is to be reused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any


def file_marks(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size, time of change in nanoseconds and sha256 of every file below `folder`, by its path inside."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): {**_stamp(path), "sha256": _sha256(path)} for path in files}


def changed(folder: Path, marks: Any) -> str | None:
    """Return which file is not what it was, and how; None when all are.

    A file of the same size and time of change is taken for the same unread; one whose time differs, as after a
    copy, is read. Files that came to the folder later are of no account.

    Args:
        folder: Where the files are.
        marks: What `file_marks` said, from JSON; None where it was never asked, and only the folder must be there.
    """
    if not folder.is_dir():
        return f"{str(folder)!r} is missing"
    if marks is None:
        return None
    try:
        for name, kept in marks.items():
            path = folder / name
            if not path.is_file():
                return f"{str(path)!r} is missing"
            found, was = _stamp(path), {"size": kept["size"], "mtime_ns": kept["mtime_ns"]}
            if found["size"] != was["size"]:
                return f"{str(path)!r} has {found['size']!r} bytes, and had {was['size']!r} when it was written"
            if found != was and _sha256(path) != kept["sha256"]:
                return f"{str(path)!r} is not what was written: its sha256 has changed"
    except (AttributeError, KeyError, TypeError, ValueError):
        return "its manifest's list of files is damaged"
    except OSError as error:
        return f"{str(folder)!r} cannot be read ({error.strerror})"
    return None


def _stamp(path: Path) -> dict[str, int]:
    found = path.stat()
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
