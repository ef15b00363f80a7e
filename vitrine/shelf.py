"""`Shelf`: every training of a recommender as a numbered version, one of them promoted.

    models/<name>/manifest.json     which version is promoted, and which were before it
    models/<name>/v1/, v2/, ...     model, ids, config, metrics, ranker: everything that serves, and version.json

A version appears under its number whole or not at all, and is never changed. Promotion replaces the manifest, one
small file, in one step: whoever opens `models/<name>` meanwhile gets the old version or the new one.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError, DataError, NotFoundError, did_you_mean
from catalog.workspace import MANIFEST, Workspace, write_text

HEAD = "version.json"
"""What a version says of itself; written last, so that a folder without it is none."""

_FOLDER = re.compile(r"v([1-9]\d*)")
_LABEL = re.compile(r"(?P<name>[\w.-]+)(@v?(?P<number>[1-9]\d{0,8}))?")


@dataclass(frozen=True)
class Version:
    """One training that was kept.

    Attributes:
        name: Of the recommender.
        number: Counts from 1; a number is never given twice.
        key: Content key of everything the training rested on.
        made_at: ISO 8601, UTC.
        meta: Roles, seed, epochs, seconds, metrics, data key, commit, what the ranker was taught from.
        folder: Holds everything that serves.
    """

    name: str
    number: int
    key: str
    made_at: str
    meta: Mapping[str, Any]
    folder: Path

    def __str__(self) -> str:
        return f"{self.name}@{self.number}"


class Shelf:
    """The versions of every recommender in a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def names(self) -> list[str]:
        """Return the recommenders that have a version."""
        homes = sorted(path for path in (self.workspace.root / "models").glob("*") if path.is_dir())
        return [home.name for home in homes if self.versions(home.name)]

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a recommender, oldest first.

        Raises:
            DataError: When what a version says of itself cannot be read.
        """
        found = []
        for number, folder in sorted(self._folders(name).items()):
            path = folder / HEAD
            if not path.is_file():
                continue
            try:
                raw = json.loads(path.read_text(encoding="utf-8"))
                found.append(Version(name, number, raw["key"], raw["made_at"], dict(raw["meta"]), folder))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{str(path)!r} describes no version: remove its folder") from error
        return found

    def promoted(self, name: str) -> int | None:
        """Return the number of the served version; None when there is none."""
        number = self._pointer(name).get("version")
        return number if isinstance(number, int) else None

    def find(self, label: str) -> Version:
        """Return the version that `name@number` names; a name alone is its promoted one.

        Raises:
            ConfigError: When the label has another form.
            NotFoundError: When there is no such version; the text lists those there are.
        """
        match = _LABEL.fullmatch(label)
        if match is None:
            raise ConfigError(
                f"{label!r} names no version; 'lirdrec@2' would be valid, or 'lirdrec' for the served one"
            )
        name = match["name"]
        versions = {version.number: version for version in self.versions(name)}
        if not versions:
            raise NotFoundError(f"no version of {name!r} is kept. {did_you_mean(name, self.names())}")
        number = int(match["number"]) if match["number"] else self.promoted(name)
        if number is None:
            raise NotFoundError(f"no version of {name!r} is promoted; kept: {_list(versions.values())}")
        if number not in versions:
            raise NotFoundError(f"{name}@{number} is not kept; kept: {_list(versions.values())}")
        return versions[number]

    def add(self, name: str, key: str, meta: Mapping[str, Any], fill: Callable[[Path], None]) -> Version:
        """Keep a training as the next version; `fill` writes it into an empty folder. It is not promoted yet.

        Raises:
            Whatever `fill` raises: then nothing is kept.
        """
        home = self.workspace.root / "models" / name
        home.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=home, prefix=".tmp-"))
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            fill(temporary)
            temporary.chmod(0o755)
            number = self._next(name)
            while (folder := self._placed(temporary, number, key, made_at, meta)) is None:
                number += 1
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return Version(name, number, key, made_at, dict(meta), folder)

    def promote(self, version: Version) -> None:
        """Let a version be the one that is served; the one before it becomes what `rollback` goes back to."""
        before = self.promoted(version.name)
        trail = [number for number in self._trail(version.name) if number != version.number]
        if before is not None and before != version.number:
            trail.append(before)
        self._point(version, trail)

    def rollback(self, name: str) -> Version:
        """Promote what was promoted before, and return it.

        Raises:
            NotFoundError: When no earlier promotion is kept.
        """
        kept = {version.number: version for version in self.versions(name)}
        if not kept:
            raise NotFoundError(f"no version of {name!r} is kept. {did_you_mean(name, self.names())}")
        trail = [number for number in self._trail(name) if number in kept]
        if not trail:
            raise NotFoundError(f"nothing was promoted before the served {name!r}; kept: {_list(kept.values())}")
        self._point(kept[trail[-1]], trail[:-1])
        return kept[trail[-1]]

    def remove(self, version: Version) -> None:
        """Remove a version that is not served.

        Raises:
            ConfigError: When it is the promoted one.
        """
        if version.number == self.promoted(version.name):
            raise ConfigError(f"{version} is the promoted one; promote another first, or vitrine models rollback")
        gone = version.folder.with_name(f".tmp-{version.folder.name}")
        version.folder.rename(gone)
        if version.number > max(self._folders(version.name), default=0):
            version.folder.mkdir()  # an empty folder keeps the newest number from being given again
        shutil.rmtree(gone, ignore_errors=True)

    def prune(self, name: str, keep: int) -> list[Version]:
        """Remove the oldest versions beyond `keep`, never the promoted one, and what killed runs left.

        The one that a rollback would go back to goes last.
        """
        versions = self.versions(name)
        promoted = self.promoted(name)
        trail = [number for number in self._trail(name) if number in {version.number for version in versions}]
        spared = {promoted, *trail[-1:]} if keep > 1 else {promoted}
        loose = [version for version in versions if version.number not in spared]
        excess = max(len(versions) - keep, 0)
        gone = loose[:excess]
        for version in gone:
            self.remove(version)
        newest = max(self._folders(name), default=0)
        for folder in (self.workspace.root / "models" / name).iterdir():
            match = _FOLDER.fullmatch(folder.name)
            whole = match is not None and ((folder / HEAD).is_file() or int(match[1]) == newest)
            if folder.is_dir() and not whole and folder.name != self._pointer_folder(name):
                shutil.rmtree(folder, ignore_errors=True)
        return gone

    def _placed(self, temporary: Path, number: int, key: str, made_at: str, meta: Mapping[str, Any]) -> Path | None:
        """Give a finished folder its number; None when another training has just taken it."""
        home = temporary.parent
        head = {"name": home.name, "version": number, "key": key, "made_at": made_at, "meta": dict(meta)}
        write_text(temporary / HEAD, json.dumps(head, indent=2, ensure_ascii=False) + "\n")
        try:
            return temporary.rename(home / f"v{number}")
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return None

    def _point(self, version: Version, trail: list[int]) -> None:
        body = {
            "key": version.key,
            "folder": version.folder.name,
            "made_at": version.made_at,
            "meta": {**version.meta, "version": version.number, "previous": trail},
        }
        path = self.workspace.root / "models" / version.name / MANIFEST
        write_text(path, json.dumps(body, indent=2, ensure_ascii=False) + "\n")

    def _pointer(self, name: str) -> Mapping[str, Any]:
        manifest = self.workspace.manifest(f"models/{name}")
        return manifest.meta if manifest else {}

    def _pointer_folder(self, name: str) -> str | None:
        manifest = self.workspace.manifest(f"models/{name}")
        return manifest.folder if manifest else None

    def _trail(self, name: str) -> list[int]:
        return [number for number in self._pointer(name).get("previous", ()) if isinstance(number, int)]

    def _folders(self, name: str) -> dict[int, Path]:
        home = self.workspace.root / "models" / name
        found = ((_FOLDER.fullmatch(path.name), path) for path in home.glob("v*"))
        return {int(match[1]): path for match, path in found if match and path.is_dir()}

    def _next(self, name: str) -> int:
        return max([*self._folders(name), *self._trail(name), self.promoted(name) or 0], default=0) + 1


def _list(versions: Any) -> str:
    return ", ".join(map(str, versions)) or "none"
