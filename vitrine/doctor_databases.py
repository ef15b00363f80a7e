"""What the doctor finds in the databases beside the artifacts: events, the journal of items, keys, quotas.

Nothing is written: no table is made, no schema migrated.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import VitrineError
from catalog.findings import Finding
from catalog.item_journal import JOURNAL
from vitrine.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

RESTORE = "stop the shop, move the file away and restore a backup (vitrine events restore)"
ANEW = "stop the shop and move it away"


def database_findings(settings: Settings) -> list[Finding]:
    """Look whether what the service writes can be read; what is not there yet is a note or nothing."""
    from api.quota import QUOTA_FILE

    root = settings.store
    if root.is_file():
        return []  # told where the store is
    files = {
        "items written": (root / JOURNAL, f"{ANEW}; writes since the last vitrine sync or retrain are lost with it"),
        "quotas": (root / QUOTA_FILE, f"{ANEW}; today's counts begin anew"),
    }
    beside = [
        Finding("bad", f"  {subject}", f"{str(path)!r} is damaged ({fault}): {remedy}")
        if (fault := sqlite_fault(path))
        else Finding("ok", f"  {subject}", str(path))
        for subject, (path, remedy) in files.items()
        if path.exists()
    ]
    try:
        return [_events(settings), *beside, *_keys(root)]
    except VitrineError as error:
        return [Finding("bad", "  events", str(error)), *beside, *_keys(root)]


def sqlite_fault(path: Path) -> str | None:
    """Return what SQLite finds wrong with a file, in a line; None when it is whole. Reads all of it."""
    try:
        with closing(_read_only(path)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    return None if said == "ok" else " ".join(str(said).split())


def _read_only(path: Path) -> sqlite3.Connection:
    """Open a file that somebody may be using; one that nobody uses, without leaving a log beside it."""
    used = path.with_name(f"{path.name}-wal").exists()
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{'' if used else '&immutable=1'}", uri=True, timeout=5)


def _events(settings: Settings) -> Finding:
    """Open the events as they are: who answers, whether it is whole, and at which schema it stands."""
    from sqlalchemy import create_engine

    from catalog.event_engines import postgres_engine, read_url, shown_url

    url = None if settings.events.url is None else read_url(settings.events.url.get_secret_value())
    if url is not None and url.get_backend_name() != "sqlite":
        address = url.render_as_string(hide_password=False)
        return _schema(postgres_engine(address, 1, settings.events.connect_seconds), shown_url(url))
    path = settings.store / "events.sqlite" if url is None else Path(str(url.database))
    if not path.exists():
        return Finding("note", "  events", f"none yet: {str(path)!r} is made when the shop is opened")
    if fault := sqlite_fault(path):
        return Finding("bad", "  events", f"{str(path)!r} is damaged ({fault}): {RESTORE}")
    return _schema(create_engine("sqlite://", creator=lambda: _read_only(path)), str(path))


def _schema(engine: Engine, place: str) -> Finding:
    from catalog.event_faults import answering
    from catalog.event_schema import FIRST, HEAD, RESTORABLE, is_empty, revision_of

    try:
        with answering(engine), engine.connect() as connection:
            found = revision_of(connection)
            if found is None:
                is_empty(connection)
    finally:
        engine.dispose()
    if found == HEAD:
        return Finding("ok", "  events", f"{place}, schema {HEAD}")
    if found in (None, FIRST, *RESTORABLE):
        at = "without a schema of ours" if found is None else f"at schema {found}"
        return Finding("note", "  events", f"{place} is {at}: the next opening brings it to {HEAD}; back up before")
    return Finding(
        "bad", "  events", f"{place} is at schema {found!r}, which this version does not know; it knows up to {HEAD}"
    )


def _keys(root: Path) -> list[Finding]:
    """Say whether the file of keys lets anybody in; without one that ever was there is nothing to say."""
    from api.key_file import KEY_FILE, KeyFile, Keyring
    from api.keys import load_keys

    file = KeyFile(root / KEY_FILE)
    try:
        held = file.read()
        if not held:
            Keyring(load_keys(os.environ), file).check()
    except (VitrineError, OSError) as error:
        return [Finding("bad", "  keys", str(error))]
    return [Finding("ok", "  keys", f"{len(held)} in {str(file.path)!r}")] if held else []
