"""What a retraining leaves until its verdict: one that was killed before it is judged by the next."""

from __future__ import annotations

import json
from pathlib import Path

from catalog.workspace import Workspace, write_text
from vitrine.shelf import Shelf

BEGUN = ".retrain.begun"
"""Its name in the store."""


class Begun:
    """Notes, before anything is trained, which versions there are: what is made since has no verdict yet.

    Attributes:
        known: Numbers of the versions that were there; those of an earlier retraining that did not end, where its note
            is found.
    """

    def __init__(self, workspace: Workspace, shelf: Shelf, name: str) -> None:
        self._path = workspace.root / BEGUN
        before = _read(self._path, name)
        now = frozenset(version.number for version in shelf.versions(name))
        self.known = now if before is None else before
        if before is None:
            write_text(self._path, json.dumps({"name": name, "known": sorted(self.known)}) + "\n")

    def ended(self) -> None:
        """Take the note away: there is a verdict."""
        self._path.unlink(missing_ok=True)


def _read(path: Path, name: str) -> frozenset[int] | None:
    """Return what a note says of a recommender; None where there is none of it."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(map(int, said["known"])) if said["name"] == name else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
