"""Size and SHA-256 of every file of a trained version: written once into its `version.json`, compared at every use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FileSum:
    """What a file was when it was written.

    Attributes:
        size: In bytes.
        sha256: Of its content, hexadecimal.
    """

    size: int
    sha256: str


def file_sums(folder: Path) -> dict[str, FileSum]:
    """Return the sum of every file below `folder`, by its path inside, `/` between the parts."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _sum(path) for path in files}


def sums_to_json(sums: Mapping[str, FileSum]) -> dict[str, dict[str, Any]]:
    """Return sums as plain JSON values."""
    return {name: {"size": each.size, "sha256": each.sha256} for name, each in sums.items()}


def sums_from_json(raw: Any) -> dict[str, FileSum] | None:
    """Return what `sums_to_json` gave; None for a version that was written before sums were kept.

    Raises:
        KeyError: When a file lacks its size or its sum.
        TypeError: When one of them is of another kind.
    """
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise TypeError(f"files is {raw!r}; size and sha256 by file name would be valid")
    sums = {str(name): FileSum(each["size"], each["sha256"]) for name, each in raw.items()}
    for name, each in sums.items():
        if not isinstance(each.size, int) or not isinstance(each.sha256, str):
            raise TypeError(f"files.{name} is {raw[name]!r}; a whole size and a text sha256 would be valid")
    return sums


def first_fault(folder: Path, sums: Mapping[str, FileSum]) -> str | None:
    """Return which file is not what it was, and how; None when all are. Each file is read once.

    Files that came to the folder later are of no account.
    """
    for name, kept in sums.items():  # all sizes first: they cost nothing
        path = folder / name
        if not path.is_file():
            return f"{str(path)!r} is missing"
        if (size := path.stat().st_size) != kept.size:
            return f"{str(path)!r} has {size:,} bytes, and had {kept.size:,} when it was written"
    for name, kept in sums.items():
        try:
            found = _sum(folder / name)
        except OSError as error:
            return f"{str(folder / name)!r} cannot be read ({error.strerror})"
        if found != kept:
            return f"{str(folder / name)!r} is not what was written: its sha256 has changed"
    return None


def _sum(path: Path) -> FileSum:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileSum(file.tell(), digest)
