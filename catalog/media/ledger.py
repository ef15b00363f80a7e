"""`MediaLedger`: what was fetched by URL and what was not, in one SQLite file beside the fetched media."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import polars as pl

from catalog.errors import DataError, FetchError
from catalog.media.answers import Fetched, Validators
from catalog.media.refs import FETCHED
from catalog.shown import shown_text, shown_url

LEDGER = "ledger.sqlite"
FAILURES = "failures.parquet"

FAILURE_COLUMNS = {
    "url": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "attempts": pl.Int64,
    "failed_at": pl.String,
}
"""Columns of the table of failures; `attempts` counts runs that tried. A URL that carries a secret stands without
it, with the beginning of the sha256 of the whole after a `#`."""

_TABLES = """
CREATE TABLE IF NOT EXISTS fetched (
    url TEXT PRIMARY KEY, final_url TEXT NOT NULL, kind TEXT NOT NULL, form TEXT NOT NULL, bytes INTEGER NOT NULL,
    sha TEXT NOT NULL, etag TEXT, last_modified TEXT, fetched_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
    url TEXT PRIMARY KEY, reason TEXT NOT NULL, detail TEXT NOT NULL, attempts INTEGER NOT NULL, failed_at TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failure of a URL, and how many runs tried it."""

    reason: str
    detail: str
    attempts: int


class MediaLedger:
    """Notes on fetched media; a context manager, of one thread.

    The files themselves are the truth: a URL whose file is there has been fetched, whatever this knows of it.

    Raises:
        DataError: When the file is damaged; without it nothing fetched is lost.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / FETCHED
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / LEDGER
        try:
            self._base = sqlite3.connect(path, timeout=30)
            self._base.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{str(path)!r} cannot be read ({error}): move it away; the media beside it stay as they are"
            ) from error

    def failure(self, url: str) -> Failure | None:
        """Return the last failure of a URL, None where it never failed or came since."""
        row = self._base.execute("SELECT reason, detail, attempts FROM failures WHERE url = ?", (_key(url),)).fetchone()
        return None if row is None else Failure(*row)

    def validators(self, url: str) -> Validators | None:
        """Return what the server called the bytes that lie there, None where it named nothing."""
        query = "SELECT etag, last_modified FROM fetched WHERE url = ?"
        row = self._base.execute(query, (_key(url),)).fetchone()
        return None if row is None or row == (None, None) else Validators(*row)

    def came(self, fetched: Fetched) -> None:
        """Note what came; its failures are forgotten."""
        named = fetched.validators
        row = (
            shown_url(fetched.final_url),
            fetched.kind,
            fetched.form,
            fetched.size,
            fetched.sha,
            named.etag,
            named.last_modified,
        )
        url = _key(fetched.url)
        self._base.execute(
            "INSERT OR REPLACE INTO fetched VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (url, *map(_text, row), _now())
        )
        self._base.execute("DELETE FROM failures WHERE url = ?", (url,))

    def failed(self, url: str, error: FetchError) -> None:
        """Note that a run tried a URL in vain."""
        self._base.execute(
            "INSERT INTO failures VALUES (?, ?, ?, 1, ?) ON CONFLICT (url) DO UPDATE SET reason = excluded.reason, "
            "detail = excluded.detail, attempts = attempts + 1, failed_at = excluded.failed_at",
            (_key(url), error.reason, _text(str(error)), _now()),
        )

    def commit(self) -> None:
        """Put what was noted on the disk."""
        self._base.commit()

    def write_failures(self) -> Path:
        """Write the table of failures, `failures.parquet`, and return where."""
        columns = ", ".join(FAILURE_COLUMNS)
        found = self._base.execute(f"SELECT {columns} FROM failures ORDER BY url")
        # A ledger of an earlier version may hold secrets.
        rows = [(shown_url(url), reason, shown_text(detail), *rest) for url, reason, detail, *rest in found]
        path = self.folder / FAILURES
        temporary = path.with_name(f".{path.name}.part")
        pl.DataFrame(rows, schema=FAILURE_COLUMNS, orient="row").write_parquet(temporary)
        temporary.replace(path)
        return path

    def close(self) -> None:
        """Commit and close."""
        self._base.commit()
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _key(url: str) -> str:
    """Return what a URL is kept under: itself, or where it carries a secret what may be shown and a hash."""
    shown = shown_url(url)
    if shown != url:
        shown += f"#{hashlib.sha256(url.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return shown.encode("utf-8", "replace").decode()


def _text(value: str | int | None) -> str | int | None:
    """Return text that SQLite can hold: a lone surrogate cannot be UTF-8."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
