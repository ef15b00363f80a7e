"""The audit log: who wrote what and when, a file of JSON lines a day, kept for `api.audit_days`.

A line stands in it before the write is acknowledged. The key is named by its id, an item by its own, a shopper by a
digest: whoever asks "was this shopper erased?" can find out, whoever only reads the log learns no name.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

log = logging.getLogger("vitrine.api")

AUDIT_FOLDER = "audit"
"""Its name in the store."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One write.

    Attributes:
        at: When, ISO 8601 in UTC.
        key_id: Which key; `open` without keys, `console` for a command.
        tenant: Whose key.
        action: Method and address, or command.
        target: What was written: an item's id, a digest of a shopper's, names of tools; "" where the action says all.
        status: As it was answered; a refused write is a line as well.
        request_id: Of the request.
    """

    at: str
    key_id: str
    tenant: str
    action: str
    target: str
    status: int
    request_id: str


@dataclass
class AuditLog:
    """Appends and reads lines; several workers may share a folder, since a line is one write.

    Attributes:
        folder: Where the files are; made with the first line.
        days: How many are kept.
    """

    folder: Path
    days: int = 400
    _today: str = field(default="", init=False)

    def append(self, line: AuditLine) -> None:
        """Write a line; with the first of a day, files past their days go."""
        day = line.at[:10]
        if day != self._today:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._prune(day)
            self._today = day
        data = (json.dumps(asdict(line), ensure_ascii=False) + "\n").encode("utf-8", "replace")
        handle = os.open(self.folder / f"{day}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, data)
        finally:
            os.close(handle)

    def lines(self, since: datetime) -> Iterator[AuditLine]:
        """Give the lines from a moment on, the earliest first; a line cut short by a full disk is left out."""
        for path in sorted(self.folder.glob("*.jsonl")):
            if path.stem < f"{since:%Y-%m-%d}":
                continue
            for text in path.read_text(encoding="utf-8", errors="replace").split("\n"):
                if not text:
                    continue
                try:
                    line = AuditLine(**json.loads(text))
                except (ValueError, TypeError):
                    log.warning("audit line unreadable file=%s", path.name)
                    continue
                if line.at >= since.isoformat(timespec="milliseconds"):
                    yield line

    def _prune(self, day: str) -> None:
        oldest = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=self.days)
        for path in self.folder.glob("*.jsonl"):
            if path.stem < f"{oldest:%Y-%m-%d}":
                path.unlink(missing_ok=True)


def moment(at: datetime) -> str:
    """Return a time as the log writes it, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def person(user_id: str) -> str:
    """Return what the log keeps of a shopper's id."""
    return f"sha256:{hashlib.sha256(user_id.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
