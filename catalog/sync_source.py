"""Where a feed lies: a file, a folder of files, or a URL that is asked for news only."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from catalog.errors import DataError
from catalog.media.answers import Validators
from catalog.media.refs import is_url
from catalog.readers.feeds import FEED_ENDINGS
from catalog.shown import shown_url
from catalog.sync_download import FeedDownloader
from catalog.workspace import Workspace, content_key, write_text

MEMORY_FILE = "feeds.json"
"""In the store: what servers called the feeds that were synced, by a hash of the URL."""

READING = 2
"""Version of what the readers make of a feed; a change reads known feeds anew."""


@dataclass(frozen=True)
class FeedFiles:
    """The files of a feed.

    Attributes:
        files: In order; none where the server says that nothing is new.
        remote: Whether they came over the network.
        validators: What the server called them.
    """

    files: tuple[Path, ...]
    remote: bool = False
    validators: Validators | None = None


@contextmanager
def feed_files(source: str, downloader: FeedDownloader | None, before: Validators | None = None) -> Iterator[FeedFiles]:
    """Give the files of a feed; what was downloaded is removed after the block.

    Args:
        source: Path of a file or a folder, or an http(s) URL.
        downloader: Brings it; needed for a URL.
        before: What the server called the feed that was synced last.

    Raises:
        DataError: When there is no such file, or no feed in the folder.
        FetchError: When a URL was refused or did not come.
    """
    if is_url(source):
        assert downloader is not None
        folder = Path(tempfile.mkdtemp(prefix="vitrine-feed-"))
        try:
            came = downloader.bring(source, folder / "feed", before)
            if came is None:
                yield FeedFiles((), remote=True, validators=before)
            else:
                yield FeedFiles((_named(folder / "feed", source),), remote=True, validators=came.validators)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    if not source.strip():  # the path of nothing is this folder
        raise DataError(f"feed {source!r} is empty; a file, a folder or an http(s) URL would be valid")
    path = Path(source)
    if path.is_dir():
        yield FeedFiles(_inside(path))
    elif path.is_file():
        yield FeedFiles((path,))
    else:
        raise DataError(f"feed {source!r} does not exist; a file, a folder or an http(s) URL would be valid")


@dataclass(frozen=True)
class FeedMemory:
    """What a store remembers of one feed by URL.

    Attributes:
        url: As it may be shown.
        etag: What the server called the bytes.
        last_modified: The same as a moment.
        asked: Content key of how the feed was read.
        catalog: Content key of the catalogue that came of it.
        at: When, ISO 8601.
        until: When it reads otherwise by itself (a sale begins or ends), ISO 8601; None: never.
    """

    url: str
    etag: str | None
    last_modified: str | None
    asked: str
    catalog: str
    at: str
    until: str | None = None


def remembered(workspace: Workspace, source: str, asked: str) -> Validators | None:
    """Return what a server called a feed, where the catalogue still is what came of it, and would be now."""
    known = _load(workspace).get(_key(source))
    manifest = workspace.manifest("catalog")
    if known is None or manifest is None or (known.asked, known.catalog) != (asked, manifest.key):
        return None
    if known.until is not None and datetime.fromisoformat(known.until) <= datetime.now(UTC):
        return None
    found = Validators(known.etag, known.last_modified)
    return found if found != Validators() else None


def remember(
    workspace: Workspace, source: str, asked: str, validators: Validators | None, until: datetime | None
) -> None:
    """Keep what a server called the feed that the catalogue was brought to, after it was, and how long that holds."""
    manifest = workspace.manifest("catalog")
    if validators is None or manifest is None:
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    known = FeedMemory(
        shown_url(source),
        validators.etag,
        validators.last_modified,
        asked,
        manifest.key,
        now,
        None if until is None else until.isoformat(),
    )
    kept = {**_load(workspace), _key(source): known}
    text = json.dumps({key: asdict(each) for key, each in kept.items()}, indent=2, ensure_ascii=False)
    write_text(workspace.root / MEMORY_FILE, text + "\n")


def _load(workspace: Workspace) -> dict[str, FeedMemory]:
    """Return the memory; one that is damaged is empty, since it only spares a download."""
    try:
        said = json.loads((workspace.root / MEMORY_FILE).read_text(encoding="utf-8"))
        return {key: FeedMemory(**each) for key, each in said.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def _key(source: str) -> str:
    return content_key(source)[:32]


def _inside(folder: Path) -> tuple[Path, ...]:
    """Return the feeds of a folder by name."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    found = tuple(path for path in files if Path(path.name.lower().removesuffix(".gz")).suffix in FEED_ENDINGS)
    if not found:
        raise DataError(
            f"folder {str(folder)!r} holds no feed; files ending in {', '.join(sorted(FEED_ENDINGS))} (also .gz) "
            "would be valid"
        )
    return found


def _named(path: Path, url: str) -> Path:
    """Return a download under the name of its URL, with the ending that its bytes ask for where tables need one."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        try:
            head = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        except (OSError, EOFError):
            head = b""
    ending = ".parquet" if head.startswith(b"PAR1") else ""  # the one form whose reader goes by the name
    name = re.sub(r"[^\w.-]+", "_", unquote(urlsplit(url).path.rsplit("/", 1)[-1])).strip("._")[:80] or "feed"
    if ending:
        name = name.split(".", 1)[0] + ending
    return path.rename(path.with_name(name)) if name != path.name else path
