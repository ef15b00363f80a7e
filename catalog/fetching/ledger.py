"""`fetched.json`: what was fetched into a folder, from where, with which digest, under which accepted terms."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.errors import DataError
from catalog.fetching.sources import Licence
from catalog.workspace import write_text

LEDGER_FILE = "fetched.json"


@dataclass(frozen=True)
class Entry:
    """One file that was fetched whole."""

    url: str
    sha256: str
    bytes: int
    fetched_at: str


@dataclass
class Ledger:
    """The record of one folder; a later fetch of the same file must give the same digest."""

    folder: Path
    files: dict[str, Entry] = field(default_factory=dict)
    accepted: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.folder / LEDGER_FILE

    @classmethod
    def of(cls, folder: Path) -> Ledger:
        """Read the record, or begin one.

        Raises:
            DataError: When it is damaged.
        """
        path = folder / LEDGER_FILE
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            files = {name: Entry(**entry) for name, entry in said["files"].items()}
            return cls(folder, files, dict(said["accepted"]))
        except FileNotFoundError:
            return cls(folder)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{str(path)!r} is damaged: remove it, and what was fetched is measured again at the next vitrine fetch"
            ) from error

    def accept(self, licence: Licence) -> None:
        """Note that the terms were accepted."""
        self.accepted[licence.name] = {"url": licence.url, "accepted_at": _now()}
        self._save()

    def record(self, name: str, url: str, sha256: str, size: int) -> None:
        """Note a file that is whole."""
        self.files[name] = Entry(url, sha256, size, _now())
        self._save()

    def _save(self) -> None:
        said: dict[str, Any] = {
            "files": {name: asdict(entry) for name, entry in sorted(self.files.items())},
            "accepted": self.accepted,
        }
        write_text(self.path, json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
