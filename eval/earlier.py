"""A report that another is about to take the place of is kept."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

EARLIER = "earlier"
ENDS = (".json", ".md", ".npz", ".png", "-diagnosis.png")


def keep_earlier(folder: Path, name: str, protocols: tuple[str, ...] = ()) -> Path | None:
    """Copy the files of the report `name` to `earlier/<its time>/`, under their names, so that it can be compared.

    Args:
        folder: Of the reports.
        name: Stem of the report's files.
        protocols: Those it was made by, where each has files of its own.

    Returns:
        Where its `.json` is now; None where there was none.

    Raises:
        OSError: When they cannot be copied; nothing is left behind then.
    """
    standing = folder / f"{name}.json"
    if not standing.is_file():
        return None
    made = datetime.fromtimestamp(standing.stat().st_mtime, UTC)
    kept = folder / EARLIER / made.strftime("%Y-%m-%dT%H-%M-%S")
    whole = kept.exists()
    kept.mkdir(parents=True, exist_ok=True)
    try:
        for stem in (name, *(f"{name}-{protocol}" for protocol in protocols)):
            for file in (folder / f"{stem}{end}" for end in ENDS):
                if file.is_file():
                    shutil.copy2(file, kept / file.name)
    except OSError:
        if not whole:  # half a copy is none
            shutil.rmtree(kept, ignore_errors=True)
        raise
    return kept / standing.name
