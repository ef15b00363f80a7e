"""A new folder, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import DataError


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder; on a clean exit it stands at `target`, else nothing changed.

    Raises:
        DataError: When something stands at `target` already: an export never overwrites.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise DataError(f"{str(target)!r} is there already; a folder yet to be made, or an empty one, would be valid")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
