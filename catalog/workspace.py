"""The workspace on disk: named artifacts, content keys, all-or-nothing writes.

An artifact is a folder with a readable name. Inside stand `manifest.json` and one data folder
named by the content key; the manifest is written last and replaced atomically, and the folder it
named before is removed after, so a killed run leaves either the old or the new, never half.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.errors import DataError, NotBuiltError
from catalog.file_marks import changed, file_marks

MANIFEST = "manifest.json"

MADE_BY = {
    "catalog": "vitrine generate or vitrine import",
    "marketing": "vitrine generate --marketing or vitrine import marketing",
    "marketing-truth": "vitrine generate --marketing",
    "captions": "vitrine caption",
    "transcripts": "vitrine transcribe",
    "encoders/intents": "vitrine intents",
    "intents": "vitrine intents",
    "embeddings": "vitrine embed",
    "encoders/video": "vitrine train video",
    "encoders/fusion": "vitrine train fusion",
    "encoders": "vitrine train clip",
    "frames": "vitrine train video",
    "indexes": "vitrine index",
    "models": "vitrine train",
    "reports": "vitrine eval",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands beside an artifact: its content key, when it was made, free metadata, the data folder and its files.

    `files` is what `file_marks` said of them; None in a manifest older than that.
    """

    key: str
    made_at: str
    meta: Mapping[str, Any]
    folder: str
    files: Any = None


def content_key(*parts: object) -> str:
    """Return a sha256 over `parts`: bytes, files (`Path`), or anything JSON can say."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            with part.open("rb") as file:
                chunk = hashlib.file_digest(file, "sha256").digest()
        elif isinstance(part, bytes):
            chunk = hashlib.sha256(part).digest()
        else:
            text = json.dumps(part, sort_keys=True, ensure_ascii=False, default=str)
            chunk = hashlib.sha256(text.encode()).digest()
        digest.update(chunk)
    return digest.hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Workspace:
    """One directory that holds everything a run makes.

    Artifact names are paths such as `catalog`, `captions/pixels`, `embeddings/text-minilm`,
    `indexes/keyword`, `models/lirdrec`.

    Raises:
        DataError: When `root` is a file, or below the home of nobody.
    """

    def __init__(self, root: Path | str) -> None:
        try:
            self.root = Path(root).expanduser().resolve()
        except RuntimeError as error:
            raise DataError(f"store {str(root)!r}: there is no such user's home; a folder would be valid") from error
        if self.root.is_file():
            raise DataError(f"store {str(self.root)!r} is a file; a folder, there or yet to be made, would be valid")

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"

    @property
    def events_path(self) -> Path:
        """Where SQLite keeps events, users and sessions."""
        return self.root / "events.sqlite"

    def manifest(self, name: str) -> Manifest | None:
        """Return the manifest of an artifact, or None when it was never finished.

        Raises:
            DataError: When it is damaged; the text says how to make the artifact anew.
        """
        path = self.root / name / MANIFEST
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            folder = raw.get("folder", raw["key"][:16])
            return Manifest(raw["key"], raw["made_at"], dict(raw["meta"]), folder, raw.get("files"))
        except FileNotFoundError:
            return None
        except IsADirectoryError as error:
            raise DataError(f"{str(path)!r} is a folder and no manifest: {self._remedy(name)}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{str(path)!r} is no manifest: {self._remedy(name)}") from error

    def has(self, name: str, key: str | None = None) -> bool:
        """Whether a finished artifact stands under `name` (and has this content key)."""
        found = self.manifest(name)
        return found is not None and (key is None or found.key == key)

    def fault(self, name: str) -> str | None:
        """Return why a finished artifact is not what was written, in a line; None when it is, or there is none.

        Sizes and times of change are compared; a file is read only where its time differs.
        """
        found = self.manifest(name)
        return None if found is None else changed(self.root / name / found.folder, found.files)

    def path(self, name: str) -> Path:
        """Return the data folder of a finished artifact.

        Raises:
            NotBuiltError: When there is none; the text names the command that makes it.
        """
        found = self.manifest(name)
        if found is None:
            raise NotBuiltError(f"{name!r} is not in the store {str(self.root)!r}: run {_maker(name)} first")
        return self.root / name / found.folder

    @contextmanager
    def reading(self, name: str, *, whole: bool = False) -> Iterator[Path]:
        """Give the data folder of a finished artifact to whoever parses its files.

        Args:
            name: The artifact.
            whole: Look first whether every file is what was written: weights that were changed load all the same.

        Raises:
            NotBuiltError: When there is none.
            DataError: In place of what a damaged or missing file makes its parser raise inside the block.
        """
        from polars.exceptions import PolarsError

        folder = self.path(name)
        if not folder.is_dir():
            raise DataError(f"{str(folder)!r} is named by its manifest and missing: {self._remedy(name)}")
        if whole and (fault := self.fault(name)) is not None:
            raise DataError(f"{fault}: {self._remedy(name)}")
        try:
            yield folder
        except DataError as error:
            raise DataError(f"{error}: {self._remedy(name)}") from error
        except (OSError, EOFError, ValueError, OverflowError, KeyError, TypeError, PolarsError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                f"{name!r} in the store {str(self.root)!r} cannot be read ({reason}): {self._remedy(name)}"
            ) from error

    def _remedy(self, name: str) -> str:
        """Say what mends an artifact; without its manifest it is made anew, from the finished parts of its job."""
        return f"remove {str(self.root / name / MANIFEST)!r} and run {_maker(name)} again"

    def names(self, kind: str) -> list[str]:
        """Return the finished artifacts below `kind`, e.g. `names("embeddings")` -> `["text-minilm"]`."""
        folder = self.root / kind
        return sorted(p.parent.name for p in folder.glob(f"*/{MANIFEST}"))

    @contextmanager
    def writing(self, name: str, key: str, meta: Mapping[str, Any] | None = None) -> Iterator[Path]:
        """Give a temporary folder; on a clean exit it becomes the artifact `name`, else nothing changed.

        `meta` may be filled inside the block: it is written with the manifest, last.

        Raises:
            DataError: When `name` leads out of the workspace.
        """
        if any(part in ("", ".", "..") for part in name.split("/")):
            raise DataError(f"{name!r} is no name of an artifact; names without '..' joined by '/' would be valid")
        home = self.root / name
        home.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=home, prefix=".tmp-"))
        try:
            yield temporary
            temporary.chmod(0o755)
            files = file_marks(temporary)
            final = self._place(name, key)
            temporary.replace(final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        manifest = {
            "key": key,
            "folder": final.name,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "meta": dict(meta or {}),
            "files": files,
        }
        write_text(home / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        self._sweep(home, keep=final)

    @staticmethod
    def _sweep(home: Path, keep: Path) -> None:
        """Remove the data the manifest named before, and what killed runs left."""
        for other in home.iterdir():
            if other.name.startswith(f".{MANIFEST}-"):
                other.unlink(missing_ok=True)
            elif other.is_dir() and other != keep and (_is_data(other.name) or other.name.startswith(".tmp-")):
                shutil.rmtree(other, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Remove an artifact, its manifest first; nothing happens when there is none."""
        home = self.root / name
        (home / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)

    def _place(self, name: str, key: str) -> Path:
        """Return a free data folder for `key`; a finished one of the same key stands until the manifest moves on."""
        finished = self.manifest(name)
        places = [self.root / name / key[:16], self.root / name / f"{key[:16]}-again"]
        place = next(each for each in places if finished is None or each.name != finished.folder)
        if place.exists():  # left by a killed run: no manifest names it
            shutil.rmtree(place)
        return place


def _maker(name: str) -> str:
    return MADE_BY.get(name) or MADE_BY.get(name.split("/", 1)[0], "an earlier command")


def _is_data(name: str) -> bool:
    key = name.removesuffix("-again")
    return len(key) == 16 and all(c in "0123456789abcdef" for c in key)
