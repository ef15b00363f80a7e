"""`Shelf`: every training of a recommender as a numbered version, one of them promoted.

    models/<name>/manifest.json     which version is promoted, and which were before it
    models/<name>/v1/, v2/, ...     model, ids, config, metrics, ranker: everything that serves, and version.json

A version appears under its number whole or not at all, and is never changed. Promotion replaces the manifest, one
small file, in one step: whoever opens `models/<name>` meanwhile gets the old version or the new one.

`version.json` keeps size and SHA-256 of every file beside it, so that what was changed or lost since is found when the
version is loaded, promoted or trained again; `vitrine.served` does that and names the cure.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError, DataError, NotFoundError, did_you_mean
from catalog.workspace import MANIFEST, Workspace, write_text
from vitrine.checksums import FileSum, file_sums, first_fault, sums_from_json, sums_to_json

HEAD = "version.json"
"""What a version says of itself; written last, so that a folder without it is none."""

_FOLDER = re.compile(r"v([1-9]\d*)")
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How libraries written in Rust name the error of the system in their own exceptions."""

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
        files: Size and SHA-256 of each of its files by name; None in a version that is older than the sums.
    """

    name: str
    number: int
    key: str
    made_at: str
    meta: Mapping[str, Any]
    folder: Path
    files: Mapping[str, FileSum] | None = None

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

    def home(self, name: str) -> Path:
        """Return the folder of a recommender's versions."""
        return self.workspace.root / "models" / name

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a recommender that can be read, oldest first; of the others tells `unreadable`."""
        found = []
        for number, folder in sorted(self._folders(name).items()):
            if (folder / HEAD).is_file():
                try:
                    found.append(_read(name, number, folder))
                except DataError:
                    continue
        return found

    def unreadable(self, name: str) -> dict[int, str]:
        """Return what is wrong with each version that does not describe itself, by number."""
        faults = {}
        for number, folder in sorted(self._folders(name).items()):
            if (folder / HEAD).is_file():
                try:
                    _read(name, number, folder)
                except DataError as error:
                    faults[number] = str(error)
        return faults

    def promoted(self, name: str) -> int | None:
        """Return the number of the served version; None when there is none."""
        number = self._pointer(name).get("version")
        return number if isinstance(number, int) else None

    def served(self, name: str) -> Version | None:
        """Return the promoted version, as the manifest tells of it; None when there is none.

        Raises:
            DataError: When it is gone or does not describe itself.
        """
        manifest = self.workspace.manifest(f"models/{name}")
        if manifest is None:
            return None
        folder = self.home(name) / manifest.folder
        if not folder.is_dir():
            raise DataError(f"{str(folder)!r} is named by its manifest and missing")
        match = _FOLDER.fullmatch(manifest.folder)
        number = int(match[1]) if match else 0  # 0: of the time before versions had numbers and sums
        files = _read(name, number, folder).files if match else None
        return Version(name, number, manifest.key, manifest.made_at, manifest.meta, folder, files)

    def damage(self, version: Version) -> str | None:
        """Return which file of a version is not what was written; None when all are, or when no sums were kept."""
        return first_fault(version.folder, version.files) if version.files is not None else None

    def find(self, label: str) -> Version:
        """Return the version that `name@number` names; a name alone is its promoted one.

        Raises:
            ConfigError: When the label has another form.
            NotFoundError: When there is no such version; the text lists those there are.
            DataError: When it does not describe itself.
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
        if number not in versions and (fault := self.unreadable(name).get(number)):
            raise DataError(f"{fault}; kept: {_list(versions.values())}")
        if number not in versions:
            raise NotFoundError(f"{name}@{number} is not kept; kept: {_list(versions.values())}")
        return versions[number]

    def add(self, name: str, key: str, meta: Mapping[str, Any], fill: Callable[[Path], None]) -> Version:
        """Keep a training as the next version; `fill` writes it into an empty folder. It is not promoted yet.

        Raises:
            OSError: When the disk has no room for it, or refuses it.
            Whatever else `fill` raises. Nothing is kept then, and nothing that was is lost.
        """
        home = self.home(name)
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        lost = "nothing was lost, every version before it is as it was; make room and run vitrine train again"
        with _naming(home, lost):
            home.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=home, prefix=".tmp-"))
            try:
                fill(temporary)
                temporary.chmod(0o755)
                files = file_sums(temporary)
                number = self._next(name)
                while (folder := self._placed(temporary, number, key, made_at, meta, files)) is None:
                    number += 1
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        return Version(name, number, key, made_at, dict(meta), folder, files)

    def promote(self, version: Version) -> None:
        """Let a version be the one that is served; the one before it becomes what `rollback` goes back to.

        Raises:
            DataError: When one of its files is not what was written.
            OSError: When the disk has no room for the manifest, or refuses it; the one before is served then.
        """
        if fault := self.damage(version):
            raise DataError(f"{version} is damaged and was not promoted ({fault})")
        before = self.promoted(version.name)
        trail = [number for number in self.trail(version.name) if number != version.number]
        if before is not None and before != version.number:
            trail.append(before)
        self._point(version, trail)

    def earlier(self, name: str) -> Version:
        """Return what was promoted before.

        Raises:
            NotFoundError: When no earlier promotion is kept.
        """
        kept = {version.number: version for version in self.versions(name)}
        if not kept:
            raise NotFoundError(f"no version of {name!r} is kept. {did_you_mean(name, self.names())}")
        trail = [number for number in self.trail(name) if number in kept]
        if not trail:
            raise NotFoundError(f"nothing was promoted before the served {name!r}; kept: {_list(kept.values())}")
        return kept[trail[-1]]

    def rollback(self, name: str) -> Version:
        """Promote what was promoted before, and return it.

        Raises:
            NotFoundError: When no earlier promotion is kept.
            DataError: When one of its files is not what was written.
        """
        earlier = self.earlier(name)
        if fault := self.damage(earlier):
            raise DataError(f"{earlier} is damaged and was not promoted ({fault})")
        trail = self.trail(name)
        self._point(earlier, trail[: trail.index(earlier.number)])
        return earlier

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

    def prune(self, name: str, keep: int, spare: Version | None = None) -> list[Version]:
        """Remove the oldest versions beyond `keep`, never the promoted one, and what killed runs left.

        The one that a rollback would go back to goes last, and what is damaged goes before what is whole. Nor is
        `spare` removed, where it is given: what was just trained has yet to be judged.
        """
        versions = self.versions(name)
        promoted = self.promoted(name)
        excess = max(len(versions) - keep, 0)
        whole = {version.number for version in versions if not (excess and self.damage(version))}
        trail = [number for number in self.trail(name) if number in whole]
        spared = {promoted, *trail[-1:]} if keep > 1 else {promoted}
        if spare is not None:
            spared.add(spare.number)
        loose = [version for version in versions if version.number not in spared]
        gone = sorted(loose, key=lambda version: (version.number in whole, version.number))[:excess]
        for version in gone:
            self.remove(version)
        newest = max(self._folders(name), default=0)
        for folder in self.home(name).iterdir():
            match = _FOLDER.fullmatch(folder.name)
            finished = match is not None and ((folder / HEAD).is_file() or int(match[1]) == newest)
            if folder.is_dir() and not finished and folder.name != self._pointer_folder(name):
                shutil.rmtree(folder, ignore_errors=True)
        return gone

    def _placed(
        self,
        temporary: Path,
        number: int,
        key: str,
        made_at: str,
        meta: Mapping[str, Any],
        files: Mapping[str, FileSum],
    ) -> Path | None:
        """Give a finished folder its number; None when another training has just taken it."""
        home = temporary.parent
        head = {"name": home.name, "version": number, "key": key, "made_at": made_at, "meta": dict(meta)}
        head["files"] = sums_to_json(files)
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
        path = self.home(version.name) / MANIFEST
        with _naming(path, f"{version} is kept and not promoted, and what was promoted before still is"):
            write_text(path, json.dumps(body, indent=2, ensure_ascii=False) + "\n")

    def _pointer(self, name: str) -> Mapping[str, Any]:
        manifest = self.workspace.manifest(f"models/{name}")
        return manifest.meta if manifest else {}

    def _pointer_folder(self, name: str) -> str | None:
        manifest = self.workspace.manifest(f"models/{name}")
        return manifest.folder if manifest else None

    def trail(self, name: str) -> list[int]:
        """Return the numbers that were promoted before the served one, the latest last; some may be gone."""
        return [number for number in self._pointer(name).get("previous", ()) if isinstance(number, int)]

    def _folders(self, name: str) -> dict[int, Path]:
        home = self.home(name)
        found = ((_FOLDER.fullmatch(path.name), path) for path in home.glob("v*"))
        return {int(match[1]): path for match, path in found if match and path.is_dir()}

    def _next(self, name: str) -> int:
        return max([*self._folders(name), *self.trail(name), self.promoted(name) or 0], default=0) + 1


def _read(name: str, number: int, folder: Path) -> Version:
    """Return what a version says of itself.

    Raises:
        DataError: When that cannot be read, or is told of another version.
    """
    path = folder / HEAD
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        told = f"{raw['name']}@{raw['version']}"
        version = Version(
            name, number, raw["key"], raw["made_at"], dict(raw["meta"]), folder, sums_from_json(raw.get("files"))
        )
    except FileNotFoundError as error:
        raise DataError(f"{str(path)!r} is missing") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{str(path)!r} describes no version") from error
    if told != str(version):
        raise DataError(f"{str(path)!r} describes {told}, not {version}")
    return version


@contextmanager
def _naming(place: Path, otherwise: str) -> Iterator[None]:
    """Let an error of the disk name the place, and say `otherwise` how things stand now.

    Raises:
        OSError: In place of one that is raised inside, and of what the libraries that write tables make of one.
    """
    from polars.exceptions import PolarsError
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError, PolarsError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number is None and (match := _OS_ERROR.search(str(error))):
            number = int(match[1])
        if number is None:
            raise
        raise OSError(number, f"{os.strerror(number)}; {otherwise}", str(place)) from error


def _list(versions: Any) -> str:
    return ", ".join(map(str, versions)) or "none"
